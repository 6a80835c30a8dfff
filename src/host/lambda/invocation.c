/* SPDX-License-Identifier: Apache-2.0 */
/* What Lambda says of an invocation, beside its event. */
#include "host/lambda/internal.h"

#include "base/clock.h"
#include "base/traceparent.h"
#include "value/value.h"

#include <inttypes.h>
#include <stdio.h>

/* For what came of it to be told before Lambda ends its wait. */
enum { MARGIN_MS = 50, PARENT_BYTES = 56, AWS_MOST = 8 };

static bool keep(const isw_pairs *headers, const char *name, iswi_arena *arena, isw_str *out)
{
    const isw_str *value = isw_pairs_find(headers, name);

    *out = (isw_str){ "", 0 };
    if (!value)
        return true;
    *out = (isw_str){ iswi_arena_strndup(arena, value->data, value->size), value->size };
    return out->data != NULL;
}

static int64_t deadline_of(const isw_pairs *headers)
{
    const isw_str *text = isw_pairs_find(headers, "lambda-runtime-deadline-ms");
    int64_t ms = 0;
    int64_t left_ms;

    if (!text || !text->size || text->size > 15)
        return 0;
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return 0;
        ms = 10 * ms + (text->data[i] - '0');
    }
    left_ms = ms - iswi_wall_us() / 1000;
    left_ms -= left_ms > 2 * MARGIN_MS ? MARGIN_MS : left_ms / 2;
    return iswi_now_ns() + (left_ms > 1 ? left_ms : 1) * INT64_C(1000000);
}

/* The value of `name` in "A=1;B=2". */
static isw_str part_of(isw_str trace, const char *name)
{
    const size_t size = strlen(name);

    while (trace.size) {
        const char *end = memchr(trace.data, ';', trace.size);
        const size_t length = end ? (size_t)(end - trace.data) : trace.size;

        if (length > size && trace.data[size] == '=' && memcmp(trace.data, name, size) == 0)
            return (isw_str){ trace.data + size + 1, length - size - 1 };
        trace.data += length + (end ? 1 : 0);
        trace.size -= length + (end ? 1 : 0);
    }
    return (isw_str){ "", 0 };
}

isw_str iswi_lambda_traceparent(isw_str trace, iswi_arena *arena)
{
    const isw_str root = part_of(trace, "Root");
    const isw_str parent = part_of(trace, "Parent");
    const bool sampled = isw_str_equal(part_of(trace, "Sampled"), isw_str_of("1"));
    iswi_traceparent read;
    isw_str text;

    /* "1-" 8 digits "-" 24 digits */
    if (root.size != 35 || parent.size != 16 || memcmp(root.data, "1-", 2) != 0 ||
        root.data[10] != '-')
        return (isw_str){ "", 0 };
    text = isw_str_of(iswi_arena_printf(arena, "00-%.8s%.24s-%.16s-%s", root.data + 2,
                                        root.data + 11, parent.data, sampled ? "01" : "00"));
    return text.data && iswi_traceparent_read(text, &read) ? text : (isw_str){ "", 0 };
}

bool iswi_lambda_invocation_read(const isw_pairs *headers, iswi_arena *arena,
                                 iswi_lambda_invocation *out)
{
    const bool kept =
        keep(headers, "lambda-runtime-aws-request-id", arena, &out->id) &&
        keep(headers, "lambda-runtime-invoked-function-arn", arena, &out->function_arn) &&
        keep(headers, "lambda-runtime-trace-id", arena, &out->trace) &&
        keep(headers, "lambda-runtime-client-context", arena, &out->client_context) &&
        keep(headers, "lambda-runtime-cognito-identity", arena, &out->identity) &&
        keep(headers, "lambda-runtime-aws-tenant-id", arena, &out->tenant);

    if (!kept || !out->id.size)
        return false;
    out->deadline_ns = deadline_of(headers);
    out->parent = iswi_lambda_traceparent(out->trace, arena);
    return true;
}

/* -- For functions ----------------------------------------------------------------------------- */

static void add(isw_map *map, isw_named_value *items, const char *name, isw_str text)
{
    if (!text.size)
        return;
    items[map->count] = isw_named(name, isw_value_text(text));
    map->count++;
}

isw_map iswi_lambda_metadata(iswi_lambda_slot *slot, const isw_named_value *more)
{
    const iswi_lambda_invocation *of = &slot->invocation;
    isw_named_value *items = iswi_arena_calloc(&slot->arena, AWS_MOST + 1, sizeof *items);
    isw_named_value *whole = iswi_arena_alloc(&slot->arena, sizeof *whole);
    isw_map map = { items, 0 };

    if (!items || !whole)
        return (isw_map){ NULL, 0 };
    add(&map, items, "request_id", of->id);
    add(&map, items, "event", isw_str_of(iswi_lambda_kind_name(slot->event.kind)));
    add(&map, items, "function_arn", of->function_arn);
    add(&map, items, "trace_id", of->trace);
    add(&map, items, "tenant_id", of->tenant);
    add(&map, items, "client_context", of->client_context);
    add(&map, items, "identity", of->identity);
    if (more)
        items[map.count++] = *more;
    *whole = isw_named("aws", isw_value_map(map.items, map.count));
    return (isw_map){ whole, 1 };
}
