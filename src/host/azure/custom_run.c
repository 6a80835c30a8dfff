/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of functions that no HTTP request triggers: messages and runs of timers as those of somebody
 * else's queues and clock, and functions that are called by their names with any value. */
#include "base/clock.h"
#include "host/azure/custom_call.h"
#include "host/engine/call.h"
#include "host/queue/foreign.h"
#include "host/timer/foreign.h"
#include "value/value.h"

static isw_str their_id(const iswi_custom_call *call)
{
    const isw_http *data = iswi_http_request_data(call->request);
    const isw_str *id = isw_pairs_find(&data->headers, "x-azure-functions-invocationid");

    return id ? *id : (isw_str){ NULL, 0 };
}

/* A function's own words are for its operator. */
static void fail(iswi_custom_call *call, const iswi_answer *answer)
{
    int status = answer->outcome == ISW_OUTCOME_RETRY_LATER ? 503 : isw_status_http(answer->status);

    if (answer->moved)
        iswi_custom_refuse(call, 503, "The function is another now; try again.");
    else
        iswi_custom_refuse(call, status >= 400 ? status : 500,
                           answer->held ? NULL : answer->message.data);
}

static void on_end(void *user, const iswi_answer *answer)
{
    iswi_custom_call *call = user;

    if (answer->outcome == ISW_OUTCOME_SUCCESS)
        iswi_custom_answer(call, &answer->result);
    else
        fail(call, answer);
    iswi_answer_release(answer->held);
}

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    (void)invocation_id;
    on_end(user, answer);
}

/* -- Queues ------------------------------------------------------------------------------------ */

/* As JSON, since it is gone after this. */
static void on_result(void *user, const isw_value *result)
{
    iswi_custom_call *call = user;
    isw_str text;

    call->result = isw_value_bytes(NULL, 0);
    if (iswi_json_write(&call->arena, result, &text, NULL) == ISW_OK)
        call->result = (isw_value){ .type = ISW_VALUE_JSON, .as.string = text };
    else
        iswi_function_say(call->function, ISW_LOG_WARNING, call->invocation_id, their_id(call),
                          "its result, of the type %s, is lost: it cannot be JSON",
                          isw_value_type_name(result->type));
}

/* There is but one message. */
static void on_settled(void *user, const iswi_settlement *settlements, size_t count)
{
    iswi_custom_call *call = user;

    (void)count;
    if (settlements->verdict == ISWI_VERDICT_COMPLETE)
        iswi_custom_answer(call, &call->result);
    else
        iswi_custom_refuse(call, 500, "The function failed, or has said that its message is not done with.");
}

static void run_message(iswi_custom_call *call)
{
    iswi_delivery *message = call->message;
    const iswi_foreign_messages messages = { .items = &message,
                                             .count = 1,
                                             .more = &call->metadata,
                                             .max_attempts = (unsigned)call->retry.max,
                                             .request_id = their_id(call),
                                             .invocation_id = call->invocation_id,
                                             .result = on_result,
                                             .settled = on_settled,
                                             .user = call };

    call->message = NULL; /* the call's own from here on */
    iswi_queue_foreign_begin(call->custom->host, iswi_host_entry(call->function), &messages);
}

/* -- The others -------------------------------------------------------------------------------- */

/* When it was due is not told; it is about now. */
static void run_timer(iswi_custom_call *call)
{
    const iswi_foreign_run run = { .scheduled_s = iswi_wall_us() / 1000000,
                                   .request_id = their_id(call),
                                   .invocation_id = call->invocation_id,
                                   .answer = on_end,
                                   .user = call };

    iswi_timer_foreign_begin(call->custom->host, iswi_host_entry(call->function), &run);
}

void iswi_custom_run(iswi_custom_call *call)
{
    iswi_call one = { .function = call->function,
                      .trigger = call->trigger,
                      .trigger_metadata = call->metadata,
                      .retry = call->retry,
                      .request_id = their_id(call),
                      .answer = on_answer,
                      .user = call };

    if (call->message) {
        run_message(call);
    } else if (strcmp(call->type, "timer") == 0) {
        run_timer(call);
    } else {
        memcpy(one.invocation_id, call->invocation_id, sizeof one.invocation_id);
        iswi_call_start(call->custom->host, &one);
    }
}
