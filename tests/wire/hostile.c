/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that lie, end too early or were damaged: always a typed error or a valid frame, never more
 * memory than a fixed multiple of what arrived. */
#include "wire/support.h"

#include <stdlib.h>

enum { MEMORY_FACTOR = 64, MEMORY_BASE = 64 * 1024 };

static size_t memory_bound(size_t size)
{
    return MEMORY_FACTOR * size + MEMORY_BASE;
}

static void truncate_everywhere(const sample *frame)
{
    for (size_t size = 0; size < frame->size; size++) {
        unsigned char *copy = malloc(size ? size : 1);
        uint64_t kind, id;
        size_t used;

        assert_non_null(copy);
        memcpy(copy, frame->bytes, size);
        assert_int_equal(decode_once(copy, size, &used, NULL), ISW_E_PROTOCOL);
        assert_int_equal(iswi_frame_peek(copy, size, &kind, &id, &used, NULL), ISW_E_PROTOCOL);
        free(copy);
    }
}

static void a_frame_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    golden_each(truncate_everywhere);
}

/* What decode takes, encode writes and peek sees in the same way. */
static void check_any(const unsigned char *bytes, size_t size)
{
    uint64_t kind, id;
    size_t used, peeked;
    iswi_buffer out = { 0 };
    iswi_arena arena;
    iswi_frame frame;
    isw_error error = { .status = ISW_OK };

    iswi_arena_init(&arena, 4096);
    if (iswi_frame_decode(bytes, size, &arena, &frame, &used, &error) == ISW_OK) {
        assert_true(used <= size);
        assert_int_equal(iswi_frame_peek(bytes, size, &kind, &id, &peeked, NULL), ISW_OK);
        assert_true(kind == frame.kind && id == frame.id && peeked == used);
        if (kind <= ISWI_KIND_CORE_MAX)
            assert_int_equal(iswi_frame_encode(&frame, &out, &error), ISW_OK);
    } else {
        assert_int_equal(error.status, ISW_E_PROTOCOL);
        assert_true(error.message[0] != '\0');
    }
    iswi_buffer_fini(&out);
    iswi_arena_fini(&arena);
}

static void flip_every_bit(const sample *frame)
{
    for (size_t bit = 0; bit < 8 * frame->size; bit++) {
        size_t used, taken;
        isw_status status;

        frame->bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        status = decode_once(frame->bytes, frame->size, &used, &taken);
        assert_true(status == ISW_OK || status == ISW_E_PROTOCOL);
        assert_true(taken <= memory_bound(frame->size));
        check_any(frame->bytes, frame->size);
        frame->bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}

static void a_frame_with_any_bit_flipped_is_refused_or_valid(void **state)
{
    (void)state;
    golden_each(flip_every_bit);
}

/* A frame with a length in 32-bit format at `at`, which is the true one. */
typedef struct liar {
    const char *what;
    const char *bytes;
    size_t size;
    size_t at;
} liar;

#define LIAR(what, head, count, tail) \
    { what, head "\0\0\0" count tail, sizeof(head "\0\0\0" count tail) - 1, sizeof(head) - 1 }

static const liar liars[] = {
    LIAR("body", "\x93\x0d\x01\xdf", "\x01", "\x01\x05"),
    LIAR("frame", "\xdd", "\x03", "\x03\x01\x80"),
    LIAR("text", "\x93\x05\x01\x82\x01\x01\x02\xdb", "\x05", "hello"),
    LIAR("bytes", "\x93\x08\x01\x81\x03\x92\x03\xc6", "\x05", "hello"),
    LIAR("token", "\x93\x02\x01\x82\x01\x01\x02\xc6", "\x20", "0123456789abcdef0123456789abcdef"),
    LIAR("pairs", "\x93\x0e\x01\x81\x01\xdd", "\x04", "\xa1n\xa1v\xa1n\xa1v"),
    LIAR("named", "\x93\x08\x01\x81\x04\xdd", "\x04", "\xa1n\x92\x00\xc0\xa1n\x92\x00\xc0"),
    LIAR("functions", "\x93\x04\x01\x81\x02\xdd", "\x01", "\x82\x01\xa1n\x03\xa1t"),
    LIAR("array", "\x93\x08\x01\x81\x03\x92\x14\xdd", "\x03", "\x01\x02\x03"),
    LIAR("data", "\x93\x08\x01\x81\x03\xdd", "\x02", "\x00\xc0"),
    LIAR("http", "\x93\x08\x01\x81\x03\x92\x07\xdf", "\x01", "\x08\xcc\xc8"),
    LIAR("skipped", "\x93\x0d\x01\x82\x01\x05\x02\xdd", "\x02", "\xc0\xc0"),
    LIAR("skipped ext", "\x93\x0d\x01\x82\x01\x05\x02\xc9", "\x02", "\x01zz"),
    LIAR("extension", "\x93\x40\x01\xdf", "\x01", "\x01\xc0"),
};

/* The status when the length says `said`, with the bytes read and the memory taken. */
static isw_status decode_lie(const liar *frame, uint32_t said, size_t *used, size_t *taken)
{
    unsigned char bytes[64];

    memcpy(bytes, frame->bytes, frame->size);
    for (size_t i = 0; i < 4; i++)
        bytes[frame->at + i] = (unsigned char)(said >> (24 - 8 * i));
    return decode_once(bytes, frame->size, used, taken);
}

static void a_length_that_lies_is_refused_and_takes_no_memory(void **state)
{
    static const uint32_t huge[] = { 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };

    (void)state;
    for (size_t i = 0; i < sizeof liars / sizeof liars[0]; i++) {
        const liar *frame = &liars[i];
        uint32_t count = (unsigned char)frame->bytes[frame->at + 3];
        size_t used = 0;
        size_t taken;

        assert_int_equal(decode_lie(frame, count, &used, &taken), ISW_OK);
        assert_int_equal(used, frame->size);
        assert_int_equal(decode_lie(frame, count + 1, &used, &taken), ISW_E_PROTOCOL);
        for (size_t n = 0; n < sizeof huge / sizeof huge[0]; n++) {
            assert_int_equal(decode_lie(frame, huge[n], &used, &taken), ISW_E_PROTOCOL);
            if (taken)
                fail_msg("%s of %u takes %zu bytes", frame->what, huge[n], taken);
        }
        for (uint32_t less = 0; less < count; less++)
            assert_false(decode_lie(frame, less, &used, &taken) == ISW_OK && used == frame->size);
    }
}

/* `head`, then an array of `count` times `element`, which may be no element at all. */
static void assert_bounded(const char *head, size_t head_size, size_t count, const char *element,
                           size_t element_size)
{
    unsigned char array[] = { 0xdd, 0, (unsigned char)(count >> 16), (unsigned char)(count >> 8),
                              (unsigned char)count };
    iswi_buffer bytes = { 0 };
    size_t used, taken;

    iswi_buffer_append(&bytes, head, head_size);
    iswi_buffer_append(&bytes, array, sizeof array);
    for (size_t i = 0; i < count; i++)
        assert_true(iswi_buffer_append(&bytes, element, element_size));
    decode_once(bytes.data, bytes.size, &used, &taken);
    if (taken > memory_bound(bytes.size))
        fail_msg("%zu bytes take %zu", bytes.size, taken);
    iswi_buffer_fini(&bytes);
}

#define ASSERT_BOUNDED(head, count, element) \
    assert_bounded(head, sizeof(head) - 1, count, element, sizeof(element) - 1)

static void memory_is_bounded_by_the_bytes_that_arrived(void **state)
{
    (void)state;
    ASSERT_BOUNDED("\x93\x04\x01\x81\x02", ISWI_LIST_MAX, "\xc0");
    ASSERT_BOUNDED("\x93\x04\x01\x81\x02", ISWI_LIST_MAX, "\x82\x01\xa0\x03\xa0");
    ASSERT_BOUNDED("\x93\x04\x01\x81\x02", ISWI_LIST_MAX, "\x83\x01\xa0\x03\xa0\x05\x92\xa0\xa0");
    ASSERT_BOUNDED("\x93\x04\x01\x81\x02\x91\x81\x06", ISWI_LIST_MAX, "\xc0");
    ASSERT_BOUNDED("\x93\x04\x01\x81\x02\x91\x81\x0a", ISWI_LIST_MAX, "\xa0");
    ASSERT_BOUNDED("\x93\x0e\x01\x81\x01", 2 * ISWI_PAIRS_MAX, "\xa0");
    ASSERT_BOUNDED("\x93\x08\x01\x81\x04", 2 * ISWI_PAIRS_MAX, "\xa0");
    ASSERT_BOUNDED("\x93\x08\x01\x81\x04", ISWI_PAIRS_MAX, "\xa0\x92\x07\x80");
    ASSERT_BOUNDED("\x93\x08\x01\x81\x04", ISWI_PAIRS_MAX, "\xa0\x92\x07\x81\x3f\xc0");
    ASSERT_BOUNDED("\x93\x08\x01\x81\x03\x92\x14", ISWI_LIST_MAX, "\x01");
    ASSERT_BOUNDED("\x93\x08\x01\x81\x03\x92\x18", ISWI_LIST_MAX, "\x80");
    ASSERT_BOUNDED("\x93\x08\x01\x81\x03\x92\x18", ISWI_LIST_MAX, "\x81\x01\xa0");
}

static void fail_decode_at_each_allocation(const sample *frame)
{
    isw_status status = ISW_E_NO_MEMORY;

    for (size_t at = 1; status != ISW_OK; at++) {
        counter count;
        iswi_arena arena;
        iswi_frame decoded;
        size_t used;

        counter_init(&count, at);
        iswi_arena_init(&arena, 64); /* small, so that almost every list is an allocation */
        status = iswi_frame_decode(frame->bytes, frame->size, &arena, &decoded, &used, NULL);
        assert_int_equal(status, count.calls < at ? ISW_OK : ISW_E_NO_MEMORY);
        iswi_arena_fini(&arena);
        counter_fini(&count);
    }
}

static void decode_survives_the_lack_of_memory_anywhere(void **state)
{
    (void)state;
    golden_each(fail_decode_at_each_allocation);
}

static void fail_encode_at_each_allocation(const sample *frame)
{
    isw_status status = ISW_E_NO_MEMORY;
    iswi_arena arena;
    iswi_frame decoded;
    size_t used;

    iswi_arena_init(&arena, 1024);
    assert_int_equal(iswi_frame_decode(frame->bytes, frame->size, &arena, &decoded, &used, NULL),
                     ISW_OK);
    for (size_t at = 1; status != ISW_OK; at++) {
        iswi_buffer out = { 0 };
        counter count;

        counter_init(&count, at);
        status = iswi_frame_encode(&decoded, &out, NULL);
        assert_int_equal(status, count.calls < at ? ISW_OK : ISW_E_NO_MEMORY);
        assert_int_equal(out.size, status == ISW_OK ? frame->size : 0);
        assert_false(out.failed);
        iswi_buffer_fini(&out);
        counter_fini(&count);
    }
    iswi_arena_fini(&arena);
}

static void encode_survives_the_lack_of_memory_anywhere(void **state)
{
    (void)state;
    golden_each(fail_encode_at_each_allocation);
}

/* Random damage of several bytes, with a fixed seed. */
static void damage_at_random(const sample *frame)
{
    unsigned char bytes[8192];
    uint32_t random = 2463534242u;

    for (int round = 0; round < 500; round++) {
        memcpy(bytes, frame->bytes, frame->size);
        for (int hit = 0; hit < 1 + round % 4; hit++) {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            bytes[random % frame->size] = (unsigned char)(random >> 24);
        }
        check_any(bytes, frame->size);
    }
}

static void a_frame_with_random_damage_is_refused_or_valid(void **state)
{
    (void)state;
    golden_each(damage_at_random);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_frame_cut_at_any_byte_is_refused),
    cmocka_unit_test(a_frame_with_any_bit_flipped_is_refused_or_valid),
    cmocka_unit_test(a_frame_with_random_damage_is_refused_or_valid),
    cmocka_unit_test(a_length_that_lies_is_refused_and_takes_no_memory),
    cmocka_unit_test(memory_is_bounded_by_the_bytes_that_arrived),
    cmocka_unit_test(decode_survives_the_lack_of_memory_anywhere),
    cmocka_unit_test(encode_survives_the_lack_of_memory_anywhere),
};

ISW_TEST_MAIN(tests)
