/* SPDX-License-Identifier: Apache-2.0 */
/* A request's body as it arrives, on either lane. */
#include "worker/session/streaming.h"

#include <stdio.h>
#include <stdlib.h>

enum { WINDOW = ISWI_WINDOW_BYTES, HALF = WINDOW / 2 };

static const char small_pool[] = "worker: {concurrency: 2, max_in_flight: 8}\n";

/* -- Functions --------------------------------------------------------------------------------- */

/* Answers with the pieces that it read: "ab|c|". */
static isw_status joins(isw_context *ctx)
{
    char text[256] = "";
    size_t size = 0;
    char piece[16];
    size_t got;

    for (;;) {
        isw_status status = isw_http_read(ctx, piece, sizeof piece, &got);

        if (status != ISW_OK)
            return status;
        if (!got)
            return isw_http_reply(ctx, 200, "text/plain", "%s", text);
        memcpy(text + size, piece, got);
        size += got;
        text[size++] = '|';
    }
}

/* Answers with the size and a sum that depends on the order. */
static isw_status sums(isw_context *ctx)
{
    static const size_t most = 10000;
    unsigned char *piece = isw_context_alloc(ctx, most);
    isw_status status = ISW_OK;
    uint64_t size = 0;
    uint32_t sum = 0;
    size_t got = 1;

    while (status == ISW_OK && got) {
        status = isw_http_read(ctx, piece, most, &got);
        for (size_t i = 0; status == ISW_OK && i < got; i++)
            sum = sum * 31 + piece[i];
        size += got;
    }
    if (status != ISW_OK)
        return status;
    return isw_http_reply(ctx, 200, "text/plain", "%llu %u", (unsigned long long)size, sum);
}

static isw_status reads_nothing(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "%zu", isw_http_body(ctx).size);
}

static isw_status takes_no_room(isw_context *ctx)
{
    size_t got = 7;

    assert_int_equal(isw_http_read(ctx, &got, 0, &got), ISW_E_INVALID);
    assert_int_equal(got, 7);
    return isw_context_failure(ctx)->status;
}

/* Until it is cancelled, which the end of a session does. */
static isw_status is_held(isw_context *ctx)
{
    return isw_context_sleep(ctx, 600000);
}

static isw_status read_status;

static isw_status notes_its_status(isw_context *ctx)
{
    char piece[4096];
    size_t got;

    do
        read_status = isw_http_read(ctx, piece, sizeof piece, &got);
    while (read_status == ISW_OK);
    return read_status;
}

static isw_status is_quick(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "quick");
}

enum {
    JOINS, SUMS, READS_NOTHING, TAKES_NO_ROOM, IS_HELD, NOTES_ITS_STATUS, IS_QUICK, IS_NOT_TOLD
};

#define STREAMING(function)                                                      \
    { .name = #function, .trigger = ISW_HTTP("POST", NULL), .handler = function, \
      .streams = true }

static const isw_function functions[] = {
    STREAMING(joins),
    STREAMING(sums),
    STREAMING(reads_nothing),
    STREAMING(takes_no_room),
    STREAMING(is_held),
    STREAMING(notes_its_status),
    { .name = "is_quick", .trigger = ISW_HTTP("POST", NULL), .handler = is_quick },
    { .name = "is_not_told", .trigger = ISW_HTTP("POST", NULL), .handler = joins },
    { 0 },
};

static void begin(streaming *s, unsigned ways)
{
    streaming_begin(s, functions, ways, small_pool);
}

static void assert_reply_text(streaming *s, uint64_t id, const char *text)
{
    const iswi_response *response = answer_to(s, id);

    assert_int_equal(response->outcome, ISW_OUTCOME_SUCCESS);
    assert_bytes(response->result.as.http->body, text);
}

static void assert_failure(streaming *s, uint64_t id, isw_status status, const char *message)
{
    const iswi_response *response = answer_to(s, id);

    assert_int_equal(response->outcome, status == ISW_E_CANCELLED ? ISW_OUTCOME_CANCELLED
                                                                  : ISW_OUTCOME_FAILED);
    assert_int_equal(response->status.code, status);
    assert_text(response->status.message, message);
}

static void assert_session_ends(streaming *s, const char *message)
{
    assert_text(host_expect(&s->host, ISWI_ERROR)->as.error.status.message, message);
    host_close(&s->host);
    assert_int_equal(host_join(&s->host), ISW_E_PROTOCOL);
    host_fini(&s->host);
    isw_worker_destroy(s->worker);
}

/* -- Reading ----------------------------------------------------------------------------------- */

static void a_body_is_read_as_it_arrives(void **state)
{
    (void)state;
    FOR_EACH_LANE(ways) {
        streaming s;

        begin(&s, ways);
        streaming_invoke(&s, 5, JOINS, true, NULL);
        send_chunk(&s, 5, "0123456789abcdefXY", 18, false); /* the buffer has 16 */
        send_chunk(&s, 5, NULL, 0, false);                  /* counts for nothing */
        send_chunk(&s, 5, NULL, 0, true);
        assert_reply_text(&s, 5, "0123456789abcdef|XY|");
        streaming_end(&s);
    }
}

static void a_body_that_came_before_its_function_began_is_whole(void **state)
{
    streaming s;

    (void)state;
    streaming_begin(&s, functions, HOST_STREAMS, "worker: {concurrency: 1, max_in_flight: 8}\n");
    streaming_invoke(&s, 1, JOINS, true, NULL); /* holds the only thread */
    streaming_invoke(&s, 2, JOINS, true, NULL);
    send_chunk(&s, 2, "waited", 6, true);
    settle(&s);
    send_chunk(&s, 1, "first", 5, true);
    assert_reply_text(&s, 1, "first|");
    assert_reply_text(&s, 2, "waited|");
    streaming_end(&s);
}

/* The bytes of the next frame, a window, which are never few. */
static uint64_t granted(streaming *s, uint64_t id)
{
    const iswi_frame *frame = host_expect(&s->host, ISWI_WINDOW);

    assert_int_equal(frame->id, id);
    assert_in_range(frame->as.window.bytes, HALF, WINDOW);
    return frame->as.window.bytes;
}

/* 4 MiB against the window, as a host has to send it. */
static void windows_are_granted_as_the_body_is_read(void **state)
{
    enum { TOTAL = 4 * 1024 * 1024, PIECE = 40000 };
    unsigned char *body = malloc(TOTAL);
    char expected[64];
    uint32_t sum = 0;

    (void)state;
    for (size_t i = 0; i < TOTAL; i++) {
        body[i] = (unsigned char)(i * 7 + (i >> 8));
        sum = sum * 31 + body[i];
    }
    snprintf(expected, sizeof expected, "%d %u", TOTAL, sum);
    FOR_EACH_LANE(ways) {
        uint64_t window = WINDOW;
        size_t sent = 0;
        streaming s;

        begin(&s, ways);
        streaming_invoke(&s, 9, SUMS, true, NULL);
        while (sent < TOTAL) {
            size_t size = TOTAL - sent < PIECE ? TOTAL - sent : PIECE;

            while (window < size)
                window += granted(&s, 9);
            send_chunk(&s, 9, body + sent, size, sent + size == TOTAL);
            sent += size;
            window -= size;
        }
        assert_reply_text(&s, 9, expected);
        streaming_end(&s);
    }
    free(body);
}

/* What a client holds back until it is wanted is asked for once, and only by whoever reads. */
static void a_body_that_is_held_back_is_asked_for_when_it_is_read(void **state)
{
    static const isw_pair expect = { { "expect", 6 }, { "100-Continue", 12 } };
    const isw_http request = { .method = isw_str_of("POST"), .url = isw_str_of("/"),
                               .headers = { &expect, 1 } };
    iswi_frame frame = { .kind = ISWI_INVOKE };

    (void)state;
    frame.as.invoke.invocation_id = isw_str_of("an-invocation");
    frame.as.invoke.trigger = http_data(&request);
    frame.as.invoke.body_follows = true;
    FOR_EACH_LANE(ways) {
        streaming s;

        begin(&s, ways);
        frame.id = 9;
        frame.as.invoke.function = READS_NOTHING;
        host_send(&s.host, &frame);
        assert_int_equal(host_next(&s.host)->kind, ISWI_RESPONSE);
        frame.id = 10;
        frame.as.invoke.function = JOINS;
        host_send(&s.host, &frame);
        assert_int_equal(host_expect(&s.host, ISWI_WINDOW)->as.window.bytes, 0);
        send_chunk(&s, 10, "ab", 2, false);
        send_chunk(&s, 10, "c", 1, true);
        assert_int_equal(host_next(&s.host)->kind, ISWI_RESPONSE);
        streaming_end(&s);
    }
}

static void more_than_the_window_ends_the_session(void **state)
{
    char *body = calloc(1, WINDOW);
    streaming s;

    (void)state;
    begin(&s, HOST_STREAMS);
    streaming_invoke(&s, 1, IS_HELD, true, NULL);
    send_chunk(&s, 1, body, WINDOW, false); /* all of it may come before any is read */
    settle(&s);
    send_chunk(&s, 1, body, 1, false);
    assert_session_ends(&s, "a chunk of 1 bytes where the window has 0");
    free(body);
}

static void a_chunk_after_the_end_ends_the_session(void **state)
{
    streaming s;

    (void)state;
    begin(&s, HOST_STREAMS);
    streaming_invoke(&s, 1, IS_HELD, true, NULL);
    send_chunk(&s, 1, "all", 3, true);
    send_chunk(&s, 1, NULL, 0, true);
    assert_session_ends(&s, "a chunk after the end of its body");
}

static void what_was_not_agreed_on_ends_the_session(void **state)
{
    streaming s;

    (void)state;
    begin(&s, 0);
    send_chunk(&s, 1, "x", 1, true);
    assert_session_ends(&s, "chunk without the capability stream");
    begin(&s, 0);
    streaming_invoke(&s, 1, JOINS, true, NULL);
    assert_session_ends(&s, "a body that follows without the capability stream");
}

/* -- The end before the end -------------------------------------------------------------------- */

static void break_off(streaming *s, uint64_t id, isw_status status, const char *message)
{
    iswi_frame frame = { .kind = ISWI_CHUNK, .id = id };

    frame.as.chunk.status = iswi_status_to_wire(status, message);
    host_send(&s->host, &frame);
}

static void a_body_that_breaks_off_fails_the_read_with_the_hosts_words(void **state)
{
    (void)state;
    FOR_EACH_LANE(ways) {
        streaming s;

        begin(&s, ways);
        streaming_invoke(&s, 1, JOINS, true, NULL);
        send_chunk(&s, 1, "some", 4, false);
        break_off(&s, 1, ISW_E_CLOSED, "the client went away");
        assert_failure(&s, 1, ISW_E_IO, "the request's body broke off: the client went away");
        streaming_invoke(&s, 2, JOINS, true, NULL);
        break_off(&s, 2, ISW_E_TOO_LARGE, "more than 9 bytes");
        assert_failure(&s, 2, ISW_E_TOO_LARGE, "the request's body broke off: more than 9 bytes");
        streaming_end(&s);
    }
}

static void a_cancel_ends_a_read_that_waits(void **state)
{
    char *body = calloc(1, HALF);

    (void)state;
    FOR_EACH_LANE(ways) {
        streaming s;

        begin(&s, ways);
        for (uint64_t id = 1; id <= 3; id++) { /* the stream of one is not that of the next */
            streaming_invoke(&s, id, SUMS, true, NULL);
            send_chunk(&s, id, body, HALF, false);
            granted(&s, id); /* all is read */
            send_cancel(&s, id, ISWI_CANCEL_CALLER_LEFT);
            assert_failure(&s, id, ISW_E_CANCELLED,
                           "the caller left while the body was under way");
        }
        streaming_end(&s);
    }
    free(body);
}

static void a_deadline_ends_a_read_that_waits(void **state)
{
    streaming s;

    (void)state;
    begin(&s, HOST_STREAMS);
    invoke_for(&s, 1, JOINS, true, NULL, 20);
    assert_failure(&s, 1, ISW_E_TIMEOUT, "the deadline passed while the body was under way");
    streaming_end(&s);
}

static void a_host_that_goes_ends_a_read_that_waits(void **state)
{
    char *body = calloc(1, HALF);

    (void)state;
    FOR_EACH_LANE(ways) {
        streaming s;

        begin(&s, ways);
        streaming_invoke(&s, 1, NOTES_ITS_STATUS, true, NULL);
        send_chunk(&s, 1, body, HALF, false);
        granted(&s, 1); /* all is read */
        streaming_end(&s); /* joins its threads */
        assert_int_equal(read_status, ISW_E_IO);
    }
    free(body);
}

static void what_is_left_unread_is_dropped(void **state)
{
    (void)state;
    FOR_EACH_LANE(ways) {
        streaming s;

        begin(&s, ways);
        for (uint64_t id = 1; id <= 20; id++) {
            streaming_invoke(&s, id, READS_NOTHING, true, NULL);
            send_chunk(&s, id, "unread", 6, false);
            assert_reply_text(&s, id, "0");
            send_chunk(&s, id, "crossed the response", 20, true);
        }
        streaming_invoke(&s, 21, JOINS, true, NULL);
        send_chunk(&s, 21, "read", 4, true);
        assert_reply_text(&s, 21, "read|");
        streaming_end(&s);
    }
}

static void a_body_may_end_while_the_worker_drains(void **state)
{
    streaming s;

    (void)state;
    begin(&s, HOST_STREAMS);
    streaming_invoke(&s, 1, JOINS, true, NULL);
    host_send(&s.host, &(iswi_frame){ .kind = ISWI_TERMINATE, .as.terminate.grace_ms = 60000 });
    send_chunk(&s, 1, "late", 4, true);
    assert_reply_text(&s, 1, "late|");
    host_expect(&s.host, ISWI_GOODBYE);
    host_close(&s.host);
    assert_int_equal(host_join(&s.host), ISW_OK);
    host_fini(&s.host);
    isw_worker_destroy(s.worker);
}

/* -- The same loop elsewhere ------------------------------------------------------------------- */

static void a_whole_body_is_read_by_the_same_loop(void **state)
{
    (void)state;
    for (unsigned ways = 0; ways <= HOST_STREAMS; ways++) { /* the host without it, too */
        streaming s;

        begin(&s, ways);
        streaming_invoke(&s, 1, IS_NOT_TOLD, false, "0123456789abcdefXY");
        assert_reply_text(&s, 1, "0123456789abcdef|XY|");
        streaming_invoke(&s, 2, JOINS, false, NULL);
        assert_reply_text(&s, 2, "");
        streaming_end(&s);
    }
}

static void no_room_to_read_into_is_refused(void **state)
{
    streaming s;

    (void)state;
    begin(&s, HOST_STREAMS);
    streaming_invoke(&s, 1, TAKES_NO_ROOM, true, NULL);
    assert_failure(&s, 1, ISW_E_FAILED, "a body cannot be read into 0 bytes");
    streaming_end(&s);
}

static isw_status try_twice(isw_context *ctx, const isw_next *next)
{
    assert_int_equal(isw_next_run(next, ctx), ISW_OK);
    isw_context_start_over(ctx);
    return isw_next_run(next, ctx);
}

static void a_second_try_reads_a_whole_body_again_and_one_in_pieces_not(void **state)
{
    streaming s;

    (void)state;
    around = try_twice;
    streaming_begin(&s, functions, HOST_STREAMS, AROUND);
    streaming_invoke(&s, 1, IS_NOT_TOLD, false, "whole");
    assert_reply_text(&s, 1, "whole|");
    streaming_invoke(&s, 2, JOINS, true, NULL);
    send_chunk(&s, 2, "piece", 5, true);
    assert_failure(&s, 2, ISW_E_FAILED, "the request's body was read by an earlier try");
    streaming_end(&s);
}

/* -- Others meanwhile -------------------------------------------------------------------------- */

static void a_read_that_waits_holds_up_no_other_function(void **state)
{
    (void)state;
    FOR_EACH_LANE(ways) {
        streaming s;

        begin(&s, ways);
        streaming_invoke(&s, 1, JOINS, true, NULL);
        for (uint64_t id = 2; id < 50; id++) {
            streaming_invoke(&s, id, IS_QUICK, false, NULL);
            assert_reply_text(&s, id, "quick");
        }
        send_chunk(&s, 1, "done", 4, true);
        assert_reply_text(&s, 1, "done|");
        streaming_end(&s);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_body_is_read_as_it_arrives),
    cmocka_unit_test(a_body_that_came_before_its_function_began_is_whole),
    cmocka_unit_test(windows_are_granted_as_the_body_is_read),
    cmocka_unit_test(a_body_that_is_held_back_is_asked_for_when_it_is_read),
    cmocka_unit_test(more_than_the_window_ends_the_session),
    cmocka_unit_test(a_chunk_after_the_end_ends_the_session),
    cmocka_unit_test(what_was_not_agreed_on_ends_the_session),
    cmocka_unit_test(a_body_that_breaks_off_fails_the_read_with_the_hosts_words),
    cmocka_unit_test(a_cancel_ends_a_read_that_waits),
    cmocka_unit_test(a_deadline_ends_a_read_that_waits),
    cmocka_unit_test(a_host_that_goes_ends_a_read_that_waits),
    cmocka_unit_test(what_is_left_unread_is_dropped),
    cmocka_unit_test(a_body_may_end_while_the_worker_drains),
    cmocka_unit_test(a_whole_body_is_read_by_the_same_loop),
    cmocka_unit_test(no_room_to_read_into_is_refused),
    cmocka_unit_test(a_second_try_reads_a_whole_body_again_and_one_in_pieces_not),
    cmocka_unit_test(a_read_that_waits_holds_up_no_other_function),
};

ISW_TEST_MAIN(tests)
