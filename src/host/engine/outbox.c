/* SPDX-License-Identifier: Apache-2.0 */
/* A success whose function put out what is kept until the end: it is one only once that is
 * durable. */
#include "base/alloc.h"
#include "host/engine/engine.h"

typedef struct held_back {
    iswi_host *host;
    iswi_call *call;
    iswi_answer answer;
} held_back;

/* Whoever has called it has made no mistake: what was put out is the function's own. Nor has he asked
 * too often: a queue that is full is the host's own bound, as its workers' queues are. */
static isw_status status_of(isw_status cause)
{
    if (cause == ISW_E_BUSY)
        return ISW_E_UNAVAILABLE;
    return cause == ISW_E_INVALID || cause == ISW_E_TOO_LARGE ? ISW_E_FAILED : cause;
}

/* It is no success. Owns `call`. */
static void fail(iswi_host *host, iswi_call *call, iswi_answer *answer, isw_status status,
                 isw_str message)
{
    answer->outcome = ISW_OUTCOME_FAILED;
    answer->status = status_of(status);
    answer->retriable = isw_status_retriable(answer->status);
    answer->message = message;
    answer->told = NULL;
    answer->result = (isw_value){ .type = ISW_VALUE_NONE };
    iswi_call_finish(host, call, answer);
}

static void on_put(void *user, const isw_error *error)
{
    held_back *back = user;
    const iswi_about about = iswi_about_call(back->call);

    if (error->status == ISW_OK) {
        iswi_call_finish(back->host, back->call, &back->answer);
    } else {
        iswi_say_of(back->host, ISW_LOG_ERROR, &about, "%s: what it put out was not: %s",
                    back->call->function->name, error->message);
        fail(back->host, back->call, &back->answer, error->status,
             isw_str_of("what the function put out could not be kept"));
    }
    iswi_free(back);
}

static void put(iswi_host *host, iswi_call *call, iswi_answer *answer)
{
    held_back *back = iswi_alloc(sizeof *back);
    iswi_outbox *box = call->outbox;

    if (!back) {
        fail(host, call, answer, ISW_E_NO_MEMORY,
             isw_str_of("no memory for what the function put out"));
        return;
    }
    *back = (held_back){ host, call, *answer };
    call->outbox = NULL;
    box->put(box, on_put, back);
}

void iswi_call_conclude(iswi_host *host, iswi_call *call, iswi_answer *answer)
{
    if (answer->outcome != ISW_OUTCOME_SUCCESS || (!call->outbox && !call->outbox_status)) {
        iswi_call_finish(host, call, answer);
    } else if (call->outbox_status) {
        fail(host, call, answer, call->outbox_status, answer->message);
    } else if (call->takes_outbox) {
        answer->outbox = call->outbox;
        call->outbox = NULL;
        iswi_call_finish(host, call, answer);
    } else {
        put(host, call, answer);
    }
}
