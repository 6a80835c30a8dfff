/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that warm a process up. Invariant: at most one of them runs in a process, and the
 * supervisor goes on with the next once that one was answered; so it ends with its process, as any
 * call does, and start_timeout bounds all of them.
 */
#include "host/engine/warmup.h"

#include "base/clock.h"
#include "host/engine/engine.h"

void iswi_warmup_begin(iswi_process *process)
{
    process->warmup = (iswi_warmup){ .next = 0 };
}

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    iswi_process *process = user;
    isw_str why = answer->message.size ? answer->message
                                       : isw_str_of(isw_status_text(answer->status));

    (void)invocation_id;
    pthread_mutex_lock(&process->lock);
    if (answer->outcome == ISW_OUTCOME_SUCCESS)
        process->warmup.name = NULL;
    else
        isw_error_set(&process->warmup.failed, ISW_E_FAILED, "its warmup function %s failed: %.*s",
                      process->warmup.name, (int)why.size, why.data);
    process->warmup.runs = false;
    pthread_mutex_unlock(&process->lock);
    iswi_answer_release(answer->held);
    iswi_host_wake(process->host);
}

static bool warms(const iswi_host_function *function)
{
    return function->trigger && function->trigger->capabilities & ISWI_TRIGGER_WARMS &&
           function->entry.properties;
}

/* The next of them, which runs from now on; NULL: there is none, or one has failed. With the
 * lock. */
static iswi_host_function *take_next(iswi_process *process)
{
    iswi_warmup *warmup = &process->warmup;

    while (warmup->failed.status == ISW_OK && warmup->next < process->function_count) {
        iswi_host_function *function = process->functions[warmup->next++];

        if (!warms(function))
            continue;
        if (process->lacks[function->place]) {
            isw_error_set(&warmup->failed, ISW_E_FAILED,
                          "its warmup function %s could not be loaded", function->name);
            break;
        }
        warmup->name = function->name;
        warmup->runs = true;
        return function;
    }
    return NULL;
}

/* One in the host's own process cannot be killed, only left behind with its threads; but this one
 * is not stuck, and ends when it is told to. */
static void end(iswi_process *process, const isw_error *failed)
{
    int64_t grace_ms = process->pool->settings->stop_timeout_ms;

    if (process->pool->launcher.apart) {
        iswi_process_kill(process, "%s", failed->message);
        return;
    }
    pthread_mutex_lock(&process->lock);
    if (process->fault.status == ISW_OK)
        isw_error_set(&process->fault, ISW_E_UNAVAILABLE, "%s", failed->message);
    iswi_process_tell_to_end(process, grace_ms);
    pthread_mutex_unlock(&process->lock);
    process->state_until_ns = iswi_now_ns() + grace_ms * 1000000;
}

bool iswi_warmup_tend(iswi_process *process)
{
    iswi_host_function *function = NULL;
    isw_error failed;
    bool runs;

    pthread_mutex_lock(&process->lock);
    if (!process->warmup.runs)
        function = take_next(process);
    runs = process->warmup.runs;
    failed = process->warmup.failed;
    process->answered = 0; /* no call of others: a start that fails after it has failed */
    pthread_mutex_unlock(&process->lock);
    if (failed.status != ISW_OK)
        end(process, &failed);
    else if (function)
        iswi_call_start_in(process, &(iswi_call){ .function = function,
                                                  .once = true,
                                                  .answer = on_answer,
                                                  .user = process });
    return !runs && failed.status == ISW_OK;
}
