/* SPDX-License-Identifier: Apache-2.0 */
/* Failures keep their shape: in the context, in the log, on the wire and in the answer. */
#include "worker/support.h"

#include "worker/context/failure.h"

#include <stdio.h>

static const isw_failure locked = { .status = ISW_E_UNAVAILABLE,
                                    .message = "the database is locked",
                                    .type = "sqlite.BUSY",
                                    .place = "/far/away/db.c:12",
                                    .retriable = true };

static isw_status wraps(isw_context *ctx)
{
    isw_fail_as(ctx, &locked);
    return isw_fail_because(ctx, ISW_E_CONFLICT, "could not place order %d", 7);
}

static isw_status fails(isw_context *ctx)
{
    return isw_fail(ctx, ISW_E_BUSY, "come back");
}

static void a_failure_knows_its_place_and_whose_it_is(void **state)
{
    run r;

    (void)state;
    run_function(&r, fails, NULL, NULL);
    assert_string_equal(r.result.failure.place, "failure.c:23");
    assert_string_equal(r.result.failure.type, "");
    assert_true(r.result.failure.user);
    assert_true(r.result.failure.retriable);
    assert_null(r.result.failure.cause);
    run_fini(&r);
}

static void what_may_pass_can_be_tried_again(void **state)
{
    (void)state;
    assert_true(isw_status_retriable(ISW_E_BUSY));
    assert_true(isw_status_retriable(ISW_E_WORKER_LOST));
    assert_false(isw_status_retriable(ISW_OK));
    assert_false(isw_status_retriable(ISW_E_INVALID));
    assert_false(isw_status_retriable(ISW_E_FAILED));
}

static void a_failure_becomes_the_cause_of_what_is_said_about_it(void **state)
{
    const isw_failure *cause;
    run r;

    (void)state;
    run_function(&r, wraps, NULL, NULL);
    assert_int_equal(r.result.failure.status, ISW_E_CONFLICT);
    assert_string_equal(r.result.failure.message, "could not place order 7");
    assert_false(r.result.failure.retriable);
    cause = r.result.failure.cause;
    assert_non_null(cause);
    assert_int_equal(cause->status, ISW_E_UNAVAILABLE);
    assert_string_equal(cause->type, "sqlite.BUSY");
    assert_string_equal(cause->place, "db.c:12"); /* without its folders */
    assert_true(cause->retriable);
    assert_null(cause->cause);
    run_fini(&r);
}

static isw_status explains_nothing(isw_context *ctx)
{
    return isw_fail_because(ctx, ISW_E_IO, "it broke");
}

static void without_a_failure_there_is_no_cause(void **state)
{
    run r;

    (void)state;
    run_function(&r, explains_nothing, NULL, NULL);
    assert_int_equal(r.result.failure.status, ISW_E_IO);
    assert_null(r.result.failure.cause);
    run_fini(&r);
}

static isw_status fails_with_a_chain(isw_context *ctx)
{
    char text[] = "first";
    const isw_failure third = { .status = ISW_E_IO, .message = "third" };
    const isw_failure second = { .status = ISW_E_CLOSED, .cause = &third };
    const isw_failure first = { .status = ISW_E_INTERNAL, .message = text, .cause = &second };
    isw_status status = isw_fail_as(ctx, &first);

    memset(text, 'x', sizeof text - 1);
    return status;
}

static void a_given_failure_is_copied_with_its_causes(void **state)
{
    const isw_failure *at;
    run r;

    (void)state;
    run_function(&r, fails_with_a_chain, NULL, NULL);
    at = &r.result.failure;
    assert_string_equal(at->message, "first");
    at = at->cause;
    assert_string_equal(at->message, isw_status_text(ISW_E_CLOSED));
    assert_string_equal(at->type, "");
    at = at->cause;
    assert_string_equal(at->message, "third");
    assert_null(at->cause);
    run_fini(&r);
}

static isw_status misuses(isw_context *ctx)
{
    return isw_http_reply(ctx, 99, NULL, "x");
}

static void a_wrong_call_is_a_failure_of_the_function(void **state)
{
    run r;

    (void)state;
    run_function(&r, misuses, NULL, NULL);
    assert_string_equal(r.result.failure.place, "function sample");
    assert_int_equal(r.result.failure.status, ISW_E_FAILED);
    assert_true(r.result.failure.user);
    run_fini(&r);
}

static isw_status misuses_and_says_so(isw_context *ctx)
{
    misuses(ctx);
    return isw_fail(ctx, ISW_E_INVALID, "no such status");
}

static void a_function_may_blame_its_caller_for_a_wrong_call(void **state)
{
    run r;

    (void)state;
    run_function(&r, misuses_and_says_so, NULL, NULL);
    assert_int_equal(r.result.failure.status, ISW_E_INVALID);
    assert_string_equal(r.result.failure.message, "no such status");
    assert_int_equal(r.result.failure.cause->status, ISW_E_FAILED);
    run_fini(&r);
}

/* -- In the log and the answer ----------------------------------------------------------------- */

static void it_is_logged_once_with_its_shape(void **state)
{
    static const char line[] =
        "warning Function.f: ISW_E_CONFLICT: could not place order 7 place=\"failure.c:18\" "
        "causes=[\"the database is locked (sqlite.BUSY, db.c:12)\"] user=true retriable=false\n";
    const isw_function function = { .name = "f", .trigger = ISW_TRIGGER("timer", NULL),
                                    .handler = wraps };
    run r;

    (void)state;
    run_captured(&r, &function, NULL, NULL, ISW_LOG_INFO);
    assert_string_equal(r.log, line);
    run_fini(&r);
    run_captured(&r, &function, "middleware: [error_handling]\n", NULL, ISW_LOG_INFO);
    assert_string_equal(r.log, line);
    run_fini(&r);
}

static const char *body_of(const run *r)
{
    static char copy[1024];
    const isw_bytes *body = &r->result.result.as.http->body;

    snprintf(copy, sizeof copy, "%.*s", (int)body->size, (const char *)body->data);
    return copy;
}

static void a_caller_sees_causes_only_when_details_are_exposed(void **state)
{
    run r;

    (void)state;
    run_http(&r, wraps, "middleware: [error_handling: {log: false}]\n", NULL);
    assert_null(strstr(body_of(&r), "locked"));
    assert_non_null(strstr(body_of(&r), "\"error\":\"ISW_E_CONFLICT\",\"retriable\":false"));
    run_fini(&r);
    run_http(&r, wraps, "middleware: [error_handling: {log: false, expose_details: true}]\n", NULL);
    assert_non_null(strstr(body_of(&r), "\"causes\":[{\"error\":\"ISW_E_UNAVAILABLE\","
                                        "\"message\":\"the database is locked\","
                                        "\"type\":\"sqlite.BUSY\",\"place\":\"db.c:12\"}]"));
    run_fini(&r);
}

static isw_status has_a_type(isw_context *ctx)
{
    return isw_fail_as(ctx, &locked);
}

static void a_caller_sees_the_type(void **state)
{
    run r;

    (void)state;
    run_http(&r, has_a_type, "middleware: [error_handling: {log: false}]\n", NULL);
    assert_int_equal(r.result.result.as.http->status, 503);
    assert_non_null(strstr(body_of(&r), "\"error_type\":\"sqlite.BUSY\",\"retriable\":true"));
    run_fini(&r);
}

static void it_travels_with_its_shape(void **state)
{
    iswi_wire_status wire = { .code = 0 };
    iswi_wire_cause cause;
    run r;

    (void)state;
    run_function(&r, wraps, NULL, NULL);
    iswi_failure_to_wire(r.result.opaque, &wire);
    assert_int_equal(wire.code, ISW_E_CONFLICT);
    assert_true(isw_str_equal(wire.place, isw_str_of("failure.c:18")));
    assert_true(wire.user);
    assert_false(wire.retriable);
    assert_int_equal(wire.causes.count, 1);
    cause = wire.causes.items[0];
    assert_true(isw_str_equal(cause.type, isw_str_of("sqlite.BUSY")));
    assert_true(isw_str_equal(cause.message, isw_str_of("the database is locked")));
    run_fini(&r);
}

static isw_status fails_with_odd_texts(isw_context *ctx)
{
    char type[400];
    isw_failure failure = { .status = ISW_E_IO, .message = "a \xff", .type = type };

    memset(type, 't', sizeof type - 1);
    type[sizeof type - 1] = '\0';
    return isw_fail_as(ctx, &failure);
}

static void texts_that_the_wire_does_not_take_are_made_to_fit(void **state)
{
    iswi_wire_status wire = { .code = 0 };
    run r;

    (void)state;
    run_function(&r, fails_with_odd_texts, NULL, NULL);
    iswi_failure_to_wire(r.result.opaque, &wire);
    assert_int_equal(wire.type.size, ISWI_NAME_MAX);
    assert_non_null(memchr(wire.message.data, '\\', wire.message.size));
    run_fini(&r);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_failure_knows_its_place_and_whose_it_is),
    cmocka_unit_test(what_may_pass_can_be_tried_again),
    cmocka_unit_test(a_failure_becomes_the_cause_of_what_is_said_about_it),
    cmocka_unit_test(without_a_failure_there_is_no_cause),
    cmocka_unit_test(a_given_failure_is_copied_with_its_causes),
    cmocka_unit_test(a_wrong_call_is_a_failure_of_the_function),
    cmocka_unit_test(a_function_may_blame_its_caller_for_a_wrong_call),
    cmocka_unit_test(it_is_logged_once_with_its_shape),
    cmocka_unit_test(a_caller_sees_causes_only_when_details_are_exposed),
    cmocka_unit_test(a_caller_sees_the_type),
    cmocka_unit_test(it_travels_with_its_shape),
    cmocka_unit_test(texts_that_the_wire_does_not_take_are_made_to_fit),
};

ISW_TEST_MAIN(tests)
