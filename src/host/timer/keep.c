/* SPDX-License-Identifier: Apache-2.0 */
/* A timer and its record: what is read of it and written, and what becomes of that. Invariant: the
 * store is asked one thing at a time. */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/timer/keep.h"

#include <stdio.h>

enum { RECORD_BYTES = 1024 };

bool iswi_timed_allows_others(const iswi_timed *timer)
{
    return timer->properties->overlap == ISWI_OVERLAP_ALLOW;
}

void iswi_timed_say(const iswi_timed *timer, isw_log_level level, const char *format, ...)
{
    char text[ISW_ERROR_MESSAGE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    timer->env->say(timer->env->user, timer, level, text);
}

static iswi_timed_phase phase_of(const iswi_timed *timer)
{
    return timer->running && !iswi_timed_allows_others(timer) ? ISWI_TIMER_RUNNING
                                                              : ISWI_TIMER_WAITING;
}

/* -- Answers ----------------------------------------------------------------------------------- */

/* The store is not to be had: later, as it was. */
static void put_off(iswi_timed *timer, const char *what)
{
    if (!timer->complained && timer->stored.status != ISW_E_CLOSED)
        iswi_timed_say(timer, ISW_LOG_ERROR, "its state cannot be %s, so that it does not run: %s. "
                       "It is tried again; queues.store of host.yaml says where it lies", what,
                       timer->stored.message);
    timer->complained = true;
    timer->not_before_s = iswi_wall_us() / 1000000 + ISWI_TIMER_AGAIN_S;
    timer->phase = phase_of(timer);
}

static void on_read(iswi_timed *timer, const char *text)
{
    iswi_timer_record found = { .owner = "" };
    isw_error error = { ISW_OK, "" };
    iswi_arena arena;

    if (timer->stored.status != ISW_OK) {
        put_off(timer, "read");
        timer->phase = ISWI_TIMER_NEW; /* to be read again */
        return;
    }
    iswi_arena_init(&arena, RECORD_BYTES);
    timer->version = timer->stored_version;
    timer->phase = phase_of(timer);
    if (text &&
        iswi_timer_record_read(isw_str_of(text), &arena, &found, &error) != ISW_OK)
        iswi_timed_say(timer, ISW_LOG_WARNING, "its state is not understood, and begins anew: %s",
                       error.message);
    if (timer->merging && found.runs && strcmp(found.owner, timer->env->owner) == 0) {
        timer->record.paused = found.paused; /* it was paused, say: the run is still ours */
        timer->dirty = true;
    } else {
        timer->loaded(timer, text && error.status == ISW_OK ? &found : NULL);
    }
    timer->merging = false;
    iswi_arena_fini(&arena);
}

static void on_written(iswi_timed *timer)
{
    void (*then)(iswi_timed *) = timer->then;

    timer->then = NULL;
    if (timer->stored.status == ISW_OK) {
        timer->version = timer->stored_version;
        timer->dirty = false;
        timer->phase = phase_of(timer);
        if (then)
            then(timer);
    } else if (timer->stored.status == ISW_E_CONFLICT) {
        timer->merging = !then;
        iswi_timed_load(timer); /* another host was first */
    } else {
        put_off(timer, "written");
        if (then) { /* a run that was to be begun */
            timer->record = timer->before;
            timer->asked = timer->out_of_turn;
        } else {
            timer->dirty = true;
        }
    }
}

static void on_stored(iswi_task *task)
{
    iswi_timed *timer = (iswi_timed *)((char *)task - offsetof(iswi_timed, task));
    char *text = timer->text; /* what follows may ask for more */

    timer->text = NULL;
    timer->storing = false;
    timer->complained = timer->complained && timer->stored.status != ISW_OK;
    if (timer->phase == ISWI_TIMER_LOADING)
        on_read(timer, text);
    else
        on_written(timer);
    iswi_free(text);
    timer->settled(timer);
}

/* Any thread. */
static void on_done(void *user, const isw_error *error, isw_str text, uint64_t version)
{
    iswi_timed *timer = user;

    timer->stored = *error;
    timer->stored_version = version;
    timer->text = text.size ? iswi_strndup(text.data, text.size) : NULL;
    if (text.size && !timer->text)
        isw_error_set(&timer->stored, ISW_E_NO_MEMORY, "no memory for it");
    timer->task.run = on_stored;
    timer->env->post(timer->env->user, &timer->task);
}

/* -- Questions --------------------------------------------------------------------------------- */

void iswi_timed_load(iswi_timed *timer)
{
    timer->phase = ISWI_TIMER_LOADING;
    timer->storing = true;
    timer->env->store->read(timer->env->store, timer->name, on_done, timer);
}

void iswi_timed_save(iswi_timed *timer, void (*then)(iswi_timed *timer))
{
    iswi_arena arena;
    isw_str text;
    isw_error none = { ISW_OK, "" };

    iswi_arena_init(&arena, RECORD_BYTES);
    timer->record.schedule = timer->schedule.text;
    timer->record.zone = timer->schedule.zone_name;
    text = iswi_timer_record_write(&timer->record, &arena);
    timer->phase = ISWI_TIMER_SAVING;
    timer->storing = true;
    timer->then = then;
    if (text.data) {
        timer->env->store->write(timer->env->store, timer->name, text, timer->version, on_done,
                                 timer);
    } else {
        isw_error_set(&none, ISW_E_NO_MEMORY, "no memory for it");
        on_done(timer, &none, isw_str_of(NULL), timer->version);
    }
    iswi_arena_fini(&arena);
}
