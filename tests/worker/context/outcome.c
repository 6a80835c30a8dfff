/* SPDX-License-Identifier: Apache-2.0 */
/* How an invocation ends: the first failure stays, and none ends as a success by accident. */
#include "worker/support.h"

#include <string.h>

static isw_status succeeds(isw_context *ctx)
{
    isw_value data = isw_value_int(1);

    return isw_context_set_result(ctx, &data);
}

static isw_status fails(isw_context *ctx)
{
    return isw_fail(ctx, ISW_E_NOT_FOUND, "no order %d", 7);
}

static isw_status fails_bare(isw_context *ctx)
{
    (void)ctx;
    return ISW_E_CONFLICT;
}

static isw_status fails_but_returns_ok(isw_context *ctx)
{
    fails(ctx);
    return ISW_OK;
}

static isw_status fails_twice(isw_context *ctx)
{
    fails(ctx);
    return isw_fail(ctx, ISW_E_BUSY, "and that too");
}

static void assert_failed(const run *r, isw_outcome outcome, isw_status status,
                          const char *message)
{
    assert_int_equal(r->result.outcome, outcome);
    assert_int_equal(r->result.failure.status, status);
    assert_string_equal(r->result.failure.message, message);
}

static void a_handler_that_returns_ok_succeeds(void **state)
{
    run r;

    (void)state;
    run_function(&r, succeeds, NULL, NULL);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_SUCCESS);
    assert_int_equal(r.result.failure.status, ISW_OK);
    run_fini(&r);
}

static void a_failure_carries_its_sentence(void **state)
{
    run r;

    (void)state;
    run_function(&r, fails, NULL, NULL);
    assert_failed(&r, ISW_OUTCOME_FAILED, ISW_E_NOT_FOUND, "no order 7");
    run_fini(&r);
}

static void a_bare_status_gets_its_own_text(void **state)
{
    run r;

    (void)state;
    run_function(&r, fails_bare, NULL, NULL);
    assert_failed(&r, ISW_OUTCOME_FAILED, ISW_E_CONFLICT, "conflict");
    run_fini(&r);
}

static void the_first_failure_stays(void **state)
{
    run r;

    (void)state;
    run_function(&r, fails_twice, NULL, NULL);
    assert_failed(&r, ISW_OUTCOME_FAILED, ISW_E_NOT_FOUND, "no order 7");
    run_fini(&r);
}

static isw_status fails_at_length(isw_context *ctx)
{
    return isw_fail(ctx, ISW_E_INVALID, "%*s", 5000, "end");
}

static void a_long_sentence_is_kept_whole(void **state)
{
    run r;

    (void)state;
    run_function(&r, fails_at_length, NULL, NULL);
    assert_int_equal(strlen(r.result.failure.message), 5000);
    run_fini(&r);
}

/* -- Again ------------------------------------------------------------------------------------- */

static int tries;

static isw_status gets_better(isw_context *ctx)
{
    isw_value good = isw_value_string("good");

    if (++tries > 1)
        return isw_context_set_result(ctx, &good);
    isw_http_set_header(ctx, "x-first", "left over");
    isw_http_reply(ctx, 200, NULL, "half");
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, 10);
    return isw_fail(ctx, ISW_E_BUSY, "not yet");
}

static isw_status runs_again(isw_context *ctx, const isw_next *next)
{
    isw_status status = isw_next_run(next, ctx);

    if (status == ISW_OK)
        return status;
    isw_context_start_over(ctx);
    assert_null(isw_context_result(ctx));
    assert_null(isw_context_failure(ctx));
    return isw_next_run(next, ctx);
}

static void nothing_of_a_first_try_is_in_the_answer_of_the_second(void **state)
{
    run r;

    (void)state;
    tries = 0;
    around = runs_again;
    run_http(&r, gets_better, AROUND, NULL);
    assert_int_equal(tries, 2);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_SUCCESS);
    assert_int_equal(r.result.failure.status, ISW_OK);
    assert_true(isw_str_equal(r.result.result.as.string, isw_str_of("good")));
    assert_null(isw_http_response(r.result.opaque));
    run_fini(&r);
}

/* -- No success by accident -------------------------------------------------------------------- */

static void a_recorded_failure_outlives_an_ok(void **state)
{
    run r;

    (void)state;
    run_function(&r, fails_but_returns_ok, NULL, NULL);
    assert_failed(&r, ISW_OUTCOME_FAILED, ISW_E_NOT_FOUND, "no order 7");
    run_fini(&r);
}

static isw_status swallows(isw_context *ctx, const isw_next *next)
{
    isw_next_run(next, ctx);
    return ISW_OK;
}

static void middleware_that_swallows_a_status_changes_nothing(void **state)
{
    run r;

    (void)state;
    around = swallows;
    run_function(&r, fails_bare, AROUND, NULL);
    assert_failed(&r, ISW_OUTCOME_FAILED, ISW_E_CONFLICT, "conflict");
    run_fini(&r);
}

static isw_status falls_back(isw_context *ctx, const isw_next *next)
{
    isw_value instead = isw_value_int(2);

    if (isw_next_run(next, ctx) == ISW_OK)
        return ISW_OK;
    assert_int_equal(isw_context_failure(ctx)->status, ISW_E_NOT_FOUND);
    isw_context_recover(ctx);
    assert_null(isw_context_failure(ctx));
    return isw_context_set_result(ctx, &instead);
}

static void a_failure_is_forgotten_on_purpose_only(void **state)
{
    run r;

    (void)state;
    around = falls_back;
    run_function(&r, fails, AROUND, NULL);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_SUCCESS);
    assert_int_equal(r.result.failure.status, ISW_OK);
    assert_int_equal(r.result.result.as.integer, 2);
    run_fini(&r);
}

static isw_status fails_again_after_recovery(isw_context *ctx, const isw_next *next)
{
    isw_next_run(next, ctx);
    isw_context_recover(ctx);
    return isw_fail(ctx, ISW_E_BUSY, "afterwards");
}

static void after_recovery_the_next_failure_counts(void **state)
{
    run r;

    (void)state;
    around = fails_again_after_recovery;
    run_function(&r, fails, AROUND, NULL);
    assert_failed(&r, ISW_OUTCOME_FAILED, ISW_E_BUSY, "afterwards");
    run_fini(&r);
}

/* -- Outcomes by decision ---------------------------------------------------------------------- */

static isw_status is_cancelled(isw_context *ctx)
{
    assert_int_equal(isw_context_outcome(ctx, ISW_E_CANCELLED), ISW_OUTCOME_CANCELLED);
    assert_int_equal(isw_context_outcome(ctx, ISW_E_TIMEOUT), ISW_OUTCOME_FAILED);
    assert_int_equal(isw_context_outcome(ctx, ISW_OK), ISW_OUTCOME_SUCCESS);
    return ISW_E_CANCELLED;
}

static void cancelled_is_an_outcome_of_its_own(void **state)
{
    run r;

    (void)state;
    run_function(&r, is_cancelled, NULL, NULL);
    assert_failed(&r, ISW_OUTCOME_CANCELLED, ISW_E_CANCELLED, "cancelled");
    run_fini(&r);
}

static isw_status decides_twice(isw_context *ctx)
{
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, 500);
    isw_context_set_outcome(ctx, ISW_OUTCOME_FAILED, 0);
    return ISW_OK;
}

static isw_status postpones(isw_context *ctx)
{
    isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, 500);
    return fails(ctx);
}

static void a_decided_outcome_beats_the_status(void **state)
{
    run r;

    (void)state;
    run_function(&r, decides_twice, NULL, NULL);
    assert_int_equal(r.result.outcome, ISW_OUTCOME_FAILED);
    run_fini(&r);
    run_function(&r, postpones, NULL, NULL);
    assert_failed(&r, ISW_OUTCOME_RETRY_LATER, ISW_E_NOT_FOUND, "no order 7");
    run_fini(&r);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_handler_that_returns_ok_succeeds),
    cmocka_unit_test(a_failure_carries_its_sentence),
    cmocka_unit_test(a_bare_status_gets_its_own_text),
    cmocka_unit_test(the_first_failure_stays),
    cmocka_unit_test(a_long_sentence_is_kept_whole),
    cmocka_unit_test(nothing_of_a_first_try_is_in_the_answer_of_the_second),
    cmocka_unit_test(a_recorded_failure_outlives_an_ok),
    cmocka_unit_test(middleware_that_swallows_a_status_changes_nothing),
    cmocka_unit_test(a_failure_is_forgotten_on_purpose_only),
    cmocka_unit_test(after_recovery_the_next_failure_counts),
    cmocka_unit_test(cancelled_is_an_outcome_of_its_own),
    cmocka_unit_test(a_decided_outcome_beats_the_status),
};

ISW_TEST_MAIN(tests)
