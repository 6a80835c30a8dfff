/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to HTTP as whoever took the request wants them. */
#include "host/lambda/internal.h"

#include "base/base64.h"
#include "base/problem.h"
#include "base/text.h"
#include "host/engine/log.h"

#include <stdio.h>

static bool is_cookie(const isw_pair *header)
{
    return isw_str_equal_nocase(header->name, isw_str_of("set-cookie"));
}

/* Whether one of that name stands before it. */
static bool came_before(const isw_pairs *headers, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (isw_str_equal_nocase(headers->items[i].name, headers->items[index].name))
            return true;
    return false;
}

static void put_name(iswi_buffer *out, isw_str name, bool *first)
{
    iswi_buffer_append_text(out, *first ? "" : ",");
    *first = false;
    iswi_json_string(out, name);
    iswi_buffer_append_text(out, ":");
}

/* All values of the header at `index`: as a list, or as one. */
static void put_values(iswi_lambda_slot *slot, const isw_pairs *headers, size_t index, bool many)
{
    iswi_buffer joined = { 0 };
    bool first = true;

    for (size_t i = index; i < headers->count; i++) {
        const isw_str value = headers->items[i].value;

        if (!isw_str_equal_nocase(headers->items[i].name, headers->items[index].name))
            continue;
        iswi_buffer_append_text(many ? &slot->out : &joined, first ? "" : many ? "," : ", ");
        if (many)
            iswi_json_string(&slot->out, value);
        else
            iswi_buffer_append(&joined, value.data, value.size);
        first = false;
    }
    if (!many)
        iswi_json_string(&slot->out, (isw_str){ (const char *)joined.data, joined.size });
    slot->out.failed = slot->out.failed || joined.failed;
    iswi_buffer_fini(&joined);
}

static void put_headers(iswi_lambda_slot *slot, const isw_pairs *headers, const char *member,
                        bool many, bool with_cookies)
{
    bool first = true;

    iswi_buffer_printf(&slot->out, ",\"%s\":{", member);
    for (size_t i = 0; i < headers->count; i++) {
        if ((!with_cookies && is_cookie(&headers->items[i])) || came_before(headers, i))
            continue;
        put_name(&slot->out, headers->items[i].name, &first);
        iswi_buffer_append_text(&slot->out, many ? "[" : "");
        put_values(slot, headers, i, many);
        iswi_buffer_append_text(&slot->out, many ? "]" : "");
    }
    iswi_buffer_append_text(&slot->out, "}");
}

/* Apart from headers; returns how many there are. */
static size_t put_cookies(iswi_lambda_slot *slot, const isw_pairs *headers)
{
    size_t count = 0;

    for (size_t i = 0; i < headers->count; i++) {
        if (!is_cookie(&headers->items[i]))
            continue;
        iswi_buffer_append_text(&slot->out, count++ ? "," : ",\"cookies\":[");
        iswi_json_string(&slot->out, headers->items[i].value);
    }
    iswi_buffer_append_text(&slot->out, count ? "]" : "");
    return count;
}

/* Cookies cannot be joined as other headers are, and one value each is all that this balancer
 * takes. */
static void warn_of_cookies(const iswi_lambda_slot *slot, const isw_pairs *headers)
{
    size_t count = 0;

    for (size_t i = 0; i < headers->count; i++)
        count += is_cookie(&headers->items[i]);
    if (count > 1)
        iswi_say(slot->lambda->host, ISW_LOG_WARNING,
                 "event %.*s: the answer sets %zu cookies, which the load balancer takes as one; "
                 "turn on multi-value headers of its target group",
                 (int)slot->invocation.id.size, slot->invocation.id.data, count);
}

static void put_body(iswi_lambda_slot *slot, isw_bytes body)
{
    const bool text = iswi_utf8_valid(body.data, body.size);

    iswi_buffer_append_text(&slot->out, ",\"body\":");
    if (text) {
        iswi_json_string(&slot->out, (isw_str){ body.data, body.size });
    } else {
        iswi_buffer_append_text(&slot->out, "\"");
        iswi_base64_append(&slot->out, body);
        iswi_buffer_append_text(&slot->out, "\"");
    }
    iswi_buffer_printf(&slot->out, ",\"isBase64Encoded\":%s}", text ? "false" : "true");
}

void iswi_lambda_reply_write(iswi_lambda_slot *slot, const iswi_http_guest_reply *reply,
                             isw_bytes body)
{
    const isw_value *event = &slot->event.value;
    const isw_value *many = iswi_lambda_member(event, "multiValueHeaders");
    const bool has_many = many && many->type == ISW_VALUE_MAP;

    iswi_buffer_printf(&slot->out, "{\"statusCode\":%u", reply->status);
    switch (slot->event.kind) {
    case ISWI_LAMBDA_REST:
        put_headers(slot, &reply->headers, "multiValueHeaders", true, true);
        break;
    case ISWI_LAMBDA_ALB:
        iswi_buffer_printf(&slot->out, ",\"statusDescription\":\"%u %s\"", reply->status,
                           iswi_http_reason((int)reply->status));
        if (!has_many)
            warn_of_cookies(slot, &reply->headers);
        put_headers(slot, &reply->headers, has_many ? "multiValueHeaders" : "headers", has_many,
                    true);
        break;
    default:
        put_headers(slot, &reply->headers, "headers", false, false);
        put_cookies(slot, &reply->headers);
    }
    put_body(slot, body);
}

void iswi_lambda_prelude_write(iswi_lambda_slot *slot, const iswi_http_guest_reply *reply)
{
    static const char end_of_prelude[8];

    iswi_buffer_printf(&slot->out, "{\"statusCode\":%u", reply->status);
    put_headers(slot, &reply->headers, "headers", false, false);
    put_cookies(slot, &reply->headers);
    iswi_buffer_append_text(&slot->out, "}");
    iswi_buffer_append(&slot->out, end_of_prelude, sizeof end_of_prelude);
}

bool iswi_lambda_reply_keep(iswi_lambda_slot *slot, iswi_http_guest_reply *reply)
{
    const isw_pairs given = reply->headers;
    isw_pair *pairs = iswi_arena_alloc(&slot->arena, (given.count + 1) * sizeof *pairs);

    for (size_t i = 0; pairs && i < given.count; i++) {
        const isw_pair *one = &given.items[i];

        pairs[i].name = (isw_str){ iswi_arena_strndup(&slot->arena, one->name.data,
                                                      one->name.size), one->name.size };
        pairs[i].value = (isw_str){ iswi_arena_strndup(&slot->arena, one->value.data,
                                                       one->value.size), one->value.size };
        if (!pairs[i].name.data || !pairs[i].value.data)
            return false;
    }
    reply->headers = (isw_pairs){ pairs, pairs ? given.count : 0 };
    return pairs != NULL;
}
