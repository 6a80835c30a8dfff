/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "reactor/timers.h"

#include <stdlib.h>

enum { TIMERS = 500, STEPS = 20000, SPAN = 1000 };

static void what_is_due_comes_in_the_order_of_its_time(void **state)
{
    iswi_timer timers[3] = { { .due = NULL } };
    iswi_timers all = { NULL };

    (void)state;
    assert_true(iswi_timers_next(&all) == INT64_MAX);
    iswi_timers_set(&all, &timers[0], 30);
    iswi_timers_set(&all, &timers[1], 10);
    iswi_timers_set(&all, &timers[2], 20);
    assert_int_equal(iswi_timers_next(&all), 10);
    assert_null(iswi_timers_take(&all, 9));
    assert_ptr_equal(iswi_timers_take(&all, 20), &timers[1]);
    assert_ptr_equal(iswi_timers_take(&all, 20), &timers[2]);
    assert_null(iswi_timers_take(&all, 29));
    assert_ptr_equal(iswi_timers_take(&all, 30), &timers[0]);
    assert_null(iswi_timers_take(&all, INT64_MAX - 1));
}

static void one_that_was_moved_later_is_due_later(void **state)
{
    iswi_timer timer = { .due = NULL };
    iswi_timers all = { NULL };

    (void)state;
    iswi_timers_set(&all, &timer, 10);
    iswi_timers_set(&all, &timer, 50);
    assert_null(iswi_timers_take(&all, 49));
    assert_int_equal(iswi_timers_next(&all), 50);
    iswi_timers_set(&all, &timer, 20);
    assert_ptr_equal(iswi_timers_take(&all, 20), &timer);
    iswi_timers_cancel(&all, &timer);
}

/* Against an array in which the earliest is looked for. */
static void any_mix_of_sets_and_cancels_keeps_the_order(void **state)
{
    static iswi_timer timers[TIMERS];
    iswi_timers all = { NULL };
    int64_t now = 0;
    unsigned seed = 7;
    unsigned took = 0;

    (void)state;
    for (int step = 0; step < STEPS; step++) {
        iswi_timer *one = &timers[rand_r(&seed) % TIMERS];
        iswi_timer *due;

        if (rand_r(&seed) % 4)
            iswi_timers_set(&all, one, now + 1 + rand_r(&seed) % SPAN);
        else
            iswi_timers_cancel(&all, one);
        now += rand_r(&seed) % 5;
        while ((due = iswi_timers_take(&all, now)) != NULL) {
            assert_true(due->at_ns <= now && !due->is_set);
            took++;
        }
        for (int i = 0; i < TIMERS; i++)
            assert_true(!timers[i].is_set || timers[i].at_ns > now);
    }
    assert_true(took > STEPS / 10);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_due_comes_in_the_order_of_its_time),
    cmocka_unit_test(one_that_was_moved_later_is_due_later),
    cmocka_unit_test(any_mix_of_sets_and_cancels_keeps_the_order),
};

ISW_TEST_MAIN(tests)
