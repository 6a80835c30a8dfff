/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls: choosing a process, answering, trying again. Invariant: a call is owned by exactly one
 * place of one process, or by the thread that took it out; so it is answered exactly once.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/engine.h"

#include <stdio.h>

enum { TRIES_MAX = 2 };

static void count(const iswi_call *call, const iswi_answer *answer)
{
    iswi_host_function *function = call->function;
    int64_t at_ns = answer->at_ns ? answer->at_ns : iswi_now_ns(); /* reading a clock shows, too */
    uint64_t us = at_ns > call->begun_ns ? (uint64_t)(at_ns - call->begun_ns) / 1000 : 0;

    atomic_fetch_add_explicit(&function->ended, 1, memory_order_relaxed);
    if (answer->outcome != ISW_OUTCOME_SUCCESS)
        atomic_fetch_add_explicit(&function->failed, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&function->total_us, us, memory_order_relaxed);
    atomic_store_explicit(&function->last_us, us, memory_order_relaxed);
}

void iswi_call_finish(iswi_host *host, iswi_call *call, const iswi_answer *answer)
{
    count(call, answer);
    iswi_observe_answered(&host->observers, call, answer);
    call->answer(call->user, call->invocation_id, answer);
    iswi_free(call);
    atomic_fetch_sub(&host->calls, 1);
    if (atomic_load(&host->stops))
        iswi_host_wake(host);
}

void iswi_call_fail(iswi_host *host, iswi_call *call, isw_status status, const char *message)
{
    iswi_answer answer = { .outcome = ISW_OUTCOME_FAILED,
                           .status = status,
                           .retriable = isw_status_retriable(status),
                           .message = isw_str_of(message) };

    iswi_call_finish(host, call, &answer);
}

/* The process of the pool with the least to do, the first of several: one that was used just now is
 * awake and warm. NULL when none is ready. */
static iswi_process *choose(iswi_pool *pool, const iswi_process *avoid)
{
    unsigned least = UINT32_MAX;
    iswi_process *best = NULL;

    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];
        unsigned load = atomic_load_explicit(&process->load, memory_order_relaxed);

        if (load < least && (process != avoid || pool->count == 1)) {
            least = load;
            best = process;
        }
    }
    return best;
}

/* Give the call to a process, or answer it. Owns `call`. */
static void place(iswi_host *host, iswi_call *call)
{
    iswi_pool *pool = call->function->pool;
    isw_error failure; /* set with ISWI_PLACE_REFUSED; clearing 1 KiB each time shows */
    iswi_process *best = choose(pool, call->avoid);
    iswi_placing placing = ISWI_PLACE_CLOSED;
    bool full = false;

    if (atomic_load_explicit(&host->ending, memory_order_relaxed)) {
        iswi_call_fail(host, call, ISW_E_UNAVAILABLE, "the host stops");
        return;
    }
    if (best)
        placing = iswi_process_invoke(best, call, &failure);
    /* The best one had no place: any other will do. */
    for (unsigned i = 0; i < pool->count && placing != ISWI_PLACED; i++) {
        if (placing == ISWI_PLACE_REFUSED) {
            iswi_call_fail(host, call, failure.status, failure.message);
            return;
        }
        full = full || placing == ISWI_PLACE_FULL;
        if (&pool->processes[i] != best)
            placing = iswi_process_invoke(&pool->processes[i], call, &failure);
    }
    if (placing == ISWI_PLACED)
        return;
    if (full || placing == ISWI_PLACE_FULL)
        iswi_call_fail(host, call, ISW_E_BUSY, "the worker has as many invocations as it takes");
    else
        iswi_call_fail(host, call, ISW_E_UNAVAILABLE, "no process of the worker is ready");
}

/* Unique across hosts by its first half, in this one by its second. */
static void name_invocation(iswi_host *host, char *text)
{
    uint64_t number = atomic_fetch_add_explicit(&host->next_invocation, 1, memory_order_relaxed);
    unsigned char id[16];

    memcpy(id, host->id_prefix, 8);
    for (int i = 15; i >= 8; i--, number >>= 8)
        id[i] = (unsigned char)number;
    iswi_hex(id, sizeof id, text);
}

void iswi_call_start(iswi_host *host, const iswi_call *call)
{
    iswi_call *own = iswi_alloc(sizeof *own);
    iswi_answer no_memory = { .status = ISW_E_NO_MEMORY };
    int64_t until_ns;
    int64_t timeout_ms;

    if (!own) {
        call->answer(call->user, "", &no_memory);
        return;
    }
    *own = *call;
    name_invocation(host, own->invocation_id);
    own->begun_ns = iswi_now_ns();
    timeout_ms = atomic_load_explicit(&call->function->timeout_ms, memory_order_relaxed);
    until_ns = own->begun_ns + timeout_ms * 1000000;
    if (timeout_ms && (!own->deadline_ns || until_ns < own->deadline_ns))
        own->deadline_ns = until_ns;
    atomic_fetch_add(&host->calls, 1);
    place(host, own);
}

void iswi_call_lost(iswi_host *host, iswi_call *call, iswi_process *where, const char *why)
{
    bool in_time = !call->deadline_ns || iswi_now_ns() < call->deadline_ns;

    call->tries++;
    call->avoid = where;
    if (call->function->idempotent && !call->body_follows && call->tries < TRIES_MAX && in_time &&
        !atomic_load(&host->stops)) {
        iswi_say_of(host, ISW_LOG_INFO, call->function->name,
                    call->invocation_id, "%s: tried again elsewhere",
                    call->function->name);
        place(host, call);
        return;
    }
    iswi_call_fail(host, call, ISW_E_WORKER_LOST, why);
}
