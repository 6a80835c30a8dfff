/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a call ended, as the Azure Functions host is told it. A function of HTTP that fails for a
 * reason that is its caller's (a status below 500) has answered: that is a success there, as it is
 * for any function that answers 404. What else fails is a failure, and its caller gets the 500 of
 * the Azure Functions host, unless HTTP is forwarded.
 */
#include "host/azure/internal.h"
#include "host/engine/look.h"

enum { LEAST_FAILURE = 500, LEAST_REPLY = 400, UNAVAILABLE = 503 };

static int http_status(const iswi_answer *answer)
{
    const isw_value *result = &answer->result;

    if (result->type == ISW_VALUE_HTTP && result->as.http->status >= LEAST_REPLY)
        return result->as.http->status;
    return answer->outcome == ISW_OUTCOME_RETRY_LATER && answer->status != ISW_E_BUSY
               ? UNAVAILABLE
               : isw_status_http(answer->status);
}

static int32_t status_of(const iswi_answer *answer, bool is_http)
{
    if (answer->outcome == ISW_OUTCOME_SUCCESS)
        return ISWI_RPC_SUCCESS;
    if (answer->status == ISW_E_CANCELLED)
        return ISWI_RPC_CANCELLED;
    return is_http && http_status(answer) < LEAST_FAILURE ? ISWI_RPC_SUCCESS : ISWI_RPC_FAILURE;
}

static isw_str copy(iswi_azure_call *call, isw_str text)
{
    const char *own = iswi_arena_strndup(&call->arena, text.size ? text.data : "", text.size);

    return own ? (isw_str){ own, text.size } : (isw_str){ NULL, 0 };
}

static void put_frame(iswi_buffer *out, isw_str place)
{
    if (place.size)
        iswi_buffer_printf(out, "   at %.*s\n", (int)place.size, place.data);
}

/* Places and causes in the form in which stacks are read there. */
static isw_str stack_of(iswi_azure_call *call, const iswi_wire_status *told)
{
    iswi_buffer text = { 0 };
    isw_str stack;

    put_frame(&text, told->place);
    for (size_t i = 0; i < told->causes.count; i++) {
        const iswi_wire_cause *cause = &told->causes.items[i];

        iswi_buffer_append_text(&text, " ---> ");
        if (cause->type.size)
            iswi_buffer_printf(&text, "%.*s: ", (int)cause->type.size, cause->type.data);
        iswi_buffer_append(&text, cause->message.data, cause->message.size);
        iswi_buffer_append_text(&text, "\n");
        put_frame(&text, cause->place);
    }
    stack = copy(call, (isw_str){ (const char *)text.data, text.size });
    iswi_buffer_fini(&text);
    return stack;
}

void iswi_azure_conclude(iswi_azure_call *call, const iswi_host_function *function,
                         const iswi_answer *answer, bool is_http)
{
    const iswi_wire_status *told = answer->told;
    iswi_rpc_exception *exception = &call->outcome.exception;
    isw_str type = told && told->type.size ? told->type
                                           : isw_str_of(isw_status_name(answer->status));

    call->outcome.status = status_of(answer, is_http);
    call->outcome.known = true;
    if (answer->outcome != ISW_OUTCOME_SUCCESS && call->outputs) { /* of which a half was not put */
        call->outputs->drop(call->outputs);
        call->outputs = NULL;
    }
    if (call->outcome.status != ISWI_RPC_FAILURE)
        return;
    exception->message = copy(call, answer->message.size
                                        ? answer->message
                                        : isw_str_of(isw_status_text(answer->status)));
    exception->type = copy(call, type);
    exception->source = isw_str_of(told ? iswi_function_worker(function) : "isoworker");
    if (told)
        exception->stack_trace = stack_of(call, told);
    exception->is_user_exception = told && told->user;
}

void iswi_azure_conclude_unheard(iswi_azure_call *call, unsigned status)
{
    iswi_rpc_exception *exception = &call->outcome.exception;

    call->outcome.known = true;
    call->outcome.status = call->cancelled                 ? ISWI_RPC_CANCELLED
                           : status && status < LEAST_FAILURE ? ISWI_RPC_SUCCESS
                                                              : ISWI_RPC_FAILURE;
    exception->message = isw_str_of(
        status ? iswi_arena_printf(&call->arena, "its request was answered with %u, and not by its "
                                   "function alone", status)
               : "its request did not come, or not whole");
    exception->source = isw_str_of("isoworker");
    exception->type = isw_str_of(isw_status_name(ISW_E_UNAVAILABLE));
}
