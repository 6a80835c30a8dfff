/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a request by what came of an attempt. */
#include "support/main.h"

#include "host/webhooks/internal.h"

#include <stdlib.h>

static const iswi_webhook_bounds bounds = { .retry_delay_ms = 1000, .retry_delay_max_ms = 8000 };

static int setup(void **state)
{
    iswi_arena *arena = calloc(1, sizeof *arena);

    iswi_arena_init(arena, 256);
    *state = arena;
    return 0;
}

static int teardown(void **state)
{
    iswi_arena_fini(*state);
    free(*state);
    return 0;
}

static iswi_settlement judge(void **state, iswi_attempt attempt)
{
    iswi_settlement settlement = { .verdict = ISWI_VERDICT_EXTEND };

    iswi_attempt_judge(&attempt, &bounds, *state, &settlement);
    return settlement;
}

static void any_success_is_done_with(void **state)
{
    static const long statuses[] = { 200, 201, 202, 204, 299 };

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        assert_int_equal(judge(state, (iswi_attempt){ .status = statuses[i], .number = 1 }).verdict,
                         ISWI_VERDICT_COMPLETE);
}

static void what_would_be_the_same_again_is_dead(void **state)
{
    static const long statuses[] = { 400, 401, 403, 404, 405, 410, 413, 422, 451, 499 };

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        assert_int_equal(judge(state, (iswi_attempt){ .status = statuses[i], .number = 1 }).verdict,
                         ISWI_VERDICT_DEAD);
}

static void all_else_is_tried_again_behind_a_time_that_grows(void **state)
{
    static const long statuses[] = { 300, 302, 304, 408, 425, 429, 500, 501, 502, 503, 504, 599 };

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        for (unsigned number = 1; number < 9; number++) {
            const iswi_settlement one =
                judge(state, (iswi_attempt){ .status = statuses[i], .number = number });
            const int64_t most = number < 4 ? 1000 << (number - 1) : 8000;

            assert_int_equal(one.verdict, ISWI_VERDICT_ABANDON);
            assert_in_range(one.delay_ms, most / 2, most);
        }
}

static void no_answer_is_tried_again_whatever_had_come_of_it(void **state)
{
    const iswi_settlement one =
        judge(state, (iswi_attempt){ .failure = "it broke off", .status = 200, .number = 1,
                                     .retry_after_s = 77 });

    assert_int_equal(one.verdict, ISWI_VERDICT_ABANDON);
    assert_in_range(one.delay_ms, 500, 1000);
    assert_string_equal(one.cause.data, "it broke off");
}

static void a_time_that_the_answer_names_is_kept_up_to_a_day(void **state)
{
    assert_int_equal(judge(state, (iswi_attempt){ .status = 503, .retry_after_s = 77 }).delay_ms,
                     77000);
    assert_int_equal(judge(state, (iswi_attempt){ .status = 429, .retry_after_s = INT64_MAX / 2 })
                         .delay_ms, 86400000);
}

static void the_cause_has_the_status_and_what_was_said_safely(void **state)
{
    const isw_str said = isw_str_of("no\x1b[1m\n");

    assert_string_equal(judge(state, (iswi_attempt){ .status = 410, .said = said }).cause.data,
                        "it was answered 410: no\\x1b[1m\\n");
    assert_string_equal(judge(state, (iswi_attempt){ .status = 500, .number = 1 }).cause.data,
                        "it was answered 500");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(any_success_is_done_with, setup, teardown),
    cmocka_unit_test_setup_teardown(what_would_be_the_same_again_is_dead, setup, teardown),
    cmocka_unit_test_setup_teardown(all_else_is_tried_again_behind_a_time_that_grows, setup, teardown),
    cmocka_unit_test_setup_teardown(no_answer_is_tried_again_whatever_had_come_of_it, setup, teardown),
    cmocka_unit_test_setup_teardown(a_time_that_the_answer_names_is_kept_up_to_a_day, setup, teardown),
    cmocka_unit_test_setup_teardown(the_cause_has_the_status_and_what_was_said_safely, setup, teardown),
};

ISW_TEST_MAIN(tests)
