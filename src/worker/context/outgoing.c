/* SPDX-License-Identifier: Apache-2.0 */
/* What goes along with a call that a function makes: headers of any client. What a host told is
 * looked at again: a value with a line's end in it would be a header of its own. */
#include "url/fields.h"
#include "worker/context/failure.h"

#include <inttypes.h>
#include <isoworker/outgoing.h>
#include <isoworker/span.h>

enum {
    HEADERS = 5,
    BAGGAGE_MAX = 8192, /* W3C Baggage, section 3.3.2 */
    MEMBERS_MAX = 64
};

typedef struct headers {
    isw_pair *items;
    size_t count;
} headers;

static void add(headers *to, const char *name, isw_str value)
{
    if (value.size && iswi_field_is_value(value))
        to->items[to->count++] = (isw_pair){ isw_str_of(name), value };
}

/* -- Baggage ----------------------------------------------------------------------------------- */

/* baggage-octet without the percent (section 3.2.1.1). */
static bool stands_as_it_is(unsigned char c)
{
    return c > ' ' && c < 0x7f && !strchr("\",;\\%", c);
}

static char *encode(char *at, isw_str value)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < value.size; i++) {
        const unsigned char c = (unsigned char)value.data[i];

        if (stands_as_it_is(c)) {
            *at++ = (char)c;
            continue;
        }
        *at++ = '%';
        *at++ = digits[c >> 4];
        *at++ = digits[c & 15];
    }
    return at;
}

static size_t encoded_size(isw_str value)
{
    size_t size = value.size;

    for (size_t i = 0; i < value.size; i++)
        size += stands_as_it_is((unsigned char)value.data[i]) ? 0 : 2;
    return size;
}

/* False: no memory. */
static bool write_baggage(isw_context *ctx, isw_str *out)
{
    const isw_pairs *from = &ctx->trace.baggage;
    char *text = from->count ? iswi_arena_alloc(&ctx->arena, BAGGAGE_MAX) : NULL;
    char *at = text;

    *out = isw_str_of("");
    if (!from->count || !text)
        return !from->count;
    for (size_t i = 0; i < from->count && i < MEMBERS_MAX; i++) {
        const isw_pair *pair = &from->items[i];
        const size_t size = pair->name.size + encoded_size(pair->value) + 2; /* with '=' and ',' */

        if (!iswi_field_is_token(pair->name) || size > BAGGAGE_MAX - (size_t)(at - text))
            continue;
        if (at != text)
            *at++ = ',';
        memcpy(at, pair->name.data, pair->name.size);
        at += pair->name.size;
        *at++ = '=';
        at = encode(at, pair->value);
    }
    *out = (isw_str){ text, (size_t)(at - text) };
    return true;
}

/* -- The rest ---------------------------------------------------------------------------------- */

static isw_str request_id_of(const isw_context *ctx)
{
    const isw_http *request = ctx->trigger.type == ISW_VALUE_HTTP ? ctx->trigger.as.http : NULL;
    const isw_str *found = request ? isw_pairs_find(&request->headers, "x-request-id") : NULL;

    return found && found->size ? *found : isw_str_of(ctx->invocation_id);
}

/* False: no memory. */
static bool write_timeout(isw_context *ctx, isw_str *out)
{
    const int64_t left_ms = isw_context_remaining_ms(ctx);
    const char *text;

    *out = isw_str_of("");
    if (left_ms == INT64_MAX)
        return true;
    text = isw_context_printf(ctx, "%" PRId64, left_ms > 0 ? left_ms : 1);
    *out = isw_str_of(text);
    return text != NULL;
}

isw_status isw_context_outgoing(isw_context *ctx, isw_pairs *out)
{
    ISWI_ALIVE(ctx);
    headers all = { iswi_arena_calloc(&ctx->arena, HEADERS, sizeof *all.items), 0 };
    const char *parent = isw_context_traceparent(ctx);
    isw_str baggage;
    isw_str timeout;

    if (!all.items || !parent || !write_baggage(ctx, &baggage) || !write_timeout(ctx, &timeout))
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for the headers of a call");
    add(&all, "traceparent", isw_str_of(parent));
    if (isw_recording_caller(ctx) >= 0)
        add(&all, "tracestate", ctx->trace.state);
    add(&all, "baggage", baggage);
    add(&all, "x-request-id", request_id_of(ctx));
    add(&all, ISW_HEADER_TIMEOUT, timeout);
    *out = (isw_pairs){ all.items, all.count };
    return ISW_OK;
}
