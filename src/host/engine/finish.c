/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a call: it is counted, told to observers, and answered. */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/engine.h"

static iswi_ending ending_of(const iswi_answer *answer)
{
    if (answer->outcome == ISW_OUTCOME_SUCCESS)
        return ISWI_ENDED_SUCCESS;
    if (answer->status == ISW_E_TIMEOUT)
        return ISWI_ENDED_TIMEOUT;
    if (answer->status == ISW_E_WORKER_LOST)
        return ISWI_ENDED_LOST;
    return answer->outcome == ISW_OUTCOME_CANCELLED     ? ISWI_ENDED_CANCELLED
           : answer->outcome == ISW_OUTCOME_RETRY_LATER ? ISWI_ENDED_RETRY_LATER
                                                        : ISWI_ENDED_FAILURE;
}

static void count(const iswi_call *call, const iswi_answer *answer, iswi_refusal refusal)
{
    iswi_host_function *function = call->function;
    int64_t at_ns = answer->at_ns ? answer->at_ns : iswi_now_ns(); /* reading a clock shows, too */
    uint64_t us = at_ns > call->begun_ns ? (uint64_t)(at_ns - call->begun_ns) / 1000 : 0;

    if (refusal != ISWI_NOT_REFUSED && !call->tries) {
        atomic_fetch_add_explicit(&function->refused_calls[refusal], 1, memory_order_relaxed);
        return;
    }
    atomic_fetch_add_explicit(&function->ended_calls[ending_of(answer)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&function->total_us, us, memory_order_relaxed);
    atomic_store_explicit(&function->last_us, us, memory_order_relaxed);
}

void iswi_call_take_back(iswi_call *call)
{
    if (call->outbox)
        call->outbox->drop(call->outbox);
    if (call->outbox_status)
        iswi_free(call->outbox_why);
    call->outbox = NULL;
    call->outbox_why = NULL;
    call->outbox_status = ISW_OK;
    iswi_buffer_reset(&call->put_out);
}

static void finish(iswi_host *host, iswi_call *call, const iswi_answer *answer,
                   iswi_refusal refusal)
{
    if (!answer->moved) {
        count(call, answer, refusal);
        iswi_observe_answered(&host->observers, call, answer);
    }
    call->answer(call->user, call->invocation_id, answer);
    iswi_call_take_back(call);
    iswi_buffer_fini(&call->put_out);
    iswi_free(call);
    atomic_fetch_sub(&host->calls, 1);
    if (atomic_load(&host->stops))
        iswi_host_wake(host);
}

void iswi_call_finish(iswi_host *host, iswi_call *call, const iswi_answer *answer)
{
    finish(host, call, answer, ISWI_NOT_REFUSED);
}

void iswi_call_refuse(iswi_host *host, iswi_call *call, iswi_refusal why, isw_status status,
                      const char *message)
{
    iswi_answer answer = { .outcome = ISW_OUTCOME_FAILED,
                           .status = status,
                           .retriable = isw_status_retriable(status),
                           .refused = why != ISWI_NOT_REFUSED && !call->tries,
                           .bystander = call->bystander,
                           .late = call->late,
                           .message = isw_str_of(message) };

    finish(host, call, &answer, why);
}

void iswi_call_move(iswi_host *host, iswi_call *call, const isw_error *why)
{
    const iswi_answer answer = { .outcome = ISW_OUTCOME_FAILED,
                                 .status = why->status,
                                 .retriable = true,
                                 .refused = true,
                                 .moved = true,
                                 .message = isw_str_of(why->message) };

    finish(host, call, &answer, ISWI_NOT_REFUSED);
}

void iswi_call_fail(iswi_host *host, iswi_call *call, isw_status status, const char *message)
{
    iswi_call_refuse(host, call, ISWI_NOT_REFUSED, status, message);
}
