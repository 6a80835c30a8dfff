/* SPDX-License-Identifier: Apache-2.0 */
/* What everybody may do to a process: change its state, send to it, have it end. Invariant: whoever
 * looks for a process with the least to do sees by `load` alone whether it may be chosen. */
#include "base/clock.h"
#include "host/engine/engine.h"

#include <signal.h>
#include <stdio.h>

void iswi_process_send(iswi_process *process, const iswi_frame *frame)
{
    if (process->link &&
        iswi_link_send_frame(process->link, frame, &process->outgoing, NULL) != ISW_OK)
        iswi_link_close(process->link);
}

void iswi_process_update_load(iswi_process *process)
{
    bool open = process->state == ISWI_PROCESS_READY && process->credit && !process->retiring;

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

void iswi_process_kill(iswi_process *process, const char *format, ...)
{
    va_list args;

    pthread_mutex_lock(&process->lock);
    if (process->fault.status == ISW_OK) {
        process->fault.status = ISW_E_UNAVAILABLE;
        va_start(args, format);
        vsnprintf(process->fault.message, sizeof process->fault.message, format, args);
        va_end(args);
    }
    iswi_process_set_state(process, ISWI_PROCESS_KILLED);
    pthread_mutex_unlock(&process->lock);
    process->state_until_ns = INT64_MAX;
    process->signalled = true;
    if (process->running)
        kill(-process->os.pid, SIGKILL);
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
        process->state == ISWI_PROCESS_GONE)
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
