/* SPDX-License-Identifier: Apache-2.0 */
/* A response's body as it is made, on either lane. */
#include "worker/session/streaming.h"

#include <stdlib.h>

enum { WINDOW = ISWI_WINDOW_BYTES, LARGE = 1000000 };

static const char small_pool[] = "worker: {concurrency: 2, max_in_flight: 8}\n";

/* -- Functions --------------------------------------------------------------------------------- */

static isw_status writes(isw_context *ctx)
{
    isw_http_set_header(ctx, "x-made-by", "writes");
    isw_http_begin(ctx, 201, "text/plain");
    isw_http_write(ctx, "one", 3);
    isw_http_write(ctx, NULL, 0);
    return isw_http_printf(ctx, "%s and %d", "two", 3);
}

static unsigned char pattern(size_t at)
{
    return (unsigned char)(at * 13 + (at >> 10));
}

/* What became of the last write, for those whose answer is lost. */
static isw_status write_status;

static isw_status writes_much(isw_context *ctx)
{
    unsigned char *body = isw_context_alloc(ctx, LARGE);

    for (size_t i = 0; i < LARGE; i++)
        body[i] = pattern(i);
    isw_http_begin(ctx, 200, NULL);
    write_status = isw_http_write(ctx, body, LARGE);
    return write_status;
}

static isw_status fails_on_the_way(isw_context *ctx)
{
    isw_http_begin(ctx, 200, "text/plain");
    isw_http_write(ctx, "some", 4);
    return isw_fail(ctx, ISW_E_FAILED, "the disk is full");
}

static isw_status replies_on_the_way(isw_context *ctx)
{
    isw_http_begin(ctx, 200, "text/plain");
    assert_int_equal(isw_http_reply(ctx, 500, NULL, "no"), ISW_E_CONFLICT);
    return ISW_OK;
}

static isw_status reads_and_writes(isw_context *ctx)
{
    char piece[100];
    size_t got = 1;
    isw_status status = isw_http_begin(ctx, 200, "text/plain");

    while (status == ISW_OK && got) {
        status = isw_http_read(ctx, piece, sizeof piece, &got);
        if (status == ISW_OK && got)
            status = isw_http_write(ctx, piece, got);
    }
    return status;
}

static isw_status is_quick(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "quick");
}

enum {
    WRITES, WRITES_MUCH, FAILS_ON_THE_WAY, REPLIES_ON_THE_WAY, READS_AND_WRITES, IS_QUICK
};

static const isw_function functions[] = {
    { .name = "writes", .trigger = ISW_HTTP("POST", NULL), .handler = writes },
    { .name = "writes_much", .trigger = ISW_HTTP("POST", NULL), .handler = writes_much },
    { .name = "fails_on_the_way", .trigger = ISW_HTTP("POST", NULL), .handler = fails_on_the_way },
    { .name = "replies_on_the_way", .trigger = ISW_HTTP("POST", NULL),
      .handler = replies_on_the_way },
    { .name = "reads_and_writes", .trigger = ISW_HTTP("POST", NULL), .handler = reads_and_writes,
      .streams = true },
    { .name = "is_quick", .trigger = ISW_HTTP("POST", NULL), .handler = is_quick },
    { 0 },
};

static void begin(streaming *s, unsigned ways)
{
    streaming_begin(s, functions, ways, small_pool);
}

static void assert_header(const isw_http *http, const char *name, const char *value)
{
    const isw_str *found = isw_pairs_find(&http->headers, name);

    assert_non_null(found);
    assert_text(*found, value);
}

static void expect_head(streaming *s, uint64_t id)
{
    const iswi_frame *frame = host_expect(&s->host, ISWI_HEAD);

    assert_int_equal(frame->id, id);
    assert_int_equal(frame->as.head.http.status, 200);
}

/* Take chunks of writes_much until there are `wanted` bytes in all. */
static void take(streaming *s, uint64_t id, size_t *got, size_t wanted)
{
    while (*got < wanted) {
        const iswi_frame *frame = host_expect(&s->host, ISWI_CHUNK);
        const unsigned char *bytes = frame->as.chunk.bytes.data;

        assert_int_equal(frame->id, id);
        assert_in_range(frame->as.chunk.bytes.size, 1, 64 * 1024);
        for (size_t i = 0; i < frame->as.chunk.bytes.size; i++)
            assert_int_equal(bytes[i], pattern(*got + i));
        *got += frame->as.chunk.bytes.size;
    }
    assert_int_equal(*got, wanted);
}

/* -- Writing ----------------------------------------------------------------------------------- */

static void head_and_pieces_leave_before_the_response(void **state)
{
    (void)state;
    FOR_EACH_LANE(ways) {
        const iswi_frame *head;
        const iswi_response *response;
        streaming s;

        begin(&s, ways);
        streaming_invoke(&s, 3, WRITES, false, NULL);
        head = host_expect(&s.host, ISWI_HEAD);
        assert_int_equal(head->id, 3);
        assert_int_equal(head->as.head.http.status, 201);
        assert_header(&head->as.head.http, "content-type", "text/plain");
        assert_header(&head->as.head.http, "x-made-by", "writes");
        assert_bytes(host_expect(&s.host, ISWI_CHUNK)->as.chunk.bytes, "one");
        assert_bytes(host_expect(&s.host, ISWI_CHUNK)->as.chunk.bytes, "two and 3");
        response = answer_to(&s, 3);
        assert_int_equal(response->outcome, ISW_OUTCOME_SUCCESS);
        assert_int_equal(response->result.type, ISW_VALUE_NONE);
        streaming_end(&s);
    }
}

static void a_write_waits_for_the_window_and_goes_on(void **state)
{
    (void)state;
    FOR_EACH_LANE(ways) {
        size_t got = 0;
        streaming s;

        begin(&s, ways);
        streaming_invoke(&s, 1, WRITES_MUCH, false, NULL);
        expect_head(&s, 1);
        take(&s, 1, &got, WINDOW);
        settle(&s); /* warmed comes, and no chunk before it */
        send_window(&s, 1, 10);
        take(&s, 1, &got, WINDOW + 10);
        send_window(&s, 1, LARGE);
        take(&s, 1, &got, LARGE);
        assert_int_equal(answer_to(&s, 1)->outcome, ISW_OUTCOME_SUCCESS);
        send_window(&s, 1, 10); /* crossed the response */
        streaming_end(&s);
    }
}

static void both_bodies_travel_at_once(void **state)
{
    (void)state;
    FOR_EACH_LANE(ways) {
        streaming s;

        begin(&s, ways);
        streaming_invoke(&s, 1, READS_AND_WRITES, true, NULL);
        expect_head(&s, 1);
        for (int i = 0; i < 100; i++) {
            send_chunk(&s, 1, "ping", 4, false);
            assert_bytes(host_expect(&s.host, ISWI_CHUNK)->as.chunk.bytes, "ping");
        }
        send_chunk(&s, 1, NULL, 0, true);
        assert_int_equal(answer_to(&s, 1)->outcome, ISW_OUTCOME_SUCCESS);
        streaming_end(&s);
    }
}

/* -- The end before the end -------------------------------------------------------------------- */

static void a_failure_after_the_head_has_no_result(void **state)
{
    const iswi_response *response;
    streaming s;

    (void)state;
    streaming_begin(&s, functions, HOST_STREAMS, "middleware: [error_handling]\n");
    streaming_invoke(&s, 1, FAILS_ON_THE_WAY, false, NULL);
    expect_head(&s, 1);
    host_expect(&s.host, ISWI_CHUNK);
    response = answer_to(&s, 1);
    assert_int_equal(response->outcome, ISW_OUTCOME_FAILED);
    assert_text(response->status.message, "the disk is full");
    assert_int_equal(response->result.type, ISW_VALUE_NONE);
    streaming_end(&s);
}

static void a_reply_after_the_head_is_a_conflict(void **state)
{
    const iswi_response *response;
    streaming s;

    (void)state;
    begin(&s, HOST_STREAMS);
    streaming_invoke(&s, 1, REPLIES_ON_THE_WAY, false, NULL);
    expect_head(&s, 1);
    response = answer_to(&s, 1);
    assert_int_equal(response->status.code, ISW_E_FAILED);
    assert_text(response->status.message, "the response has begun, and cannot be replaced");
    streaming_end(&s);
}

static void a_cancel_ends_a_write_that_waits(void **state)
{
    (void)state;
    FOR_EACH_LANE(ways) {
        streaming s;

        begin(&s, ways);
        for (uint64_t id = 1; id <= 3; id++) {
            size_t got = 0;

            streaming_invoke(&s, id, WRITES_MUCH, false, NULL);
            expect_head(&s, id);
            take(&s, id, &got, WINDOW);
            send_cancel(&s, id, ISWI_CANCEL_CALLER_LEFT);
            assert_int_equal(answer_to(&s, id)->outcome, ISW_OUTCOME_CANCELLED);
        }
        streaming_end(&s);
    }
}

static void a_host_that_goes_ends_a_write_that_waits(void **state)
{
    (void)state;
    FOR_EACH_LANE(ways) {
        size_t got = 0;
        streaming s;

        begin(&s, ways);
        streaming_invoke(&s, 1, WRITES_MUCH, false, NULL);
        expect_head(&s, 1);
        take(&s, 1, &got, WINDOW);
        streaming_end(&s);
        assert_int_equal(write_status, ISW_E_IO);
    }
}

/* -- Elsewhere, and others meanwhile ----------------------------------------------------------- */

static void without_the_capability_pieces_gather_into_the_reply(void **state)
{
    const iswi_response *response;
    streaming s;

    (void)state;
    begin(&s, 0);
    streaming_invoke(&s, 1, WRITES, false, NULL);
    response = answer_to(&s, 1);
    assert_int_equal(response->result.as.http->status, 201);
    assert_bytes(response->result.as.http->body, "onetwo and 3");
    streaming_invoke(&s, 2, WRITES_MUCH, false, NULL);
    assert_int_equal(answer_to(&s, 2)->result.as.http->body.size, LARGE);
    streaming_invoke(&s, 3, FAILS_ON_THE_WAY, false, NULL);
    response = answer_to(&s, 3);
    assert_int_equal(response->outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(response->result.type, ISW_VALUE_NONE); /* no half a body */
    streaming_end(&s);
}

static void a_write_that_waits_holds_up_no_other_function(void **state)
{
    (void)state;
    FOR_EACH_LANE(ways) {
        streaming s;

        begin(&s, ways);
        for (uint64_t id = 100; id <= 200; id += 100) { /* the second is known to stream */
            size_t got = 0;

            streaming_invoke(&s, id, WRITES_MUCH, false, NULL);
            expect_head(&s, id);
            take(&s, id, &got, WINDOW);
            for (uint64_t i = 1; i < 50; i++) {
                streaming_invoke(&s, id + i, IS_QUICK, false, NULL);
                assert_bytes(answer_to(&s, id + i)->result.as.http->body, "quick");
            }
            send_window(&s, id, LARGE);
            take(&s, id, &got, LARGE);
            assert_int_equal(answer_to(&s, id)->outcome, ISW_OUTCOME_SUCCESS);
        }
        streaming_end(&s);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(head_and_pieces_leave_before_the_response),
    cmocka_unit_test(a_write_waits_for_the_window_and_goes_on),
    cmocka_unit_test(both_bodies_travel_at_once),
    cmocka_unit_test(a_failure_after_the_head_has_no_result),
    cmocka_unit_test(a_reply_after_the_head_is_a_conflict),
    cmocka_unit_test(a_cancel_ends_a_write_that_waits),
    cmocka_unit_test(a_host_that_goes_ends_a_write_that_waits),
    cmocka_unit_test(without_the_capability_pieces_gather_into_the_reply),
    cmocka_unit_test(a_write_that_waits_holds_up_no_other_function),
};

ISW_TEST_MAIN(tests)
