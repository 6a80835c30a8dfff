/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of PROTOCOL.md, sections 2 and 9, that hold for every member, tried on every member of
 * every frame and structure: the tables say which there are. */
#include "wire/support.h"

#include "wire/cursor.h"
#include "wire/table.h"

#include <stdio.h>

/* A place where a map of `table` may stand: the bytes of a frame up to it. */
typedef struct shape {
    uint64_t kind;
    const iswi_table *table;
    char prefix[16];
    size_t size;
} shape;

static const iswi_table *sub_table(uint64_t kind, uint8_t key)
{
    const iswi_table *table = iswi_table_of_kind(kind);

    for (size_t i = 0; i < table->count; i++)
        if (table->fields[i].key == key)
            return table->fields[i].table;
    return NULL;
}

#define SHAPE(kind, table, prefix) { kind, table, prefix, sizeof(prefix) - 1 }

/* Call `visit` for the body of every kind and for every structure. */
static void each_shape(void (*visit)(const shape *place))
{
    const iswi_table *function = sub_table(ISWI_METADATA, 2);
    const iswi_table *status = sub_table(ISWI_WARMED, 1);
    const iswi_table *family = sub_table(ISWI_METRICS, 1);
    const shape structures[] = {
        SHAPE(ISWI_WARMED, status, "\x93\x11\x01\x81\x01"),
        SHAPE(ISWI_WARMED, status->fields[6].table, "\x93\x11\x01\x81\x01\x81\x07\x91"),
        SHAPE(ISWI_METADATA, function, "\x93\x04\x01\x81\x02\x91"),
        SHAPE(ISWI_METADATA, function->fields[5].table, "\x93\x04\x01\x81\x02\x91\x81\x06\x91"),
        SHAPE(ISWI_METRICS, family, "\x93\x1a\x01\x81\x01\x91"),
        SHAPE(ISWI_METRICS, family->fields[5].table, "\x93\x1a\x01\x81\x01\x91\x81\x06\x91"),
        SHAPE(ISWI_INVOKE, sub_table(ISWI_INVOKE, 7), "\x93\x07\x01\x81\x07"),
        SHAPE(ISWI_INVOKE, sub_table(ISWI_INVOKE, 8), "\x93\x07\x01\x81\x08"),
        SHAPE(ISWI_INVOKE, &iswi_table_http, "\x93\x07\x01\x81\x03\x92\x07"),
        SHAPE(ISWI_INVOKE, &iswi_table_model, "\x93\x07\x01\x81\x03\x92\x08"),
    };

    for (uint64_t kind = ISWI_WORKER_HELLO; kind <= ISWI_KIND_LAST; kind++) {
        shape body = { kind, iswi_table_of_kind(kind), { '\x93', (char)kind, '\x01' }, 3 };

        visit(&body);
    }
    for (size_t i = 0; i < sizeof structures / sizeof structures[0]; i++)
        visit(&structures[i]);
}

static isw_status decode_error(const iswi_buffer *bytes, isw_error *error)
{
    iswi_arena arena;
    iswi_frame frame;
    isw_status status;
    size_t used;

    *error = (isw_error){ .status = ISW_OK };
    iswi_arena_init(&arena, 1024);
    status = iswi_frame_decode(bytes->data, bytes->size, &arena, &frame, &used, error);
    iswi_arena_fini(&arena);
    return status;
}

/* Decode the shape's frame with one member, whose value is `value`, and give the error. More bytes
 * follow, so that the member is refused, and not a frame too short for what else must be there. */
static void decode_member(const shape *place, const iswi_field *field, const void *value,
                          size_t size, isw_error *error)
{
    unsigned char head[] = { 0x81, field->key };
    iswi_buffer bytes = { 0 };

    iswi_buffer_append(&bytes, place->prefix, place->size);
    iswi_buffer_append(&bytes, head, sizeof head);
    iswi_buffer_append(&bytes, value, size);
    assert_true(iswi_buffer_append(&bytes, "\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0", 8));
    decode_error(&bytes, error);
    iswi_buffer_fini(&bytes);
}

/* The failure names this member and says `what`. */
static bool blames(const shape *place, const iswi_field *field, const isw_error *error,
                   const char *what)
{
    char start[128];

    snprintf(start, sizeof start, "%s.%s: ", iswi_kind_name(place->kind), field->name);
    return error->status == ISW_E_PROTOCOL && strncmp(error->message, start, strlen(start)) == 0 &&
           strstr(error->message, what) != NULL;
}

static iswi_token_type token_of(const iswi_field *field)
{
    switch ((iswi_field_type)field->type) {
    case ISWI_FIELD_UINT:
    case ISWI_FIELD_CODE:
        return ISWI_TOKEN_UINT;
    case ISWI_FIELD_BOOL:
        return ISWI_TOKEN_BOOL;
    case ISWI_FIELD_STR:
        return ISWI_TOKEN_STR;
    case ISWI_FIELD_BIN:
        return ISWI_TOKEN_BIN;
    case ISWI_FIELD_STRUCT:
        return ISWI_TOKEN_MAP;
    default:
        return ISWI_TOKEN_ARRAY;
    }
}

static void refuse_wrong_types(const shape *place)
{
    static const char *const values[] = { /* by iswi_token_type */
        "\xc0", "\xc3", "\x01", "\xff", "\xca\x3f\x80\x01\x01", "\xa1" "a", "\xc4\x01" "a", "\x90",
        "\x80", "\xd4\x01\x01",
    };

    for (size_t i = 0; i < place->table->count; i++) {
        const iswi_field *field = &place->table->fields[i];
        isw_error error;

        for (int type = 0; type <= ISWI_TOKEN_EXT; type++) {
            if (type == (int)token_of(field))
                continue;
            decode_member(place, field, values[type], strlen(values[type]), &error);
            if (!blames(place, field, &error, "expected"))
                fail_msg("%s.%s took token %d: %s", place->table->name, field->name, type,
                         error.message);
        }
    }
}

static void a_member_of_the_wrong_type_is_refused(void **state)
{
    (void)state;
    each_shape(refuse_wrong_types);
}

/* A str of `size` letters in the 32-bit format. */
static void put_text(iswi_buffer *out, size_t size)
{
    unsigned char head[] = { 0xdb, (unsigned char)(size >> 24), (unsigned char)(size >> 16),
                             (unsigned char)(size >> 8), (unsigned char)size };

    iswi_buffer_append(out, head, sizeof head);
    assert_true(iswi_buffer_reserve(out, size));
    memset(out->data + out->size, 'a', size);
    out->size += size;
}

static void refuse_long_text(const shape *place)
{
    for (size_t i = 0; i < place->table->count; i++) {
        const iswi_field *field = &place->table->fields[i];
        iswi_buffer text = { 0 };
        isw_error error;

        if (field->type != ISWI_FIELD_STR)
            continue;
        assert_true(field->limit > 0);
        put_text(&text, field->limit);
        decode_member(place, field, text.data, text.size, &error);
        assert_false(blames(place, field, &error, ""));
        iswi_buffer_reset(&text);
        put_text(&text, field->limit + 1);
        decode_member(place, field, text.data, text.size, &error);
        assert_true(blames(place, field, &error, "too long"));
        iswi_buffer_fini(&text);
    }
}

static void text_longer_than_its_limit_is_refused(void **state)
{
    (void)state;
    each_shape(refuse_long_text);
}

static void refuse_bad_utf8(const shape *place)
{
    static const char *const bad[] = {
        "\xa1\xff", "\xa1\x80", "\xa2\xc0\x80", "\xa3\xed\xa0\x80", "\xa4\xf4\x90\x80\x80",
        "\xa2\xe2\x82", "\xaa" "12345678\xc3" "9",
    };

    for (size_t i = 0; i < place->table->count; i++) {
        const iswi_field *field = &place->table->fields[i];
        isw_error error;

        for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
            if (field->type != ISWI_FIELD_STR)
                continue;
            decode_member(place, field, bad[n], strlen(bad[n]), &error);
            assert_true(blames(place, field, &error, "UTF-8"));
        }
    }
}

static void text_that_is_not_utf8_is_refused(void **state)
{
    (void)state;
    each_shape(refuse_bad_utf8);
}

static void refuse_twice(const shape *place)
{
    for (char key = 0; key <= ISWI_KEY_MAX; key++) {
        char twice[] = { '\x82', key, '\xc0', key, '\xc0' };
        iswi_buffer bytes = { 0 };
        isw_error error;
        bool known = false;

        for (size_t i = 0; i < place->table->count; i++)
            known = known || place->table->fields[i].key == key;
        iswi_buffer_append(&bytes, place->prefix, place->size);
        iswi_buffer_append(&bytes, twice, sizeof twice);
        assert_int_equal(decode_error(&bytes, &error), ISW_E_PROTOCOL);
        if (!known) /* nil fits no known key: for those see the frames below */
            assert_non_null(strstr(error.message, "a key comes twice"));
        iswi_buffer_fini(&bytes);
    }
}

static void an_unknown_key_that_comes_twice_is_refused(void **state)
{
    (void)state;
    each_shape(refuse_twice);
}

/* The shape's map with every required member but `missing`. */
static void refuse_without(const shape *place, const iswi_field *missing)
{
    iswi_buffer bytes = { 0 };
    unsigned char count = 0x80;
    size_t used;

    for (size_t i = 0; i < place->table->count; i++)
        count = (unsigned char)(count + (place->table->fields[i].required ? 1 : 0));
    count = (unsigned char)(count - (missing ? 1 : 0));
    iswi_buffer_append(&bytes, place->prefix, place->size);
    iswi_buffer_append(&bytes, &count, 1);
    for (size_t i = 0; i < place->table->count; i++) {
        const iswi_field *field = &place->table->fields[i];

        if (!field->required || field == missing)
            continue;
        iswi_buffer_append(&bytes, &field->key, 1);
        if (field->type == ISWI_FIELD_VALUE)
            iswi_buffer_append(&bytes, "\x92\x00\xc0", 3);
        else if (field->type == ISWI_FIELD_BIN)
            iswi_buffer_append(&bytes, "\xc4\x20................................", 34);
        else
            iswi_buffer_append(&bytes, field->type == ISWI_FIELD_UINT  ? "\x01"
                                       : field->type == ISWI_FIELD_STR ? "\xa0"
                                                                       : "\x80", 1);
    }
    if (missing || place->size == 3) /* a whole body is a whole frame */
        assert_int_equal(decode_once(bytes.data, bytes.size, &used, NULL),
                         missing ? ISW_E_PROTOCOL : ISW_OK);
    iswi_buffer_fini(&bytes);
}

static void refuse_without_each(const shape *place)
{
    refuse_without(place, NULL);
    for (size_t i = 0; i < place->table->count; i++)
        if (place->table->fields[i].required)
            refuse_without(place, &place->table->fields[i]);
}

static void a_missing_key_is_refused(void **state)
{
    (void)state;
    each_shape(refuse_without_each);
}

static void a_token_has_exactly_32_bytes(void **state)
{
    const shape hello = { ISWI_HOST_HELLO, iswi_table_of_kind(ISWI_HOST_HELLO), "\x93\x02\x01", 3 };
    const iswi_field *proof = &hello.table->fields[1];
    char bin[40] = "\xc4";
    isw_error error;

    (void)state;
    for (char size = 30; size < 35; size++) {
        bin[1] = size;
        decode_member(&hello, proof, bin, 2 + (size_t)size, &error);
        assert_true(blames(&hello, proof, &error, "bytes") == (size != 32));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_member_of_the_wrong_type_is_refused),
    cmocka_unit_test(text_longer_than_its_limit_is_refused),
    cmocka_unit_test(text_that_is_not_utf8_is_refused),
    cmocka_unit_test(an_unknown_key_that_comes_twice_is_refused),
    cmocka_unit_test(a_missing_key_is_refused),
    cmocka_unit_test(a_token_has_exactly_32_bytes),
};

ISW_TEST_MAIN(tests)
