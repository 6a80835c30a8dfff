/* SPDX-License-Identifier: Apache-2.0 */
/* An output of the type "cloudevents": values as events, sent as webhooks are. */
#include "base/alloc.h"
#include "base/clock.h"
#include "broker/driver.h"
#include "host/cloudevents/cloudevents.h"
#include "host/cloudevents/event.h"
#include "host/engine/look.h"
#include "host/queue/queue.h"
#include "host/webhooks/webhooks.h"

#include <stddef.h>
#include <stdio.h>
#include <time.h>

enum { BLOCK_BYTES = 2048, BINARY = 0, STAMP_BYTES = 32 };

typedef struct sink_properties {
    iswi_webhook_properties request;
    const char *type, *source;
    int64_t mode;
} sink_properties;

static const char *const modes[] = { "binary", "structured", NULL };

static const isw_option properties[] = {
    ISWI_WEBHOOK_ROWS(sink_properties, request),
    { .name = "type", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(sink_properties, type),
      .help = "of events that say none, such as com.example.order.paid" },
    { .name = "source", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(sink_properties, source),
      .help = "likewise; left out: /FUNCTION" },
    { .name = "mode", .type = ISW_OPTION_ENUM, .choices = modes, .default_value = "binary",
      .offset = offsetof(sink_properties, mode), .help = "how events travel" },
    { 0 },
};

typedef struct event_sink {
    const sink_properties *properties;
    iswi_endpoint *endpoint;
} event_sink;

static isw_status check_sink(const iswi_sink_check *with, const void *given, isw_error *error)
{
    return iswi_webhook_check(with, &((const sink_properties *)given)->request, error);
}

static isw_status open_sink(iswi_host *host, const iswi_sink_place *place, const void *given,
                            void **self, isw_error *error)
{
    const sink_properties *own = given;
    event_sink *sink = iswi_calloc(1, sizeof *sink);

    if (!sink)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for it");
    sink->properties = own;
    if (iswi_webhook_open(host, place, &own->request, &sink->endpoint, error) != ISW_OK) {
        iswi_free(sink);
        return error->status;
    }
    *self = sink;
    return ISW_OK;
}

/* -- Values as events -------------------------------------------------------------------------- */

static const isw_value *member(const isw_value *map, const char *name)
{
    for (size_t i = 0; map->type == ISW_VALUE_MAP && i < map->as.map.count; i++)
        if (isw_str_equal(map->as.map.items[i].name, isw_str_of(name)))
            return &map->as.map.items[i].value;
    return NULL;
}

/* A map that has a "specversion" is an event; anything else is the data of one. */
static isw_status take(const isw_value *value, iswi_arena *arena, iswi_event *event,
                       const isw_value **data, isw_error *error)
{
    static const isw_value version = { .type = ISW_VALUE_STRING, .as.string = { "1.0", 3 } };
    isw_status status = ISW_OK;

    if (!iswi_event_init(event, arena))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for an event");
    if (!member(value, "specversion")) {
        *data = value;
        return iswi_event_add(event, isw_str_of("specversion"), &version, error);
    }
    *data = member(value, "data");
    for (size_t i = 0; status == ISW_OK && i < value->as.map.count; i++)
        if (!isw_str_equal(value->as.map.items[i].name, isw_str_of("data")))
            status = iswi_event_add(event, value->as.map.items[i].name,
                                    &value->as.map.items[i].value, error);
    return status;
}

/* If it says nothing else. False: no memory. */
static isw_status set(iswi_event *event, const char *name, const char *text, isw_error *error)
{
    const isw_value value = text ? isw_value_string(text) : isw_value_none();

    return iswi_event_text(event, name).size
               ? ISW_OK
               : iswi_event_add(event, isw_str_of(name), &value, error);
}

static void stamp(char out[STAMP_BYTES])
{
    const int64_t now_us = iswi_wall_us();
    const time_t now_s = (time_t)(now_us / 1000000);
    struct tm parts;
    size_t size;

    gmtime_r(&now_s, &parts);
    size = strftime(out, STAMP_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + size, STAMP_BYTES - size, ".%03dZ", (int)(now_us / 1000 % 1000));
}

/* What it says nothing of: its texts are in the arena. */
static isw_status complete(const event_sink *sink, const iswi_sink_item *item, iswi_arena *arena,
                           iswi_event *event, isw_error *error)
{
    const char *source = sink->properties->source ? sink->properties->source
                                                  : iswi_arena_printf(arena, "/%s", item->function);
    char *id = iswi_arena_alloc(arena, ISWI_ULID_BYTES);
    char *time = iswi_arena_alloc(arena, STAMP_BYTES);

    if (!source || !id || !time)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for an event");
    iswi_ulid(iswi_wall_us() / 1000, id);
    stamp(time);
    if (set(event, "id", id, error) != ISW_OK || set(event, "source", source, error) != ISW_OK ||
        set(event, "type", sink->properties->type, error) != ISW_OK)
        return error->status;
    return set(event, "time", time, error);
}

static isw_status make(const event_sink *sink, const iswi_sink_item *item, const isw_value *value,
                       iswi_arena *arena, iswi_event *event, isw_error *error)
{
    const isw_value *data = NULL;
    iswi_queue_put body = { .priority = 0 };
    const char *type = NULL;

    if (take(value, arena, event, &data, error) != ISW_OK ||
        (data && data->type != ISW_VALUE_NONE &&
         iswi_queue_message(data, arena, &body, error) != ISW_OK))
        return error->status;
    event->data = body.body;
    if (body.content_type.size)
        type = iswi_arena_strndup(arena, body.content_type.data, body.content_type.size);
    if (set(event, "datacontenttype", type, error) != ISW_OK ||
        complete(sink, item, arena, event, error) != ISW_OK)
        return error->status;
    return iswi_event_check(event, error);
}

/* -- Keeping ----------------------------------------------------------------------------------- */

static isw_status write_event(const event_sink *sink, const iswi_event *event, iswi_arena *arena,
                              iswi_webhook_content *out, isw_error *error)
{
    static const isw_pair json = { { "content-type", 12 },
                                   { "application/cloudevents+json", 28 } };

    if (sink->properties->mode == BINARY) {
        out->body = event->data;
        return iswi_event_to_headers(event, arena, &out->headers)
                   ? ISW_OK
                   : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for an event");
    }
    out->headers = (isw_pairs){ &json, 1 };
    return iswi_event_to_json(event, arena, &out->body, error);
}

static isw_status keep(void *self, const iswi_sink_item *item, iswi_outbox **box, isw_error *error)
{
    const event_sink *sink = self;
    const isw_value *value = item->value;
    iswi_webhook_content content = { .priority = 0 };
    iswi_queue_put options;
    iswi_event event;
    iswi_arena arena;
    isw_status status;

    iswi_arena_init(&arena, BLOCK_BYTES);
    status = iswi_queue_unwrap(&value, &options, error);
    if (status == ISW_OK)
        status = make(sink, item, value, &arena, &event, error);
    if (status == ISW_OK)
        status = write_event(sink, &event, &arena, &content, error);
    if (status == ISW_OK) {
        content.id = options.id;
        content.key = options.key;
        content.delay_ms = options.delay_ms;
        content.expires_ms = options.expires_ms;
        content.priority = options.priority;
        status = iswi_webhook_keep(sink->endpoint, item, &content, box, error);
    }
    iswi_arena_fini(&arena);
    return status;
}

const iswi_sink iswi_cloudevents_sink = {
    .type = "cloudevents",
    .properties = properties,
    .properties_size = sizeof(sink_properties),
    .check = check_sink,
    .open = open_sink,
    .keep = keep,
    .close = iswi_free,
    .by_name = true,
    .settings = &iswi_webhooks_group,
    .queue = iswi_webhook_queue,
};
