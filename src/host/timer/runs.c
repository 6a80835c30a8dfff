/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of a timer: which of those that are due is begun, and what its end means. Invariant: what is
 * begun was written before, and what has ended is written behind it. */
#include "host/timer/runs.h"

#include "base/clock.h"
#include "cron/backoff.h"
#include "host/timer/keep.h"

#include <stdio.h>

enum { US = 1000000, MS = 1000 };

static int64_t now_ms(void)
{
    return iswi_wall_us() / MS;
}

static int64_t now_s(void)
{
    return iswi_wall_us() / US;
}

/* -- Runs -------------------------------------------------------------------------------------- */

void iswi_timed_lease(iswi_timed *timer)
{
    memcpy(timer->owner, timer->env->owner, sizeof timer->owner);
    timer->record.lease_ms = timer->env->store->shared ? now_ms() + timer->env->lease_ms : 0;
}

/* It is written down: now it may begin. */
static void start(iswi_timed *timer)
{
    iswi_timer_run run = { .timer = timer,
                           .number = ++timer->numbers,
                           .scheduled_s = timer->record.scheduled_s,
                           .last_s = timer->previous_s,
                           .next_s = timer->record.next_s,
                           .attempt = (unsigned)timer->record.attempt,
                           .attempts = (unsigned)timer->properties->attempts,
                           .past_due = timer->past_due,
                           .asked = timer->out_of_turn };

    if (run.attempt > 1)
        snprintf(run.error, sizeof run.error, "%s", timer->error);
    timer->running++;
    if (timer->out_of_turn)
        timer->asked_number = run.number;
    timer->phase = iswi_timed_allows_others(timer) ? ISWI_TIMER_WAITING : ISWI_TIMER_RUNNING;
    timer->env->begin(timer->env->user, &run);
}

void iswi_timed_claim(iswi_timed *timer, int64_t scheduled_s, bool past_due, bool out_of_turn)
{
    /* It was put off. */
    bool again = !out_of_turn && timer->record.attempt > 1 &&
                 scheduled_s == timer->record.scheduled_s;

    timer->before = timer->record;
    if (!again)
        timer->previous_s = timer->record.scheduled_s;
    timer->past_due = past_due;
    timer->out_of_turn = out_of_turn;
    timer->record.runs = !iswi_timed_allows_others(timer);
    timer->record.scheduled_s = scheduled_s;
    timer->record.attempt = again ? timer->record.attempt : 1;
    timer->record.started_ms = now_ms();
    iswi_timed_lease(timer);
    if (!out_of_turn)
        timer->record.next_s = iswi_schedule_next(&timer->schedule, scheduled_s);
    iswi_timed_save(timer, start);
}

/* The same once more: it was begun, and has not ended. */
static void begin_again(iswi_timed *timer, bool counts)
{
    timer->before = timer->record;
    timer->record.runs = true;
    timer->record.attempt += counts;
    timer->record.started_ms = now_ms();
    timer->past_due = true;
    iswi_timed_lease(timer);
    iswi_timed_save(timer, start);
}

/* -- Ends, as they are noted ------------------------------------------------------------------ */

/* As much of it as there is room for, cut between characters. */
void iswi_timed_note_error(iswi_timed *timer, isw_str message)
{
    size_t size = message.size < sizeof timer->error ? message.size : sizeof timer->error - 1;

    while (size && size < message.size && (message.data[size] & 0xc0) == 0x80)
        size--;
    if (size)
        memcpy(timer->error, message.data, size);
    timer->error[size] = '\0';
}

static void note_end(iswi_timed *timer, const iswi_timer_end *end)
{
    timer->record.ended_ms = now_ms();
    timer->record.outcome = end->refused  ? "refused"
                            : end->lost   ? "lost"
                            : end->failed ? "failed"
                                          : "success";
    timer->record.run_count++;
    timer->record.failure_count += end->failed || end->lost || end->refused;
    iswi_timed_note_error(timer, end->message);
}

void iswi_timed_take_over(iswi_timed *timer)
{
    char stamp[ISWI_STAMP_BYTES];

    iswi_schedule_stamp(&timer->schedule, timer->record.scheduled_s, stamp);
    timer->previous_s = 0;
    timer->out_of_turn = false;
    if (timer->record.attempt < timer->properties->attempts) {
        iswi_timed_say(timer, ISW_LOG_WARNING, "its run of %s was begun and has no end; it is "
                       "begun again, attempt %lld of %lld", stamp,
                       (long long)timer->record.attempt + 1,
                       (long long)timer->properties->attempts);
        iswi_timed_note_error(timer, isw_str_of("its host was lost"));
        begin_again(timer, true);
        return;
    }
    iswi_timed_say(timer, ISW_LOG_ERROR, "its run of %s is given up: it was begun %lld times, and "
                   "its host was lost each time", stamp, (long long)timer->record.attempt);
    timer->record.runs = false;
    note_end(timer, &(iswi_timer_end){ .lost = true,
                                       .message = isw_str_of("its host was lost") });
    timer->dirty = true;
}

/* -- What is due ------------------------------------------------------------------------------- */

static void leave_out(iswi_timed *timer, unsigned count)
{
    char stamp[ISWI_STAMP_BYTES];

    timer->record.missed_count += count;
    if (!count)
        return;
    iswi_schedule_stamp(&timer->schedule, timer->record.next_s, stamp);
    iswi_timed_say(timer, ISW_LOG_WARNING, "%s%u due from %s on %s left out",
                   count >= ISWI_PASSED_MOST ? "more than " : "", count, stamp,
                   count == 1 ? "is" : "are");
}

/* A run of each, but of so many at most. */
static int64_t first_of_all(iswi_timed *timer, const iswi_passed *passed, int64_t at_s)
{
    if (passed->count <= ISWI_MISSED_MOST)
        return timer->record.next_s;
    leave_out(timer, passed->count - ISWI_MISSED_MOST);
    return iswi_schedule_back(&timer->schedule, timer->record.next_s, at_s, ISWI_MISSED_MOST);
}

void iswi_timed_run_due(iswi_timed *timer, int64_t at_s)
{
    iswi_passed passed = iswi_schedule_passed(&timer->schedule, timer->record.next_s, at_s);
    bool late = at_s - passed.last_s > ISWI_TIMER_LATE_S;
    int64_t scheduled_s = passed.last_s;

    if (timer->properties->run_missed == ISWI_MISSED_SKIP && late) {
        leave_out(timer, passed.count);
        timer->record.next_s = iswi_schedule_next(&timer->schedule, at_s);
        iswi_timed_save(timer, NULL);
        return;
    }
    if (timer->properties->run_missed == ISWI_MISSED_ALL)
        scheduled_s = first_of_all(timer, &passed, at_s);
    else
        leave_out(timer, passed.count - 1);
    iswi_timed_claim(timer, scheduled_s, late || passed.count > 1, false);
}

/* -- Ends -------------------------------------------------------------------------------------- */

/* What became due meanwhile, unless there was more to catch up with before. */
static void leave_out_meanwhile(iswi_timed *timer)
{
    int64_t at_s = now_s();
    int64_t next_s = timer->record.next_s;

    if (timer->properties->overlap != ISWI_OVERLAP_SKIP || next_s > at_s ||
        next_s <= timer->record.started_ms / MS)
        return;
    leave_out(timer, iswi_schedule_passed(&timer->schedule, next_s, at_s).count);
    timer->record.next_s = iswi_schedule_next(&timer->schedule, at_s);
}

/* Nobody took it, or it is to be run later: it is still due, unless it was out of turn. */
static void put_off(iswi_timed *timer, int64_t wait_s)
{
    timer->not_before_s = now_s() + wait_s;
    if (timer->out_of_turn)
        note_end(timer, &timer->end);
    else
        timer->record.next_s = timer->record.scheduled_s;
}

static bool may_again(const iswi_timed *timer)
{
    return timer->record.attempt < timer->properties->attempts;
}

/* Until it is begun again; 0: it is over. */
static int64_t wait_of(const iswi_timed *timer, const iswi_timer_end *end)
{
    const iswi_timer_properties *of = timer->properties;
    int64_t wait_ms = of->retry_delay_ms;

    if (!may_again(timer) || (!end->later_s && timer->out_of_turn))
        return 0;
    if (end->later_s || !end->failed || of->retry == ISWI_TIMER_RETRY_NONE)
        return end->later_s;
    if (of->retry == ISWI_TIMER_RETRY_EXPONENTIAL)
        wait_ms = iswi_backoff_ms(wait_ms, of->retry_delay_max_ms,
                                  (unsigned)timer->record.attempt);
    return wait_ms / MS + 1;
}

/* Its worker ended under it. False: that was its last attempt. */
static bool is_begun_again(iswi_timed *timer)
{
    bool counts = !timer->end.bystander || timer->bystander == ISWI_BYSTANDER_MAX;

    timer->bystander = counts ? 0 : timer->bystander + 1;
    if (!counts)
        iswi_timed_say(timer, ISW_LOG_WARNING, "another call has ended its process; it is begun "
                       "again, with that attempt not counted");
    else if (may_again(timer))
        iswi_timed_say(timer, ISW_LOG_WARNING, "its worker ended under it; it is begun again, "
                       "attempt %lld of %lld", (long long)timer->record.attempt + 1,
                       (long long)timer->properties->attempts);
    else
        return false;
    begin_again(timer, counts);
    return true;
}

void iswi_timed_finish(iswi_timed *timer)
{
    const iswi_timer_end *end = &timer->end;
    int64_t wait_s;

    timer->has_end = false;
    if (end->lost && is_begun_again(timer))
        return;
    if (!end->refused)
        timer->bystander = 0;
    timer->record.runs = false;
    wait_s = wait_of(timer, end);
    if (end->refused) {
        put_off(timer, ISWI_TIMER_AGAIN_S);
    } else if (wait_s) {
        timer->record.attempt += !timer->out_of_turn;
        put_off(timer, wait_s);
    } else {
        note_end(timer, end);
        leave_out_meanwhile(timer);
    }
    iswi_timed_save(timer, NULL);
}

void iswi_timed_ended(iswi_timed *timer, const iswi_timer_run *run, const iswi_timer_end *end)
{
    timer->running--;
    if (run->number == timer->asked_number)
        timer->asked_number = 0;
    if (iswi_timed_allows_others(timer)) {
        note_end(timer, end);
        timer->dirty = true;
    } else {
        timer->has_end = true;
        timer->end = *end;
        timer->end.message = isw_str_of(NULL);
        iswi_timed_note_error(timer, end->message);
        timer->end.message = isw_str_of(timer->error);
    }
    timer->settled(timer);
}
