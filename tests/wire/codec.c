/* SPDX-License-Identifier: Apache-2.0 */
/* What a receiver accepts and refuses, by the rules of PROTOCOL.md, sections 2, 6, 8 and 9. Those
 * that hold for every member alike are in members.c. */
#include "wire/support.h"

static void a_known_key_that_comes_twice_is_refused(void **state)
{
    (void)state;
    ASSERT_TAKEN(FRAME_OF("\x09", "\x82\x01\x01\x02\x05"));
    ASSERT_REFUSED(FRAME_OF("\x09", "\x82\x01\x01\x01\x01"));
    ASSERT_REFUSED(FRAME_OF("\x09", "\x83\x02\x01\x01\x01\x02\x01"));
    ASSERT_REFUSED(FRAME_OF("\x09", "\x82\x01\x01\xcc\x01\x01")); /* in another format */
    ASSERT_REFUSED(FRAME_OF("\x11", "\x81\x01\x82\x01\x01\x01\x01"));
    ASSERT_TAKEN(FRAME_OF("\x09", "\x81\x3f\x82\x01\x01\x01\x01")); /* within what is skipped */
}

static void unknown_keys_are_skipped_whatever_they_hold(void **state)
{
    (void)state;
    ASSERT_TAKEN(FRAME_OF("\x0d", "\x82\x3f\xc0\x01\x05"));
    ASSERT_TAKEN(FRAME_OF("\x0d", "\x82\x00\xc3\x01\x05"));
    ASSERT_TAKEN(FRAME_OF("\x0d", "\x82\x02\xd3\xff\xff\xff\xff\xff\xff\xff\xff\x01\x05"));
    ASSERT_TAKEN(FRAME_OF("\x0d", "\x82\x02\xcb\x00\x00\x00\x00\x00\x00\x00\x00\x01\x05"));
    ASSERT_TAKEN(FRAME_OF("\x0d", "\x82\x02\xa2\xff\xfe\x01\x05")); /* no UTF-8 */
    ASSERT_TAKEN(FRAME_OF("\x0d", "\x82\x02\xc7\x03\x05zzz\x01\x05"));
    ASSERT_TAKEN(FRAME_OF("\x0d", "\x82\x02\x82\xa1k\x90\x90\x80\x01\x05"));
    ASSERT_TAKEN(FRAME_OF("\x11", "\x81\x01\x82\x1f\xc0\x01\x05"));
    ASSERT_REFUSED(FRAME_OF("\x0d", "\x82\x02\xc1\x01\x05"));
}

static void keys_above_63_and_of_other_types_are_refused(void **state)
{
    (void)state;
    ASSERT_TAKEN(FRAME_OF("\x0d", "\x81\xd3\x00\x00\x00\x00\x00\x00\x00\x01\x05"));
    ASSERT_REFUSED(FRAME_OF("\x0d", "\x82\x40\xc0\x01\x05"));
    ASSERT_REFUSED(FRAME_OF("\x0d", "\x82\xcf\x01\x00\x00\x00\x00\x00\x00\x01\xc0\x01\x05"));
    ASSERT_REFUSED(FRAME_OF("\x0d", "\x82\xff\xc0\x01\x05"));
    ASSERT_REFUSED(FRAME_OF("\x0d", "\x82\xa1" "1\xc0\x01\x05"));
}

static void extension_kinds_are_read_over(void **state)
{
    static const char skipped[] = "\x93\x40\x07\x81\xa1k\xff";
    iswi_arena arena;
    iswi_frame frame;
    size_t used = 0;

    (void)state;
    iswi_arena_init(&arena, 1024);
    assert_int_equal(iswi_frame_decode(skipped, sizeof skipped - 1, &arena, &frame, &used, NULL),
                     ISW_OK);
    assert_int_equal(frame.kind, 64);
    assert_int_equal(frame.id, 7);
    assert_int_equal(used, sizeof skipped - 1);
    iswi_arena_fini(&arena);
    ASSERT_TAKEN("\x93\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x01\xc0");
    ASSERT_REFUSED("\x93\x40\x07\x81\xc1\x01");
    ASSERT_REFUSED("\x93\x40\x07");
    assert_string_equal(iswi_kind_name(64), "extension");
}

static void unknown_core_kinds_are_refused(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind <= ISWI_KIND_CORE_MAX; kind++) {
        unsigned char bytes[] = { 0x93, (unsigned char)kind, 0x00, 0x80 };
        isw_status status = decode_once(bytes, sizeof bytes, &(size_t){ 0 }, NULL);

        if (kind < ISWI_WORKER_HELLO || kind > ISWI_KIND_LAST) {
            assert_int_equal(status, ISW_E_PROTOCOL);
            assert_string_equal(iswi_kind_name(kind), "?");
        }
    }
}

static void a_frame_is_an_array_of_kind_id_and_map(void **state)
{
    (void)state;
    ASSERT_TAKEN("\x93\x03\x00\x80");
    ASSERT_TAKEN("\xdc\x00\x03\xd0\x03\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xde\x00\x00");
    ASSERT_REFUSED("");
    ASSERT_REFUSED("\x92\x03\x00");
    ASSERT_REFUSED("\x94\x03\x00\x80\xc0");
    ASSERT_REFUSED("\x93\xff\x00\x80");
    ASSERT_REFUSED("\x93\x03\xff\x80");
    ASSERT_REFUSED("\x93\x03\xc0\x80");
    ASSERT_REFUSED("\x93\xa1\x03\x00\x80");
    ASSERT_REFUSED("\x93\x03\x00\x90");
    ASSERT_REFUSED("\x93\x03\x00\xc0");
    ASSERT_REFUSED("\x83\x03\x00\x80\x00\x00\x00");
}

/* A frame that ends in an array of `count` items, each `element` of `elements_each` values. */
static isw_status decode_list(const char *head, size_t head_size, size_t count, const char *element,
                              size_t element_size, size_t elements_each)
{
    size_t length = count * elements_each;
    unsigned char array[] = { 0xdd, (unsigned char)(length >> 24), (unsigned char)(length >> 16),
                              (unsigned char)(length >> 8), (unsigned char)length };
    iswi_buffer bytes = { 0 };
    isw_status status;
    size_t used;

    iswi_buffer_append(&bytes, head, head_size);
    iswi_buffer_append(&bytes, array, sizeof array);
    for (size_t i = 0; i < count; i++)
        assert_true(iswi_buffer_append(&bytes, element, element_size));
    status = decode_once(bytes.data, bytes.size, &used, NULL);
    iswi_buffer_fini(&bytes);
    return status;
}

#define ASSERT_MOST(head, element, each, most)                                                 \
    do {                                                                                       \
        assert_int_equal(decode_list(head, sizeof(head) - 1, most, element,                    \
                                     sizeof(element) - 1, each), ISW_OK);                      \
        assert_int_equal(decode_list(head, sizeof(head) - 1, (most) + 1, element,              \
                                     sizeof(element) - 1, each), ISW_E_PROTOCOL);              \
    } while (0)

static void lists_longer_than_their_limit_are_refused(void **state)
{
    (void)state;
    ASSERT_MOST("\x93\x0e\x01\x81\x01", "\xa1n\xa1v", 2, ISWI_PAIRS_MAX);
    ASSERT_MOST("\x93\x08\x01\x81\x04", "\xa1n\x92\x00\xc0", 2, ISWI_PAIRS_MAX);
    ASSERT_MOST("\x93\x04\x01\x81\x02", "\x82\x01\xa1n\x03\xa1t", 1, ISWI_LIST_MAX);
    ASSERT_MOST("\x93\x04\x01\x81\x02\x91\x83\x01\xa1n\x03\xa1t\x06", "\x82\x01\xa1n\x02\xa1t", 1,
                ISWI_LIST_MAX);
    ASSERT_MOST("\x93\x04\x01\x81\x02\x91\x83\x01\xa1n\x03\xa1t\x0a", "\xa1m", 1, ISWI_LIST_MAX);
    ASSERT_MOST("\x93\x08\x01\x81\x03\x92\x14", "\x01", 1, ISWI_LIST_MAX);
    ASSERT_MOST("\x93\x08\x01\x81\x03\x92\x18", "\x80", 1, ISWI_LIST_MAX);
}

static void a_list_of_pairs_with_an_odd_end_is_refused(void **state)
{
    (void)state;
    ASSERT_TAKEN(FRAME_OF("\x0e", "\x81\x01\x92\xa1n\xa1v"));
    ASSERT_REFUSED(FRAME_OF("\x0e", "\x81\x01\x93\xa1n\xa1v\xa1n"));
    ASSERT_REFUSED(FRAME_OF("\x0e", "\x81\x01\x92\xa1n\xc0"));
    ASSERT_REFUSED(FRAME_OF("\x0e", "\x81\x01\x92\xa1n\xa1\xff"));
    ASSERT_REFUSED(FRAME_OF("\x0e", "\x81\x01\x92\xa1\xff\xa1v"));
    ASSERT_TAKEN(FRAME_OF("\x08", "\x81\x04\x92\xa1n\x92\x00\xc0"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x04\x91\xa1n"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x04\x92\xa1\xff\x92\x00\xc0"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x04\x92\x92\x00\xc0\xa1n"));
}

static void data_has_the_value_of_its_type(void **state)
{
    (void)state;
    ASSERT_TAKEN(FRAME_OF("\x08", "\x81\x03\x92\x04\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x04\xcf\x80\x00\x00\x00\x00\x00\x00\x00"));
    ASSERT_TAKEN(FRAME_OF("\x08", "\x81\x03\x92\x05\xca\x3f\x80\x00\x00"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x05\x01"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x00\x00"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x01\xc0"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x01\xa1\xff"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x02\xa1\xff"));
    ASSERT_TAKEN(FRAME_OF("\x08", "\x81\x03\x92\x02\xa1{")); /* JSON is not checked on the way */
    ASSERT_TAKEN(FRAME_OF("\x08", "\x81\x03\x92\x03\xc4\x01\xff"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x03\xa1v"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x06\x01"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x07\x90"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x08\xc0"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x93\x00\xc0\xc0"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x91\x00"));
    ASSERT_TAKEN(FRAME_OF("\x08", "\x81\x03\x92\x07\x81\x08\xcd\x03\xe7"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x07\x81\x08\xcd\x03\xe8"));
}

static void only_the_types_of_the_table_are_data(void **state)
{
    static const char arrays[] = "\x09\x0a\x11\x12\x13\x14\x15\x16\x18";

    (void)state;
    for (int type = ISW_VALUE_ARRAY; type < 128; type++) {
        unsigned char bytes[] = { 0x93, 0x08, 0x01, 0x81, 0x03, 0x92, (unsigned char)type, 0x90 };
        isw_status status = decode_once(bytes, sizeof bytes, &(size_t){ 0 }, NULL);

        assert_int_equal(status, strchr(arrays, type) ? ISW_OK : ISW_E_PROTOCOL);
    }
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\xcf\x00\x00\x00\x01\x00\x00\x00\x01\xa0"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x11\x92\xa1v\xc0"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x11\x91\xa1\xff"));
    ASSERT_REFUSED(FRAME_OF("\x08", "\x81\x03\x92\x15\x91\x92\x05\xc0"));
}

/* A frame up to an unknown key's value, then `depth` arrays within each other. */
static isw_status decode_nested(const char *head, size_t head_size, size_t depth, bool peek)
{
    unsigned char bytes[64];
    uint64_t kind, id;
    size_t used;

    memcpy(bytes, head, head_size);
    memset(bytes + head_size, 0x91, depth - 1);
    bytes[head_size + depth - 1] = 0x90;
    if (peek)
        return iswi_frame_peek(bytes, head_size + depth, &kind, &id, &used, NULL);
    return decode_once(bytes, head_size + depth, &used, NULL);
}

static void values_nested_deeper_than_16_are_not_skipped(void **state)
{
    static const char member[] = "\x93\x0d\x01\x82\x01\x05\x02";
    static const char extension[] = "\x93\x40\x01";

    (void)state;
    assert_int_equal(decode_nested(member, sizeof member - 1, 16, false), ISW_OK);
    assert_int_equal(decode_nested(member, sizeof member - 1, 17, false), ISW_E_PROTOCOL);
    for (int peek = 0; peek < 2; peek++) {
        assert_int_equal(decode_nested(extension, sizeof extension - 1, 16, peek), ISW_OK);
        assert_int_equal(decode_nested(extension, sizeof extension - 1, 17, peek), ISW_E_PROTOCOL);
    }
}

/* Decode counts the nesting from the unknown key, peek from the body, which holds it at level 5. */
static void peek_goes_as_deep_as_decode(void **state)
{
    static const char binding[] = "\x93\x04\x01\x81\x02\x91\x83\x01\xa1n\x03\xa1t\x06\x91\x83\x01"
                                  "\xa1n\x02\xa1t\x20";
    static const char model[] = "\x93\x08\x01\x81\x04\x92\xa1n\x92\x18\x91\x81\x20";
    static const char status[] = "\x93\x13\x01\x81\x01\x81\x20";

    (void)state;
    for (int peek = 0; peek < 2; peek++) {
        assert_int_equal(decode_nested(binding, sizeof binding - 1, 16, peek), ISW_OK);
        assert_int_equal(decode_nested(model, sizeof model - 1, 16, peek), ISW_OK);
        assert_int_equal(decode_nested(status, sizeof status - 1, 16, peek), ISW_OK);
    }
}

static void an_unknown_code_of_a_status_means_failed(void **state)
{
    (void)state;
    for (uint64_t code = ISW_OK; code <= ISW_E_IO; code++)
        assert_int_equal(iswi_status_of_wire(&(iswi_wire_status){ .code = code }), code);
    assert_int_equal(iswi_status_of_wire(&(iswi_wire_status){ .code = ISW_E_IO + 1 }),
                     ISW_E_FAILED);
    assert_int_equal(iswi_status_of_wire(&(iswi_wire_status){ .code = UINT64_MAX }), ISW_E_FAILED);
    assert_int_equal(iswi_status_to_wire(ISW_E_BUSY, "x").code, 8);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_known_key_that_comes_twice_is_refused),
    cmocka_unit_test(unknown_keys_are_skipped_whatever_they_hold),
    cmocka_unit_test(keys_above_63_and_of_other_types_are_refused),
    cmocka_unit_test(extension_kinds_are_read_over),
    cmocka_unit_test(unknown_core_kinds_are_refused),
    cmocka_unit_test(a_frame_is_an_array_of_kind_id_and_map),
    cmocka_unit_test(lists_longer_than_their_limit_are_refused),
    cmocka_unit_test(a_list_of_pairs_with_an_odd_end_is_refused),
    cmocka_unit_test(data_has_the_value_of_its_type),
    cmocka_unit_test(only_the_types_of_the_table_are_data),
    cmocka_unit_test(values_nested_deeper_than_16_are_not_skipped),
    cmocka_unit_test(peek_goes_as_deep_as_decode),
    cmocka_unit_test(an_unknown_code_of_a_status_means_failed),
};

ISW_TEST_MAIN(tests)
