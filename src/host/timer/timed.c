/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a timer does at which time. Invariant: while `phase` is not WAITING something is under way
 * that ends by itself, in the store or with a run, and is followed by a tick.
 */
#include "host/timer/timed.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/timer/keep.h"
#include "host/timer/runs.h"

#include <stdio.h>

enum { US = 1000000, MS = 1000, AHEAD_S = 3 * 3600 };

static int64_t now_s(void)
{
    return iswi_wall_us() / US;
}

static int64_t now_ms(void)
{
    return iswi_wall_us() / MS;
}

/* -- Time -------------------------------------------------------------------------------------- */

static void look_at_foreign(iswi_timed *timer)
{
    if (now_ms() >= timer->record.lease_ms)
        iswi_timed_load(timer);
}

void iswi_timed_tick(iswi_timed *timer)
{
    int64_t at_s = now_s();

    if (timer->storing || at_s < timer->not_before_s)
        return;
    if (timer->phase == ISWI_TIMER_NEW && timer->serves)
        iswi_timed_load(timer);
    if (timer->phase == ISWI_TIMER_RUNNING && iswi_wall_us() >= iswi_timed_due_us(timer)) {
        iswi_timed_lease(timer);
        iswi_timed_save(timer, NULL);
    }
    if (timer->phase != ISWI_TIMER_WAITING)
        return;
    if (timer->dirty)
        iswi_timed_save(timer, NULL);
    else if (timer->foreign)
        look_at_foreign(timer);
    else if (!timer->serves || timer->env->held)
        return;
    else if (timer->record.runs && !timer->running)
        iswi_timed_take_over(timer);
    else if (timer->asked) {
        timer->asked = false;
        iswi_timed_claim(timer, at_s, false, true);
    } else if (!timer->record.paused && timer->record.next_s <= at_s) {
        iswi_timed_run_due(timer, at_s);
    }
}

int64_t iswi_timed_due_us(const iswi_timed *timer)
{
    int64_t due_us = INT64_MAX;

    if (timer->storing)
        return INT64_MAX;
    if (timer->phase == ISWI_TIMER_NEW)
        due_us = timer->serves ? 0 : INT64_MAX;
    else if (timer->phase == ISWI_TIMER_RUNNING)
        due_us = timer->env->store->shared
                     ? (timer->record.lease_ms - timer->env->lease_ms * 2 / 3) * MS
                     : INT64_MAX;
    else if (timer->dirty)
        due_us = 0;
    else if (timer->record.runs && !timer->foreign)
        due_us = timer->serves && !timer->env->held ? 0 : INT64_MAX;
    else if (timer->foreign)
        due_us = timer->record.lease_ms * MS;
    else if (timer->serves && !timer->env->held && !timer->record.paused &&
             timer->record.next_s != ISWI_CRON_NEVER)
        due_us = timer->record.next_s * US;
    return due_us < timer->not_before_s * US ? timer->not_before_s * US : due_us;
}

void iswi_timed_clock_set(iswi_timed *timer)
{
    int64_t at_s = now_s();
    int64_t after_s = timer->record.scheduled_s;

    timer->not_before_s = 0;
    if (timer->phase == ISWI_TIMER_WAITING && timer->record.next_s > at_s) {
        after_s = after_s > at_s && after_s <= at_s + AHEAD_S ? after_s : at_s;
        timer->record.next_s = iswi_schedule_next(&timer->schedule, after_s);
    }
    iswi_timed_tick(timer);
}

/* Whatever was under way is over. */
static void settled(iswi_timed *timer)
{
    if (timer->has_end && !timer->storing)
        iswi_timed_finish(timer);
    iswi_timed_tick(timer);
    timer->env->rearm(timer->env->user);
}

/* -- What was found in the store --------------------------------------------------------------- */

static const char *const outcomes[] = { "", "success", "failed", "lost", "refused" };

static const char *known_outcome(const char *text)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        if (strcmp(outcomes[i], text) == 0)
            return outcomes[i];
    return "";
}

static void copy_record(iswi_timed *timer, const iswi_timer_record *found)
{
    snprintf(timer->owner, sizeof timer->owner, "%s", found->owner);
    iswi_timed_note_error(timer, isw_str_of(found->error));
    timer->record = *found;
    timer->record.owner = timer->owner;
    timer->record.error = timer->error;
    timer->record.outcome = known_outcome(found->outcome);
    timer->record.schedule = timer->schedule.text;
    timer->record.zone = timer->schedule.zone_name;
}

/* Another host runs it; or this one for the function that had its name before. */
static bool is_elsewhere(iswi_timed *timer)
{
    if (!timer->record.runs || timer->running)
        return false;
    if (strcmp(timer->owner, timer->env->owner) == 0)
        timer->record.lease_ms = now_ms() + ISWI_TIMER_AGAIN_S * (int64_t)MS;
    return now_ms() < timer->record.lease_ms;
}

static void adopt(iswi_timed *timer, const iswi_timer_record *found)
{
    bool first = !timer->started_up;
    bool same = found && strcmp(found->schedule, timer->schedule.text) == 0 &&
                strcmp(found->zone, timer->schedule.zone_name) == 0;

    timer->started_up = true;
    timer->foreign = false;
    if (found)
        copy_record(timer, found);
    if (!same) { /* what another schedule missed is none of this one's */
        timer->record.next_s = iswi_schedule_next(&timer->schedule, now_s());
        timer->dirty = true;
    }
    timer->foreign = is_elsewhere(timer);
    if (timer->foreign)
        timer->dirty = false; /* it is the other one's to write */
    else if (first && timer->properties->run_on_startup && !timer->record.paused &&
             !timer->record.runs && timer->record.next_s > now_s())
        timer->asked = true;
}

/* -- Life -------------------------------------------------------------------------------------- */

iswi_timed *iswi_timed_create(iswi_timer_env *env, const iswi_entry *entry,
                              iswi_schedule *schedule)
{
    iswi_timed *timer = iswi_calloc(1, sizeof *timer);

    if (!timer)
        return NULL;
    timer->env = env;
    timer->entry = entry;
    timer->properties = entry->properties;
    timer->schedule = *schedule;
    timer->record = (iswi_timer_record){ .owner = timer->owner, .outcome = "",
                                         .error = timer->error };
    timer->loaded = adopt;
    timer->settled = settled;
    snprintf(timer->name, sizeof timer->name, "timer/%s", entry->name);
    schedule->zone = NULL;
    return timer;
}

void iswi_timed_destroy(iswi_timed *timer)
{
    iswi_schedule_close(&timer->schedule);
    iswi_free(timer);
}

void iswi_timed_serve(iswi_timed *timer, bool on)
{
    timer->serves = on;
    iswi_timed_tick(timer);
}

bool iswi_timed_runs(const iswi_timed *timer)
{
    return timer->running || timer->then || timer->has_end;
}

bool iswi_timed_is_busy(const iswi_timed *timer)
{
    return timer->storing || iswi_timed_runs(timer);
}

/* -- Operators --------------------------------------------------------------------------------- */

isw_status iswi_timed_ask(iswi_timed *timer, isw_error *error)
{
    if (!timer->serves || timer->env->held)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "nothing is begun now: the host drains, or "
                             "the function is not served");
    if (timer->foreign || (iswi_timed_runs(timer) && !iswi_timed_allows_others(timer)))
        return isw_error_set(error, ISW_E_CONFLICT, "timer \"%s\" runs; wait for its end, or say "
                             "overlap: allow", timer->entry->name);
    timer->asked = true;
    iswi_timed_tick(timer);
    timer->env->rearm(timer->env->user);
    return ISW_OK;
}

bool iswi_timed_is_asked(const iswi_timed *timer)
{
    return timer->asked || timer->asked_number || (timer->out_of_turn && iswi_timed_is_busy(timer));
}

bool iswi_timed_pause(iswi_timed *timer, bool on)
{
    bool is_so = timer->record.paused == on;

    if (is_so || timer->storing || timer->phase == ISWI_TIMER_NEW)
        return is_so && !timer->storing && !timer->dirty;
    timer->record.paused = on;
    if (!on) /* what passed meanwhile was meant to */
        timer->record.next_s = iswi_schedule_next(&timer->schedule, now_s());
    if (timer->phase == ISWI_TIMER_WAITING || timer->phase == ISWI_TIMER_RUNNING)
        iswi_timed_save(timer, NULL);
    timer->env->rearm(timer->env->user);
    return false;
}
