/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in pieces with no host: the same calls, and middleware that sees the same; and the form of
 * server-sent events. */
#include "worker/support.h"

#include <stdio.h>

static const isw_http request = { .method = { "POST", 4 }, .url = { "/", 1 },
                                  .body = { "0123456789", 10 } };

static void run_and_assert(isw_handler_fn handler, int status, const char *body)
{
    run r;

    run_http(&r, handler, NULL, &request);
    assert_reply(&r, status, body);
    run_fini(&r);
}

/* -- Pieces ------------------------------------------------------------------------------------ */

static isw_status echoes_by_threes(isw_context *ctx)
{
    char piece[3];
    size_t got;

    assert_false(isw_http_begun(ctx));
    assert_int_equal(isw_http_begin(ctx, 202, "text/plain"), ISW_OK);
    assert_true(isw_http_begun(ctx));
    while (isw_http_read(ctx, piece, sizeof piece, &got) == ISW_OK && got)
        if (isw_http_printf(ctx, "%.*s,", (int)got, piece) != ISW_OK)
            return ISW_E_FAILED;
    return isw_http_read(ctx, piece, sizeof piece, &got); /* the end stays the end */
}

static void a_whole_body_is_read_in_pieces_and_pieces_make_a_reply(void **state)
{
    (void)state;
    run_and_assert(echoes_by_threes, 202, "012,345,678,9,");
}

static isw_status sees_the_head(isw_context *ctx, const isw_next *next)
{
    isw_status status = isw_next_run(next, ctx);

    assert_true(isw_http_begun(ctx));
    assert_int_equal(isw_http_response(ctx)->status, 202);
    assert_int_equal(isw_http_response(ctx)->body.size, 0);
    return status;
}

static void middleware_sees_status_and_headers_and_no_body(void **state)
{
    run r;

    (void)state;
    around = sees_the_head;
    run_http(&r, echoes_by_threes, AROUND, &request);
    assert_reply(&r, 202, "012,345,678,9,");
    assert_string_equal(reply_header(&r, "content-type"), "text/plain");
    run_fini(&r);
}

/* Each call on a response that has begun, which it would replace; or that has not. */
static isw_status misuses(isw_context *ctx)
{
    static const int no_body[] = { 99, 100, 199, 204, 304, 600 };
    isw_value value = isw_value_int(1);

    assert_int_equal(isw_http_write(ctx, "x", 1), ISW_E_CONFLICT);
    assert_string_equal(isw_context_failure(ctx)->message,
                        "the response has not begun: call isw_http_begin");
    for (size_t i = 0; i < sizeof no_body / sizeof no_body[0]; i++)
        assert_int_equal(isw_http_begin(ctx, no_body[i], NULL), ISW_E_INVALID);
    assert_int_equal(isw_http_begin(ctx, 200, "a\nb"), ISW_E_INVALID);
    assert_false(isw_http_begun(ctx));
    assert_int_equal(isw_http_begin(ctx, 200, NULL), ISW_OK);
    assert_int_equal(isw_http_begin(ctx, 200, NULL), ISW_E_CONFLICT);
    assert_int_equal(isw_http_reply(ctx, 200, NULL, "x"), ISW_E_CONFLICT);
    assert_int_equal(isw_http_reply_problem(ctx, 400, NULL, NULL), ISW_E_CONFLICT);
    assert_int_equal(isw_http_set_header(ctx, "a", "b"), ISW_E_CONFLICT);
    assert_int_equal(isw_context_set_result(ctx, &value), ISW_E_CONFLICT);
    isw_context_recover(ctx);
    return isw_http_write(ctx, "fine", 4);
}

static void what_has_begun_cannot_be_replaced(void **state)
{
    (void)state;
    run_and_assert(misuses, 200, "fine");
}

static isw_status has_no_request(isw_context *ctx)
{
    assert_int_equal(isw_http_begin(ctx, 200, NULL), ISW_E_INVALID);
    assert_string_equal(isw_context_failure(ctx)->message,
                        "there is no HTTP request to begin a response to");
    return ISW_OK;
}

static void only_an_http_trigger_has_a_response_to_begin(void **state)
{
    run r;

    (void)state;
    run_function(&r, has_no_request, NULL, NULL);
    run_fini(&r);
}

static isw_status fails_on_the_way(isw_context *ctx)
{
    isw_http_begin(ctx, 200, "text/plain");
    isw_http_write(ctx, "half", 4);
    return isw_fail(ctx, ISW_E_FAILED, "the disk is full");
}

static void a_body_that_is_cut_is_no_reply(void **state)
{
    run r;

    (void)state;
    run_http(&r, fails_on_the_way, "middleware: [error_handling]\n", &request);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(r.result.result.type, ISW_VALUE_NONE);
    run_fini(&r);
}

static isw_status gathers_too_much(isw_context *ctx)
{
    size_t size = 8 * 1024 * 1024;
    char *bytes = isw_context_alloc(ctx, size);
    isw_status status = isw_http_begin(ctx, 200, NULL);

    memset(bytes, 'x', size);
    for (int i = 0; i < 8 && status == ISW_OK; i++)
        status = isw_http_write(ctx, bytes, size);
    return status;
}

static void a_body_too_large_to_gather_is_refused(void **state)
{
    run r;

    (void)state;
    run_http(&r, gathers_too_much, NULL, &request);
    assert_int_equal(r.result.failure.status, ISW_E_FAILED);
    assert_string_equal(r.result.failure.message, "a body of more than 66060288 bytes needs a host "
                                                  "that takes it in pieces");
    run_fini(&r);
}

static isw_status is_cancelled(isw_context *ctx)
{
    char byte;
    size_t got = 7;

    assert_int_equal(isw_http_begin(ctx, 200, NULL), ISW_OK);
    while (!isw_context_cancelled(ctx))
        continue;
    assert_int_equal(isw_http_write(ctx, "x", 1), ISW_E_TIMEOUT);
    assert_int_equal(isw_http_read(ctx, &byte, 1, &got), ISW_E_TIMEOUT);
    assert_int_equal(got, 7);
    return ISW_E_TIMEOUT;
}

static void a_deadline_ends_reading_and_writing(void **state)
{
    const isw_function functions[] = { { .name = "f", .trigger = ISW_HTTP("POST", NULL),
                                         .handler = is_cancelled, .timeout_ms = 5 }, { 0 } };
    isw_value input = http_data(&request);
    isw_invocation result;
    isw_worker *worker;
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(make_worker(functions, "worker: {}\n", &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_invoke(worker, "f", &input, &result, &error), ISW_OK);
    assert_int_equal(result.failure.status, ISW_E_TIMEOUT);
    isw_invocation_free(&result);
    isw_worker_destroy(worker);
}

/* -- Server-sent events ------------------------------------------------------------------------ */

static isw_status sends_events(isw_context *ctx)
{
    const isw_event full = { .event = "tick", .data = "one\ntwo\r\nthree\rfour\n", .id = "7",
                             .comment = "a\nb", .retry_ms = 1500 };

    assert_int_equal(isw_http_event(ctx, &full), ISW_OK);
    assert_int_equal(isw_http_event(ctx, &(isw_event){ .data = "" }), ISW_OK);
    assert_int_equal(isw_http_event(ctx, &(isw_event){ .comment = "alive" }), ISW_OK);
    return isw_http_event(ctx, &(isw_event){ .data = "last", .id = "" });
}

static void events_have_the_form_of_the_standard(void **state)
{
    run r;

    (void)state;
    run_http(&r, sends_events, NULL, &request);
    assert_reply(&r, 200, ": a\n: b\nevent: tick\nid: 7\nretry: 1500\n"
                          "data: one\ndata: two\ndata: three\ndata: four\ndata: \n\n"
                          "data: \n\n"
                          ": alive\n\n"
                          "id: \ndata: last\n\n");
    assert_string_equal(reply_header(&r, "content-type"), "text/event-stream");
    assert_string_equal(reply_header(&r, "cache-control"), "no-store");
    run_fini(&r);
}

static isw_status has_headers_of_its_own(isw_context *ctx)
{
    isw_http_set_header(ctx, "Cache-Control", "no-cache");
    isw_http_begin(ctx, 203, "text/event-stream");
    return isw_http_event(ctx, &(isw_event){ .data = "x" });
}

static isw_status has_one_header_of_its_own(isw_context *ctx)
{
    isw_http_set_header(ctx, "Cache-Control", "no-cache");
    return isw_http_event(ctx, &(isw_event){ .data = "x" });
}

static void what_the_function_says_of_the_response_stays(void **state)
{
    run r;

    (void)state;
    run_http(&r, has_one_header_of_its_own, NULL, &request);
    assert_reply(&r, 200, "data: x\n\n");
    assert_string_equal(reply_header(&r, "cache-control"), "no-cache");
    assert_int_equal(r.result.result.as.http->headers.count, 2);
    run_fini(&r);
    run_and_assert(has_headers_of_its_own, 203, "data: x\n\n");
}

static isw_status sends_bad_events(isw_context *ctx)
{
    static const isw_event bad[] = {
        { .event = "a\nb" }, { .event = "\xff" }, { .id = "a\rb" }, { .data = "\xc3" },
        { .comment = "\xed\xa0\x80" },
    };
    static const char *const why[] = {
        "the type of an event has a line break", "the type of an event is not UTF-8",
        "the id of an event has a line break",   "the data of an event is not UTF-8",
        "the comment of an event is not UTF-8",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(isw_http_event(ctx, &bad[i]), ISW_E_INVALID);
        assert_string_equal(isw_context_failure(ctx)->message, why[i]);
        isw_context_recover(ctx);
    }
    assert_false(isw_http_begun(ctx));
    return isw_http_reply(ctx, 200, NULL, "none was sent");
}

static void an_event_that_would_break_the_stream_is_refused(void **state)
{
    (void)state;
    run_and_assert(sends_bad_events, 200, "none was sent");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_whole_body_is_read_in_pieces_and_pieces_make_a_reply),
    cmocka_unit_test(middleware_sees_status_and_headers_and_no_body),
    cmocka_unit_test(what_has_begun_cannot_be_replaced),
    cmocka_unit_test(only_an_http_trigger_has_a_response_to_begin),
    cmocka_unit_test(a_body_that_is_cut_is_no_reply),
    cmocka_unit_test(a_body_too_large_to_gather_is_refused),
    cmocka_unit_test(a_deadline_ends_reading_and_writing),
    cmocka_unit_test(events_have_the_form_of_the_standard),
    cmocka_unit_test(what_the_function_says_of_the_response_stays),
    cmocka_unit_test(an_event_that_would_break_the_stream_is_refused),
};

ISW_TEST_MAIN(tests)
