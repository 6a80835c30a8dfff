/* SPDX-License-Identifier: Apache-2.0 */
/* The response to an invocation, and the end of its record. */
#include "host/azure/internal.h"

#include <stddef.h>
#include <stdio.h>

static uint64_t most(const iswi_azure *azure)
{
    return azure->options.message_max && azure->options.message_max < ISWI_AZURE_MESSAGE_MAX
               ? azure->options.message_max
               : ISWI_AZURE_MESSAGE_MAX;
}

/* With all that belongs to a success; false: no memory for it. */
static bool add_success(iswi_azure_call *call, const iswi_rpc_data *returned,
                        iswi_rpc_invoke_done *done)
{
    if (call->outcome.status != ISWI_RPC_SUCCESS)
        return true;
    if (returned && returned->which)
        done->returned = returned;
    return !call->outputs || iswi_azure_outputs(call->outputs, &call->arena, &done->outputs);
}

static void on_burial(iswi_task *task)
{
    iswi_azure_call_free((iswi_azure_call *)((char *)task - offsetof(iswi_azure_call, burial)));
}

/* What a guest has asked for is looked at until its answer is over, which it is up the stack. */
static void bury(iswi_azure_call *call)
{
    if (call->way == ISWI_AZURE_GUEST) {
        call->burial.run = on_burial;
        iswi_reactor_post(call->azure->reactor, &call->burial);
    } else {
        iswi_azure_call_free(call);
    }
}

void iswi_azure_answer(iswi_azure_call *call, const iswi_rpc_data *returned)
{
    iswi_rpc_exception exception;
    iswi_rpc_result result = { .status = call->outcome.known ? call->outcome.status
                                                             : ISWI_RPC_SUCCESS };
    iswi_rpc_invoke_done done = { .invocation_id = isw_str_of(call->id), .result = &result };
    iswi_rpc_message message = { .which = ISWI_RPC_INVOKE_DONE, .as.invoke_done = &done };
    char text[160];
    uint64_t size;

    call->outcome.status = result.status;
    if (result.status == ISWI_RPC_FAILURE)
        result.exception = &call->outcome.exception;
    if (!add_success(call, returned, &done))
        result = iswi_azure_failure(&exception, "no memory for what it put out");
    size = iswi_proto_size(&iswi_rpc_message_table, &message);
    if (size > most(call->azure)) {
        snprintf(text, sizeof text, "its response has %llu bytes, more than the %llu that may be "
                 "sent", (unsigned long long)size, (unsigned long long)most(call->azure));
        done = (iswi_rpc_invoke_done){ .invocation_id = done.invocation_id, .result = &result };
        result = iswi_azure_failure(&exception, text);
    }
    iswi_azure_say(call->azure, &message);
    bury(call);
}
