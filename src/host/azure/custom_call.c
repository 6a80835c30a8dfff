/* SPDX-License-Identifier: Apache-2.0 */
/* Calls by the contract, from their request until the answer is written, and who finds them. */
#include "host/azure/custom_call.h"

#include "base/alloc.h"
#include "base/text.h"
#include "host/engine/look.h"

iswi_custom_call *iswi_custom_call_create(iswi_azure_custom *custom,
                                          iswi_host_function *function,
                                          iswi_http_request *request)
{
    iswi_custom_call *call = iswi_calloc(1, sizeof *call);
    iswi_function_look look;

    if (!call)
        return NULL;
    iswi_function_look_at(function, &look);
    call->custom = custom;
    call->function = function;
    call->type = look.trigger_type;
    call->request = request;
    call->outputs_end = &call->outputs;
    iswi_arena_init(&call->arena, 4096);
    iswi_call_name(custom->host, call->invocation_id);
    return call;
}

void iswi_custom_call_destroy(iswi_custom_call *call)
{
    iswi_custom_output *output;

    while ((output = call->outputs) != NULL) {
        call->outputs = output->next;
        iswi_buffer_fini(&output->values);
        iswi_free(output->name);
        iswi_free(output);
    }
    iswi_delivery_free(call->message);
    iswi_buffer_fini(&call->logs);
    iswi_buffer_fini(&call->body);
    iswi_buffer_fini(&call->answer);
    iswi_arena_fini(&call->arena);
    iswi_free(call);
}

/* The last digits count up. */
static iswi_custom_call **bucket_of(iswi_azure_custom *custom, isw_str invocation_id)
{
    unsigned hash = 0;

    for (size_t i = 0; i < invocation_id.size; i++)
        hash = hash * 31 + (unsigned char)invocation_id.data[i];
    return &custom->running[hash % ISWI_CUSTOM_BUCKETS];
}

void iswi_custom_call_enter(iswi_custom_call *call)
{
    iswi_custom_call **bucket = bucket_of(call->custom, isw_str_of(call->invocation_id));

    pthread_mutex_lock(&call->custom->lock);
    call->same = *bucket;
    *bucket = call;
    pthread_mutex_unlock(&call->custom->lock);
}

void iswi_custom_call_leave(iswi_custom_call *call)
{
    iswi_custom_call **at = bucket_of(call->custom, isw_str_of(call->invocation_id));

    pthread_mutex_lock(&call->custom->lock);
    while (*at && *at != call)
        at = &(*at)->same;
    if (*at)
        *at = call->same;
    pthread_mutex_unlock(&call->custom->lock);
}

iswi_custom_call *iswi_custom_call_find(iswi_azure_custom *custom, isw_str invocation_id)
{
    iswi_custom_call *call = *bucket_of(custom, invocation_id);

    while (call && !isw_str_equal(isw_str_of(call->invocation_id), invocation_id))
        call = call->same;
    return call;
}

void iswi_custom_keep_line(iswi_azure_custom *custom, isw_str invocation_id, isw_str line)
{
    iswi_custom_call *call;

    pthread_mutex_lock(&custom->lock);
    call = iswi_custom_call_find(custom, invocation_id);
    if (call && call->logs.size + line.size > ISWI_CUSTOM_LOGS_MAX) {
        call->lines_left_out++;
    } else if (call) {
        if (call->logs.size)
            iswi_buffer_append(&call->logs, ",", 1);
        iswi_json_string(&call->logs, line);
    }
    pthread_mutex_unlock(&custom->lock);
}
