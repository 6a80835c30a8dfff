/* SPDX-License-Identifier: Apache-2.0 */
/* A recorded invocation out of its file, and what came of it against what comes of it now. */
#include "worker/program/replay.h"

#include "base/logline.h"
#include "config/file.h"
#include "value/typed.h"

#include <stddef.h>

enum { FILE_BYTES_MAX = 256 * 1024 * 1024 };

/* -- Reading ----------------------------------------------------------------------------------- */

typedef struct trace_row {
    const char *parent, *state;
    isw_value baggage;
} trace_row;

typedef struct failure_row {
    const char *status, *message;
} failure_row;

typedef struct retry_row {
    int64_t count, max;
    const char *last_error;
} retry_row;

typedef struct file_row {
    int64_t version;
    const char *function, *invocation_id, *outcome;
    int64_t timeout_ms, tries;
    bool body_cut, result_cut, outputs_cut;
    trace_row trace;
    failure_row failure;
    retry_row retry;
    isw_value trigger, trigger_metadata, inputs, result, outputs;
} file_row;

static const isw_field trace_fields[] = {
    { ISW_FIELD(STRING, trace_row, parent) },
    { ISW_FIELD(STRING, trace_row, state) },
    { ISW_FIELD(VALUE, trace_row, baggage) },
    { 0 },
};
static const isw_field failure_fields[] = {
    { ISW_FIELD(STRING, failure_row, status) },
    { ISW_FIELD(STRING, failure_row, message) },
    { 0 },
};
static const isw_field retry_fields[] = {
    { ISW_FIELD(INT, retry_row, count), .max = UINT32_MAX },
    { ISW_FIELD(INT, retry_row, max), .max = UINT32_MAX },
    { ISW_FIELD(STRING, retry_row, last_error) },
    { 0 },
};
static const isw_field file_fields[] = {
    { .name = "isoworker_record", .type = ISW_FIELD_INT, .offset = offsetof(file_row, version),
      .required = true, .min = 1, .max = 1 },
    { ISW_FIELD(STRING, file_row, function), .required = true },
    { ISW_FIELD(STRING, file_row, invocation_id), .required = true },
    { ISW_FIELD(STRING, file_row, outcome), .required = true },
    { ISW_FIELD(INT, file_row, timeout_ms), .max = INT32_MAX },
    { ISW_FIELD(INT, file_row, tries), .max = 1000 },
    { ISW_FIELD(BOOL, file_row, body_cut) },
    { ISW_FIELD(BOOL, file_row, result_cut) },
    { ISW_FIELD(BOOL, file_row, outputs_cut) },
    { ISW_FIELD(STRUCT, file_row, trace), .fields = trace_fields },
    { ISW_FIELD(STRUCT, file_row, failure), .fields = failure_fields },
    { ISW_FIELD(STRUCT, file_row, retry), .fields = retry_fields },
    { ISW_FIELD(VALUE, file_row, trigger) },
    { ISW_FIELD(VALUE, file_row, trigger_metadata) },
    { ISW_FIELD(VALUE, file_row, inputs) },
    { ISW_FIELD(VALUE, file_row, result) },
    { ISW_FIELD(VALUE, file_row, outputs) },
    { 0 },
};

static isw_status decode(iswi_replay *replay, const char *name, const isw_value *from,
                         isw_value *out, isw_error *error)
{
    *out = isw_value_none();
    if (from->type == ISW_VALUE_NONE)
        return ISW_OK;
    return iswi_typed_decode(&replay->arena, from, name, out, error);
}

/* Values by their names; left out: none. */
static isw_status take_map(iswi_replay *replay, const char *name, const isw_value *from,
                           isw_map *out, isw_error *error)
{
    isw_value wrapped;
    isw_named_value only = { .name = isw_str_of("map"), .value = *from };
    isw_value map;
    isw_status status;

    if (from->type == ISW_VALUE_NONE)
        return ISW_OK;
    wrapped = isw_value_map(&only, 1);
    status = iswi_typed_decode(&replay->arena, &wrapped, name, &map, error);
    if (status == ISW_OK)
        *out = map.as.map;
    return status;
}

static isw_status take(iswi_replay *replay, const file_row *row, isw_error *error)
{
    iswi_local *local = &replay->local;
    isw_status status = decode(replay, "trigger", &row->trigger, &local->trigger, error);

    replay->function = row->function;
    replay->outcome = row->outcome;
    replay->status = row->failure.status ? row->failure.status : "";
    replay->body_cut = row->body_cut;
    replay->result_cut = row->result_cut;
    replay->outputs_cut = row->outputs_cut;
    local->invocation_id = row->invocation_id;
    local->trace.parent = isw_str_of(row->trace.parent);
    local->trace.state = isw_str_of(row->trace.state);
    local->retry = (isw_retry){ (uint32_t)(row->retry.count + row->tries), (uint32_t)row->retry.max,
                                isw_str_of(row->retry.last_error ? row->retry.last_error : "") };
    local->all_told = row->trigger_metadata.type != ISW_VALUE_NONE;
    local->endless = true;
    if (status == ISW_OK && row->trace.baggage.type != ISW_VALUE_NONE)
        status = iswi_typed_decode_pairs(&replay->arena, &row->trace.baggage, "trace.baggage",
                                         &local->trace.baggage, error);
    if (status == ISW_OK)
        status = decode(replay, "result", &row->result, &replay->result, error);
    if (status == ISW_OK)
        status = take_map(replay, "trigger_metadata", &row->trigger_metadata,
                          &local->trigger_metadata, error);
    if (status == ISW_OK)
        status = take_map(replay, "inputs", &row->inputs, &local->inputs, error);
    return status == ISW_OK
               ? take_map(replay, "outputs", &row->outputs, &replay->outputs, error)
               : status;
}

static isw_status parse(iswi_replay *replay, isw_error *error)
{
    isw_str text = { (const char *)replay->text.data, replay->text.size };
    file_row row = { .version = 0 };
    isw_value value;
    isw_status status = iswi_json_parse(&replay->arena, text, &value, error);

    if (status == ISW_OK)
        status = iswi_bind(&replay->arena, &value, "", file_fields, false, &row, error);
    return status == ISW_OK ? take(replay, &row, error) : status;
}

isw_status iswi_replay_open(iswi_replay *replay, const char *path, isw_error *error)
{
    isw_error own = { ISW_OK, "" };
    const char *why = "";
    isw_status status;

    *replay = (iswi_replay){ .function = "" };
    iswi_arena_init(&replay->arena, 16 * 1024);
    status = iswi_file_read(path, FILE_BYTES_MAX, &replay->text, &why);
    if (status != ISW_OK)
        return isw_error_set(error, ISW_E_IO, "%s: cannot be read: %s", path, why);
    status = parse(replay, &own);
    if (status != ISW_OK)
        isw_error_set(error, status, "%s: %s", path, own.message);
    return status;
}

void iswi_replay_close(iswi_replay *replay)
{
    iswi_buffer_fini(&replay->text);
    iswi_arena_fini(&replay->arena);
}

/* -- Comparing --------------------------------------------------------------------------------- */

static bool same(iswi_replay *replay, const isw_value *a, const isw_value *b);

static bool is_redacted(isw_str text)
{
    return isw_str_equal(text, isw_str_of(ISWI_REDACTED)) ||
           isw_str_equal(text, isw_str_of("\"" ISWI_REDACTED "\"")); /* for JSON not readable */
}

/* Text and bytes are told apart by the trigger's or the reply's own words, not by a file's. */
static bool same_bytes(isw_bytes a, isw_bytes b)
{
    return a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0);
}

/* JSON with a secret in it was written anew, so it is compared by what it says. */
static bool same_body(iswi_replay *replay, isw_bytes recorded, isw_bytes now)
{
    isw_error unused = { ISW_OK, "" };
    isw_value a;
    isw_value b;

    if (same_bytes(recorded, now))
        return true;
    if (!recorded.size || !memmem(recorded.data, recorded.size, ISWI_REDACTED,
                                   sizeof ISWI_REDACTED - 1))
        return false;
    return iswi_json_parse(&replay->arena, (isw_str){ recorded.data, recorded.size }, &a,
                           &unused) == ISW_OK &&
           iswi_json_parse(&replay->arena, (isw_str){ now.data, now.size }, &b, &unused) ==
               ISW_OK &&
           same(replay, &a, &b);
}

static bool same_headers(const isw_pairs *recorded, const isw_pairs *now)
{
    bool equal = recorded->count == now->count;

    for (size_t i = 0; equal && i < now->count; i++)
        equal = isw_str_equal(recorded->items[i].name, now->items[i].name) &&
                (is_redacted(recorded->items[i].value) ||
                 isw_str_equal(recorded->items[i].value, now->items[i].value));
    return equal;
}

static bool same_array(iswi_replay *replay, const isw_value *a, const isw_value *b)
{
    bool equal = a->as.array.count == b->as.array.count;

    for (size_t i = 0; equal && i < a->as.array.count; i++)
        equal = same(replay, &a->as.array.items[i], &b->as.array.items[i]);
    return equal;
}

static bool same_map(iswi_replay *replay, const isw_map *a, const isw_map *b)
{
    bool equal = a->count == b->count;

    for (size_t i = 0; equal && i < a->count; i++)
        equal = isw_str_equal(a->items[i].name, b->items[i].name) &&
                same(replay, &a->items[i].value, &b->items[i].value);
    return equal;
}

static bool same(iswi_replay *replay, const isw_value *a, const isw_value *b)
{
    if ((a->type == ISW_VALUE_STRING || a->type == ISW_VALUE_JSON) && is_redacted(a->as.string))
        return true;
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case ISW_VALUE_INT:
        return a->as.integer == b->as.integer;
    case ISW_VALUE_DOUBLE:
        return memcmp(&a->as.real, &b->as.real, sizeof a->as.real) == 0;
    case ISW_VALUE_BOOL:
        return a->as.boolean == b->as.boolean;
    case ISW_VALUE_HTTP:
        return a->as.http->status == b->as.http->status &&
               same_headers(&a->as.http->headers, &b->as.http->headers) &&
               same_body(replay, a->as.http->body, b->as.http->body);
    case ISW_VALUE_ARRAY:
        return same_array(replay, a, b);
    case ISW_VALUE_MAP:
        return same_map(replay, &a->as.map, &b->as.map);
    default:
        return same_body(replay, isw_value_payload(a), isw_value_payload(b));
    }
}

static void show(iswi_replay *replay, const isw_value *value, iswi_buffer *out)
{
    isw_error unused = { ISW_OK, "" };
    isw_value typed;
    isw_str json;

    if (iswi_typed_encode(&replay->arena, value, &typed) == ISW_OK &&
        iswi_json_write(&replay->arena, &typed, &json, &unused) == ISW_OK)
        iswi_buffer_append(out, json.data, json.size);
    else
        iswi_buffer_append_text(out, "(a value that cannot be shown)");
}

static const isw_named_value *find(const isw_map *map, isw_str name)
{
    for (size_t i = 0; i < map->count; i++)
        if (isw_str_equal(map->items[i].name, name))
            return &map->items[i];
    return NULL;
}

/* Outputs have no order but that of the values of one name: those that are in both come first. */
static isw_map in_order_of(iswi_replay *replay, const isw_map *recorded, const isw_map *now)
{
    isw_named_value *items = iswi_arena_calloc(&replay->arena, now->count + 1, sizeof *items);
    size_t count = 0;

    if (!items)
        return *now;
    for (size_t i = 0; i < recorded->count; i++) {
        const isw_named_value *one = find(now, recorded->items[i].name);

        if (one)
            items[count++] = *one;
    }
    for (size_t i = 0; i < now->count && count < now->count; i++)
        if (!find(recorded, now->items[i].name))
            items[count++] = now->items[i];
    return (isw_map){ items, count };
}

static void compare_values(iswi_replay *replay, const char *name, const isw_value *recorded,
                           const isw_value *now, iswi_buffer *out)
{
    if (same(replay, recorded, now))
        return;
    iswi_buffer_printf(out, "%s was  ", name);
    show(replay, recorded, out);
    iswi_buffer_printf(out, "\n%s is   ", name);
    show(replay, now, out);
    iswi_buffer_append_text(out, "\n");
}

void iswi_replay_compare(iswi_replay *replay, isw_outcome outcome, const isw_failure *failure,
                         const isw_value *result, const isw_map *outputs, iswi_buffer *out)
{
    const char *status =
        outcome != ISW_OUTCOME_SUCCESS && failure ? isw_status_name(failure->status) : "";
    const char *ended = iswi_outcome_name(outcome);
    isw_value before = isw_value_map(replay->outputs.items, replay->outputs.count);
    isw_map sorted = in_order_of(replay, &replay->outputs, outputs);
    isw_value after = isw_value_map(sorted.items, sorted.count);

    if (strcmp(replay->outcome, ended) != 0)
        iswi_buffer_printf(out, "outcome was %s\noutcome is  %s\n", replay->outcome, ended);
    if (strcmp(replay->status, status) != 0)
        iswi_buffer_printf(out, "failure was %s\nfailure is  %s\n",
                           *replay->status ? replay->status : "none", *status ? status : "none");
    /* Headers that a failure left for the host's answer are none of the result. */
    if (!replay->result_cut &&
        (replay->result.type != ISW_VALUE_HTTP || replay->result.as.http->status))
        compare_values(replay, "result", &replay->result, result, out);
    if (!replay->outputs_cut)
        compare_values(replay, "outputs", &before, &after, out);
}
