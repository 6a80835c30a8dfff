/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of every structure and frame. Rows stand in ascending order of key. */
#include "wire/table.h"

#include <stddef.h>

#define ROW(k, kind, st, member, lim) \
    { .key = (k), .type = ISWI_FIELD_##kind, .limit = (lim), .offset = offsetof(st, member), \
      .name = #member }
#define NEED(k, kind, st, member, lim)                                                   \
    { .key = (k), .type = ISWI_FIELD_##kind, .limit = (lim), .offset = offsetof(st, member), \
      .name = #member, .required = true }
#define PROOF(k, st, member)                                                                  \
    { .key = (k), .type = ISWI_FIELD_BIN, .limit = ISWI_TOKEN_BYTES,                          \
      .offset = offsetof(st, member), .name = #member, .required = true, .exact = true }
#define SUB(k, kind, st, member, tab, need)                                                  \
    { .key = (k), .type = ISWI_FIELD_##kind, .offset = offsetof(st, member), .name = #member, \
      .table = &(tab), .required = (need) }
#define TABLE(title, st, rows) \
    { .name = title, .fields = (rows), .count = sizeof(rows) / sizeof((rows)[0]), \
      .size = sizeof(st) }

static const iswi_field cause_rows[] = {
    ROW(1, UINT, iswi_wire_cause, code, 0),
    ROW(2, STR, iswi_wire_cause, message, ISWI_TEXT_MAX),
    ROW(3, STR, iswi_wire_cause, type, ISWI_NAME_MAX),
    ROW(4, STR, iswi_wire_cause, place, ISWI_LINE_MAX),
};
static const iswi_table cause_table = TABLE("Cause", iswi_wire_cause, cause_rows);

static const iswi_field status_rows[] = {
    ROW(1, UINT, iswi_wire_status, code, 0),
    ROW(2, STR, iswi_wire_status, message, ISWI_TEXT_MAX),
    ROW(3, STR, iswi_wire_status, type, ISWI_NAME_MAX),
    ROW(4, STR, iswi_wire_status, place, ISWI_LINE_MAX),
    ROW(5, BOOL, iswi_wire_status, user, 0),
    ROW(6, BOOL, iswi_wire_status, retriable, 0),
    SUB(7, LIST, iswi_wire_status, causes, cause_table, false),
};
static const iswi_table status_table = TABLE("Status", iswi_wire_status, status_rows);

static const iswi_field binding_rows[] = {
    NEED(1, STR, iswi_wire_binding, name, ISWI_NAME_MAX),
    NEED(2, STR, iswi_wire_binding, type, ISWI_NAME_MAX),
    ROW(3, UINT, iswi_wire_binding, direction, 0),
    ROW(4, PAIRS, iswi_wire_binding, properties, 0),
};
static const iswi_table binding_table = TABLE("Binding", iswi_wire_binding, binding_rows);

static const iswi_field cors_rows[] = {
    ROW(1, STRS, iswi_wire_cors, origins, 0),
    ROW(2, STR, iswi_wire_cors, methods, ISWI_LINE_MAX),
    ROW(3, STR, iswi_wire_cors, headers, ISWI_LINE_MAX),
    ROW(4, STR, iswi_wire_cors, expose, ISWI_LINE_MAX),
    ROW(5, BOOL, iswi_wire_cors, credentials, 0),
    ROW(6, UINT, iswi_wire_cors, max_age_s, 0),
};
static const iswi_table cors_table = TABLE("Cors", iswi_wire_cors, cors_rows);

static const iswi_field function_rows[] = {
    NEED(1, STR, iswi_wire_function, name, ISWI_NAME_MAX),
    ROW(2, STR, iswi_wire_function, summary, ISWI_LINE_MAX),
    NEED(3, STR, iswi_wire_function, trigger_type, ISWI_NAME_MAX),
    ROW(4, STR, iswi_wire_function, trigger_binding, ISWI_NAME_MAX),
    ROW(5, PAIRS, iswi_wire_function, trigger, 0),
    SUB(6, LIST, iswi_wire_function, bindings, binding_table, false),
    ROW(7, PAIRS, iswi_wire_function, metadata, 0),
    ROW(8, UINT, iswi_wire_function, timeout_ms, 0),
    ROW(9, BOOL, iswi_wire_function, idempotent, 0),
    ROW(10, STRS, iswi_wire_function, chain, 0),
    ROW(11, BOOL, iswi_wire_function, streams, 0),
    ROW(12, PAIRS, iswi_wire_function, secrets, 0),
    SUB(13, STRUCT, iswi_wire_function, cors, cors_table, false),
};
static const iswi_table function_table = TABLE("Function", iswi_wire_function, function_rows);

static const iswi_field trace_rows[] = {
    ROW(1, STR, iswi_wire_trace, parent, ISWI_LINE_MAX),
    ROW(2, STR, iswi_wire_trace, state, ISWI_LINE_MAX),
    ROW(3, PAIRS, iswi_wire_trace, baggage, 0),
};
static const iswi_table trace_table = TABLE("Trace", iswi_wire_trace, trace_rows);

static const iswi_field retry_rows[] = {
    ROW(1, UINT, iswi_wire_retry, count, 0),
    ROW(2, UINT, iswi_wire_retry, max, 0),
    ROW(3, STR, iswi_wire_retry, last_error, ISWI_TEXT_MAX),
};
static const iswi_table retry_table = TABLE("Retry", iswi_wire_retry, retry_rows);

static const iswi_field http_rows[] = {
    ROW(1, STR, isw_http, method, ISWI_NAME_MAX),
    ROW(2, STR, isw_http, url, ISWI_TEXT_MAX),
    ROW(3, PAIRS, isw_http, headers, 0),
    ROW(4, PAIRS, isw_http, query, 0),
    ROW(5, PAIRS, isw_http, params, 0),
    ROW(6, BIN, isw_http, body, 0),
    ROW(7, STR, isw_http, client, ISWI_NAME_MAX),
    ROW(8, CODE, isw_http, status, 0),
};
const iswi_table iswi_table_http = TABLE("Http", isw_http, http_rows);

static const iswi_field model_rows[] = {
    ROW(1, STR, isw_model, version, ISWI_NAME_MAX),
    ROW(2, STR, isw_model, source, ISWI_LINE_MAX),
    ROW(3, STR, isw_model, content_type, ISWI_NAME_MAX),
    ROW(4, BIN, isw_model, content, 0),
};
const iswi_table iswi_table_model = TABLE("Model", isw_model, model_rows);

static const iswi_field worker_hello_rows[] = {
    NEED(1, UINT, iswi_worker_hello, protocol_min, 0),
    NEED(2, UINT, iswi_worker_hello, protocol_max, 0),
    PROOF(3, iswi_worker_hello, token),
    ROW(4, STR, iswi_worker_hello, runtime, ISWI_NAME_MAX),
    ROW(5, STR, iswi_worker_hello, runtime_version, ISWI_NAME_MAX),
    ROW(6, PAIRS, iswi_worker_hello, capabilities, 0),
    ROW(7, UINT, iswi_worker_hello, pid, 0),
};
static const iswi_field host_hello_rows[] = {
    NEED(1, UINT, iswi_host_hello, protocol, 0),
    PROOF(2, iswi_host_hello, proof),
    ROW(3, STR, iswi_host_hello, host, ISWI_NAME_MAX),
    ROW(4, STR, iswi_host_hello, host_version, ISWI_NAME_MAX),
    ROW(5, PAIRS, iswi_host_hello, capabilities, 0),
    ROW(6, UINT, iswi_host_hello, heartbeat_ms, 0),
    ROW(7, PAIRS, iswi_host_hello, log_levels, 0),
    ROW(8, STR, iswi_host_hello, worker, ISWI_NAME_MAX),
    ROW(9, STR, iswi_host_hello, directory, ISWI_PATH_MAX),
    ROW(10, UINT, iswi_host_hello, health_every_ms, 0),
    ROW(11, UINT, iswi_host_hello, health_timeout_ms, 0),
    ROW(12, UINT, iswi_host_hello, health_failures, 0),
};
static const iswi_field metadata_rows[] = {
    SUB(1, STRUCT, iswi_metadata, status, status_table, false),
    SUB(2, LIST, iswi_metadata, functions, function_table, false),
};
static const iswi_field load_rows[] = {
    NEED(1, UINT, iswi_load, function, 0),
    NEED(2, STR, iswi_load, name, ISWI_NAME_MAX),
};
static const iswi_field loaded_rows[] = {
    NEED(1, UINT, iswi_loaded, function, 0),
    SUB(2, STRUCT, iswi_loaded, status, status_table, false),
};
static const iswi_field invoke_rows[] = {
    NEED(1, UINT, iswi_invoke, function, 0),
    NEED(2, STR, iswi_invoke, invocation_id, ISWI_NAME_MAX),
    ROW(3, VALUE, iswi_invoke, trigger, 0),
    ROW(4, NAMED, iswi_invoke, inputs, 0),
    ROW(5, NAMED, iswi_invoke, trigger_metadata, 0),
    ROW(6, UINT, iswi_invoke, timeout_ms, 0),
    SUB(7, STRUCT, iswi_invoke, trace, trace_table, false),
    SUB(8, STRUCT, iswi_invoke, retry, retry_table, false),
    ROW(9, BOOL, iswi_invoke, body_follows, 0),
};
static const iswi_field response_rows[] = {
    ROW(1, UINT, iswi_response, outcome, 0),
    SUB(2, STRUCT, iswi_response, status, status_table, false),
    ROW(3, VALUE, iswi_response, result, 0),
    ROW(4, NAMED, iswi_response, outputs, 0),
    ROW(5, UINT, iswi_response, retry_after_ms, 0),
    ROW(6, PAIRS, iswi_response, trace_attributes, 0),
    ROW(7, BOOL, iswi_response, logged, 0),
    ROW(8, STR, iswi_response, principal, ISWI_PRINCIPAL_MAX),
    ROW(9, UINT, iswi_response, took_ns, 0),
};
static const iswi_field cancel_rows[] = {
    ROW(1, UINT, iswi_cancel, reason, 0),
    ROW(2, UINT, iswi_cancel, grace_ms, 0),
};
static const iswi_field log_rows[] = {
    ROW(1, UINT, iswi_log, level, 0),
    ROW(2, STR, iswi_log, category, ISWI_CATEGORY_MAX),
    ROW(3, STR, iswi_log, message, ISWI_TEXT_MAX),
    ROW(4, UINT, iswi_log, time_us, 0),
    ROW(5, NAMED, iswi_log, fields, 0),
    ROW(6, STR, iswi_log, invocation, ISWI_NAME_MAX),
    ROW(7, STR, iswi_log, function, ISWI_NAME_MAX),
};
static const iswi_field status_frame_rows[] = {
    ROW(1, UINT, iswi_status_frame, running, 0),
    ROW(2, UINT, iswi_status_frame, waiting, 0),
    ROW(3, UINT, iswi_status_frame, resident_bytes, 0),
    ROW(4, UINT, iswi_status_frame, health, 0),
    ROW(5, STR, iswi_status_frame, why, ISWI_LINE_MAX),
};
static const iswi_field credit_rows[] = { NEED(1, UINT, iswi_credit, limit, 0) };
static const iswi_field reload_rows[] = {
    ROW(1, PAIRS, iswi_reload, environment, 0),
    ROW(2, STR, iswi_reload, directory, ISWI_PATH_MAX),
    ROW(3, BOOL, iswi_reload, configuration, 0),
};
static const iswi_field status_body_rows[] = {
    SUB(1, STRUCT, iswi_status_body, status, status_table, false),
};
static const iswi_field reloaded_rows[] = {
    SUB(1, STRUCT, iswi_reloaded, status, status_table, false),
    ROW(2, STR, iswi_reloaded, warnings, ISWI_TEXT_MAX),
    ROW(3, STR, iswi_reloaded, waits, ISWI_TEXT_MAX),
};
static const iswi_field error_rows[] = {
    SUB(1, STRUCT, iswi_status_body, status, status_table, true),
};
static const iswi_field terminate_rows[] = { ROW(1, UINT, iswi_terminate, grace_ms, 0) };
static const iswi_field output_rows[] = {
    NEED(1, STR, iswi_output, name, ISWI_NAME_MAX),
    NEED(2, VALUE, iswi_output, value, 0),
};
static const iswi_field head_rows[] = { SUB(1, STRUCT, iswi_head, http, iswi_table_http, true) };
static const iswi_field chunk_rows[] = {
    ROW(1, BIN, iswi_chunk, bytes, ISWI_WINDOW_BYTES),
    ROW(2, BOOL, iswi_chunk, end, 0),
    SUB(3, STRUCT, iswi_chunk, status, status_table, false),
};
static const iswi_field window_rows[] = { NEED(1, UINT, iswi_window, bytes, 0) };

static const iswi_field series_rows[] = {
    ROW(1, STRS, iswi_wire_series, labels, 0),
    ROW(2, VALUE, iswi_wire_series, value, 0),
    ROW(3, VALUE, iswi_wire_series, counts, 0),
};
static const iswi_table series_table = TABLE("Series", iswi_wire_series, series_rows);

static const iswi_field family_rows[] = {
    NEED(1, STR, iswi_wire_family, name, ISWI_NAME_MAX),
    ROW(2, UINT, iswi_wire_family, type, 0),
    ROW(3, STR, iswi_wire_family, help, ISWI_LINE_MAX),
    ROW(4, STRS, iswi_wire_family, labels, 0),
    ROW(5, VALUE, iswi_wire_family, bounds, 0),
    SUB(6, LIST, iswi_wire_family, series, series_table, false),
};
static const iswi_table family_table = TABLE("Family", iswi_wire_family, family_rows);

static const iswi_field metrics_rows[] = {
    SUB(1, LIST, iswi_wire_metrics, families, family_table, false),
    ROW(2, BOOL, iswi_wire_metrics, more, 0),
};

typedef struct nothing {
    char unused;
} nothing;

static const iswi_table kinds[] = {
    [ISWI_WORKER_HELLO] = TABLE("worker_hello", iswi_worker_hello, worker_hello_rows),
    [ISWI_HOST_HELLO] = TABLE("host_hello", iswi_host_hello, host_hello_rows),
    [ISWI_METADATA_REQUEST] = { .name = "metadata_request", .size = sizeof(nothing) },
    [ISWI_METADATA] = TABLE("metadata", iswi_metadata, metadata_rows),
    [ISWI_LOAD] = TABLE("load", iswi_load, load_rows),
    [ISWI_LOADED] = TABLE("loaded", iswi_loaded, loaded_rows),
    [ISWI_INVOKE] = TABLE("invoke", iswi_invoke, invoke_rows),
    [ISWI_RESPONSE] = TABLE("response", iswi_response, response_rows),
    [ISWI_CANCEL] = TABLE("cancel", iswi_cancel, cancel_rows),
    [ISWI_LOG] = TABLE("log", iswi_log, log_rows),
    [ISWI_STATUS_REQUEST] = { .name = "status_request", .size = sizeof(nothing) },
    [ISWI_STATUS] = TABLE("status", iswi_status_frame, status_frame_rows),
    [ISWI_CREDIT] = TABLE("credit", iswi_credit, credit_rows),
    [ISWI_RELOAD] = TABLE("reload", iswi_reload, reload_rows),
    [ISWI_RELOADED] = TABLE("reloaded", iswi_reloaded, reloaded_rows),
    [ISWI_WARMUP] = { .name = "warmup", .size = sizeof(nothing) },
    [ISWI_WARMED] = TABLE("warmed", iswi_status_body, status_body_rows),
    [ISWI_TERMINATE] = TABLE("terminate", iswi_terminate, terminate_rows),
    [ISWI_ERROR] = TABLE("error", iswi_status_body, error_rows),
    [ISWI_GOODBYE] = { .name = "goodbye", .size = sizeof(nothing) },
    [ISWI_OUTPUT] = TABLE("output", iswi_output, output_rows),
    [ISWI_HEAD] = TABLE("head", iswi_head, head_rows),
    [ISWI_CHUNK] = TABLE("chunk", iswi_chunk, chunk_rows),
    [ISWI_WINDOW] = TABLE("window", iswi_window, window_rows),
    [ISWI_METRICS_REQUEST] = { .name = "metrics_request", .size = sizeof(nothing) },
    [ISWI_METRICS] = TABLE("metrics", iswi_wire_metrics, metrics_rows),
};

const iswi_table *iswi_table_of_kind(uint64_t kind)
{
    return kind && kind < sizeof kinds / sizeof kinds[0] ? &kinds[kind] : NULL;
}

const char *iswi_kind_name(uint64_t kind)
{
    const iswi_table *table = iswi_table_of_kind(kind);

    if (table)
        return table->name;
    return kind > ISWI_KIND_CORE_MAX ? "extension" : "?";
}

bool iswi_value_element_allowed(uint64_t element_type)
{
    return (element_type >= ISW_VALUE_STRING && element_type <= ISW_VALUE_BOOL) ||
           element_type == ISW_VALUE_MODEL;
}

isw_status iswi_status_of_wire(const iswi_wire_status *status)
{
    return status->code <= ISW_E_IO ? (isw_status)status->code : ISW_E_FAILED;
}

iswi_wire_status iswi_status_to_wire(isw_status status, const char *message)
{
    return (iswi_wire_status){ .code = (uint64_t)status, .message = isw_str_of(message) };
}
