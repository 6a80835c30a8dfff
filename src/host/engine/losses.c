/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that a process does not answer: it has ended, or their time is over. Invariant: a call is
 * taken out of its place with the lock, and answered without it.
 */
#include "base/clock.h"
#include "host/engine/engine.h"

/* -- Ends -------------------------------------------------------------------------------------- */

/* Whether its process may have done something of it, as it says itself: that it lies would cost its
 * own callers a second try of what was begun, or a first. With the lock. */
static bool is_begun(iswi_process *process, const iswi_place *place)
{
    return !process->link || iswi_link_is_marked(process->link, place->id);
}

void iswi_process_note_spared(iswi_process *process)
{
    pthread_mutex_lock(&process->lock);
    for (unsigned i = 0; i < process->place_count; i++)
        process->places[i].spared = process->places[i].call &&
                                    !is_begun(process, &process->places[i]);
    pthread_mutex_unlock(&process->lock);
}

/* Whether it has such a call. With the lock. */
static bool has_call(const iswi_process *process, const char *invocation_id)
{
    for (unsigned i = 0; i < process->place_count; i++)
        if (process->places[i].id && process->places[i].call &&
            strcmp(process->places[i].call->invocation_id, invocation_id) == 0)
            return true;
    return false;
}

/* Find out who has ended it, so that others do not answer for that. What it says itself is believed
 * of what it had. */
static void find_culprit(iswi_process *process)
{
    char told[33] = "";

    iswi_observe_blame(process, told);
    pthread_mutex_lock(&process->lock);
    if (!*process->culprit && *told && has_call(process, told))
        memcpy(process->culprit, told, sizeof told);
    pthread_mutex_unlock(&process->lock);
}

/* One call, and whether it was spared; NULL: there is none. Of a process that has not `ended` only
 * one that was begun. */
static iswi_call *take_one(iswi_process *process, bool ended, bool *spared)
{
    iswi_call *call = NULL;

    pthread_mutex_lock(&process->lock);
    for (unsigned i = 0; i < process->place_count && !call; i++) {
        iswi_place *place = &process->places[i];

        if (!place->id || (place->call && !ended && !is_begun(process, place)))
            continue;
        call = place->call;
        *spared = place->spared;
        if (call)
            call->late = place->expired;
        if (call && *process->culprit)
            call->bystander = strcmp(process->culprit, call->invocation_id) != 0;
        if (call && !place->spared) {
            iswi_process_count(process, false);
            process->lost = iswi_process_who(process, place->id);
            process->lost_calls++;
        }
        iswi_process_free_place(process, place->id);
    }
    pthread_mutex_unlock(&process->lock);
    return call;
}

static void lose(iswi_process *process, bool ended)
{
    bool spared = false;
    iswi_call *call;

    iswi_printing_drain(process); /* their last words */
    find_culprit(process);
    while ((call = take_one(process, ended, &spared)) != NULL) {
        if (spared)
            iswi_call_spared(process->host, call);
        else
            iswi_call_lost(process->host, call, process);
    }
}

void iswi_process_lose_begun(iswi_process *process)
{
    lose(process, false);
}

void iswi_process_lose_all(iswi_process *process)
{
    lose(process, true);
}

/* -- Deadlines --------------------------------------------------------------------------------- */

/* Ask the worker to stop a call whose time is over. Taken out of its place, unless nothing may be
 * done with it before it has ended: then NULL. With the lock. */
static iswi_call *expire(iswi_process *process, iswi_place *place, int64_t now_ns)
{
    int64_t grace_ms = process->host->settings->host.cancel_grace_ms;
    iswi_frame frame = { .kind = ISWI_CANCEL, .id = place->id };

    frame.as.cancel.reason = ISWI_CANCEL_DEADLINE;
    frame.as.cancel.grace_ms = (uint64_t)grace_ms;
    iswi_process_send(process, &frame);
    place->until_ns = now_ns + grace_ms * 1000000;
    place->expired = true;
    if (place->call->to_its_end)
        return NULL;
    iswi_process_count(process, false);
    return iswi_place_take_call(place);
}

/* Whose grace is over, too. Of one that is not killed for that it is asked once, and its place is
 * waited for as long as it takes. With the lock. */
static iswi_author note_overdue(iswi_process *process, iswi_place *place)
{
    iswi_author who = iswi_process_who(process, place->id);

    if (!process->pool->launcher.apart)
        place->until_ns = 0;
    else if (!*process->culprit)
        memcpy(process->culprit, who.invocation_id, sizeof process->culprit);
    return who;
}

/* One overdue call, NULL when there is none; *overdue is whose grace is over, too. */
static iswi_call *next_expired(iswi_process *process, int64_t now_ns, int64_t *next_ns,
                               iswi_author *overdue)
{
    iswi_call *call = NULL;

    pthread_mutex_lock(&process->lock);
    *next_ns = INT64_MAX;
    for (unsigned i = 0; i < process->place_count && !call; i++) {
        iswi_place *place = &process->places[i];

        if (!place->id || !place->until_ns)
            continue;
        if (place->until_ns <= now_ns && place->call && !place->expired)
            call = expire(process, place, now_ns);
        else if (place->until_ns <= now_ns && process->state != ISWI_PROCESS_KILLED)
            *overdue = note_overdue(process, place);
        if (place->until_ns > now_ns && place->until_ns < *next_ns)
            *next_ns = place->until_ns;
    }
    pthread_mutex_unlock(&process->lock);
    return call;
}

int64_t iswi_process_check_deadlines(iswi_process *process, int64_t now_ns)
{
    int64_t next_ns = INT64_MAX;
    iswi_author overdue = { .function = NULL };
    iswi_call *call;

    while ((call = next_expired(process, now_ns, &next_ns, &overdue)) != NULL) {
        const iswi_about about = iswi_about_call(call);

        iswi_say_of(process->host, ISW_LOG_WARNING, &about,
                    "%s took longer than its %lld ms", call->function->name,
                    (long long)((call->deadline_ns - call->begun_ns + 500000) / 1000000));
        iswi_call_fail(process->host, call, ISW_E_TIMEOUT, "the function took too long");
    }
    if (overdue.function)
        iswi_process_overrun(process, "function %s did not stop %lld ms after it was cancelled "
                             "(invocation %s)", overdue.function->name,
                             (long long)process->host->settings->host.cancel_grace_ms,
                             overdue.invocation_id);
    return next_ns;
}
