/* SPDX-License-Identifier: Apache-2.0 */
/* What everybody may do to a process: change its state, send to it, have it end. Invariant: whoever
 * looks for a process with the least to do sees by `load` alone whether it may be chosen. */
#include "base/clock.h"
#include "host/engine/engine.h"

#include <stdio.h>

void iswi_process_send(iswi_process *process, const iswi_frame *frame)
{
    if (process->link &&
        iswi_link_send_frame(process->link, frame, &process->outgoing, NULL) != ISW_OK)
        iswi_link_close(process->link);
}

void iswi_process_update_load(iswi_process *process)
{
    bool open = process->state == ISWI_PROCESS_READY && process->credit && !process->retiring &&
                !process->health.keeps_out;

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

void iswi_process_count(iswi_process *process, bool succeeded)
{
    process->ended_calls++;
    process->failed_calls += !succeeded;
}

void iswi_process_tell_to_end(iswi_process *process, int64_t grace_ms)
{
    const iswi_frame frame = { .kind = ISWI_TERMINATE,
                               .as.terminate.grace_ms = (uint64_t)grace_ms };

    process->told_to_end = !process->closed;
    iswi_process_send(process, &frame);
    iswi_process_set_state(process, ISWI_PROCESS_LEAVING);
}

static void kill_for(iswi_process *process, const char *why)
{
    pthread_mutex_lock(&process->lock);
    if (process->fault.status == ISW_OK)
        isw_error_set(&process->fault, ISW_E_UNAVAILABLE, "%s", why);
    iswi_process_set_state(process, ISWI_PROCESS_KILLED);
    pthread_mutex_unlock(&process->lock);
    process->state_until_ns = INT64_MAX;
    process->signalled = true;
    if (process->running)
        process->pool->launcher.kill(&process->pool->launcher, &process->os);
    iswi_cgroup_kill(&process->group);
}

void iswi_process_kill(iswi_process *process, const char *format, ...)
{
    char why[ISW_ERROR_MESSAGE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    kill_for(process, why);
}

void iswi_process_overrun(iswi_process *process, const char *format, ...)
{
    char why[ISW_ERROR_MESSAGE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    if (process->pool->launcher.apart)
        kill_for(process, why);
    else
        iswi_say(process->host, ISW_LOG_ERROR, "worker %s: %s; it runs in the host's process "
                 "(isolation: none) and cannot be ended without it, so it goes on", process->label,
                 why);
}

bool iswi_process_is_spare(const iswi_process *process)
{
    return atomic_load_explicit(&process->spare, memory_order_acquire);
}

void iswi_process_retry(iswi_process *process)
{
    pthread_mutex_lock(&process->lock);
    if (process->state == ISWI_PROCESS_GONE && !atomic_load(&process->host->stops)) {
        process->failures = 0;
        iswi_process_set_state(process, ISWI_PROCESS_WAITING);
    }
    if (process->state == ISWI_PROCESS_WAITING)
        process->start_at_ns = iswi_now_ns();
    pthread_mutex_unlock(&process->lock);
}

void iswi_process_retire(iswi_process *process, const char *why)
{
    if (process->retiring || process->state == ISWI_PROCESS_SPARE ||
        process->state == ISWI_PROCESS_GONE || !process->pool->launcher.apart)
        return;
    process->retiring = why;
    process->retired_ns = iswi_now_ns();
    iswi_process_update_load(process);
    iswi_host_wake(process->host);
}

bool iswi_process_retires(iswi_process *process)
{
    bool retires;

    pthread_mutex_lock(&process->lock);
    retires = process->retiring != NULL;
    pthread_mutex_unlock(&process->lock);
    return retires;
}
