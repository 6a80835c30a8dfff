/* SPDX-License-Identifier: Apache-2.0 */
/* A timer as those outside see it. When it is due next is, while a run is tried again or others wait
 * behind it, a time that has passed: what is to come is told apart from that. */
#include "host/timer/describe.h"

#include "base/clock.h"
#include "host/timer/coming.h"

enum { US = 1000000, MS = 1000 };

static int64_t now_s(void)
{
    return iswi_wall_us() / US;
}

static const char *stamp(const iswi_timed *timer, int64_t instant_s, iswi_arena *arena)
{
    char *text = iswi_arena_alloc(arena, ISWI_STAMP_BYTES);

    if (text && instant_s)
        iswi_schedule_stamp(&timer->schedule, instant_s, text);
    return instant_s ? text : NULL;
}

static const char *state_of(const iswi_timed *timer)
{
    if (!timer->serves)
        return "not served";
    if (iswi_timed_runs(timer))
        return "running";
    if (!timer->started_up)
        return "held up";
    return timer->foreign ? "elsewhere" : timer->record.paused ? "paused" : "waiting";
}

/* Whether a time that has passed is still to be run. */
static bool is_overdue(const iswi_timed *timer)
{
    return timer->started_up && !timer->record.paused && timer->record.next_s <= now_s();
}

/* Whether that is the last run once more. */
static bool is_to_be_again(const iswi_timed *timer)
{
    const iswi_timer_record *record = &timer->record;

    return is_overdue(timer) && !timer->foreign && !record->runs && !iswi_timed_runs(timer) &&
           record->next_s == record->scheduled_s;
}

static const char *again_at(const iswi_timed *timer, iswi_arena *arena)
{
    int64_t at_s = now_s();

    return stamp(timer, timer->not_before_s > at_s ? timer->not_before_s : at_s, arena);
}

static int64_t first_to_come(const iswi_timed *timer)
{
    if (timer->record.paused)
        return 0;
    return is_overdue(timer) ? iswi_schedule_next(&timer->schedule, now_s())
                             : timer->record.next_s;
}

void iswi_timed_describe(const iswi_timed *timer, iswi_arena *arena, iswi_timer_told *out)
{
    const iswi_timer_record *record = &timer->record;
    const bool again = is_to_be_again(timer);

    *out = (iswi_timer_told){ .function = timer->entry->name,
                              .worker = timer->entry->worker,
                              .schedule = timer->schedule.text,
                              .zone = timer->schedule.zone_name,
                              .state = state_of(timer),
                              .paused = record->paused,
                              .asked = iswi_timed_is_asked(timer),
                              .last = stamp(timer, record->scheduled_s, arena),
                              .started = stamp(timer, record->started_ms / MS, arena),
                              .ended = stamp(timer, record->ended_ms / MS, arena),
                              .outcome = *record->outcome && !again ? record->outcome : NULL,
                              .error = *record->error ? record->error : NULL,
                              .attempt = record->attempt,
                              .runs = record->run_count,
                              .failures = record->failure_count,
                              .missed = record->missed_count };
    if (again)
        out->again = again_at(timer, arena);
    else if (is_overdue(timer))
        out->due = stamp(timer, record->next_s, arena);
    iswi_timer_coming(&timer->schedule, first_to_come(timer), arena, out);
}
