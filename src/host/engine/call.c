/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls: placing, answering, trying again. Invariant: a call is owned by exactly one place of one
 * process, or by the queue of its pool, or by the thread that took it out; so it is answered
 * exactly once.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "config/scalar.h"
#include "host/engine/engine.h"

#include <stdio.h>

enum {
    MS = 1000000,
    TRIES_MAX = 2, /* that were begun */
    MOVES_MAX = 5  /* from processes that ended before; one that ends all of them must end itself */
};

/* Give the call to a process, or have it wait, behind all who do. Owns `call`. */
static void place(iswi_host *host, iswi_call *call)
{
    iswi_pool *pool = call->function->pool;
    iswi_placing placing = ISWI_PLACE_FULL;
    isw_error failure; /* set with ISWI_PLACE_REFUSED and ISWI_PLACE_MOVED */

    if (atomic_load_explicit(&host->ending, memory_order_relaxed)) {
        iswi_call_refuse(host, call, ISWI_REFUSED_GONE, ISW_E_UNAVAILABLE, "the host stops");
        return;
    }
    if (!atomic_load_explicit(&pool->queue.waiting, memory_order_relaxed))
        placing = iswi_pool_place(pool, call, &failure);
    if (placing == ISWI_PLACE_REFUSED)
        iswi_call_refuse(host, call, iswi_refusal_of(failure.status), failure.status,
                         failure.message);
    else if (placing == ISWI_PLACE_MOVED)
        iswi_call_move(host, call, &failure);
    else if (placing != ISWI_PLACED)
        iswi_queue_add(host, call, call->tries || call->moves);
}

/* Unique across hosts by its first half, in this one by its second. */
void iswi_call_name(iswi_host *host, char invocation_id[33])
{
    uint64_t number = atomic_fetch_add_explicit(&host->next_invocation, 1, memory_order_relaxed);
    unsigned char id[16];

    memcpy(id, host->id_prefix, 8);
    for (int i = 15; i >= 8; i--, number >>= 8)
        id[i] = (unsigned char)number;
    iswi_hex(id, sizeof id, invocation_id);
}

/* The engine's own of a call that begins, which is counted from now on. NULL: it was answered, since
 * memory is out. */
static iswi_call *begin(iswi_host *host, const iswi_call *call)
{
    iswi_call *own = iswi_alloc(sizeof *own);
    iswi_answer no_memory = { .status = ISW_E_NO_MEMORY };
    int64_t until_ns;
    int64_t timeout_ms;

    if (!own) {
        call->answer(call->user, "", &no_memory);
        return NULL;
    }
    *own = *call;
    if (!own->invocation_id[0])
        iswi_call_name(host, own->invocation_id);
    own->begun_ns = own->placed_ns = iswi_now_ns();
    timeout_ms = atomic_load_explicit(&call->function->timeout_ms, memory_order_relaxed);
    until_ns = own->begun_ns + timeout_ms * 1000000;
    if (iswi_pool_is_patient(host, call->function->pool))
        own->deadline_ns = 0;
    if (timeout_ms && (!own->deadline_ns || until_ns < own->deadline_ns))
        own->deadline_ns = until_ns;
    atomic_fetch_add(&host->calls, 1);
    if (host->observers.look_at_calls)
        iswi_observe_begins(&host->observers, own);
    return own;
}

void iswi_call_start(iswi_host *host, const iswi_call *call)
{
    iswi_call *own = begin(host, call);

    if (own)
        place(host, own);
}

void iswi_call_start_in(iswi_process *process, const iswi_call *call)
{
    iswi_call *own = begin(process->host, call);
    isw_error failure = { ISW_E_UNAVAILABLE, "" };
    iswi_placing placing;

    if (!own)
        return;
    own->moves = MOVES_MAX;
    placing = iswi_process_invoke_early(process, own, &failure);
    if (placing == ISWI_PLACE_REFUSED)
        iswi_call_fail(process->host, own, failure.status, failure.message);
    else if (placing != ISWI_PLACED)
        iswi_call_fail(process->host, own, ISW_E_WORKER_LOST, "its process takes it no more");
}

static void fail_lost(iswi_host *host, iswi_call *call)
{
    char time[ISWI_SCALAR_TEXT_BYTES];
    char text[ISWI_SCALAR_TEXT_BYTES + 64] = "the worker ended before it answered";

    if (call->late) {
        iswi_scalar_duration_text((call->deadline_ns - call->begun_ns + MS / 2) / MS, time);
        snprintf(text, sizeof text, "the function took longer than its %s and did not stop", time);
    }
    iswi_call_fail(host, call, ISW_E_WORKER_LOST, text);
}

/* Once more, before those that have not had a place yet; or answer it. */
static void take_up(iswi_host *host, iswi_call *call, bool again)
{
    int64_t now_ns = iswi_now_ns();

    if (!again || call->body_follows || (call->deadline_ns && now_ns >= call->deadline_ns)) {
        fail_lost(host, call);
        return;
    }
    iswi_call_take_back(call);
    call->placed_ns = now_ns;
    place(host, call);
}

void iswi_call_lost(iswi_host *host, iswi_call *call, iswi_process *where)
{
    const iswi_about about = iswi_about_call(call);
    bool again = call->function->idempotent && !call->once && !atomic_load(&host->stops) &&
                 call->tries + 1 < TRIES_MAX;

    call->tries++;
    call->avoid = where;
    if (again && !call->body_follows)
        iswi_say_of(host, ISW_LOG_INFO, &about, "%s: tried again, since its process ended",
                    call->function->name);
    take_up(host, call, again);
}

void iswi_call_spared(iswi_host *host, iswi_call *call)
{
    const iswi_about about = iswi_about_call(call);
    bool again = call->moves++ < MOVES_MAX;

    if (again && !call->body_follows)
        iswi_say_of(host, ISW_LOG_DEBUG, &about,
                    "%s: placed again, since its process ended before it began it",
                    call->function->name);
    take_up(host, call, again);
}
