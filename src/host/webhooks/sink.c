/* SPDX-License-Identifier: Apache-2.0 */
/* An output of the type "http": any value is the body of a request. */
#include "host/engine/look.h"
#include "host/queue/queue.h"
#include "host/webhooks/internal.h"
#include "host/webhooks/request.h"

#include <stddef.h>

enum { BLOCK_BYTES = 1024 };

/* -- Opening ----------------------------------------------------------------------------------- */

/* NULL: the host is one that sends nothing. */
static iswi_sender *sender_of(const iswi_host *host)
{
    for (size_t i = 0; i < iswi_host_trigger_count(host); i++) {
        void *self;

        if (iswi_host_trigger(host, i, &self) == &iswi_webhooks_trigger)
            return self;
    }
    return NULL;
}

/* Where it goes, and what that is called, in the arena. */
static isw_status find_target(const iswi_webhooks_settings *settings, const iswi_sink_place *place,
                              const iswi_webhook_properties *properties, iswi_arena *arena,
                              const char **name, iswi_target *out, isw_error *error)
{
    *name = iswi_arena_printf(arena, "%s.%s", place->function, place->output);
    if (!*name)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for it");
    if (strlen(*name) > ISWI_QUEUE_NAME_MAX - (sizeof ISWI_QUEUE_OF_REQUESTS - 1))
        return isw_error_set(error, ISW_E_CONFIG,
                             "the names of function and output have more than %d bytes together",
                             ISWI_QUEUE_NAME_MAX - (int)(sizeof ISWI_QUEUE_OF_REQUESTS - 1) - 1);
    return iswi_target_make(settings, *name, properties, arena, out, error);
}

isw_status iswi_webhook_check(const iswi_sink_check *with,
                              const iswi_webhook_properties *properties, isw_error *error)
{
    const iswi_webhooks_settings *settings =
        iswi_host_settings_group(with->settings, with->groups, &iswi_webhooks_group);
    const char *name;
    iswi_target target;

    return find_target(settings, &with->place, properties, with->arena, &name, &target, error);
}

const char *iswi_webhook_queue(const iswi_sink_place *place, const void *properties,
                               iswi_arena *arena)
{
    (void)properties;
    return iswi_arena_printf(arena, ISWI_QUEUE_OF_REQUESTS "%s.%s", place->function, place->output);
}

isw_status iswi_webhook_open(iswi_host *host, const iswi_sink_place *place,
                             const iswi_webhook_properties *properties, iswi_endpoint **out,
                             isw_error *error)
{
    iswi_sender *sender = sender_of(host);
    iswi_endpoint *endpoint;
    iswi_target target;
    const char *name;

    if (!sender)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "this host sends no requests");
    if (find_target(sender->settings, place, properties, &sender->arena, &name, &target, error) !=
            ISW_OK ||
        iswi_sender_begin(sender, error) != ISW_OK)
        return error->status;
    endpoint = iswi_endpoint_set(sender, name, &target);
    if (!endpoint)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for it");
    *out = endpoint;
    return ISW_OK;
}

typedef struct sink_properties {
    iswi_webhook_properties request;
} sink_properties;

static const isw_option properties[] = { ISWI_WEBHOOK_ROWS(sink_properties, request), { 0 } };

static isw_status check_sink(const iswi_sink_check *with, const void *given, isw_error *error)
{
    return iswi_webhook_check(with, &((const sink_properties *)given)->request, error);
}

static isw_status open_sink(iswi_host *host, const iswi_sink_place *place, const void *given,
                            void **self, isw_error *error)
{
    const sink_properties *own = given;
    iswi_endpoint *endpoint;

    if (iswi_webhook_open(host, place, &own->request, &endpoint, error) != ISW_OK)
        return error->status;
    *self = endpoint;
    return ISW_OK;
}

/* -- Keeping ----------------------------------------------------------------------------------- */

/* It becomes the value of a header, and what is signed. */
static bool is_id(isw_str id)
{
    for (size_t i = 0; i < id.size; i++)
        if (id.data[i] <= ' ' || id.data[i] > '~')
            return false;
    return true;
}

static isw_status pack(const iswi_sink_item *item, const iswi_webhook_content *content,
                       iswi_arena *arena, iswi_queue_put *put, isw_error *error)
{
    isw_pair headers[ISWI_REQUEST_HEADERS_MAX];
    isw_pairs all = { headers, content->headers.count };

    if (content->headers.count >= ISWI_REQUEST_HEADERS_MAX)
        return isw_error_set(error, ISW_E_INVALID, "a request has at most %d headers",
                             ISWI_REQUEST_HEADERS_MAX - 1);
    if (all.count)
        memcpy(headers, content->headers.items, all.count * sizeof *headers);
    if (item->request_id.size)
        headers[all.count++] = (isw_pair){ isw_str_of("x-request-id"), item->request_id };
    return iswi_request_pack(&all, content->body, arena, &put->body, error);
}

isw_status iswi_webhook_keep(const iswi_endpoint *endpoint, const iswi_sink_item *item,
                             const iswi_webhook_content *content, iswi_outbox **box,
                             isw_error *error)
{
    iswi_queue_put put = { .queue = isw_str_of(endpoint->queue),
                           .content_type = isw_str_of(ISWI_REQUEST_TYPE),
                           .id = content->id,
                           .key = content->key,
                           .trace = item->trace,
                           .delay_ms = content->delay_ms,
                           .expires_ms = content->expires_ms,
                           .priority = content->priority };
    iswi_arena arena;
    isw_status status;

    if (!is_id(content->id))
        return isw_error_set(error, ISW_E_INVALID,
                             "the id of a request is made of visible characters of ASCII");
    iswi_arena_init(&arena, BLOCK_BYTES);
    status = pack(item, content, &arena, &put, error);
    if (status == ISW_OK)
        status = iswi_queue_outbox_add(endpoint->sender->broker, &put, box, error);
    if (status == ISW_OK)
        atomic_fetch_add(&endpoint->sender->quiet.kept, 1);
    iswi_arena_fini(&arena);
    return status;
}

/* Of an HTTP value: what it has of a request. */
static isw_status keep_http(const iswi_endpoint *endpoint, const iswi_sink_item *item,
                            iswi_outbox **box, isw_error *error)
{
    const isw_http *http = item->value->as.http;
    const iswi_webhook_content content = { .headers = http->headers, .body = http->body };

    return iswi_webhook_keep(endpoint, item, &content, box, error);
}

isw_status iswi_webhook_keep_value(void *self, const iswi_sink_item *item, iswi_outbox **box,
                                   isw_error *error)
{
    iswi_webhook_content content = { .priority = 0 };
    isw_pair type = { isw_str_of("content-type"), { NULL, 0 } };
    iswi_queue_put put;
    iswi_arena arena;
    isw_status status;

    if (item->value->type == ISW_VALUE_HTTP)
        return keep_http(self, item, box, error);
    iswi_arena_init(&arena, BLOCK_BYTES);
    status = iswi_queue_message(item->value, &arena, &put, error);
    if (status == ISW_OK) {
        type.value = put.content_type;
        content = (iswi_webhook_content){ .headers = { &type, type.value.size ? 1 : 0 },
                                          .body = put.body,
                                          .id = put.id,
                                          .key = put.key,
                                          .delay_ms = put.delay_ms,
                                          .expires_ms = put.expires_ms,
                                          .priority = put.priority };
        status = iswi_webhook_keep(self, item, &content, box, error);
    }
    iswi_arena_fini(&arena);
    return status;
}

const iswi_sink iswi_webhook_sink = {
    .type = "http",
    .properties = properties,
    .properties_size = sizeof(sink_properties),
    .check = check_sink,
    .open = open_sink,
    .keep = iswi_webhook_keep_value,
    .by_name = true,
    .settings = &iswi_webhooks_group,
    .queue = iswi_webhook_queue,
};
