/* SPDX-License-Identifier: Apache-2.0 */
/* Events that a function gets as their JSON, and whose result goes back as JSON. */
#include "host/lambda/internal.h"

#include "value/value.h"

#include <stdio.h>

/* What a function that answers as if to HTTP has to say is its body. */
static const isw_value *result_of(const iswi_answer *answer, isw_value *body)
{
    const isw_http *http = answer->result.as.http;

    if (answer->result.type != ISW_VALUE_HTTP)
        return &answer->result;
    *body = isw_value_text((isw_str){ http->body.data, http->body.size });
    return body;
}

static void tell_result(iswi_lambda_slot *slot, const isw_value *result)
{
    isw_error error = { ISW_OK, "" };
    isw_str text;

    if (iswi_json_write(&slot->arena, result, &text, &error) != ISW_OK) {
        iswi_lambda_slot_fail(slot, "Function.InvalidResult", isw_str_of(error.message));
        return;
    }
    iswi_buffer_append(&slot->out, text.data, text.size);
    iswi_lambda_slot_settle(slot);
}

void iswi_lambda_answered(void *user, const char *invocation_id, const iswi_answer *answer)
{
    iswi_lambda_slot *slot = user;
    isw_value body;
    char type[64];

    if (answer->outcome == ISW_OUTCOME_SUCCESS) {
        tell_result(slot, result_of(answer, &body));
    } else {
        if (slot->entry && !answer->held) /* else its worker has said it */
            iswi_function_say(slot->entry->function, ISW_LOG_ERROR, invocation_id,
                              slot->invocation.id, "%.*s", (int)answer->message.size,
                              answer->message.size ? answer->message.data : "");
        iswi_lambda_failure_type(answer->status, type);
        iswi_lambda_slot_fail(slot, type, answer->message);
    }
    iswi_answer_release(answer->held);
}

void iswi_lambda_plain_begin(iswi_lambda_slot *slot)
{
    iswi_call call = { .function = slot->entry->function,
                       .trigger_metadata = iswi_lambda_metadata(slot, NULL),
                       .trace = { .parent = slot->invocation.parent },
                       .request_id = slot->invocation.id,
                       .deadline_ns = slot->invocation.deadline_ns,
                       .answer = iswi_lambda_answered,
                       .user = slot };

    call.trigger = isw_value_text((isw_str){ (const char *)slot->text.data, slot->text.size });
    call.trigger.type = ISW_VALUE_JSON;
    iswi_call_start(slot->lambda->host, &call);
}
