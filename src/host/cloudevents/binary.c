/* SPDX-License-Identifier: Apache-2.0 */
/* Events in binary mode (HTTP Protocol Binding for CloudEvents 1.0.2, section 3.1). */
#include "base/text.h"
#include "host/cloudevents/event.h"
#include "url/percent.h"

static const char prefix[] = "ce-";

/* -- Reading ----------------------------------------------------------------------------------- */

/* There are senders that encode nothing (the JavaScript SDK, 10.0): a '%' that begins no escape is
 * itself. */
static isw_status decode(isw_str text, iswi_arena *arena, isw_value *out, isw_error *error)
{
    char *plain = iswi_arena_alloc(arena, text.size + 1);
    size_t size;

    if (!plain)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for an event");
    if (text.size >= 2 && text.data[0] == '"' && text.data[text.size - 1] == '"')
        text = (isw_str){ text.data + 1, text.size - 2 };
    if (!iswi_percent_valid(text)) {
        *out = isw_value_text(text);
        return ISW_OK;
    }
    size = iswi_percent_decode(text, false, plain);
    if (!iswi_utf8_valid(plain, size))
        return isw_error_set(error, ISW_E_INVALID, "is no text in percent-encoded UTF-8");
    *out = isw_value_text((isw_str){ plain, size });
    return ISW_OK;
}

static isw_status take(const isw_pair *header, iswi_arena *arena, iswi_event *out,
                       isw_error *error)
{
    const isw_str name = { header->name.data + sizeof prefix - 1,
                           header->name.size - (sizeof prefix - 1) };
    isw_error own = { ISW_OK, "" };
    isw_value value;

    if (isw_str_equal(name, isw_str_of("datacontenttype")))
        return ISW_OK; /* that is content-type */
    if (decode(header->value, arena, &value, &own) != ISW_OK)
        return isw_error_set(error, own.status, "ce-%.*s %s", name.size > 100 ? 100 : (int)name.size,
                             name.data, own.message);
    return iswi_event_add(out, name, &value, error);
}

static bool is_attribute(isw_str name)
{
    return name.size >= sizeof prefix - 1 && memcmp(name.data, prefix, sizeof prefix - 1) == 0;
}

isw_status iswi_event_of_headers(const isw_http *request, iswi_arena *arena, iswi_event *out,
                                 isw_error *error)
{
    const isw_str *type = isw_pairs_find(&request->headers, "content-type");
    isw_status status = ISW_OK;

    if (!iswi_event_init(out, arena))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for an event");
    for (size_t i = 0; status == ISW_OK && i < request->headers.count; i++)
        if (is_attribute(request->headers.items[i].name))
            status = take(&request->headers.items[i], arena, out, error);
    if (status == ISW_OK && type) {
        const isw_value value = isw_value_text(*type);

        status = iswi_event_add(out, isw_str_of("datacontenttype"), &value, error);
    }
    out->data = request->body;
    return status == ISW_OK ? iswi_event_check(out, error) : status;
}

/* -- Writing ----------------------------------------------------------------------------------- */

/* Space, '"' and '%' are encoded, and what is no ASCII. */
static const char *encode(const isw_value *value, iswi_arena *arena)
{
    static const char plain[] = "!#$&'()*+,/:;<=>?@[\\]^`{|}";
    iswi_buffer text = { 0 };
    const char *kept;

    if (value->type == ISW_VALUE_BOOL)
        return value->as.boolean ? "true" : "false";
    if (value->type == ISW_VALUE_INT)
        return iswi_arena_printf(arena, "%lld", (long long)value->as.integer);
    iswi_percent_encode(value->as.string, plain, &text);
    kept = text.failed ? NULL : iswi_arena_strndup(arena, text.size ? (const char *)text.data : "",
                                                   text.size);
    iswi_buffer_fini(&text);
    return kept;
}

bool iswi_event_to_headers(const iswi_event *event, iswi_arena *arena, isw_pairs *out)
{
    isw_pair *headers = iswi_arena_calloc(arena, event->count + 1, sizeof *headers);

    for (size_t i = 0; headers && i < event->count; i++) {
        const isw_named_value *one = &event->attributes[i];
        const bool is_type = isw_str_equal(one->name, isw_str_of("datacontenttype"));
        const char *name = is_type ? "content-type"
                                   : iswi_arena_printf(arena, "%s%.*s", prefix, (int)one->name.size,
                                                       one->name.data);
        const char *value = is_type ? iswi_arena_strndup(arena, one->value.as.string.data,
                                                         one->value.as.string.size)
                                    : encode(&one->value, arena);

        if (!name || !value)
            return false;
        headers[i] = (isw_pair){ isw_str_of(name), isw_str_of(value) };
    }
    *out = (isw_pairs){ headers, event->count };
    return headers != NULL;
}
