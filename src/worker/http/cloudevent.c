/* SPDX-License-Identifier: Apache-2.0 */
/* Events as the host tells of them, and as it is told of those to send: PROTOCOL.md, section 19. */
#include "value/value.h"
#include "worker/context/failure.h"

#include <isoworker/cloudevent.h>
#include <isoworker/http.h>
#include <isoworker/stream.h>

#include <stddef.h>

enum { ATTRIBUTES = 7, SENT = ATTRIBUTES + 2 /* specversion and data */ };

static const struct {
    const char *name;
    size_t offset;
} attributes[ATTRIBUTES] = {
    { "id", offsetof(isw_cloudevent, id) },
    { "source", offsetof(isw_cloudevent, source) },
    { "type", offsetof(isw_cloudevent, type) },
    { "subject", offsetof(isw_cloudevent, subject) },
    { "time", offsetof(isw_cloudevent, time) },
    { "datacontenttype", offsetof(isw_cloudevent, data_content_type) },
    { "dataschema", offsetof(isw_cloudevent, data_schema) },
};

/* -- Getting ----------------------------------------------------------------------------------- */

/* Whether it is one of those that have a place of their own. */
static bool take(const isw_named_value *member, isw_cloudevent *out)
{
    for (size_t i = 0; i < ATTRIBUTES; i++)
        if (isw_str_equal(member->name, isw_str_of(attributes[i].name))) {
            if (member->value.type == ISW_VALUE_STRING)
                *(isw_str *)((char *)out + attributes[i].offset) = member->value.as.string;
            return true;
        }
    return isw_str_equal(member->name, isw_str_of("specversion"));
}

isw_status isw_cloudevent_get(isw_context *ctx, isw_cloudevent *out)
{
    ISWI_ALIVE(ctx);
    const isw_value *told = isw_context_trigger_metadata(ctx, "cloudevent");
    const isw_http *request = isw_http_request(ctx);
    isw_named_value *others;

    *out = (isw_cloudevent){ .data = isw_value_none() };
    if (!told || told->type != ISW_VALUE_MAP || !request)
        return iswi_misuse(ctx, ISW_E_NOT_FOUND,
                           "there is no event: the function's trigger is of another type");
    others = isw_context_alloc(ctx, (told->as.map.count + 1) * sizeof *others);
    if (!others)
        return ISW_E_NO_MEMORY;
    out->extensions.items = others;
    for (size_t i = 0; i < told->as.map.count; i++)
        if (!take(&told->as.map.items[i], out))
            others[out->extensions.count++] = told->as.map.items[i];
    if (request->body.size)
        out->data = iswi_body_by_type(request->body, out->data_content_type);
    return ISW_OK;
}

/* -- Sending ----------------------------------------------------------------------------------- */

isw_status isw_cloudevent_put(isw_context *ctx, const char *output, const isw_cloudevent *event)
{
    isw_named_value *members;
    isw_value value;
    size_t count = 0;

    ISWI_ALIVE(ctx);
    if (iswi_needs(ctx, __func__, "event", event) != ISW_OK)
        return ISW_E_INVALID;
    members = isw_context_alloc(ctx, (SENT + event->extensions.count) * sizeof *members);
    if (!members)
        return ISW_E_NO_MEMORY;
    members[count++] = isw_named("specversion", isw_value_string("1.0"));
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        const isw_str *text = (const isw_str *)((const char *)event + attributes[i].offset);

        if (text->size)
            members[count++] = isw_named(attributes[i].name, isw_value_text(*text));
    }
    for (size_t i = 0; i < event->extensions.count; i++)
        members[count++] = event->extensions.items[i];
    if (event->data.type != ISW_VALUE_NONE)
        members[count++] = isw_named("data", event->data);
    value = isw_value_map(members, count);
    return isw_context_emit(ctx, output, &value);
}
