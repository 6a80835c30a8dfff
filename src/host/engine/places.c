/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places of a process, and their deadlines. Invariant: a place is free, holds a call, or waits
 * for the response to a call that was answered when its deadline passed.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/engine.h"

#include <stdio.h>
#include <unistd.h>

/* -- Sending and places; with the lock --------------------------------------------------------- */

void iswi_process_send(iswi_process *process, const iswi_frame *frame)
{
    if (process->link &&
        iswi_link_send_frame(process->link, frame, &process->outgoing, NULL) != ISW_OK)
        iswi_link_close(process->link);
}

void iswi_process_update_load(iswi_process *process)
{
    bool open = process->state == ISWI_PROCESS_READY && process->credit;

    atomic_store_explicit(&process->load, open ? process->in_flight : UINT32_MAX,
                          memory_order_relaxed);
}

void iswi_process_set_state(iswi_process *process, iswi_process_state state)
{
    process->state = state;
    iswi_process_update_load(process);
}

bool iswi_process_advance(iswi_process *process, iswi_process_state from, iswi_process_state to)
{
    bool still;

    pthread_mutex_lock(&process->lock);
    still = process->state == from;
    if (still)
        iswi_process_set_state(process, to);
    pthread_mutex_unlock(&process->lock);
    return still;
}

void iswi_process_free_place(iswi_process *process, uint64_t id)
{
    unsigned number = (unsigned)(id & 0xffff);

    iswi_place *place = &process->places[number];

    if (place->call)
        iswi_printing_note_end(process, place->call);
    place->id = 0; /* and nothing more than is needed */
    place->call = NULL;
    process->free_places[process->free_count++] = number;
    process->in_flight--;
    iswi_process_update_load(process);
}

void iswi_process_count(iswi_process *process, bool succeeded)
{
    process->ended_calls++;
    process->failed_calls += !succeeded;
}

iswi_place *iswi_process_find_place(iswi_process *process, uint64_t id)
{
    unsigned number = (unsigned)(id & 0xffff);

    if (id == 0 || number >= process->place_count || process->places[number].id != id)
        return NULL;
    return &process->places[number];
}

iswi_author iswi_process_who(iswi_process *process, uint64_t id)
{
    const iswi_place *place = iswi_process_find_place(process, id);
    iswi_author who = { .function = NULL };

    if (!place)
        return who;
    if (!place->call)
        return place->late;
    who.function = place->call->function;
    memcpy(who.invocation_id, place->call->invocation_id, sizeof who.invocation_id);
    return who;
}

iswi_call *iswi_place_take_call(iswi_place *place)
{
    iswi_call *call = place->call;

    place->late.function = call->function;
    memcpy(place->late.invocation_id, call->invocation_id, sizeof place->late.invocation_id);
    place->call = NULL;
    return call;
}

bool iswi_process_grow_places(iswi_process *process, unsigned count)
{
    iswi_place *places;
    unsigned *free_places;

    if (count <= process->place_count)
        return true;
    places = iswi_realloc(process->places, count * sizeof *places);
    if (places)
        process->places = places;
    free_places = iswi_realloc(process->free_places, count * sizeof *free_places);
    if (free_places)
        process->free_places = free_places;
    if (!places || !free_places)
        return false;
    for (unsigned i = count; i-- > process->place_count;) {
        places[i] = (iswi_place){ .id = 0 };
        free_places[process->free_count++] = i;
    }
    process->place_count = count;
    return true;
}

static isw_status send_invoke(iswi_process *process, const iswi_call *call, uint64_t id,
                              isw_error *error)
{
    iswi_frame frame = { .kind = ISWI_INVOKE, .id = id };
    iswi_invoke *invoke = &frame.as.invoke;
    int64_t left_ms = call->deadline_ns ? (call->deadline_ns - iswi_now_ns()) / 1000000 : 0;

    invoke->function = call->function->number;
    invoke->invocation_id = isw_str_of(call->invocation_id);
    invoke->trigger = call->trigger;
    invoke->timeout_ms = call->deadline_ns ? (uint64_t)(left_ms > 0 ? left_ms : 1) : 0;
    invoke->trace = call->trace;
    invoke->retry.count = call->tries;
    invoke->body_follows = call->body_follows;
    return iswi_link_send_frame(process->link, &frame, &process->outgoing, error);
}

/* With the lock. */
static iswi_placing invoke(iswi_process *process, iswi_call *call, isw_error *failure)
{
    iswi_place *place;
    unsigned number;
    uint64_t id;
    isw_status status;

    if (process->state != ISWI_PROCESS_READY ||
        (process->lacks && process->lacks[call->function->place]))
        return ISWI_PLACE_CLOSED;
    if (process->in_flight >= process->credit || !process->free_count)
        return ISWI_PLACE_FULL;
    number = process->free_places[process->free_count - 1];
    process->generation = atomic_fetch_add(&process->host->next_place, 1) + 1;
    id = process->generation << 16 | number;
    if (call->events && call->events->placed)
        call->events->placed(call->user, process, id);
    status = send_invoke(process, call, id, failure);
    if (status == ISW_E_CLOSED)
        return ISWI_PLACE_CLOSED;
    if (status == ISW_E_BUSY)
        return ISWI_PLACE_FULL;
    if (status != ISW_OK) {
        isw_error_set(failure, status, "%s", isw_status_text(status));
        return ISWI_PLACE_REFUSED;
    }
    process->free_count--;
    process->in_flight++;
    place = &process->places[number];
    place->id = id;
    place->call = call;
    place->until_ns = call->deadline_ns;
    place->stopping = false;
    iswi_process_update_load(process);
    return ISWI_PLACED;
}

iswi_placing iswi_process_invoke(iswi_process *process, iswi_call *call, isw_error *failure)
{
    int64_t deadline = call->deadline_ns;
    iswi_placing placing;

    pthread_mutex_lock(&process->lock);
    placing = invoke(process, call, failure);
    pthread_mutex_unlock(&process->lock);
    if (placing == ISWI_PLACED && deadline) /* `call` may be answered and gone by now */
        iswi_host_wake_by(process->host, deadline);
    return placing;
}

isw_status iswi_call_send(iswi_process *process, uint64_t id, iswi_frame *frame)
{
    const iswi_place *place;
    isw_status status = ISW_OK;

    frame->id = id;
    pthread_mutex_lock(&process->lock);
    place = iswi_process_find_place(process, id);
    if (place && place->call && process->link)
        status = iswi_link_send_frame(process->link, frame, &process->outgoing, NULL);
    pthread_mutex_unlock(&process->lock);
    return status == ISW_E_BUSY ? ISW_E_BUSY : ISW_OK;
}

void iswi_process_lose_calls(iswi_process *process, const char *why)
{
    iswi_printing_drain(process); /* their last words */
    for (;;) {
        iswi_call *call = NULL;

        pthread_mutex_lock(&process->lock);
        for (unsigned i = 0; i < process->place_count && !call; i++) {
            call = process->places[i].call;
            if (call)
                iswi_process_count(process, false);
            if (process->places[i].id)
                iswi_process_free_place(process, process->places[i].id);
        }
        pthread_mutex_unlock(&process->lock);
        if (!call)
            return;
        iswi_call_lost(process->host, call, process, why);
    }
}

/* -- Deadlines --------------------------------------------------------------------------------- */

/* Take the call out of an overdue place and ask the worker to stop it. With the lock. */
static iswi_call *expire(iswi_process *process, iswi_place *place, int64_t now_ns)
{
    int64_t grace_ms = process->host->options.cancel_grace_ms;
    iswi_frame frame = { .kind = ISWI_CANCEL, .id = place->id };

    frame.as.cancel.reason = ISWI_CANCEL_DEADLINE;
    frame.as.cancel.grace_ms = (uint64_t)grace_ms;
    iswi_process_send(process, &frame);
    iswi_process_count(process, false);
    place->until_ns = now_ns + grace_ms * 1000000;
    return iswi_place_take_call(place);
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
        if (place->until_ns <= now_ns && place->call)
            call = expire(process, place, now_ns);
        else if (place->until_ns <= now_ns && process->state != ISWI_PROCESS_KILLED)
            *overdue = place->late;
        else if (place->until_ns < *next_ns)
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
        iswi_say_of(process->host, ISW_LOG_WARNING, call->function->name,
                            call->invocation_id, "%s took longer than its %lld ms",
                            call->function->name, (long long)call->function->timeout_ms);
        iswi_call_fail(process->host, call, ISW_E_TIMEOUT, "the function took too long");
    }
    if (overdue.function)
        iswi_process_kill(process, "function %s did not stop %lld ms after it was cancelled "
                          "(invocation %s)", overdue.function->name,
                          (long long)process->host->options.cancel_grace_ms,
                          overdue.invocation_id);
    return next_ns;
}
