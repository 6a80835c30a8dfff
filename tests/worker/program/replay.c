/* SPDX-License-Identifier: Apache-2.0 */
/* A test that runs what a host has recorded. */
#include "worker/support.h"

#include <isoworker/testing.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static isw_status greets(isw_context *ctx)
{
    isw_http_set_header(ctx, "set-cookie", isw_context_invocation_id(ctx));
    assert_int_equal(isw_context_remaining_ms(ctx), INT64_MAX);
    assert_int_equal(isw_context_retry(ctx)->count, 1);
    assert_int_equal(isw_context_trace(ctx)->baggage.count, 1);
    assert_true(isw_str_equal(isw_context_trace(ctx)->baggage.items[0].value, isw_str_of("gold")));
    return isw_http_reply(ctx, 200, "text/plain", "Hello, %s!", isw_http_param(ctx, "name"));
}

static const isw_function functions[] = {
    { .name = "greets", .trigger = ISW_HTTP("GET", "g/{name}"), .handler = greets,
      .timeout_ms = 5000 },
    { 0 },
};

static char path[64];

static void write_record(const char *function, const char *body)
{
    FILE *file;

    strcpy(path, "/tmp/isw-replay-XXXXXX");
    close(mkstemp(path));
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "{\"isoworker_record\":1,\"function\":\"%s\",\"invocation_id\":\"abc\",\"tries\":1,"
            "\"outcome\":\"success\",\"timeout_ms\":100,"
            "\"trace\":{\"baggage\":[[\"tier\",\"gold\"]]},"
            "\"trigger\":{\"http\":{\"method\":\"GET\",\"url\":\"/api/g/Ada\",\"headers\":[],"
            "\"params\":[[\"name\",\"Ada\"]],\"body\":{\"string\":\"\"}}},"
            "\"result\":{\"http\":{\"status\":200,\"headers\":[[\"set-cookie\",\"[redacted]\"],"
            "[\"content-type\",\"text/plain\"]],\"body\":{\"string\":\"%s\"}}}}",
            function, body);
    assert_int_equal(fclose(file), 0);
}

static isw_test *begin(void)
{
    isw_error error = { 0 };
    isw_worker *worker = NULL;
    isw_test *test = NULL;

    if (make_worker(functions, "worker: {}\n", &worker, &error) != ISW_OK ||
        isw_test_create(worker, &test, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return test;
}

static void the_same_as_recorded_has_no_difference(void **state)
{
    isw_test *test = begin();
    const isw_test_result *result;
    const char *difference = "none";

    (void)state;
    write_record("greets", "Hello, Ada!");
    result = isw_test_replay(test, path, &difference);
    assert_null(difference);
    assert_string_equal(result->body, "Hello, Ada!");
    assert_string_equal(isw_test_reply_header(result, "set-cookie"), "abc");
    assert_string_equal(isw_test_replay(test, path, NULL)->body, "Hello, Ada!");
    isw_test_destroy(test);
    unlink(path);
}

static void another_result_is_shown_beside_the_recorded_one(void **state)
{
    isw_test *test = begin();
    const char *difference;

    (void)state;
    write_record("greets", "Hello, Eve!");
    isw_test_replay(test, path, &difference);
    assert_non_null(strstr(difference, "result was  {\"http\":"));
    assert_non_null(strstr(difference, "Hello, Eve!"));
    assert_non_null(strstr(difference, "result is   {\"http\":"));
    assert_non_null(strstr(difference, "Hello, Ada!"));
    isw_test_destroy(test);
    unlink(path);
}

static void what_cannot_be_replayed_is_told(void **state)
{
    isw_test *test = begin();
    const char *difference;

    (void)state;
    write_record("other", "");
    assert_int_equal(isw_test_replay(test, path, &difference)->failure->status, ISW_E_NOT_FOUND);
    assert_non_null(strstr(difference, ": the worker has no function \"other\""));
    unlink(path);
    assert_int_equal(isw_test_replay(test, path, &difference)->failure->status, ISW_E_IO);
    assert_non_null(strstr(difference, "cannot be read"));
    isw_test_destroy(test);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_same_as_recorded_has_no_difference),
    cmocka_unit_test(another_result_is_shown_beside_the_recorded_one),
    cmocka_unit_test(what_cannot_be_replayed_is_told),
};

ISW_TEST_MAIN(tests)
