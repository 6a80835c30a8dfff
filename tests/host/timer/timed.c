/* SPDX-License-Identifier: Apache-2.0 */
/* One timer at any time of any clock: when it runs, what it writes down, and what becomes of what
 * was missed, lost, or refused. */
#include "host/timer/bench.h"

#include "base/clock.h"
#include "host/timer/describe.h"

#include <string.h>

static const iswi_timer_end lost = { .lost = true, .failed = true };
static const iswi_timer_end refused = { .refused = true, .failed = true };

/* -- In the course of things ------------------------------------------------------------------- */

static void a_timer_runs_when_it_is_due_and_not_before(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:00:30Z");
    bench_begin(&b, "0 */5 * * * *", NULL);
    bench_serve(&b);
    bench_until(&b, "2026-03-01T10:04:59Z", true);
    assert_int_equal(b.count, 0);
    bench_until(&b, "2026-03-01T10:15:00Z", true);
    assert_int_equal(b.count, 3);
    assert_scheduled(&b, 0, "2026-03-01T10:05:00Z");
    assert_scheduled(&b, 2, "2026-03-01T10:15:00Z");
    assert_int_equal(b.runs[0].last_s, 0);
    assert_int_equal(b.runs[1].last_s, b.runs[0].scheduled_s);
    assert_int_equal(b.runs[1].next_s, b.runs[2].scheduled_s);
    assert_int_equal(b.runs[2].attempt, 1);
    assert_false(b.runs[2].past_due);
    assert_int_equal(b.timer->record.run_count, 3);
    assert_string_equal(b.timer->record.outcome, "success");
    bench_end(&b);
}

static void a_run_is_written_down_before_it_begins_and_after_it_ended(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:00:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    assert_string_equal(b.trace, "rw"); /* when it is due, so that a stop until then is seen */
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    assert_string_equal(b.trace, "rwWb");
    bench_succeed(&b);
    assert_string_equal(b.trace, "rwWbw");
    bench_end(&b);
}

static void nothing_happens_at_rest(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:00:00Z");
    bench_begin(&b, "@yearly", NULL);
    bench_serve(&b);
    bench_clock("2026-12-31T23:59:59Z");
    iswi_timed_tick(b.timer);
    bench_settle(&b);
    assert_string_equal(b.trace, "rw");
    bench_end(&b);
}

static void a_failed_run_is_told_and_the_next_one_is_due(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:00:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    bench_answer(&b, &(iswi_timer_end){ .failed = true, .message = isw_str_of("no paper") });
    assert_string_equal(b.timer->record.outcome, "failed");
    assert_string_equal(b.timer->record.error, "no paper");
    assert_int_equal(b.timer->record.failure_count, 1);
    bench_until(&b, "2026-03-01T12:00:00Z", true);
    assert_int_equal(b.count, 2);
    assert_string_equal(b.timer->record.error, "");
    bench_end(&b);
}

/* -- What was missed --------------------------------------------------------------------------- */

/* A host that was there until 10:30 comes again at 14:10. */
static void come_again(bench *b, const char *schedule, iswi_missed missed)
{
    iswi_timer_store *memory;

    bench_clock("2026-03-01T10:00:30Z");
    bench_begin(b, schedule, NULL);
    bench_serve(b);
    bench_until(b, "2026-03-01T10:30:00Z", true);
    memory = b->memory;
    bench_kill(b);
    bench_clock("2026-03-01T14:10:00Z");
    bench_begin(b, schedule, memory);
    b->properties.run_missed = missed;
    bench_serve(b);
}

static void missed_once_is_one_run_for_all(void **state)
{
    bench b;

    (void)state;
    come_again(&b, "@hourly", ISWI_MISSED_ONCE);
    bench_until(&b, "2026-03-01T14:10:00Z", true);
    assert_int_equal(b.count, 1);
    assert_scheduled(&b, 0, "2026-03-01T14:00:00Z");
    assert_true(b.runs[0].past_due);
    assert_int_equal(b.timer->record.missed_count, 3);
    assert_non_null(strstr(b.said, "3 due from 2026-03-01T11:00:00Z on are left out"));
    bench_until(&b, "2026-03-01T15:00:00Z", true);
    assert_int_equal(b.count, 2);
    assert_false(b.runs[1].past_due);
    bench_end(&b);
}

static void missed_all_is_a_run_for_each_in_order(void **state)
{
    bench b;

    (void)state;
    come_again(&b, "@hourly", ISWI_MISSED_ALL);
    bench_until(&b, "2026-03-01T14:10:00Z", true);
    assert_int_equal(b.count, 4);
    assert_scheduled(&b, 0, "2026-03-01T11:00:00Z");
    assert_scheduled(&b, 3, "2026-03-01T14:00:00Z");
    assert_int_equal(b.timer->record.missed_count, 0);
    bench_end(&b);
}

static void missed_all_is_bounded(void **state)
{
    bench b;

    (void)state;
    come_again(&b, "* * * * *", ISWI_MISSED_ALL);
    bench_until(&b, "2026-03-01T14:10:00Z", true);
    assert_int_equal(b.count, ISWI_MISSED_MOST);
    assert_scheduled(&b, 0, "2026-03-01T12:31:00Z");
    assert_scheduled(&b, ISWI_MISSED_MOST - 1, "2026-03-01T14:10:00Z");
    assert_int_equal(b.timer->record.missed_count, 220 - ISWI_MISSED_MOST);
    bench_end(&b);
}

static void missed_skip_is_no_run(void **state)
{
    bench b;

    (void)state;
    come_again(&b, "@hourly", ISWI_MISSED_SKIP);
    bench_until(&b, "2026-03-01T14:10:00Z", true);
    assert_int_equal(b.count, 0);
    assert_int_equal(b.timer->record.missed_count, 4);
    bench_until(&b, "2026-03-01T15:00:00Z", true);
    assert_int_equal(b.count, 1);
    bench_end(&b);
}

static void what_is_hardly_late_was_not_missed(void **state)
{
    bench b;

    (void)state;
    come_again(&b, "0 9 * * * *", ISWI_MISSED_SKIP); /* 14:09 was a minute ago */
    bench_until(&b, "2026-03-01T14:10:00Z", true);
    assert_int_equal(b.count, 1);
    assert_scheduled(&b, 0, "2026-03-01T14:09:00Z");
    bench_end(&b);
}

static void another_schedule_has_missed_nothing(void **state)
{
    bench b;
    iswi_timer_store *memory;

    (void)state;
    bench_clock("2026-03-01T10:00:30Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    memory = b.memory;
    bench_kill(&b);
    bench_clock("2026-03-01T14:10:00Z");
    bench_begin(&b, "0 30 * * * *", memory);
    bench_serve(&b);
    bench_until(&b, "2026-03-01T14:29:00Z", true);
    assert_int_equal(b.count, 0);
    bench_until(&b, "2026-03-01T14:30:00Z", true);
    assert_int_equal(b.count, 1);
    bench_end(&b);
}

static void years_that_were_missed_take_no_time(void **state)
{
    bench b;
    iswi_timer_store *memory;

    (void)state;
    bench_clock("2016-03-01T10:00:30Z");
    bench_begin(&b, "* * * * * *", NULL);
    bench_serve(&b);
    memory = b.memory;
    bench_kill(&b);
    bench_clock("2026-03-01T14:10:00Z");
    bench_begin(&b, "* * * * * *", memory);
    bench_serve(&b);
    assert_int_equal(b.count, 1);
    assert_scheduled(&b, 0, "2026-03-01T14:10:00Z");
    assert_true(b.runs[0].past_due);
    bench_end(&b);
}

/* -- Runs that overlap ------------------------------------------------------------------------- */

/* A run from 11:00 to 13:20. */
static void run_long(bench *b, iswi_overlap overlap)
{
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(b, "@hourly", NULL);
    b->properties.overlap = overlap;
    bench_serve(b);
    bench_until(b, "2026-03-01T13:20:00Z", false);
}

static void overlap_skip_leaves_out_what_becomes_due(void **state)
{
    bench b;

    (void)state;
    run_long(&b, ISWI_OVERLAP_SKIP);
    assert_int_equal(b.count, 1);
    bench_succeed(&b);
    assert_int_equal(b.count, 1);
    assert_int_equal(b.timer->record.missed_count, 2);
    bench_until(&b, "2026-03-01T14:00:00Z", true);
    assert_int_equal(b.count, 2);
    assert_scheduled(&b, 1, "2026-03-01T14:00:00Z");
    bench_end(&b);
}

static void overlap_wait_runs_it_behind(void **state)
{
    bench b;

    (void)state;
    run_long(&b, ISWI_OVERLAP_WAIT);
    assert_int_equal(b.count, 1);
    bench_succeed(&b);
    assert_int_equal(b.count, 2);
    assert_scheduled(&b, 1, "2026-03-01T13:00:00Z");
    assert_true(b.runs[1].past_due);
    bench_end(&b);
}

static void overlap_allow_runs_it_beside(void **state)
{
    bench b;

    (void)state;
    run_long(&b, ISWI_OVERLAP_ALLOW);
    assert_int_equal(b.count, 3);
    assert_scheduled(&b, 2, "2026-03-01T13:00:00Z");
    assert_true(iswi_timed_is_busy(b.timer));
    bench_succeed(&b);
    bench_succeed(&b);
    bench_succeed(&b);
    assert_false(iswi_timed_is_busy(b.timer));
    assert_int_equal(b.timer->record.run_count, 3);
    bench_end(&b);
}

/* -- Runs that are lost ------------------------------------------------------------------------ */

static void a_run_whose_host_was_killed_is_begun_again_with_the_next_attempt(void **state)
{
    bench b;
    iswi_timer_store *memory;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    assert_int_equal(b.count, 1);
    memory = b.memory;
    bench_kill(&b);
    bench_pass(7);
    bench_begin(&b, "@hourly", memory);
    bench_serve(&b);
    assert_int_equal(b.count, 1);
    assert_scheduled(&b, 0, "2026-03-01T11:00:00Z");
    assert_int_equal(b.runs[0].attempt, 2);
    assert_true(b.runs[0].past_due);
    assert_string_equal(b.runs[0].error, "its host was lost");
    bench_succeed(&b);
    bench_until(&b, "2026-03-01T12:00:00Z", true);
    assert_int_equal(b.count, 2);
    assert_int_equal(b.runs[1].attempt, 1);
    bench_end(&b);
}

static void a_run_that_kills_its_host_each_time_is_given_up(void **state)
{
    bench b;
    iswi_timer_store *memory = NULL;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    for (unsigned attempt = 1; attempt <= 3; attempt++) {
        bench_begin(&b, "@hourly", memory);
        b.properties.attempts = 3;
        bench_serve(&b);
        bench_until(&b, "2026-03-01T11:00:00Z", false);
        assert_int_equal(b.count, 1);
        assert_int_equal(b.runs[0].attempt, attempt);
        memory = b.memory;
        bench_kill(&b);
    }
    bench_begin(&b, "@hourly", memory);
    b.properties.attempts = 3;
    bench_serve(&b);
    assert_int_equal(b.count, 0);
    assert_string_equal(b.timer->record.outcome, "lost");
    assert_non_null(strstr(b.said, "error: its run of 2026-03-01T11:00:00Z is given up"));
    bench_until(&b, "2026-03-01T12:00:00Z", true);
    assert_int_equal(b.count, 1);
    bench_end(&b);
}

static void a_run_whose_worker_ended_is_begun_again_at_once(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    b.properties.attempts = 2;
    bench_serve(&b);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    bench_answer(&b, &lost);
    assert_int_equal(b.count, 2);
    assert_scheduled(&b, 1, "2026-03-01T11:00:00Z");
    assert_int_equal(b.runs[1].attempt, 2);
    assert_string_equal(b.trace, "rwWbWb"); /* written before it begins, so that it is counted */
    bench_answer(&b, &lost);
    assert_int_equal(b.count, 2);
    assert_string_equal(b.timer->record.outcome, "lost");
    bench_end(&b);
}

static void one_that_another_call_has_ended_has_made_no_attempt(void **state)
{
    const iswi_timer_end ended = { .lost = true, .bystander = true, .failed = true };
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    b.properties.attempts = 1;
    bench_serve(&b);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    for (unsigned i = 1; i <= ISWI_BYSTANDER_MAX; i++) {
        bench_answer(&b, &ended);
        assert_int_equal(b.count, i + 1);
        assert_scheduled(&b, i, "2026-03-01T11:00:00Z");
        assert_int_equal(b.runs[i].attempt, 1);
    }
    bench_answer(&b, &refused); /* which nobody began, so the row goes on */
    bench_until(&b, "2026-03-01T11:00:05Z", false);
    assert_int_equal(b.count, ISWI_BYSTANDER_MAX + 2);
    bench_answer(&b, &ended); /* nobody looks on for ever */
    assert_int_equal(b.count, ISWI_BYSTANDER_MAX + 2);
    assert_string_equal(b.timer->record.outcome, "lost");
    bench_end(&b);
}

static void a_run_that_nobody_takes_stays_due(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    bench_answer(&b, &refused);
    assert_int_equal(b.count, 1);
    bench_until(&b, "2026-03-01T11:00:05Z", false);
    assert_int_equal(b.count, 2);
    assert_scheduled(&b, 1, "2026-03-01T11:00:00Z");
    assert_int_equal(b.runs[1].attempt, 1);
    assert_int_equal(b.timer->record.run_count, 0);
    bench_end(&b);
}

static void a_run_that_asks_for_later_is_begun_again_then(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    bench_answer(&b, &(iswi_timer_end){ .failed = true, .later_s = 90 });
    bench_until(&b, "2026-03-01T11:01:29Z", false);
    assert_int_equal(b.count, 1);
    bench_until(&b, "2026-03-01T11:01:30Z", false);
    assert_int_equal(b.count, 2);
    assert_scheduled(&b, 1, "2026-03-01T11:00:00Z");
    assert_int_equal(b.runs[1].attempt, 2);
    bench_end(&b);
}

static void a_run_that_fails_is_begun_again_if_its_retry_says_so(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    b.properties.retry = ISWI_TIMER_RETRY_FIXED;
    b.properties.retry_delay_ms = 30000;
    b.properties.attempts = 2;
    bench_serve(&b);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    bench_answer(&b, &(iswi_timer_end){ .failed = true, .message = isw_str_of("no paper") });
    bench_until(&b, "2026-03-01T11:00:30Z", false);
    assert_int_equal(b.count, 1);
    bench_until(&b, "2026-03-01T11:00:31Z", false);
    assert_int_equal(b.count, 2);
    assert_scheduled(&b, 1, "2026-03-01T11:00:00Z");
    assert_int_equal(b.runs[1].attempt, 2);
    assert_string_equal(b.runs[1].error, "no paper");
    assert_int_equal(b.timer->record.failure_count, 0); /* it may still come right */
    bench_answer(&b, &(iswi_timer_end){ .failed = true });
    assert_int_equal(b.timer->record.failure_count, 1);
    bench_until(&b, "2026-03-01T11:59:59Z", false);
    assert_int_equal(b.count, 2);
    bench_until(&b, "2026-03-01T12:00:00Z", false);
    assert_int_equal(b.runs[2].attempt, 1);
    bench_end(&b);
}

static void what_is_told_of_it_tells_attempts_from_times_to_come(void **state)
{
    iswi_timer_told told;
    iswi_arena arena;
    bench b;

    (void)state;
    iswi_arena_init(&arena, 1024);
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    b.properties.retry = ISWI_TIMER_RETRY_FIXED;
    b.properties.retry_delay_ms = 30000;
    b.properties.attempts = 2;
    b.properties.overlap = ISWI_OVERLAP_WAIT;
    bench_serve(&b);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    bench_answer(&b, &(iswi_timer_end){ .failed = true, .message = isw_str_of("no paper") });
    iswi_timed_describe(b.timer, &arena, &told);
    assert_string_equal(told.state, "waiting");
    assert_string_equal(told.again, "2026-03-01T11:00:31Z");
    assert_string_equal(told.next[0], "2026-03-01T12:00:00Z");
    assert_int_equal(told.attempt, 2);
    assert_null(told.outcome);
    assert_null(told.due);
    bench_until(&b, "2026-03-01T13:20:00Z", false);
    iswi_timed_describe(b.timer, &arena, &told);
    assert_string_equal(told.state, "running");
    assert_null(told.again);
    assert_string_equal(told.due, "2026-03-01T12:00:00Z");
    assert_string_equal(told.next[0], "2026-03-01T14:00:00Z");
    iswi_arena_fini(&arena);
    bench_end(&b);
}

static void what_is_due_meanwhile_takes_the_place_of_a_retry(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    b.properties.retry = ISWI_TIMER_RETRY_EXPONENTIAL;
    b.properties.retry_delay_ms = b.properties.retry_delay_max_ms = 4 * 3600 * 1000;
    bench_serve(&b);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    bench_answer(&b, &(iswi_timer_end){ .failed = true });
    bench_until(&b, "2026-03-01T15:30:00Z", false); /* two to four hours later */
    assert_int_equal(b.count, 2);
    assert_int_equal(b.runs[1].attempt, 1);
    assert_true(b.runs[1].scheduled_s > b.runs[0].scheduled_s);
    bench_end(&b);
}

static void a_store_that_fails_holds_a_run_up_and_loses_none(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    isw_error_set(&b.fault, ISW_E_IO, "the disk is full");
    bench_until(&b, "2026-03-01T11:00:03Z", false);
    assert_int_equal(b.count, 0);
    assert_non_null(strstr(b.said, "its state cannot be written, so that it does not run: the"));
    b.fault = (isw_error){ ISW_OK, "" };
    bench_until(&b, "2026-03-01T11:00:06Z", true);
    assert_int_equal(b.count, 1);
    assert_scheduled(&b, 0, "2026-03-01T11:00:00Z");
    bench_end(&b);
}

static void an_end_that_cannot_be_written_is_written_later(void **state)
{
    bench b;
    iswi_timer_store *memory;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    isw_error_set(&b.fault, ISW_E_IO, "the disk is full");
    bench_succeed(&b);
    b.fault = (isw_error){ ISW_OK, "" };
    bench_until(&b, "2026-03-01T11:00:10Z", true);
    memory = b.memory;
    bench_kill(&b);
    bench_begin(&b, "@hourly", memory);
    bench_serve(&b);
    assert_int_equal(b.count, 0); /* its end was written */
    bench_end(&b);
}

/* -- Clocks that are set ----------------------------------------------------------------------- */

static void set_clock(bench *b, const char *stamp)
{
    bench_clock(stamp);
    iswi_timed_clock_set(b->timer);
    bench_settle(b);
}

static void a_clock_that_is_put_back_a_little_runs_nothing_twice(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    bench_until(&b, "2026-03-01T11:00:02Z", true);
    assert_int_equal(b.count, 1);
    set_clock(&b, "2026-03-01T10:59:58Z");
    bench_until(&b, "2026-03-01T11:30:00Z", true);
    assert_int_equal(b.count, 1);
    bench_until(&b, "2026-03-01T12:00:00Z", true);
    assert_int_equal(b.count, 2);
    bench_end(&b);
}

static void a_clock_that_was_a_year_ahead_holds_nothing_up(void **state)
{
    bench b;

    (void)state;
    bench_clock("2027-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    bench_until(&b, "2027-03-01T11:00:00Z", true);
    set_clock(&b, "2026-03-01T10:30:00Z");
    bench_until(&b, "2026-03-01T11:00:00Z", true);
    assert_int_equal(b.count, 2);
    assert_scheduled(&b, 1, "2026-03-01T11:00:00Z");
    bench_end(&b);
}

static void a_clock_that_is_put_on_makes_one_run_of_what_it_passes(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    set_clock(&b, "2026-03-01T20:10:00Z");
    assert_int_equal(b.count, 1);
    assert_scheduled(&b, 0, "2026-03-01T20:00:00Z");
    bench_end(&b);
}

/* -- Several hosts on one store ---------------------------------------------------------------- */

/* Two hosts that have seen its record. */
static void begin_two(bench *a, bench *b)
{
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(a, "@hourly", NULL);
    a->store.shared = true;
    bench_serve(a);
    bench_begin(b, "@hourly", a->memory);
    b->store.shared = true;
    bench_serve(b);
}

static void end_two(bench *a, bench *b)
{
    while (a->timer && a->ended < a->count)
        bench_succeed(a);
    if (a->timer)
        iswi_timed_destroy(a->timer);
    bench_end(b);
}

static void of_two_hosts_one_runs_it(void **state)
{
    bench a, b;

    (void)state;
    begin_two(&a, &b);
    bench_until(&a, "2026-03-01T11:00:00Z", false);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    assert_int_equal(a.count, 1);
    assert_int_equal(b.count, 0);
    assert_true(b.timer->foreign);
    bench_succeed(&a);
    bench_until(&b, "2026-03-01T11:59:59Z", true);
    assert_int_equal(b.count, 0);
    assert_false(b.timer->foreign);
    bench_until(&b, "2026-03-01T12:00:00Z", true); /* this time the other one is first */
    bench_until(&a, "2026-03-01T12:00:00Z", true);
    assert_int_equal(a.count, 1);
    assert_int_equal(b.count, 1);
    end_two(&a, &b);
}

static void a_host_that_renews_no_more_is_taken_over_from(void **state)
{
    bench a, b;

    (void)state;
    begin_two(&a, &b);
    bench_until(&a, "2026-03-01T11:00:00Z", false);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    bench_until(&a, "2026-03-01T11:10:00Z", false); /* it renews */
    bench_until(&b, "2026-03-01T11:10:30Z", false);
    assert_int_equal(b.count, 0);
    bench_kill(&a);
    bench_until(&b, "2026-03-01T11:12:00Z", false);
    assert_int_equal(b.count, 1);
    assert_scheduled(&b, 0, "2026-03-01T11:00:00Z");
    assert_int_equal(b.runs[0].attempt, 2);
    end_two(&a, &b);
}

static void what_another_host_pauses_during_a_run_stays_so(void **state)
{
    bench a, b;

    (void)state;
    begin_two(&a, &b);
    bench_until(&a, "2026-03-01T11:00:00Z", false);
    bench_until(&b, "2026-03-01T11:00:00Z", false);
    assert_false(iswi_timed_pause(b.timer, true));
    bench_settle(&b);
    assert_true(iswi_timed_pause(b.timer, true));
    bench_succeed(&a);
    assert_true(a.timer->record.paused);
    assert_int_equal(a.timer->record.run_count, 1);
    assert_int_equal(a.count, 1);
    end_two(&a, &b);
}

/* -- Operators --------------------------------------------------------------------------------- */

static void a_run_out_of_turn_leaves_the_schedule_as_it_is(void **state)
{
    bench b;
    isw_error error = { ISW_OK, "" };

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    assert_int_equal(iswi_timed_ask(b.timer, &error), ISW_OK);
    bench_settle(&b);
    assert_int_equal(b.count, 1);
    assert_scheduled(&b, 0, "2026-03-01T10:30:00Z");
    assert_true(b.runs[0].asked);
    assert_true(iswi_timed_is_asked(b.timer));
    assert_int_equal(iswi_timed_ask(b.timer, &error), ISW_E_CONFLICT);
    bench_succeed(&b);
    assert_false(iswi_timed_is_asked(b.timer));
    bench_until(&b, "2026-03-01T11:00:00Z", true);
    assert_int_equal(b.count, 2);
    assert_scheduled(&b, 1, "2026-03-01T11:00:00Z");
    bench_end(&b);
}

static void a_paused_timer_begins_nothing_and_makes_up_for_nothing(void **state)
{
    bench b;
    iswi_timer_store *memory;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    iswi_timed_pause(b.timer, true);
    bench_settle(&b);
    bench_until(&b, "2026-03-01T12:30:00Z", true);
    assert_int_equal(b.count, 0);
    memory = b.memory;
    bench_kill(&b);
    bench_begin(&b, "@hourly", memory);
    bench_serve(&b);
    bench_until(&b, "2026-03-01T13:30:00Z", true);
    assert_int_equal(b.count, 0);
    iswi_timed_pause(b.timer, false);
    bench_settle(&b);
    bench_until(&b, "2026-03-01T14:00:00Z", true);
    assert_int_equal(b.count, 1);
    assert_false(b.runs[0].past_due);
    bench_end(&b);
}

static void a_run_at_the_start_comes_once(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    b.properties.run_on_startup = true;
    bench_serve(&b);
    bench_until(&b, "2026-03-01T10:59:00Z", true);
    assert_int_equal(b.count, 1);
    assert_true(b.runs[0].asked);
    iswi_timed_serve(b.timer, false);
    iswi_timed_serve(b.timer, true);
    bench_until(&b, "2026-03-01T10:59:30Z", true);
    assert_int_equal(b.count, 1);
    bench_end(&b);
}

static void a_host_that_drains_begins_nothing_until_it_goes_on(void **state)
{
    bench b;

    (void)state;
    bench_clock("2026-03-01T10:30:00Z");
    bench_begin(&b, "@hourly", NULL);
    bench_serve(&b);
    b.env.held = true;
    bench_until(&b, "2026-03-01T12:30:00Z", true);
    assert_int_equal(b.count, 0);
    b.env.held = false;
    bench_until(&b, "2026-03-01T12:30:00Z", true);
    assert_int_equal(b.count, 1);
    assert_scheduled(&b, 0, "2026-03-01T12:00:00Z");
    bench_end(&b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_timer_runs_when_it_is_due_and_not_before),
    cmocka_unit_test(a_run_is_written_down_before_it_begins_and_after_it_ended),
    cmocka_unit_test(nothing_happens_at_rest),
    cmocka_unit_test(a_failed_run_is_told_and_the_next_one_is_due),
    cmocka_unit_test(missed_once_is_one_run_for_all),
    cmocka_unit_test(missed_all_is_a_run_for_each_in_order),
    cmocka_unit_test(missed_all_is_bounded),
    cmocka_unit_test(missed_skip_is_no_run),
    cmocka_unit_test(what_is_hardly_late_was_not_missed),
    cmocka_unit_test(another_schedule_has_missed_nothing),
    cmocka_unit_test(years_that_were_missed_take_no_time),
    cmocka_unit_test(overlap_skip_leaves_out_what_becomes_due),
    cmocka_unit_test(overlap_wait_runs_it_behind),
    cmocka_unit_test(overlap_allow_runs_it_beside),
    cmocka_unit_test(a_run_whose_host_was_killed_is_begun_again_with_the_next_attempt),
    cmocka_unit_test(a_run_that_kills_its_host_each_time_is_given_up),
    cmocka_unit_test(a_run_whose_worker_ended_is_begun_again_at_once),
    cmocka_unit_test(one_that_another_call_has_ended_has_made_no_attempt),
    cmocka_unit_test(a_run_that_nobody_takes_stays_due),
    cmocka_unit_test(a_run_that_asks_for_later_is_begun_again_then),
    cmocka_unit_test(a_run_that_fails_is_begun_again_if_its_retry_says_so),
    cmocka_unit_test(what_is_told_of_it_tells_attempts_from_times_to_come),
    cmocka_unit_test(what_is_due_meanwhile_takes_the_place_of_a_retry),
    cmocka_unit_test(a_store_that_fails_holds_a_run_up_and_loses_none),
    cmocka_unit_test(an_end_that_cannot_be_written_is_written_later),
    cmocka_unit_test(a_clock_that_is_put_back_a_little_runs_nothing_twice),
    cmocka_unit_test(a_clock_that_was_a_year_ahead_holds_nothing_up),
    cmocka_unit_test(a_clock_that_is_put_on_makes_one_run_of_what_it_passes),
    cmocka_unit_test(of_two_hosts_one_runs_it),
    cmocka_unit_test(a_host_that_renews_no_more_is_taken_over_from),
    cmocka_unit_test(what_another_host_pauses_during_a_run_stays_so),
    cmocka_unit_test(a_run_out_of_turn_leaves_the_schedule_as_it_is),
    cmocka_unit_test(a_paused_timer_begins_nothing_and_makes_up_for_nothing),
    cmocka_unit_test(a_run_at_the_start_comes_once),
    cmocka_unit_test(a_host_that_drains_begins_nothing_until_it_goes_on),
};

ISW_TEST_MAIN(tests)
