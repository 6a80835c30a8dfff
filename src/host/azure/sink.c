/* SPDX-License-Identifier: Apache-2.0 */
/* What functions put out, whatever its type: the Azure Functions host gets it with the response,
 * and does with it what the binding says. */
#include "base/alloc.h"
#include "host/azure/outbox.h"
#include "host/sinks/sinks.h"
#include "value/copy.h"

/* -- A box ------------------------------------------------------------------------------------- */

static void drop(iswi_outbox *box)
{
    iswi_azure_outbox *own = (iswi_azure_outbox *)box;

    while (own) {
        iswi_azure_outbox *next = own->next;

        iswi_arena_fini(&own->arena);
        iswi_free(own->items);
        iswi_free(own);
        own = next;
    }
}

/* The Azure Functions host has it when it has the response: more is not known of it here. */
static void put(iswi_outbox *box, iswi_outbox_done_fn done, void *user)
{
    iswi_azure_outbox *own = (iswi_azure_outbox *)box;
    isw_error error = { ISW_OK, "" };

    if (!iswi_azure_put_out(own->azure, own->key, box)) {
        isw_error_set(&error, ISW_E_UNAVAILABLE,
                      "no invocation of the Azure Functions host takes it along");
        drop(box);
    }
    done(user, &error);
}

static iswi_azure_outbox *create(iswi_azure *azure, const char *key)
{
    iswi_azure_outbox *own = iswi_calloc(1, sizeof *own);

    if (!own)
        return NULL;
    own->box = (iswi_outbox){ put, drop };
    own->azure = azure;
    memcpy(own->key, key, strnlen(key, sizeof own->key - 1));
    iswi_arena_init(&own->arena, 1024);
    return own;
}

/* -- Values ------------------------------------------------------------------------------------ */

/* A map may say more of a message than a queue of others takes ("$queue", queue.h): its body is
 * what goes. */
static const isw_value *body_of(const isw_value *value)
{
    const isw_value *options = NULL;
    const isw_value *body = NULL;

    for (size_t i = 0; value->type == ISW_VALUE_MAP && i < value->as.map.count; i++) {
        const isw_named_value *one = &value->as.map.items[i];

        if (isw_str_equal(one->name, isw_str_of("$queue")))
            options = &one->value;
        else if (isw_str_equal(one->name, isw_str_of("body")))
            body = &one->value;
    }
    return options && body ? body : value;
}

/* A copy, of what is no scalar as JSON. */
static isw_status copy(iswi_azure_outbox *own, const isw_value *value, isw_value *out,
                       isw_error *error)
{
    iswi_rpc_data data;
    isw_value plain;

    if (iswi_azure_data(value, &own->arena, &data, error) != ISW_OK)
        return error->status;
    if (iswi_azure_value(&data, &own->arena, &plain) && iswi_value_copy(&own->arena, &plain, out))
        return ISW_OK;
    return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for it");
}

static isw_status keep(void *self, const iswi_sink_item *item, iswi_outbox **box, isw_error *error)
{
    iswi_outbox **half = iswi_azure_box_there(box);
    iswi_azure_outbox *own = half ? (iswi_azure_outbox *)*half : NULL;

    if (half && !own)
        own = create(self, item->invocation_id);
    if (!own)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for it");
    *half = &own->box;
    if (!iswi_grow(&own->items, &own->capacity, own->count, sizeof *own->items))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for it");
    if (copy(own, body_of(item->value), &own->items[own->count].value, error) != ISW_OK)
        return error->status;
    own->items[own->count++].name = item->output;
    return ISW_OK;
}

static isw_status open_sink(iswi_host *host, const iswi_sink_place *place, const void *properties,
                            void **self, isw_error *error)
{
    (void)place;
    (void)properties;
    *self = iswi_azure_of(host);
    return *self ? ISW_OK
                 : isw_error_set(error, ISW_E_UNSUPPORTED, "it has no Azure Functions host");
}

iswi_sink_list iswi_azure_sinks(iswi_azure *azure)
{
    static const iswi_sink sink = { .type = "*", .open = open_sink, .keep = keep };
    const iswi_sink **at = azure->sinks;

    iswi_azure_sent_here(azure->sent_here);
    for (size_t i = 0; i < ISWI_AZURE_SENT_HERE; i++)
        *at++ = &azure->sent_here[i];
    *at++ = &iswi_sink_file;
    *at++ = &iswi_sink_log;
    *at++ = &sink;
    *at = NULL;
    return azure->sinks;
}
