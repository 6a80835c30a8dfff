/* SPDX-License-Identifier: Apache-2.0 */
/* A call and its answer as one JSON object (record.h), without secrets. */
#include "host/debug/record_text.h"

#include "base/clock.h"
#include "host/engine/look.h"
#include "value/typed.h"

#include <stdio.h>
#include <time.h>

enum { MEMBERS = 24 };

/* The members of a record; of those that could not be made memory is out. */
typedef struct draft {
    iswi_arena arena;
    iswi_secrets secrets;
    size_t body_limit;
    isw_named_value members[MEMBERS];
    size_t count;
    bool failed;
} draft;

static void add(draft *d, const char *name, isw_value value)
{
    d->members[d->count++] = isw_named(name, value);
}

/* A typed value without secrets, and without a body that is too large: that is said by `cut`. */
static void add_value(draft *d, const char *name, const char *cut, bool streamed,
                      const isw_value *value)
{
    isw_value kept = *value;
    isw_value plain;
    isw_value typed;
    isw_http http;

    if (value->type == ISW_VALUE_HTTP && (value->as.http->body.size > d->body_limit ||
                                          iswi_is_sealed(&d->arena, value->as.http))) {
        http = *value->as.http;
        http.body = (isw_bytes){ "", 0 };
        kept.as.http = &http;
        streamed = true;
    } else if (isw_value_payload(value).size > d->body_limit) {
        kept = isw_value_none();
        streamed = true;
    }
    if (iswi_redact(&d->arena, &kept, &d->secrets, &plain) != ISW_OK ||
        iswi_typed_encode(&d->arena, &plain, &typed) != ISW_OK)
        d->failed = true;
    else
        add(d, name, typed);
    if (streamed)
        add(d, cut, isw_value_bool(true));
}

static void add_trace(draft *d, const iswi_wire_trace *trace)
{
    isw_named_value *items = iswi_arena_calloc(&d->arena, 3, sizeof *items);
    isw_value baggage;
    isw_pairs plain;
    isw_str state;

    if (!trace->parent.size && !trace->baggage.count)
        return;
    if (!items || iswi_redact_pairs(&d->arena, &trace->baggage, &d->secrets, &plain) != ISW_OK ||
        iswi_redact_members(&d->arena, trace->state, &d->secrets, &state) != ISW_OK ||
        iswi_typed_encode_pairs(&d->arena, &plain, &baggage) != ISW_OK) {
        d->failed = true;
        return;
    }
    items[0] = isw_named("parent", isw_value_text(trace->parent));
    items[1] = isw_named("state", isw_value_text(state));
    items[2] = isw_named("baggage", baggage);
    add(d, "trace", isw_value_map(items, 3));
}

static void add_failure(draft *d, const iswi_answer *answer)
{
    isw_named_value *items = iswi_arena_calloc(&d->arena, 2, sizeof *items);

    if (!items || answer->outcome == ISW_OUTCOME_SUCCESS)
        return;
    items[0] = isw_named("status", isw_value_string(isw_status_name(answer->status)));
    items[1] = isw_named("message", isw_value_text(answer->message));
    add(d, "failure", isw_value_map(items, 2));
}

static void add_retry(draft *d, const iswi_wire_retry *retry)
{
    isw_named_value *items = iswi_arena_calloc(&d->arena, 3, sizeof *items);

    if (!items || (!retry->count && !retry->max && !retry->last_error.size))
        return;
    items[0] = isw_named("count", isw_value_int((int64_t)retry->count));
    items[1] = isw_named("max", isw_value_int((int64_t)retry->max));
    items[2] = isw_named("last_error", isw_value_text(retry->last_error));
    add(d, "retry", isw_value_map(items, 3));
}

/* Values by their names; a name may be that of a secret, too. */
static void add_map(draft *d, const char *name, const isw_map *map)
{
    const isw_value whole = isw_value_map(map->items, map->count);
    isw_value plain;
    isw_value typed;

    if (!map->count)
        return;
    if (iswi_redact(&d->arena, &whole, &d->secrets, &plain) != ISW_OK ||
        iswi_typed_encode(&d->arena, &plain, &typed) != ISW_OK)
        d->failed = true;
    else
        add(d, name, typed.as.map.items[0].value); /* of {"map": {...}} */
}

/* -- Outputs ----------------------------------------------------------------------------------- */

/* What was put out before the answer, in its order. */
static isw_map put_out_of(draft *d, const iswi_call *call)
{
    isw_named_value *items = NULL;
    size_t count = 0, capacity = 0;
    size_t at = 0, used = 0;
    iswi_frame frame;
    isw_error unused;

    for (; at < call->put_out.size && !d->failed; at += used) {
        if (count == capacity) {
            isw_named_value *more;

            capacity = capacity ? 2 * capacity : 8;
            more = iswi_arena_calloc(&d->arena, capacity, sizeof *more);
            if (more && count)
                memcpy(more, items, count * sizeof *more);
            items = more;
        }
        d->failed = !items || iswi_frame_decode(call->put_out.data + at, call->put_out.size - at,
                                                &d->arena, &frame, &used, &unused) != ISW_OK;
        if (!d->failed)
            items[count++] = (isw_named_value){ frame.as.output.name, frame.as.output.value };
    }
    return (isw_map){ items, d->failed ? 0 : count };
}

static size_t index_of(const isw_map *map, isw_str name)
{
    size_t i = 0;

    while (i < map->count && !isw_str_equal(map->items[i].name, name))
        i++;
    return i;
}

/* All values of `name`, that of the answer last: as a worker without a host has them. */
static isw_value join(draft *d, isw_str name, const isw_map *early, const isw_map *answered)
{
    isw_value *items = iswi_arena_calloc(&d->arena, early->count + 1, sizeof *items);
    const size_t last = index_of(answered, name);
    size_t count = 0;

    d->failed = d->failed || !items;
    for (size_t i = 0; items && i < early->count; i++)
        if (isw_str_equal(early->items[i].name, name))
            items[count++] = early->items[i].value;
    if (items && last < answered->count)
        items[count++] = answered->items[last].value;
    return items && count == 1 ? items[0] : isw_value_array(items, count);
}

static void add_outputs(draft *d, const iswi_call *call, const iswi_answer *answer)
{
    const isw_map none = { NULL, 0 };
    const isw_map early = answer->outcome == ISW_OUTCOME_SUCCESS ? put_out_of(d, call) : none;
    const isw_map *answered = &answer->outputs;
    isw_named_value *items =
        iswi_arena_calloc(&d->arena, answered->count + early.count + 1, sizeof *items);
    isw_map all = { items, 0 };

    d->failed = d->failed || !items;
    for (size_t i = 0; !d->failed && i < answered->count + early.count; i++) {
        const isw_str name = i < answered->count ? answered->items[i].name
                                                 : early.items[i - answered->count].name;
        isw_value joined;
        isw_value plain;

        if (index_of(&all, name) < all.count)
            continue;
        joined = join(d, name, &early, answered);
        items[all.count].name = name;
        d->failed =
            d->failed || iswi_redact(&d->arena, &joined, &d->secrets, &plain) != ISW_OK ||
            iswi_typed_encode(&d->arena, &plain, &items[all.count++].value) != ISW_OK;
    }
    if (!d->failed && all.count)
        add(d, "outputs", isw_value_map(items, all.count));
    if (call->put_out_cut)
        add(d, "outputs_cut", isw_value_bool(true));
}

/* -- All --------------------------------------------------------------------------------------- */

void iswi_record_time(int64_t wall_us, bool name, char *out, size_t size)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm parts;
    char date[20]; /* as long as a year has four digits */

    gmtime_r(&seconds, &parts);
    strftime(date, sizeof date, name ? "%Y%m%dT%H%M%S" : "%Y-%m-%dT%H:%M:%S", &parts);
    if (name)
        snprintf(out, size, "%s.%03d", date, (int)(wall_us / 1000 % 1000));
    else
        snprintf(out, size, "%s.%06dZ", date, (int)(wall_us % 1000000));
}

static void describe(draft *d, const iswi_call *call, const iswi_answer *answer)
{
    const iswi_host_function *function = call->function;
    char *at = iswi_arena_alloc(&d->arena, 48);
    int64_t timeout_ms = call->deadline_ns ? (call->deadline_ns - call->begun_ns) / 1000000 : 0;

    add(d, "isoworker_record", isw_value_int(1));
    add(d, "function", isw_value_string(iswi_host_function_name(function)));
    add(d, "worker", isw_value_string(iswi_function_worker(function)));
    add(d, "invocation_id", isw_value_string(call->invocation_id));
    if (at)
        iswi_record_time(iswi_wall_us(), false, at, 48);
    add(d, "recorded_at", isw_value_string(at ? at : ""));
    add(d, "timeout_ms", isw_value_int(timeout_ms));
    add(d, "tries", isw_value_int(call->tries));
    add_trace(d, &call->trace);
    add_retry(d, &call->retry);
    add_value(d, "trigger", "body_cut", call->body_follows, &call->trigger);
    add_map(d, "trigger_metadata", &call->trigger_metadata);
    add_map(d, "inputs", &call->inputs);
    add(d, "outcome", isw_value_string(iswi_outcome_name(answer->outcome)));
    add_failure(d, answer);
    add_value(d, "result", "result_cut", call->answer_streams, &answer->result);
    add_outputs(d, call, answer);
    add(d, "duration_us", isw_value_int((iswi_now_ns() - call->begun_ns) / 1000));
}

/* A line for each member: people read it, too. */
static bool write_text(draft *d, iswi_buffer *out)
{
    isw_error unused = { ISW_OK, "" };

    for (size_t i = 0; i < d->count; i++) {
        isw_str json;

        if (iswi_json_write(&d->arena, &d->members[i].value, &json, &unused) != ISW_OK)
            json = isw_str_of("null");
        iswi_buffer_printf(out, "%s\n\"%.*s\": %.*s", i ? "," : "{", (int)d->members[i].name.size,
                           d->members[i].name.data, (int)json.size, json.data);
    }
    iswi_buffer_append_text(out, "\n}\n");
    return !out->failed && !d->failed;
}

bool iswi_record_text(const iswi_secrets *secrets, size_t body_limit, const iswi_call *call,
                      const iswi_answer *answer, iswi_buffer *out)
{
    draft d = { .secrets = *secrets, .body_limit = body_limit };
    bool whole;

    iswi_arena_init(&d.arena, 16 * 1024);
    describe(&d, call, answer);
    whole = write_text(&d, out);
    iswi_arena_fini(&d.arena);
    return whole;
}
