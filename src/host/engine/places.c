/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places of a process. Invariant: a place is free, holds a call, or waits
 * for the response to a call that was answered when its deadline passed.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/engine.h"

#include <stdio.h>
#include <unistd.h>

/* A call has ended here. */
static void note_end(iswi_process *process, const iswi_call *call)
{
    process->last.function = call->function;
    memcpy(process->last.invocation_id, call->invocation_id, sizeof process->last.invocation_id);
    process->ended_ns_of[1] = process->ended_ns_of[0];
    process->ended_ns_of[0] = atomic_load_explicit(&process->heard_ns, memory_order_relaxed);
}

/* Others read it, and nobody else writes it. */
static void add_due(iswi_process *process, int64_t ns)
{
    int64_t due_ns = atomic_load_explicit(&process->due_ns, memory_order_relaxed);

    atomic_store_explicit(&process->due_ns, due_ns + ns, memory_order_relaxed);
}

void iswi_process_free_place(iswi_process *process, uint64_t id)
{
    unsigned number = (unsigned)(id & 0xffff);

    iswi_place *place = &process->places[number];

    if (place->call)
        note_end(process, place->call);
    add_due(process, -(int64_t)place->cost_ns);
    place->id = 0; /* and nothing more than is needed */
    place->call = NULL;
    process->free_places[process->free_count++] = number;
    process->in_flight--;
    iswi_process_update_load(process);
    if (process->retiring && !process->in_flight)
        iswi_host_wake(process->host);
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

static iswi_author the_one_in_flight(iswi_process *process)
{
    unsigned i = 0;

    while (i < process->place_count && !process->places[i].id)
        i++;
    return iswi_process_who(process, i < process->place_count ? process->places[i].id : 0);
}

iswi_author iswi_process_only_author(iswi_process *process, int64_t since_ns)
{
    iswi_author author = { .function = NULL };
    unsigned ended;

    pthread_mutex_lock(&process->lock);
    ended = (process->ended_ns_of[0] > since_ns) + (process->ended_ns_of[1] > since_ns);
    if (process->in_flight == 1 && !ended)
        author = the_one_in_flight(process);
    else if (process->in_flight == 0 && ended == 1)
        author = process->last;
    pthread_mutex_unlock(&process->lock);
    return author;
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
    invoke->trigger_metadata = call->trigger_metadata;
    invoke->inputs = call->inputs;
    invoke->timeout_ms = call->deadline_ns ? (uint64_t)(left_ms > 0 ? left_ms : 1) : 0;
    invoke->trace = call->trace;
    invoke->retry = call->retry;
    invoke->retry.count += call->tries;
    invoke->body_follows = call->body_follows;
    return iswi_link_send_frame(process->link, &frame, &process->outgoing, error);
}

/* Of one that was over before it was placed. */
static void send_end_of_body(iswi_process *process, const iswi_call *call, uint64_t id)
{
    iswi_frame frame = { .kind = ISWI_CHUNK, .id = id };

    frame.as.chunk.end = call->body_over;
    if (call->body_broken)
        frame.as.chunk.status = iswi_status_to_wire(ISW_E_IO, "the client did not send all of it");
    iswi_process_send(process, &frame);
}

/* With the lock, of one that takes calls. */
static iswi_placing send_call(iswi_process *process, iswi_call *call, isw_error *failure)
{
    iswi_place *place;
    unsigned number;
    uint64_t id;
    isw_status status;

    if (process->lacks && (call->function->place >= process->lacks_count ||
                           process->lacks[call->function->place]))
        return ISWI_PLACE_LACKS;
    if (process->in_flight >= process->credit || !process->free_count)
        return ISWI_PLACE_FULL;
    number = process->free_places[process->free_count - 1];
    id = iswi_host_next_id(process->host, number);
    process->generation = id >> 16;
    status = send_invoke(process, call, id, failure);
    if (status == ISW_E_CLOSED)
        return ISWI_PLACE_CLOSED;
    if (status == ISW_E_BUSY)
        return ISWI_PLACE_FULL;
    if (status != ISW_OK) {
        isw_error_set(failure, status, "%s", isw_status_text(status));
        return ISWI_PLACE_REFUSED;
    }
    if (call->events && call->events->placed)
        call->events->placed(call->user, process, id); /* with the lock: nothing has come yet */
    if (call->body_over || call->body_broken)
        send_end_of_body(process, call, id);
    process->free_count--;
    if (process->in_flight >= process->peak)
        process->peak = process->in_flight + 1;
    if (process->in_flight + 1 == process->alarm)
        iswi_pool_ring(process->pool);
    if (process->in_flight++ == 0)
        atomic_store_explicit(&process->busy_ns, call->placed_ns, memory_order_relaxed);
    place = &process->places[number];
    place->cost_ns = call->cost_ns;
    add_due(process, place->cost_ns);
    place->id = id;
    place->call = call;
    place->until_ns = call->deadline_ns;
    place->stopping = place->expired = place->spared = false;
    iswi_process_update_load(process);
    return ISWI_PLACED;
}

/* With the lock. */
static bool takes_calls(const iswi_process *process, bool early)
{
    return early ? process->state == ISWI_PROCESS_LOADING
                 : process->state == ISWI_PROCESS_READY && !process->retiring &&
                       !process->health.keeps_out;
}

static inline iswi_placing invoke(iswi_process *process, iswi_call *call, bool early,
                                  isw_error *failure)
{
    int64_t deadline = call->deadline_ns;
    iswi_placing placing;

    pthread_mutex_lock(&process->lock);
    if (takes_calls(process, early))
        placing = send_call(process, call, failure);
    else
        placing = process->state == ISWI_PROCESS_GONE ? ISWI_PLACE_GONE : ISWI_PLACE_CLOSED;
    pthread_mutex_unlock(&process->lock);
    if (placing == ISWI_PLACED && deadline) /* `call` may be answered and gone by now */
        iswi_host_wake_by(process->host, deadline);
    return placing;
}

iswi_placing iswi_process_invoke(iswi_process *process, iswi_call *call, isw_error *failure)
{
    return invoke(process, call, false, failure);
}

iswi_placing iswi_process_invoke_early(iswi_process *process, iswi_call *call, isw_error *failure)
{
    return invoke(process, call, true, failure);
}

isw_status iswi_process_send_about(iswi_process *process, uint64_t id, iswi_frame *frame)
{
    const iswi_place *place;
    isw_status status = ISW_E_NOT_FOUND;

    frame->id = id;
    pthread_mutex_lock(&process->lock);
    place = iswi_process_find_place(process, id);
    if (place)
        status = ISW_OK;
    if (place && place->call && process->link &&
        iswi_link_send_frame(process->link, frame, &process->outgoing, NULL) == ISW_E_BUSY)
        status = ISW_E_BUSY;
    pthread_mutex_unlock(&process->lock);
    return status;
}
