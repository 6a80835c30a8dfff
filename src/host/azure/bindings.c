/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A function's trigger, inputs and outputs as the Azure Functions host wants them: an object of
 * JSON each, as in a function.json. Our own types get the names and members that they have there;
 * what has none of ours goes as it is.
 */
#include "base/text.h"
#include "config/scalar.h"
#include "host/azure/internal.h"
#include "host/azure/names.h"
#include "host/engine/look.h"

#include <stdio.h>
#include <stdlib.h>

enum { TYPE_BYTES = 160, SECOND_MS = 1000, MINUTE_S = 60, HOUR_S = 3600 };

#define CONNECTION "AzureWebJobsStorage"

/* -- Members ----------------------------------------------------------------------------------- */

static void begin(iswi_buffer *out, isw_str name, const char *type, const char *direction)
{
    char called[ISWI_AZURE_NAME_BYTES];

    iswi_azure_binding_name(name, called);
    iswi_buffer_printf(out, "{\"name\":\"%s\"", called);
    iswi_buffer_append_text(out, ",\"type\":");
    iswi_json_string(out, isw_str_of(type));
    iswi_buffer_printf(out, ",\"direction\":\"%s\"", direction);
}

static void put(iswi_buffer *out, const char *name, isw_str value)
{
    iswi_buffer_printf(out, ",\"%s\":", name);
    iswi_json_string(out, value);
}

static isw_str find(const isw_pairs *pairs, const char *name)
{
    const isw_str *value = isw_pairs_find(pairs, name);

    return value ? *value : (isw_str){ NULL, 0 };
}

/* Members that we have no word for. */
static void put_rest(iswi_buffer *out, const isw_pairs *pairs, const char *but)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (but && isw_str_equal(pairs->items[i].name, isw_str_of(but)))
            continue;
        iswi_buffer_append_text(out, ",");
        iswi_json_string(out, pairs->items[i].name);
        iswi_buffer_append_text(out, ":");
        iswi_json_string(out, pairs->items[i].value);
    }
}

static void put_queue(iswi_buffer *out, isw_str queue, const isw_pairs *pairs)
{
    const isw_str connection = find(pairs, "connection");

    put(out, "queueName", queue);
    put(out, "connection", connection.size ? connection : isw_str_of(CONNECTION));
}

/* -- Triggers ---------------------------------------------------------------------------------- */

static void put_small(iswi_buffer *out, isw_str text)
{
    const size_t begin_at = out->size;

    if (iswi_buffer_append(out, text.data, text.size) && iswi_buffer_text(out))
        iswi_lower_case((char *)out->data + begin_at);
}

/* "GET POST" as a list. */
static void put_methods(iswi_buffer *out, isw_str methods)
{
    const char *separator = ",\"methods\":[\"";
    size_t at = 0;

    while (at < methods.size) {
        size_t begin_at = at;

        while (at < methods.size && methods.data[at] != ' ' && methods.data[at] != ',')
            at++;
        if (at > begin_at) {
            iswi_buffer_append_text(out, separator);
            put_small(out, (isw_str){ methods.data + begin_at, at - begin_at });
            separator = "\",\"";
        }
        at++;
    }
    iswi_buffer_append_text(out, *separator == ',' ? "" : "\"]");
}

/* Who may call is for the function's own chain to see to, as under any host: a worker says it where
 * there is nothing in the chain that does. */
static void put_http(iswi_buffer *out, const iswi_host_function *function,
                     const iswi_description *described)
{
    const isw_str *said = isw_pairs_find(&described->given, "route");
    isw_str route = said ? *said : isw_str_of(iswi_host_function_name(function));

    if (route.size && route.data[0] == '/')
        route = (isw_str){ route.data + 1, route.size - 1 };
    put(out, "authLevel", isw_str_of("anonymous"));
    put(out, "route", route);
    put_methods(out, strcmp(described->trigger_type, "http") == 0
                         ? find(&described->given, "methods")
                         : isw_str_of(ISWI_AZURE_EVENT_METHODS));
}

/* What a schedule of ours is called there; NULL: the same. */
static const char *schedule_of(isw_str schedule, char out[TYPE_BYTES])
{
    static const char *const names[][2] = {
        { "@yearly", "0 0 0 1 1 *" },  { "@annually", "0 0 0 1 1 *" },
        { "@monthly", "0 0 0 1 * *" }, { "@weekly", "0 0 0 * * 0" },
        { "@daily", "0 0 0 * * *" },   { "@midnight", "0 0 0 * * *" },
        { "@hourly", "0 0 * * * *" },
    };
    int64_t ms;
    long s;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (isw_str_equal(schedule, isw_str_of(names[i][0])))
            return names[i][1];
    snprintf(out, TYPE_BYTES, "%.*s", (int)schedule.size, schedule.data);
    if (strncmp(out, "@every ", 7) != 0 || iswi_scalar_duration(out + 7, &ms))
        return NULL;
    s = (long)(ms / SECOND_MS);
    snprintf(out, TYPE_BYTES, "%02ld:%02ld:%02ld", s / HOUR_S, s / MINUTE_S % MINUTE_S,
             s % MINUTE_S);
    return out;
}

static void put_timer(iswi_buffer *out, const isw_pairs *pairs)
{
    const isw_str schedule = find(pairs, "schedule");
    char text[TYPE_BYTES];
    const char *other = schedule_of(schedule, text);

    put(out, "schedule", other ? isw_str_of(other) : schedule);
    if (isw_str_equal(find(pairs, "run_on_startup"), isw_str_of("true")))
        iswi_buffer_append_text(out, ",\"runOnStartup\":true");
}

/* "blob" as "blobTrigger". */
static void name_trigger(const char *type, char out[TYPE_BYTES])
{
    const size_t size = strlen(type);
    const bool named =
        size >= 7 && isw_str_equal_nocase(isw_str_of(type + size - 7), isw_str_of("trigger"));

    snprintf(out, TYPE_BYTES, "%s%s", type, named ? "" : "Trigger");
}

static void put_trigger(iswi_buffer *out, const iswi_host_function *function,
                        const iswi_description *described)
{
    const isw_pairs *pairs = &described->given;
    const isw_str queue = find(pairs, "queue");
    char type[TYPE_BYTES];

    name_trigger(iswi_azure_is_http(function) ? "http" : described->trigger_type, type);
    begin(out, isw_str_of(described->trigger_binding), type, "in");
    if (iswi_azure_is_http(function))
        put_http(out, function, described);
    else if (strcmp(described->trigger_type, "timer") == 0)
        put_timer(out, pairs);
    else if (strcmp(described->trigger_type, "queue") == 0)
        put_queue(out, queue.size ? queue : isw_str_of(iswi_host_function_name(function)), pairs);
    else
        put_rest(out, pairs, NULL);
    iswi_buffer_append_text(out, "}");
}

/* -- Inputs and outputs ------------------------------------------------------------------------ */

static void put_binding(iswi_buffer *out, const iswi_wire_binding *binding)
{
    static const char *const directions[] = { "in", "out", "inout" };
    char type[TYPE_BYTES];

    snprintf(type, sizeof type, "%.*s", (int)binding->type.size, binding->type.data);
    begin(out, binding->name, type, directions[binding->direction <= 2 ? binding->direction : 0]);
    if (strcmp(type, "queue") == 0)
        put_queue(out, find(&binding->properties, "queue"), &binding->properties);
    else
        put_rest(out, &binding->properties, NULL);
    iswi_buffer_append_text(out, "}");
}

/* Whether it is done here, and the Azure Functions host is not to hear of it. */
static bool is_ours(const iswi_wire_binding *binding)
{
    char type[TYPE_BYTES];

    snprintf(type, sizeof type, "%.*s", (int)binding->type.size, binding->type.data);
    return binding->direction != 0 && iswi_azure_stays_here(type);
}

bool iswi_azure_is_http(const iswi_host_function *function)
{
    return iswi_azure_comes_by_http(iswi_function_description(function)->trigger_type);
}

/* What was written, as one more of the list. */
static bool take(iswi_buffer *text, iswi_arena *arena, isw_str *items, size_t *count)
{
    const char *copy =
        text->failed ? NULL : iswi_arena_strndup(arena, (const char *)text->data, text->size);

    items[*count] = (isw_str){ copy, text->size };
    ++*count;
    iswi_buffer_reset(text);
    return copy != NULL;
}

bool iswi_azure_bindings(const iswi_host_function *function, iswi_arena *arena,
                         iswi_proto_list *out)
{
    const iswi_description *described = iswi_function_description(function);
    isw_str *items = iswi_arena_calloc(arena, described->binding_count + 2, sizeof *items);
    iswi_buffer text = { 0 };
    size_t count = 0;
    bool whole = items != NULL;

    if (whole) {
        put_trigger(&text, function, described);
        whole = take(&text, arena, items, &count);
    }
    if (whole && iswi_azure_is_http(function)) {
        iswi_buffer_append_text(&text, "{\"name\":\"$return\",\"type\":\"http\","
                                       "\"direction\":\"out\"}");
        whole = take(&text, arena, items, &count);
    }
    for (size_t i = 0; whole && i < described->binding_count; i++) {
        if (is_ours(&described->bindings[i]))
            continue;
        put_binding(&text, &described->bindings[i]);
        whole = take(&text, arena, items, &count);
    }
    iswi_buffer_fini(&text);
    *out = (iswi_proto_list){ items, count };
    return whole;
}

/* -- Retries ----------------------------------------------------------------------------------- */

static const iswi_rpc_duration *duration(const isw_pairs *pairs, const char *name,
                                         const char *standard, iswi_arena *arena)
{
    const isw_str *text = isw_pairs_find(pairs, name);
    iswi_rpc_duration *out = iswi_arena_calloc(arena, 1, sizeof *out);
    int64_t ms = 0;

    if (!out || iswi_scalar_duration(text && text->size ? text->data : standard, &ms))
        return NULL;
    out->seconds = ms / SECOND_MS;
    out->nanos = (int32_t)(ms % SECOND_MS * 1000000);
    return out;
}

/* Of a timer that has its runs tried again when they fail; messages are the queue's to bring again,
 * as its settings in host.json say. */
const iswi_rpc_retry_options *iswi_azure_retries(const iswi_host_function *function,
                                                 iswi_arena *arena)
{
    const iswi_description *described = iswi_function_description(function);
    const isw_pairs *pairs = &described->given;
    const isw_str kind = find(pairs, "retry");
    const isw_str attempts = find(pairs, "attempts");
    iswi_rpc_retry_options *out;

    if (strcmp(described->trigger_type, "timer") != 0 || !kind.size ||
        isw_str_equal(kind, isw_str_of("none")))
        return NULL;
    out = iswi_arena_calloc(arena, 1, sizeof *out);
    if (!out)
        return NULL;
    out->max_retry_count = attempts.size ? atoi(attempts.data) - 1 : 4;
    out->strategy = isw_str_equal(kind, isw_str_of("fixed"));
    if (out->strategy) {
        out->delay = duration(pairs, "retry_delay", "10s", arena);
    } else {
        out->least = duration(pairs, "retry_delay", "10s", arena);
        out->most = duration(pairs, "retry_delay_max", "5m", arena);
    }
    return out;
}
