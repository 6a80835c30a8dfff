/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of which a bin lies apart: it is pointed to and never looked at. */
#include "wire/support.h"

#include <sys/mman.h>

enum { LONG = 64 * 1024 };

/* Memory that nobody can read. */
static isw_bytes unreadable(size_t size)
{
    void *bytes = mmap(NULL, LONG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(bytes, MAP_FAILED);
    return (isw_bytes){ bytes, size };
}

static isw_http reply_of(size_t body)
{
    static const unsigned char bytes[LONG];

    return (isw_http){ .status = 200, .body = { bytes, body } };
}

static iswi_frame response_of(const isw_http *reply)
{
    iswi_frame frame = { .kind = ISWI_RESPONSE, .id = 7 };

    frame.as.response.outcome = ISW_OUTCOME_SUCCESS;
    frame.as.response.result = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = reply };
    frame.as.response.retry_after_ms = 5; /* comes behind the body */
    return frame;
}

/* The piece of a frame that may lie apart, or -1; what is left of the frame in `rest`. */
static int split(const iswi_frame *frame, iswi_buffer *rest)
{
    iswi_encoded encoded = { .splice_count = 0 };
    isw_bytes pieces[ISWI_PIECES_MAX];
    unsigned count;
    unsigned apart;

    assert_int_equal(iswi_frame_gather(frame, &encoded, NULL), ISW_OK);
    count = iswi_encoded_pieces(&encoded, pieces);
    apart = iswi_encoded_apart(&encoded, frame->kind, pieces, count);
    for (unsigned i = 0; i < count; i++)
        if (i != apart)
            iswi_buffer_append(rest, pieces[i].data, pieces[i].size);
    iswi_buffer_fini(&encoded.bytes);
    return apart < count ? (int)apart : -1;
}

static isw_status decode(const iswi_buffer *rest, isw_bytes apart, iswi_arena *arena,
                         iswi_frame *frame)
{
    isw_bytes bytes = { rest->data, rest->size };
    uint64_t kind;
    uint64_t id;
    size_t used;
    size_t peeked;
    isw_status status = iswi_frame_decode_apart(bytes, apart, arena, frame, &used, NULL);

    assert_int_equal(iswi_frame_peek_apart(bytes, apart, &kind, &id, &peeked, NULL), status);
    if (status == ISW_OK) {
        assert_int_equal(used, rest->size);
        assert_int_equal(peeked, used);
    }
    return status;
}

static void a_body_apart_is_pointed_to_and_not_looked_at(void **state)
{
    isw_http reply = reply_of(LONG);
    iswi_frame frame = response_of(&reply);
    isw_bytes apart = unreadable(LONG);
    iswi_buffer rest = { 0 };
    iswi_frame decoded;
    iswi_arena arena;

    (void)state;
    iswi_arena_init(&arena, 1024);
    assert_true(split(&frame, &rest) > 0);
    assert_true(rest.size < 64);
    assert_int_equal(decode(&rest, apart, &arena, &decoded), ISW_OK);
    assert_ptr_equal(decoded.as.response.result.as.http->body.data, apart.data);
    assert_int_equal(decoded.as.response.result.as.http->body.size, LONG);
    assert_int_equal(decoded.as.response.retry_after_ms, 5);
    iswi_arena_fini(&arena);
    iswi_buffer_fini(&rest);
    munmap((void *)apart.data, LONG);
}

static void bytes_apart_that_are_of_no_bin_are_refused(void **state)
{
    static const size_t wrong[] = { LONG - 1, 1, 0 };
    isw_http reply = reply_of(LONG);
    isw_http small = reply_of(100);
    iswi_frame frame = response_of(&reply);
    isw_bytes apart = unreadable(LONG);
    iswi_buffer rest = { 0 };
    iswi_buffer whole = { 0 };
    iswi_frame decoded;
    iswi_arena arena;

    (void)state;
    iswi_arena_init(&arena, 1024);
    split(&frame, &rest);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(decode(&rest, (isw_bytes){ apart.data, wrong[i] }, &arena, &decoded),
                         ISW_E_PROTOCOL);
    assert_int_equal(decode(&rest, (isw_bytes){ NULL, 0 }, &arena, &decoded), ISW_E_PROTOCOL);
    frame = response_of(&small); /* it needs nothing from elsewhere */
    assert_int_equal(iswi_frame_encode(&frame, &whole, NULL), ISW_OK);
    assert_int_equal(decode(&whole, apart, &arena, &decoded), ISW_E_PROTOCOL);
    iswi_arena_fini(&arena);
    iswi_buffer_fini(&whole);
    iswi_buffer_fini(&rest);
    munmap((void *)apart.data, LONG);
}

/* {outcome, result: [type, a head of `head` that says LONG]} without what that announces. */
static void write_response(iswi_buffer *out, unsigned char type, unsigned char head)
{
    const unsigned char bytes[] = { 0x93, 8, 7, 0x82, 1, 1, 3, 0x92, type, head, 0, 1, 0, 0 };

    iswi_buffer_append(out, bytes, sizeof bytes);
}

static void text_apart_is_refused_since_it_would_have_to_be_looked_at(void **state)
{
    isw_bytes apart = unreadable(LONG);
    iswi_buffer rest = { 0 };
    iswi_frame decoded;
    iswi_arena arena;

    (void)state;
    iswi_arena_init(&arena, 1024);
    write_response(&rest, ISW_VALUE_BYTES, 0xc6);
    assert_int_equal(decode(&rest, apart, &arena, &decoded), ISW_OK);
    iswi_buffer_reset(&rest);
    write_response(&rest, ISW_VALUE_STRING, 0xdb);
    assert_int_equal(decode(&rest, apart, &arena, &decoded), ISW_E_PROTOCOL);
    iswi_arena_fini(&arena);
    iswi_buffer_fini(&rest);
    munmap((void *)apart.data, LONG);
}

static void only_long_bytes_of_answers_may_lie_apart(void **state)
{
    static char text[LONG];
    isw_http reply = reply_of(LONG);
    isw_http small = reply_of(ISWI_SPLICE_LEAST - 1);
    iswi_frame frame = response_of(&reply);
    iswi_buffer rest = { 0 };

    (void)state;
    memset(text, 'x', sizeof text);
    assert_true(split(&frame, &rest) > 0);
    frame = response_of(&small);
    assert_int_equal(split(&frame, &rest), -1);
    frame.as.response.result = isw_value_text((isw_str){ text, sizeof text });
    assert_int_equal(split(&frame, &rest), -1);
    frame = (iswi_frame){ .kind = ISWI_CHUNK, .id = 7, .as.chunk.bytes = reply.body };
    assert_true(split(&frame, &rest) > 0);
    frame = (iswi_frame){ .kind = ISWI_OUTPUT, .id = 7, .as.output.name = isw_str_of("x") };
    frame.as.output.value = isw_value_bytes(reply.body.data, reply.body.size);
    assert_int_equal(split(&frame, &rest), -1);
    iswi_buffer_fini(&rest);
}

static void what_lies_apart_is_longer_than_the_rest(void **state)
{
    static const unsigned char other[LONG / 2 + 1];
    isw_http reply = reply_of(LONG);
    iswi_frame frame = response_of(&reply);
    isw_named_value outputs[2] = { isw_named("a", isw_value_bytes(other, sizeof other)),
                                   isw_named("b", isw_value_bytes(other, sizeof other)) };
    iswi_buffer rest = { 0 };

    (void)state;
    frame.as.response.outputs = (isw_map){ outputs, 1 };
    assert_true(split(&frame, &rest) > 0);
    assert_true(rest.size < LONG);
    frame.as.response.outputs.count = 2;
    assert_int_equal(split(&frame, &rest), -1);
    iswi_buffer_fini(&rest);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_body_apart_is_pointed_to_and_not_looked_at),
    cmocka_unit_test(bytes_apart_that_are_of_no_bin_are_refused),
    cmocka_unit_test(text_apart_is_refused_since_it_would_have_to_be_looked_at),
    cmocka_unit_test(only_long_bytes_of_answers_may_lie_apart),
    cmocka_unit_test(what_lies_apart_is_longer_than_the_rest),
};

ISW_TEST_MAIN(tests)
