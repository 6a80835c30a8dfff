/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings. What the chain did is in iswi_spans; a recording adds whose trace it is. Invariant:
 * the id of a span follows from the recording's seed and the span's number, so that nothing has to
 * be stored, or drawn, for each.
 */
#include "base/clock.h"
#include "base/text.h"
#include "base/traceparent.h"
#include "worker/context/failure.h"

#include <isoworker/span.h>
#include <stdio.h>

struct iswi_recording {
    iswi_traceparent caller; /* its parent_id is empty if there is none */
    uint64_t seed;
    bool sampled;
    size_t first; /* spans before it are not ours */
    int64_t start_ns, wall_us;
};

/* -- Whose trace ------------------------------------------------------------------------------- */

int isw_recording_caller(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    iswi_traceparent caller;

    if (!iswi_traceparent_read(ctx->trace.parent, &caller))
        return -1;
    return caller.flags & ISWI_TRACE_SAMPLED ? 1 : 0;
}

static iswi_recording *recording_of(isw_context *ctx)
{
    iswi_recording *made;

    if (ctx->recording)
        return ctx->recording;
    made = iswi_arena_calloc(&ctx->arena, 1, sizeof *made);
    if (!made || !iswi_random(&made->seed, sizeof made->seed))
        return NULL;
    if (!iswi_traceparent_read(ctx->trace.parent, &made->caller)) {
        made->caller = (iswi_traceparent){ .flags = ISWI_TRACE_RANDOM };
        if (!iswi_random(made->caller.trace_id, sizeof made->caller.trace_id))
            return NULL;
    }
    made->sampled = made->caller.flags & ISWI_TRACE_SAMPLED;
    made->start_ns = iswi_now_ns();
    made->wall_us = iswi_wall_us();
    ctx->recording = made;
    return made;
}

/* SplitMix64 (Steele, Lea and Flood, 2014) of the seed and the number; 0 is the root's. */
static void id_of(const iswi_recording *recording, uint64_t number, char out[17])
{
    uint64_t id = recording->seed + (number + 1) * UINT64_C(0x9e3779b97f4a7c15);

    id = (id ^ id >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    id = (id ^ id >> 27) * UINT64_C(0x94d049bb133111eb);
    id ^= id >> 31;
    snprintf(out, 17, "%016llx", (unsigned long long)(id ? id : 1));
}

const char *isw_context_traceparent(isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    const iswi_recording *recording = recording_of(ctx);
    const iswi_spans *spans = ctx->run.spans;
    char trace_id[33];
    char parent[17];

    if (!recording)
        return NULL;
    iswi_hex(recording->caller.trace_id, sizeof recording->caller.trace_id, trace_id);
    id_of(recording, spans && spans->open > recording->first ? spans->open : 0, parent);
    return isw_context_printf(ctx, "00-%s-%s-%02x", trace_id, parent,
                              (recording->caller.flags & ISWI_TRACE_RANDOM) |
                                  (recording->sampled ? ISWI_TRACE_SAMPLED : 0));
}

/* -- Spans of handlers ------------------------------------------------------------------------- */

unsigned isw_span_begin(isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    iswi_spans *spans = ctx->run.spans;
    const char *copy;
    size_t at;

    if (!spans || spans->count >= ISW_SPANS_MAX)
        return 0;
    copy = isw_context_strndup(ctx, name, strlen(name));
    at = copy ? iswi_spans_begin(spans, copy) : SIZE_MAX;
    if (copy && at == SIZE_MAX)
        iswi_spans_end(spans, at, ISW_OK);
    return at == SIZE_MAX ? 0 : (unsigned)at + 1;
}

static iswi_span *span_of(isw_context *ctx, unsigned number)
{
    const iswi_spans *spans = ctx->run.spans;

    return spans && number && number <= spans->count ? &spans->items[number - 1] : NULL;
}

void isw_span_set(isw_context *ctx, unsigned span, const char *name, const isw_value *value)
{
    ISWI_ALIVE(ctx);
    iswi_span *found = span_of(ctx, span);
    isw_named_value *items;
    const char *copy;

    if (!found)
        return;
    items = iswi_arena_calloc(&ctx->arena, found->attributes.count + 1, sizeof *items);
    copy = isw_context_strndup(ctx, name, strlen(name));
    if (!items || !copy)
        return;
    if (found->attributes.count)
        memcpy(items, found->attributes.items, found->attributes.count * sizeof *items);
    items[found->attributes.count] = (isw_named_value){ isw_str_of(copy), *value };
    if (value->type == ISW_VALUE_STRING)
        items[found->attributes.count].value.as.string.data =
            isw_context_strndup(ctx, value->as.string.data, value->as.string.size);
    found->attributes = (isw_map){ items, found->attributes.count + 1 };
}

void isw_span_end(isw_context *ctx, unsigned span, isw_status status)
{
    ISWI_ALIVE(ctx);
    if (span_of(ctx, span) && !ctx->run.spans->items[span - 1].end_ns)
        iswi_spans_end(ctx->run.spans, span - 1, status);
}

/* -- Recording --------------------------------------------------------------------------------- */

isw_status isw_recording_begin(isw_context *ctx, bool sampled)
{
    ISWI_ALIVE(ctx);
    iswi_recording *recording = recording_of(ctx);

    if (!recording)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory to record spans");
    recording->sampled = sampled;
    if (!sampled)
        return ISW_OK;
    if (!ctx->run.spans)
        ctx->run.spans = iswi_arena_calloc(&ctx->arena, 1, sizeof *ctx->run.spans);
    if (!ctx->run.spans)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory to record spans");
    ctx->run.spans->arena = &ctx->arena;
    recording->first = ctx->run.spans->count;
    return ISW_OK;
}

static void fill(const iswi_recording *recording, const iswi_span *from, size_t number,
                 isw_span *out)
{
    size_t parent = from->parent > recording->first ? from->parent : 0;
    int64_t end_ns = from->end_ns ? from->end_ns : iswi_now_ns();

    *out = (isw_span){ .name = from->name,
                       .start_us = recording->wall_us +
                                   (from->start_ns - recording->start_ns) / 1000,
                       .duration_us = (end_ns - from->start_ns) / 1000,
                       .status = from->status,
                       .attributes = from->attributes };
    id_of(recording, number, out->id);
    id_of(recording, parent, out->parent_id);
}

const isw_recording *isw_recording_get(isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    const iswi_recording *recording = ctx->recording;
    const iswi_spans *spans = ctx->run.spans;
    size_t count = recording && spans ? spans->count - recording->first : 0;
    isw_recording *out = iswi_arena_calloc(&ctx->arena, 1, sizeof *out);
    isw_span *items = iswi_arena_calloc(&ctx->arena, count + 1, sizeof *items);

    if (!recording || !out || !items)
        return NULL;
    items[0] = (isw_span){ .name = "",
                           .start_us = recording->wall_us,
                           .duration_us = (iswi_now_ns() - recording->start_ns) / 1000 };
    id_of(recording, 0, items[0].id);
    memcpy(items[0].parent_id, recording->caller.parent_id, sizeof items[0].parent_id);
    for (size_t i = 0; i < count; i++)
        fill(recording, &spans->items[recording->first + i], recording->first + i + 1,
             &items[i + 1]);
    iswi_hex(recording->caller.trace_id, sizeof recording->caller.trace_id, out->trace_id);
    out->sampled = recording->sampled;
    out->spans = items;
    out->count = count + 1;
    return out;
}
