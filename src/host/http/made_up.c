/* SPDX-License-Identifier: Apache-2.0 */
/* A request that nobody has sent: what a function would see of one with these words. What would not
 * have led to it is refused, as the front does. */
#include "base/text.h"
#include "config/properties.h"
#include "host/http/instance.h"
#include "host/http/trace.h"
#include "url/fields.h"
#include "url/percent.h"
#include "url/route_pattern.h"

typedef struct making {
    const iswi_http_instance *trigger;
    const iswi_entry *entry;
    const iswi_made_up *event;
    iswi_route_pattern pattern;
    iswi_arena *arena;
    isw_http *out;
    isw_error *error;
} making;

static isw_status no_memory(const making *m)
{
    return isw_error_set(m->error, ISW_E_NO_MEMORY, "no memory for a request");
}

/* -- The line ---------------------------------------------------------------------------------- */

static isw_status set_method(const making *m)
{
    const char *methods = iswi_http_methods_of(m->entry);
    isw_str first = { methods, strcspn(methods, " ,") };

    m->out->method = m->event->method.size ? m->event->method
                     : first.size          ? first
                                           : isw_str_of("GET");
    if (!iswi_field_is_token(m->out->method) ||
        (first.size && !iswi_word_in(methods, m->out->method)))
        return isw_error_set(m->error, ISW_E_INVALID, "function %s takes %s, and not the method %.*s",
                             m->entry->name, first.size ? methods : "any method",
                             (int)m->out->method.size, m->out->method.data);
    return ISW_OK;
}

static isw_status refuse_param(const making *m, isw_str name)
{
    const char *known[ISWI_ROUTE_SEGMENTS_MAX + 1] = { NULL };
    size_t count = 0;
    isw_error own = { ISW_OK, "" };
    const char *wrong = iswi_arena_strndup(m->arena, name.data, name.size);

    for (size_t i = 0; i < m->pattern.count; i++) {
        const iswi_segment *segment = &m->pattern.segments[i];

        if (segment->kind != ISWI_SEGMENT_LITERAL)
            known[count++] =
                iswi_arena_strndup(m->arena, segment->text.data, segment->text.size);
    }
    iswi_properties_unknown("parameter", wrong ? wrong : "", "it has ", known, &own);
    return isw_error_set(m->error, ISW_E_INVALID, "the route of %s, \"%s\", has %s", m->entry->name,
                         iswi_http_route_of(m->entry), own.message);
}

static bool has_param(const making *m, isw_str name)
{
    for (size_t i = 0; i < m->pattern.count; i++)
        if (m->pattern.segments[i].kind != ISWI_SEGMENT_LITERAL &&
            isw_str_equal(m->pattern.segments[i].text, name))
            return true;
    return false;
}

static isw_status check_params(const making *m)
{
    const isw_pairs *given = &m->event->params;
    isw_str lacks = iswi_route_pattern_lacks(&m->pattern, given);

    for (size_t i = 0; i < given->count; i++)
        if (!has_param(m, given->items[i].name))
            return refuse_param(m, given->items[i].name);
    if (lacks.size)
        return isw_error_set(m->error, ISW_E_INVALID,
                             "the route of %s is \"%s\": say what stands there with the parameter "
                             "%.*s", m->entry->name, iswi_http_route_of(m->entry), (int)lacks.size,
                             lacks.data);
    return ISW_OK;
}

/* Path and query as a client would have sent them. */
static bool set_url(const making *m)
{
    const iswi_http_conditions *now = m->trigger->now;
    const char *prefix = now ? now->settings->prefix : "";
    const isw_pairs *query = &m->event->query;
    iswi_buffer url = { 0 };
    char *copy;

    iswi_buffer_printf(&url, "%s%s/", *prefix && *prefix != '/' ? "/" : "", prefix);
    iswi_route_pattern_path(&m->pattern, &m->event->params, &url);
    for (size_t i = 0; i < query->count; i++) {
        iswi_buffer_append_text(&url, i ? "&" : "?");
        iswi_percent_encode(query->items[i].name, "", &url);
        iswi_buffer_append_text(&url, "=");
        iswi_percent_encode(query->items[i].value, "", &url);
    }
    copy = url.failed ? NULL : iswi_arena_strndup(m->arena, (const char *)url.data, url.size);
    m->out->url = (isw_str){ copy, url.size };
    iswi_buffer_fini(&url);
    return copy != NULL;
}

/* -- Headers ----------------------------------------------------------------------------------- */

static isw_status set_headers(const making *m)
{
    const isw_pairs *given = &m->event->headers;
    isw_pair *pairs = iswi_arena_calloc(m->arena, given->count + 1, sizeof *pairs);
    size_t count = 0;

    if (!pairs)
        return no_memory(m);
    for (; count < given->count; count++) {
        const isw_pair *pair = &given->items[count];
        char *name = iswi_arena_strndup(m->arena, pair->name.data, pair->name.size);

        if (!name)
            return no_memory(m);
        if (!iswi_field_is_token(pair->name) || !iswi_field_is_value(pair->value))
            return isw_error_set(m->error, ISW_E_INVALID, "no request can have the header \"%s\" "
                                 "of that value", name);
        pairs[count] = (isw_pair){ isw_str_of(iswi_lower_case(name)), pair->value };
    }
    if (m->event->content_type.size && !isw_pairs_find(given, "content-type"))
        pairs[count++] = (isw_pair){ isw_str_of("content-type"), m->event->content_type };
    m->out->headers = (isw_pairs){ pairs, count };
    return ISW_OK;
}

isw_status iswi_http_make_up(void *self, const iswi_entry *entry, const iswi_made_up *event,
                             iswi_arena *arena, iswi_call *call, isw_error *error)
{
    const iswi_http_dialect *dialect = iswi_http_dialect_of(entry);
    isw_http *out = iswi_arena_calloc(arena, 1, sizeof *out);
    making m = { self, entry, event, { .count = 0 }, arena, out, error };

    if (!out)
        return no_memory(&m);
    if (iswi_route_pattern_parse(iswi_http_route_of(entry), &m.pattern, error) != ISW_OK ||
        check_params(&m) != ISW_OK || set_method(&m) != ISW_OK || set_headers(&m) != ISW_OK)
        return error->status;
    if (!set_url(&m))
        return no_memory(&m);
    out->params = event->params;
    out->query = event->query;
    out->body = isw_value_payload(&event->data);
    out->client = isw_str_of("127.0.0.1");
    call->trigger = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = out };
    call->trace = iswi_trace_of(out, arena);
    return dialect ? dialect->make_up(arena, call, error) : ISW_OK;
}
