/* SPDX-License-Identifier: Apache-2.0 */
/* What functions put out: kept until their call ends well, and then a part of its answer. */
#include "base/alloc.h"
#include "base/base64.h"
#include "host/azure/custom_call.h"
#include "host/engine/log.h"
#include "host/sinks/sinks.h"
#include "value/value.h"

#include <stddef.h>

/* What one call puts out. */
typedef struct outbox {
    iswi_outbox box; /* first */
    iswi_azure_custom *custom;
    char invocation_id[33];
    iswi_custom_output *outputs, **end;
} outbox;

static void destroy_output(iswi_custom_output *output)
{
    iswi_buffer_fini(&output->values);
    iswi_free(output->name);
    iswi_free(output);
}

static void drop(iswi_outbox *of)
{
    outbox *box = (outbox *)of;
    iswi_custom_output *output;

    while ((output = box->outputs) != NULL) {
        box->outputs = output->next;
        destroy_output(output);
    }
    iswi_free(box);
}

/* To those of the call; of one name they are one output, also where several calls are parts of it. With
 * the lock. */
static void join(iswi_custom_call *call, iswi_custom_output *output)
{
    iswi_custom_output *same = call->outputs;

    output->next = NULL;
    while (same && strcmp(same->name, output->name) != 0)
        same = same->next;
    if (!same) {
        *call->outputs_end = output;
        call->outputs_end = &output->next;
        return;
    }
    iswi_buffer_append(&same->values, ",", 1);
    iswi_buffer_append(&same->values, output->values.data, output->values.size);
    same->values.failed = same->values.failed || output->values.failed;
    same->count += output->count;
    destroy_output(output);
}

/* It is durable with the answer, or that fails. */
static void put(iswi_outbox *of, iswi_outbox_done_fn done, void *user)
{
    outbox *box = (outbox *)of;
    isw_error error = { ISW_OK, "" };
    iswi_custom_call *call;

    pthread_mutex_lock(&box->custom->lock);
    call = iswi_custom_call_find(box->custom, isw_str_of(box->invocation_id));
    for (iswi_custom_output *next; call && box->outputs; box->outputs = next) {
        next = box->outputs->next;
        join(call, box->outputs);
    }
    pthread_mutex_unlock(&box->custom->lock);
    if (!call)
        isw_error_set(&error, ISW_E_UNSUPPORTED,
                      "a request that the Azure Functions host forwards has no outputs there: it does "
                      "so where function.json has none but \"http\"");
    drop(of);
    done(user, &error);
}

static outbox *create(iswi_azure_custom *custom, const char *invocation_id)
{
    outbox *box = iswi_calloc(1, sizeof *box);

    if (!box)
        return NULL;
    box->box = (iswi_outbox){ put, drop };
    box->custom = custom;
    box->end = &box->outputs;
    memcpy(box->invocation_id, invocation_id, sizeof box->invocation_id);
    return box;
}

/* That of the name; NULL: no memory. */
static iswi_custom_output *output_of(outbox *box, const char *name)
{
    iswi_custom_output *output = box->outputs;

    while (output && strcmp(output->name, name) != 0)
        output = output->next;
    if (output)
        return output;
    output = iswi_calloc(1, sizeof *output);
    if (!output || !(output->name = iswi_strdup(name))) {
        iswi_free(output);
        return NULL;
    }
    *box->end = output;
    box->end = &output->next;
    return output;
}

/* A message for a queue may say more of itself (isw_queue_put), which has no place there. */
static const isw_value *body_of(const iswi_azure_custom *custom, const iswi_sink_item *item)
{
    const iswi_about about = { item->function, item->invocation_id, { NULL, 0 } };
    const isw_value *options = iswi_custom_member(item->value, "$queue");
    const isw_value *body = iswi_custom_member(item->value, "body");

    if (!options || !body)
        return item->value;
    if (options->type == ISW_VALUE_MAP && options->as.map.count)
        iswi_say_of(custom->host, ISW_LOG_WARNING, &about,
                    "output %s of %s: the options of a message (id, key, delay, expiry, priority) "
                    "are lost, for which the Azure Functions host has no place", item->output,
                    item->function);
    return body;
}

/* As JSON; or its bytes as base64. */
static isw_status append(iswi_custom_output *output, const isw_value *value, bool bytes,
                         isw_error *error)
{
    iswi_arena arena;
    isw_str text;
    isw_bytes body = { NULL, 0 };
    const char *type;
    isw_status status = ISW_OK;

    iswi_arena_init(&arena, 1024);
    if (!bytes || !iswi_value_body(value, &body, &type)) {
        status = iswi_json_write(&arena, value, &text, error);
        if (status == ISW_OK)
            body = (isw_bytes){ text.data, text.size };
    }
    if (status == ISW_OK) {
        iswi_buffer_append(&output->values, ",", output->count++ ? 1 : 0);
        if (bytes) {
            iswi_buffer_append(&output->values, "\"", 1);
            iswi_base64_append(&output->values, body);
            iswi_buffer_append(&output->values, "\"", 1);
        } else {
            iswi_buffer_append(&output->values, body.data, body.size);
        }
    }
    iswi_arena_fini(&arena);
    return status;
}

static isw_status keep(iswi_azure_custom *custom, const iswi_sink_item *item, bool bytes,
                       iswi_outbox **of, isw_error *error)
{
    iswi_outbox **half = iswi_azure_box_there(of);
    iswi_custom_output *output = NULL;

    if (half && !*half)
        *half = (iswi_outbox *)create(custom, item->invocation_id);
    if (half && *half)
        output = output_of((outbox *)*half, item->output);
    if (!output)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for it");
    return append(output, body_of(custom, item), bytes, error);
}

static isw_status keep_value(void *self, const iswi_sink_item *item, iswi_outbox **of,
                             isw_error *error)
{
    return keep(self, item, false, of, error);
}

/* That host takes a text for base64 wherever it can be read so, and writes JSON anew: what is base64
 * arrives as it was, where a binding has bytes. */
static isw_status keep_bytes(void *self, const iswi_sink_item *item, iswi_outbox **of,
                             isw_error *error)
{
    return keep(self, item, true, of, error);
}

static isw_status open_sink(iswi_host *host, const iswi_sink_place *place, const void *properties,
                            void **self, isw_error *error)
{
    void *http;
    const iswi_trigger *first = iswi_host_trigger(host, 0, &http);

    (void)place;
    (void)properties;
    (void)error;
    *self = (char *)first - offsetof(iswi_azure_custom, http);
    return ISW_OK;
}

#define BYTES(name) { .type = (name), .open = open_sink, .keep = keep_bytes }

static const iswi_sink bytes[] = { BYTES("queue"), BYTES("blob"), BYTES("eventHub"),
                                   BYTES("serviceBus") };
static const iswi_sink any = { .type = "*", .open = open_sink, .keep = keep_value };

iswi_sink_list iswi_azure_custom_sinks(iswi_azure_custom *custom)
{
    const iswi_sink **at = custom->sinks;

    iswi_azure_sent_here(custom->sent_here);
    for (size_t i = 0; i < ISWI_AZURE_SENT_HERE; i++)
        *at++ = &custom->sent_here[i];
    *at++ = &iswi_sink_file;
    *at++ = &iswi_sink_log;
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++)
        *at++ = &bytes[i];
    *at++ = &any;
    *at = NULL;
    return custom->sinks;
}
