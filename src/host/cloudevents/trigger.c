/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as requests for functions: what mode they are in, whether they are events, and for whom. The
 * function is given an HTTP request, whatever the mode, so that its chain is one of HTTP: who calls is
 * known by headers.
 */
#include "base/alloc.h"
#include "base/text.h"
#include "host/cloudevents/cloudevents.h"
#include "host/cloudevents/internal.h"
#include "host/http/trigger.h"
#include "url/fields.h"
#include "value/value.h"

#include <stddef.h>
#include <stdio.h>

#define ROW(member, yaml, standard, text)                                                        \
    { .name = (yaml), .type = ISW_OPTION_STRING, .default_value = (standard),                    \
      .offset = offsetof(iswi_cloudevents_properties, member), .help = (text) }

static const isw_option property_rows[] = {
    { .name = "route", .type = ISW_OPTION_STRING, .optional = true,
      .offset = offsetof(iswi_cloudevents_properties, http.route),
      .help = "path behind the prefix; left out: the function's name" },
    ROW(types, "types", "*", "of events that it gets, patterns separated by spaces"),
    ROW(sources, "sources", "*", "likewise, where they come from"),
    ROW(origins, "origins", "*", "who may send events, of those that ask before they do (OPTIONS with "
                                 "WebHook-Request-Origin)"),
    { 0 },
};

static bool matches_one(const char *patterns, const char *text)
{
    char *list = iswi_strdup(patterns);
    bool matched = !list; /* what cannot be known is not to be lost */
    char *rest;

    for (char *at = list ? strtok_r(list, " ", &rest) : NULL; at && !matched;
         at = strtok_r(NULL, " ", &rest))
        matched = iswi_glob_match(at, text);
    iswi_free(list);
    return matched;
}

bool iswi_events_match(const char *patterns, isw_str text)
{
    char *copy;
    bool matched;

    if (strcmp(patterns, "*") == 0)
        return true;
    copy = iswi_alloc(text.size + 1);
    if (!copy)
        return true;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    matched = matches_one(patterns, copy);
    iswi_free(copy);
    return matched;
}

/* -- Answers of the host's own ----------------------------------------------------------------- */

static void refuse(iswi_http_request *request, const isw_error *why)
{
    iswi_events_refuse(request, isw_status_http(why->status), why->status, why->message);
}

static void answer(iswi_http_request *request, int status, const isw_pair *headers, size_t count)
{
    const isw_http response = { .status = status, .headers = { headers, count } };

    iswi_http_answer(request, &response, NULL, NULL);
}

/* An event that the function does not want is none that should come again. */
static bool is_wanted(const iswi_entry *entry, const iswi_event *event,
                      const iswi_http_request *request)
{
    const iswi_cloudevents_properties *properties = entry->properties;
    const isw_str type = iswi_event_text(event, "type");

    if (iswi_events_match(properties->types, type) &&
        iswi_events_match(properties->sources, iswi_event_text(event, "source")))
        return true;
    iswi_function_say(entry->function, ISW_LOG_DEBUG, "", iswi_http_request_id(request),
                      "does not want an event of the type %.*s", (int)type.size, type.data);
    return false;
}

/* -- OPTIONS ----------------------------------------------------------------------------------- */

/* Somebody asks whether events may be sent (HTTP 1.1 Web Hooks for Event Delivery, section 4). */
static void consent(const iswi_entry *entry, iswi_http_request *request, isw_str origin)
{
    const iswi_cloudevents_properties *properties = entry->properties;
    const isw_http *data = iswi_http_request_data(request);
    const isw_str *rate = isw_pairs_find(&data->headers, "webhook-request-rate");
    const isw_pair headers[] = { { isw_str_of("allow"), isw_str_of("POST, OPTIONS") },
                                 { isw_str_of("webhook-allowed-origin"), origin },
                                 { isw_str_of("webhook-allowed-rate"), isw_str_of("*") } };

    answer(request, 200, headers, !iswi_events_match(properties->origins, origin) ? 1 : rate ? 3 : 2);
}

static void on_options(iswi_host *host, const iswi_entry *entry, iswi_http_request *request)
{
    const isw_http *data = iswi_http_request_data(request);
    const isw_str *origin = isw_pairs_find(&data->headers, "webhook-request-origin");
    iswi_call call;

    if (origin) {
        consent(entry, request, *origin);
        return;
    }
    iswi_http_call_of(request, &call); /* a preflight, which its chain answers */
    iswi_http_call(host, request, &call);
}

/* -- Events ------------------------------------------------------------------------------------ */

static isw_status read_json(const isw_http *data, iswi_arena *arena, isw_value *out,
                            isw_error *error)
{
    if (isw_pairs_find(&data->headers, "content-encoding"))
        return isw_error_set(error, ISW_E_UNSUPPORTED,
                             "an event in structured mode is not read in a content encoding");
    return iswi_json_parse(arena, (isw_str){ data->body.data, data->body.size }, out, error);
}

static isw_status read_event(const isw_http *data, bool structured, iswi_arena *arena,
                             iswi_event *out, isw_error *error)
{
    isw_value map;

    if (!structured)
        return iswi_event_of_headers(data, arena, out, error);
    if (read_json(data, arena, &map, error) != ISW_OK)
        return error->status;
    return iswi_event_of_map(&map, arena, out, error);
}

static void on_event(iswi_host *host, const iswi_entry *entry, iswi_http_request *request,
                     bool structured)
{
    iswi_arena *arena = iswi_http_request_arena(request);
    isw_error error = { ISW_OK, "" };
    iswi_event event;
    iswi_call call;

    if (read_event(iswi_http_request_data(request), structured, arena, &event, &error) != ISW_OK) {
        refuse(request, &error);
        return;
    }
    if (!is_wanted(entry, &event, request)) {
        answer(request, 204, NULL, 0);
        return;
    }
    iswi_http_call_of(request, &call);
    if (iswi_event_fill(&event, !structured, arena, &call))
        iswi_http_call(host, request, &call);
    else
        iswi_events_refuse(request, 503, ISW_E_NO_MEMORY, "no memory for an event");
}

/* The calls of those that are wanted. Errors name the event. */
static isw_status fill_calls(const iswi_entry *entry, iswi_http_request *request,
                             const isw_value *list, iswi_call *calls, size_t *count,
                             isw_error *error)
{
    iswi_arena *arena = iswi_http_request_arena(request);

    for (size_t i = 0; i < list->as.array.count; i++) {
        isw_error own = { ISW_OK, "" };
        iswi_event event;

        if (iswi_event_of_map(&list->as.array.items[i], arena, &event, &own) != ISW_OK)
            return isw_error_set(error, own.status, "event %zu of the batch: %s", i, own.message);
        if (!is_wanted(entry, &event, request))
            continue;
        iswi_http_call_of(request, &calls[*count]);
        if (!iswi_event_fill(&event, false, arena, &calls[(*count)++]))
            return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a batch of events");
    }
    return ISW_OK;
}

static void on_batch(iswi_host *host, const iswi_entry *entry, iswi_http_request *request)
{
    iswi_arena *arena = iswi_http_request_arena(request);
    isw_error error = { ISW_OK, "" };
    iswi_call *calls = NULL;
    size_t count = 0;
    isw_value list;

    if (read_json(iswi_http_request_data(request), arena, &list, &error) == ISW_OK) {
        if (list.type != ISW_VALUE_ARRAY)
            isw_error_set(&error, ISW_E_INVALID, "a batch is to be an array of events");
        else if (list.as.array.count > ISWI_EVENTS_MAX)
            isw_error_set(&error, ISW_E_TOO_LARGE, "a batch has at most %d events",
                          ISWI_EVENTS_MAX);
        else if (!(calls = iswi_calloc(list.as.array.count + 1, sizeof *calls)))
            isw_error_set(&error, ISW_E_NO_MEMORY, "no memory for a batch of events");
        else
            fill_calls(entry, request, &list, calls, &count, &error);
    }
    if (error.status == ISW_OK && count) {
        iswi_batch_begin(host, entry, request, calls, count);
        return;
    }
    iswi_free(calls);
    if (error.status != ISW_OK)
        refuse(request, &error);
    else
        answer(request, 204, NULL, 0);
}

/* -- Requests ---------------------------------------------------------------------------------- */

typedef enum event_mode { MODE_BINARY, MODE_STRUCTURED, MODE_BATCH, MODE_UNKNOWN } event_mode;

static event_mode mode_of(const isw_http *data)
{
    static const char events[] = "application/cloudevents";
    const isw_str *header = isw_pairs_find(&data->headers, "content-type");
    isw_str rest = header ? *header : (isw_str){ "", 0 };
    const isw_str type = iswi_field_split(&rest, ';');

    if (iswi_field_equal(type, "application/cloudevents+json"))
        return MODE_STRUCTURED;
    if (iswi_field_equal(type, "application/cloudevents-batch+json"))
        return MODE_BATCH;
    return type.size >= sizeof events - 1 &&
                   iswi_field_equal((isw_str){ type.data, sizeof events - 1 }, events)
               ? MODE_UNKNOWN
               : MODE_BINARY;
}

static void on_request(iswi_host *host, const iswi_entry *entry, iswi_http_request *request)
{
    const isw_http *data = iswi_http_request_data(request);
    const event_mode mode = mode_of(data);

    if (isw_str_equal(data->method, isw_str_of("OPTIONS")))
        on_options(host, entry, request);
    else if (mode == MODE_BATCH)
        on_batch(host, entry, request);
    else if (mode == MODE_UNKNOWN)
        iswi_events_refuse(request, 415, ISW_E_UNSUPPORTED,
                           "Events in structured mode are read as application/cloudevents+json and "
                           "application/cloudevents-batch+json.");
    else
        on_event(host, entry, request, mode == MODE_STRUCTURED);
}

static isw_status make_up(iswi_arena *arena, iswi_call *call, isw_error *error)
{
    const isw_http *data = call->trigger.as.http;
    const event_mode mode = mode_of(data);
    isw_error own = { ISW_OK, "" };
    iswi_event event;

    if (mode == MODE_BATCH || mode == MODE_UNKNOWN)
        return isw_error_set(error, ISW_E_INVALID, "give it one event, of the type "
                                                   "application/cloudevents+json, or with ce- headers");
    if (read_event(data, mode == MODE_STRUCTURED, arena, &event, &own) != ISW_OK)
        return isw_error_set(error, own.status, "%s%s", own.message,
                             mode == MODE_BINARY ? "; say attributes by headers such as ce-id, or give an "
                                                   "event of the type application/cloudevents+json"
                                                 : "");
    return iswi_event_fill(&event, mode == MODE_BINARY, arena, call)
               ? ISW_OK
               : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for an event");
}

const iswi_http_dialect iswi_cloudevents_dialect = {
    .trigger = { .type = "cloudevents",
                 .title = "CloudEvents",
                 .properties = property_rows,
                 .properties_size = sizeof(iswi_cloudevents_properties),
                 .within = &iswi_http_trigger },
    .methods = "POST",
    .request = on_request,
    .make_up = make_up,
};
