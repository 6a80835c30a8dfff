/* SPDX-License-Identifier: Apache-2.0 */
/* Our MessagePack reader with msgpack-c as the oracle: what msgpack-c packs we read as the same
 * values, and what we go past msgpack-c goes past too, by as many bytes. */
#include "wire/support.h"

#include "wire/cursor.h"

#include <msgpack.h>
#include <stdlib.h>

enum { VALUES = 4000, INPUTS = 200000, INPUT_MAX = 24 };

/* xorshift64*: the same numbers in every run. */
static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(2685821657736338717);
}

/* A number of any magnitude, so that every format comes up. */
static uint64_t random_number(void)
{
    return random_next() >> random_next() % 64;
}

static void pack_text(msgpack_packer *packer, bool text)
{
    static const char letters[70000];
    size_t size = (size_t)(random_number() % (random_next() % 50 ? 40 : sizeof letters));

    if (text) {
        msgpack_pack_str(packer, size);
        msgpack_pack_str_body(packer, letters, size);
    } else if (random_next() % 2) {
        msgpack_pack_bin(packer, size);
        msgpack_pack_bin_body(packer, letters, size);
    } else {
        msgpack_pack_ext(packer, size, (int8_t)random_next());
        msgpack_pack_ext_body(packer, letters, size);
    }
}

static void pack_scalar(msgpack_packer *packer)
{
    uint64_t bits = random_next();
    double real;
    float single = (float)random_number();

    memcpy(&real, &bits, sizeof real);
    switch (random_next() % 10) {
    case 0:
        msgpack_pack_nil(packer);
        break;
    case 1:
        msgpack_pack_true(packer);
        break;
    case 2:
        msgpack_pack_false(packer);
        break;
    case 3:
        msgpack_pack_double(packer, real);
        break;
    case 4:
        msgpack_pack_float(packer, single);
        break;
    case 5:
        msgpack_pack_int64(packer, -(int64_t)(random_number() >> 1) - 1);
        break;
    case 6:
        msgpack_pack_fix_int64(packer, (int64_t)random_number());
        break;
    case 7:
        msgpack_pack_uint64(packer, random_number());
        break;
    default:
        pack_text(packer, random_next() % 2);
    }
}

static void pack_value(msgpack_packer *packer, int depth)
{
    uint64_t shape = random_next() % 8;
    size_t count = (size_t)random_next() % (depth ? 6 : 40);

    if (depth == ISWI_SKIP_MAX_DEPTH || shape > 2) {
        pack_scalar(packer);
    } else if (shape == 0) {
        msgpack_pack_map(packer, count);
        for (size_t i = 0; i < 2 * count; i++)
            pack_value(packer, depth + 1);
    } else {
        msgpack_pack_array(packer, count);
        for (size_t i = 0; i < count; i++)
            pack_value(packer, depth + 1);
    }
}

static void assert_same_bytes(const iswi_token *token, const char *data, size_t size)
{
    assert_int_equal(token->size, size);
    assert_true(size == 0 || memcmp(token->data, data, size) == 0);
}

/* An ext of ours begins with its type. */
static void assert_same_ext(const iswi_token *token, const msgpack_object_ext *ext)
{
    assert_int_equal(token->size, (size_t)ext->size + 1);
    assert_int_equal(*(const int8_t *)token->data, ext->type);
    assert_true(ext->size == 0 || memcmp((const char *)token->data + 1, ext->ptr, ext->size) == 0);
}

static void assert_same(iswi_cursor *cursor, const msgpack_object *object);

static void assert_same_array(iswi_cursor *cursor, const iswi_token *token,
                              const msgpack_object_array *array)
{
    assert_int_equal(token->size, array->size);
    for (uint32_t i = 0; i < array->size; i++)
        assert_same(cursor, &array->ptr[i]);
}

static void assert_same_map(iswi_cursor *cursor, const iswi_token *token,
                            const msgpack_object_map *map)
{
    assert_int_equal(token->size, map->size);
    for (uint32_t i = 0; i < map->size; i++) {
        assert_same(cursor, &map->ptr[i].key);
        assert_same(cursor, &map->ptr[i].val);
    }
}

static iswi_token_type token_type_of(const msgpack_object *object)
{
    static const iswi_token_type types[] = {
        [MSGPACK_OBJECT_NIL] = ISWI_TOKEN_NIL,
        [MSGPACK_OBJECT_BOOLEAN] = ISWI_TOKEN_BOOL,
        [MSGPACK_OBJECT_POSITIVE_INTEGER] = ISWI_TOKEN_UINT,
        [MSGPACK_OBJECT_NEGATIVE_INTEGER] = ISWI_TOKEN_INT,
        [MSGPACK_OBJECT_FLOAT32] = ISWI_TOKEN_DOUBLE,
        [MSGPACK_OBJECT_FLOAT64] = ISWI_TOKEN_DOUBLE,
        [MSGPACK_OBJECT_STR] = ISWI_TOKEN_STR,
        [MSGPACK_OBJECT_BIN] = ISWI_TOKEN_BIN,
        [MSGPACK_OBJECT_ARRAY] = ISWI_TOKEN_ARRAY,
        [MSGPACK_OBJECT_MAP] = ISWI_TOKEN_MAP,
        [MSGPACK_OBJECT_EXT] = ISWI_TOKEN_EXT,
    };

    return types[object->type];
}

static void assert_same(iswi_cursor *cursor, const msgpack_object *object)
{
    iswi_token token;

    assert_true(iswi_cursor_next(cursor, &token));
    assert_int_equal(token.type, token_type_of(object));
    switch (token.type) {
    case ISWI_TOKEN_NIL:
        break;
    case ISWI_TOKEN_BOOL:
        assert_int_equal(token.as.boolean, object->via.boolean);
        break;
    case ISWI_TOKEN_UINT:
        assert_true(token.as.u == object->via.u64);
        break;
    case ISWI_TOKEN_INT:
        assert_true(token.as.i == object->via.i64);
        break;
    case ISWI_TOKEN_DOUBLE:
        assert_memory_equal(&token.as.real, &object->via.f64, sizeof token.as.real);
        break;
    case ISWI_TOKEN_STR:
        assert_same_bytes(&token, object->via.str.ptr, object->via.str.size);
        break;
    case ISWI_TOKEN_BIN:
        assert_same_bytes(&token, object->via.bin.ptr, object->via.bin.size);
        break;
    case ISWI_TOKEN_ARRAY:
        assert_same_array(cursor, &token, &object->via.array);
        break;
    case ISWI_TOKEN_MAP:
        assert_same_map(cursor, &token, &object->via.map);
        break;
    case ISWI_TOKEN_EXT:
        assert_same_ext(&token, &object->via.ext);
        break;
    }
}

static iswi_cursor cursor_on(const void *bytes, size_t size)
{
    const unsigned char *start = bytes;

    return (iswi_cursor){ .start = start, .at = start, .end = start + size };
}

/* Both read all of `packed`, as the same values. */
static void compare(const msgpack_sbuffer *packed)
{
    iswi_cursor cursor = cursor_on(packed->data, packed->size);
    msgpack_unpacked unpacked;
    size_t offset = 0;

    msgpack_unpacked_init(&unpacked);
    assert_int_equal(msgpack_unpack_next(&unpacked, packed->data, packed->size, &offset),
                     MSGPACK_UNPACK_SUCCESS);
    assert_same(&cursor, &unpacked.data);
    assert_ptr_equal(cursor.at, cursor.end);
    msgpack_unpacked_destroy(&unpacked);
    cursor = cursor_on(packed->data, packed->size);
    assert_true(iswi_cursor_skip(&cursor, ISWI_SKIP_MAX_DEPTH));
    assert_ptr_equal(cursor.at, cursor.end);
}

static void what_msgpack_c_packs_is_read_as_the_same_values(void **state)
{
    msgpack_sbuffer packed;
    msgpack_packer packer;

    (void)state;
    random_state = 1;
    msgpack_sbuffer_init(&packed);
    msgpack_packer_init(&packer, &packed, msgpack_sbuffer_write);
    for (int i = 0; i < VALUES; i++) {
        msgpack_sbuffer_clear(&packed);
        pack_value(&packer, 0);
        compare(&packed);
    }
    msgpack_sbuffer_destroy(&packed);
}

/* Small bytes and formats come up often, so that many inputs are whole values. */
static size_t random_input(unsigned char *bytes)
{
    size_t size = 1 + (size_t)random_next() % INPUT_MAX;

    for (size_t i = 0; i < size; i++) {
        uint64_t bits = random_next();

        bytes[i] = (unsigned char)(bits >> 32);
        if (bits % 4 == 0)
            bytes[i] &= 0x0f;
        else if (bits % 4 == 1)
            bytes[i] = (unsigned char)(0x80 | (bytes[i] & 0x73));
    }
    return size;
}

static void what_is_skipped_msgpack_c_reads_with_the_same_size(void **state)
{
    msgpack_unpacked unpacked;
    size_t skipped = 0;

    (void)state;
    random_state = 2;
    msgpack_unpacked_init(&unpacked);
    for (int i = 0; i < INPUTS; i++) {
        unsigned char *bytes = malloc(INPUT_MAX);
        size_t size = random_input(bytes);
        iswi_cursor cursor = cursor_on(bytes, size);
        size_t offset = 0;

        if (iswi_cursor_skip(&cursor, ISWI_SKIP_MAX_DEPTH)) {
            skipped++;
            assert_true(cursor.at <= cursor.end);
            assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)bytes, size, &offset),
                             MSGPACK_UNPACK_SUCCESS);
            assert_int_equal(offset, cursor.at - bytes);
        }
        free(bytes);
    }
    msgpack_unpacked_destroy(&unpacked);
    assert_in_range(skipped, INPUTS / 10, INPUTS - INPUTS / 10);
}

static void a_value_cut_at_any_byte_is_not_read(void **state)
{
    msgpack_sbuffer packed;
    msgpack_packer packer;

    (void)state;
    random_state = 3;
    msgpack_sbuffer_init(&packed);
    msgpack_packer_init(&packer, &packed, msgpack_sbuffer_write);
    for (int i = 0; i < 500; i++) {
        msgpack_sbuffer_clear(&packed);
        pack_value(&packer, ISWI_SKIP_MAX_DEPTH - 2);
        for (size_t size = 0; size < packed.size && size < 1000; size++) {
            iswi_cursor cursor = cursor_on(packed.data, size);

            assert_false(iswi_cursor_skip(&cursor, ISWI_SKIP_MAX_DEPTH));
        }
    }
    msgpack_sbuffer_destroy(&packed);
}

static void the_edges_of_the_numbers_are_read(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        int64_t number;
    } edges[] = {
        { "\xd0\x80", 2, INT8_MIN },
        { "\xd1\x80\x00", 3, INT16_MIN },
        { "\xd2\x80\x00\x00\x00", 5, INT32_MIN },
        { "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9, INT64_MIN },
        { "\xd3\xff\xff\xff\xff\xff\xff\xff\xff", 9, -1 },
        { "\xe0", 1, -32 },
        { "\xff", 1, -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        iswi_cursor cursor = cursor_on(edges[i].bytes, edges[i].size);
        iswi_token token;

        assert_true(iswi_cursor_next(&cursor, &token));
        assert_int_equal(token.type, ISWI_TOKEN_INT);
        assert_true(token.as.i == edges[i].number);
        assert_ptr_equal(cursor.at, cursor.end);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_msgpack_c_packs_is_read_as_the_same_values),
    cmocka_unit_test(what_is_skipped_msgpack_c_reads_with_the_same_size),
    cmocka_unit_test(a_value_cut_at_any_byte_is_not_read),
    cmocka_unit_test(the_edges_of_the_numbers_are_read),
};

ISW_TEST_MAIN(tests)
