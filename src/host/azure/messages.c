/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of the fields of FunctionRpc's messages, and where they are in the structs. The only
 * place that knows; rows stand in ascending order. tests/host/azure/described.py holds them to the
 * protocol's own description, where a copy of it is at hand. */
#include "host/azure/messages.h"

#include "host/azure/rows.h"

static const iswi_proto_row exception_rows[] = {
    ROW(1, STRING, iswi_rpc_exception, stack_trace, "stack_trace"),
    ROW(2, STRING, iswi_rpc_exception, message, "message"),
    ROW(3, STRING, iswi_rpc_exception, source, "source"),
    ROW(4, BOOL, iswi_rpc_exception, is_user_exception, "is_user_exception"),
    ROW(5, STRING, iswi_rpc_exception, type, "type"),
};
static const iswi_proto_table exception_table =
    TABLE("RpcException", iswi_rpc_exception, exception_rows);

static const iswi_proto_row result_rows[] = {
    ROW(1, STRING, iswi_rpc_result, result, "result"),
    SUB(2, iswi_rpc_result, exception, exception_table, "exception"),
    ROW(4, INT32, iswi_rpc_result, status, "status"),
};
static const iswi_proto_table result_table = TABLE("StatusResult", iswi_rpc_result, result_rows);

static const iswi_proto_row start_rows[] = {
    ROW(2, STRING, iswi_rpc_start, worker_id, "worker_id"),
};
static const iswi_proto_table start_table = TABLE("StartStream", iswi_rpc_start, start_rows);

static const iswi_proto_row init_rows[] = {
    ROW(1, STRING, iswi_rpc_init, host_version, "host_version"),
    SUBS(2, iswi_rpc_init, capabilities, iswi_rpc_pair_table, "capabilities"),
    ROW(4, STRING, iswi_rpc_init, worker_directory, "worker_directory"),
    ROW(5, STRING, iswi_rpc_init, function_app_directory, "function_app_directory"),
};
static const iswi_proto_table init_table = TABLE("WorkerInitRequest", iswi_rpc_init, init_rows);

static const iswi_proto_row runtime_rows[] = {
    ROW(1, STRING, iswi_rpc_runtime, name, "runtime_name"),
    ROW(2, STRING, iswi_rpc_runtime, version, "runtime_version"),
    ROW(3, STRING, iswi_rpc_runtime, worker_version, "worker_version"),
    ROW(4, STRING, iswi_rpc_runtime, bitness, "worker_bitness"),
};
static const iswi_proto_table runtime_table =
    TABLE("WorkerMetadata", iswi_rpc_runtime, runtime_rows);

static const iswi_proto_row init_done_rows[] = {
    ROW(1, STRING, iswi_rpc_init_done, worker_version, "worker_version"),
    SUBS(2, iswi_rpc_init_done, capabilities, iswi_rpc_pair_table, "capabilities"),
    SUB(3, iswi_rpc_init_done, result, result_table, "result"),
    SUB(4, iswi_rpc_init_done, metadata, runtime_table, "worker_metadata"),
};
static const iswi_proto_table init_done_table =
    TABLE("WorkerInitResponse", iswi_rpc_init_done, init_done_rows);

static const iswi_proto_row terminate_rows[] = {
    SUB(1, iswi_rpc_terminate, grace, iswi_rpc_duration_table, "grace_period"),
};
static const iswi_proto_table terminate_table =
    TABLE("WorkerTerminate", iswi_rpc_terminate, terminate_rows);

static const iswi_proto_table status_table = { .name = "WorkerStatusRequest",
    .size = sizeof(iswi_rpc_nothing) };

static const iswi_proto_table status_done_table = { .name = "WorkerStatusResponse",
    .size = sizeof(iswi_rpc_nothing) };

static const iswi_proto_row environment_rows[] = {
    SUBS(1, iswi_rpc_environment, variables, iswi_rpc_pair_table, "environment_variables"),
    ROW(2, STRING, iswi_rpc_environment, function_app_directory, "function_app_directory"),
};
static const iswi_proto_table environment_table =
    TABLE("FunctionEnvironmentReloadRequest", iswi_rpc_environment, environment_rows);

static const iswi_proto_row environment_done_rows[] = {
    SUB(1, iswi_rpc_environment_done, metadata, runtime_table, "worker_metadata"),
    SUBS(2, iswi_rpc_environment_done, capabilities, iswi_rpc_pair_table, "capabilities"),
    SUB(3, iswi_rpc_environment_done, result, result_table, "result"),
    ROW(4, INT32, iswi_rpc_environment_done, strategy, "capabilities_update_strategy"),
};
static const iswi_proto_table environment_done_table =
    TABLE("FunctionEnvironmentReloadResponse", iswi_rpc_environment_done, environment_done_rows);

static const iswi_proto_row retry_options_rows[] = {
    ROW(2, INT32, iswi_rpc_retry_options, max_retry_count, "max_retry_count"),
    SUB(3, iswi_rpc_retry_options, delay, iswi_rpc_duration_table, "delay_interval"),
    SUB(4, iswi_rpc_retry_options, least, iswi_rpc_duration_table, "minimum_interval"),
    SUB(5, iswi_rpc_retry_options, most, iswi_rpc_duration_table, "maximum_interval"),
    ROW(6, INT32, iswi_rpc_retry_options, strategy, "retry_strategy"),
};
static const iswi_proto_table retry_options_table =
    TABLE("RpcRetryOptions", iswi_rpc_retry_options, retry_options_rows);

static const iswi_proto_row function_rows[] = {
    ROW(1, STRING, iswi_rpc_function, directory, "directory"),
    ROW(2, STRING, iswi_rpc_function, script_file, "script_file"),
    ROW(3, STRING, iswi_rpc_function, entry_point, "entry_point"),
    ROW(4, STRING, iswi_rpc_function, name, "name"),
    ROW(9, STRING, iswi_rpc_function, language, "language"),
    LIST(10, STRING, iswi_rpc_function, raw_bindings, "raw_bindings"),
    ROW(13, STRING, iswi_rpc_function, function_id, "function_id"),
    SUB(15, iswi_rpc_function, retry, retry_options_table, "retry_options"),
    SUBS(16, iswi_rpc_function, properties, iswi_rpc_pair_table, "properties"),
};
static const iswi_proto_table function_table =
    TABLE("RpcFunctionMetadata", iswi_rpc_function, function_rows);

static const iswi_proto_row index_rows[] = {
    ROW(1, STRING, iswi_rpc_index, function_app_directory, "function_app_directory"),
};
static const iswi_proto_table index_table =
    TABLE("FunctionsMetadataRequest", iswi_rpc_index, index_rows);

static const iswi_proto_row index_done_rows[] = {
    SUBS(1, iswi_rpc_index_done, functions, function_table, "function_metadata_results"),
    SUB(2, iswi_rpc_index_done, result, result_table, "result"),
    ROW(3, BOOL, iswi_rpc_index_done, use_default, "use_default_metadata_indexing"),
};
static const iswi_proto_table index_done_table =
    TABLE("FunctionMetadataResponse", iswi_rpc_index_done, index_done_rows);

static const iswi_proto_row load_rows[] = {
    ROW(1, STRING, iswi_rpc_load, function_id, "function_id"),
    SUB(2, iswi_rpc_load, metadata, function_table, "metadata"),
};
static const iswi_proto_table load_table = TABLE("FunctionLoadRequest", iswi_rpc_load, load_rows);

static const iswi_proto_row load_done_rows[] = {
    ROW(1, STRING, iswi_rpc_load_done, function_id, "function_id"),
    SUB(2, iswi_rpc_load_done, result, result_table, "result"),
};
static const iswi_proto_table load_done_table =
    TABLE("FunctionLoadResponse", iswi_rpc_load_done, load_done_rows);

static const iswi_proto_row trace_rows[] = {
    ROW(1, STRING, iswi_rpc_trace, parent, "trace_parent"),
    ROW(2, STRING, iswi_rpc_trace, state, "trace_state"),
    SUBS(3, iswi_rpc_trace, attributes, iswi_rpc_pair_table, "attributes"),
    SUBS(4, iswi_rpc_trace, baggage, iswi_rpc_pair_table, "baggage"),
};
static const iswi_proto_table trace_table = TABLE("RpcTraceContext", iswi_rpc_trace, trace_rows);

static const iswi_proto_row retry_rows[] = {
    ROW(1, INT32, iswi_rpc_retry, count, "retry_count"),
    ROW(2, INT32, iswi_rpc_retry, max, "max_retry_count"),
    SUB(3, iswi_rpc_retry, exception, exception_table, "exception"),
};
static const iswi_proto_table retry_table = TABLE("RetryContext", iswi_rpc_retry, retry_rows);

static const iswi_proto_row invoke_rows[] = {
    ROW(1, STRING, iswi_rpc_invoke, invocation_id, "invocation_id"),
    ROW(2, STRING, iswi_rpc_invoke, function_id, "function_id"),
    SUBS(3, iswi_rpc_invoke, inputs, iswi_rpc_parameter_table, "input_data"),
    SUBS(4, iswi_rpc_invoke, metadata, iswi_rpc_named_table, "trigger_metadata"),
    SUB(5, iswi_rpc_invoke, trace, trace_table, "trace_context"),
    SUB(6, iswi_rpc_invoke, retry, retry_table, "retry_context"),
};
static const iswi_proto_table invoke_table =
    TABLE("InvocationRequest", iswi_rpc_invoke, invoke_rows);

static const iswi_proto_row invoke_done_rows[] = {
    ROW(1, STRING, iswi_rpc_invoke_done, invocation_id, "invocation_id"),
    SUBS(2, iswi_rpc_invoke_done, outputs, iswi_rpc_parameter_table, "output_data"),
    SUB(3, iswi_rpc_invoke_done, result, result_table, "result"),
    SUB(4, iswi_rpc_invoke_done, returned, iswi_rpc_data_table, "return_value"),
};
static const iswi_proto_table invoke_done_table =
    TABLE("InvocationResponse", iswi_rpc_invoke_done, invoke_done_rows);

static const iswi_proto_row cancel_rows[] = {
    ROW(2, STRING, iswi_rpc_cancel, invocation_id, "invocation_id"),
};
static const iswi_proto_table cancel_table =
    TABLE("InvocationCancel", iswi_rpc_cancel, cancel_rows);

static const iswi_proto_row log_rows[] = {
    ROW(1, STRING, iswi_rpc_log, invocation_id, "invocation_id"),
    ROW(2, STRING, iswi_rpc_log, category, "category"),
    ROW(3, INT32, iswi_rpc_log, level, "level"),
    ROW(4, STRING, iswi_rpc_log, message, "message"),
    ROW(5, STRING, iswi_rpc_log, event_id, "event_id"),
    SUB(6, iswi_rpc_log, exception, exception_table, "exception"),
    ROW(7, STRING, iswi_rpc_log, properties, "properties"),
    ROW(8, INT32, iswi_rpc_log, log_category, "log_category"),
    SUBS(9, iswi_rpc_log, fields, iswi_rpc_named_table, "propertiesMap"),
};
static const iswi_proto_table log_table = TABLE("RpcLog", iswi_rpc_log, log_rows);

static const iswi_proto_row warmup_rows[] = {
    ROW(1, STRING, iswi_rpc_warmup, worker_directory, "worker_directory"),
};
static const iswi_proto_table warmup_table =
    TABLE("WorkerWarmupRequest", iswi_rpc_warmup, warmup_rows);

static const iswi_proto_row warmup_done_rows[] = {
    SUB(1, iswi_rpc_warmup_done, result, result_table, "result"),
};
static const iswi_proto_table warmup_done_table =
    TABLE("WorkerWarmupResponse", iswi_rpc_warmup_done, warmup_done_rows);

static const iswi_proto_row message_rows[] = {
    ROW(1, STRING, iswi_rpc_message, request_id, "request_id"),
    ONE_SUB(2, iswi_rpc_message, as.log, log_table, "rpc_log"),
    ONE_SUB(4, iswi_rpc_message, as.invoke, invoke_table, "invocation_request"),
    ONE_SUB(5, iswi_rpc_message, as.invoke_done, invoke_done_table, "invocation_response"),
    ONE_SUB(8, iswi_rpc_message, as.load, load_table, "function_load_request"),
    ONE_SUB(9, iswi_rpc_message, as.load_done, load_done_table, "function_load_response"),
    ONE_SUB(12, iswi_rpc_message, as.nothing, status_table, "worker_status_request"),
    ONE_SUB(13, iswi_rpc_message, as.nothing, status_done_table, "worker_status_response"),
    ONE_SUB(14, iswi_rpc_message, as.terminate, terminate_table, "worker_terminate"),
    ONE_SUB(16, iswi_rpc_message, as.init_done, init_done_table, "worker_init_response"),
    ONE_SUB(17, iswi_rpc_message, as.init, init_table, "worker_init_request"),
    ONE_SUB(20, iswi_rpc_message, as.start, start_table, "start_stream"),
    ONE_SUB(21, iswi_rpc_message, as.cancel, cancel_table, "invocation_cancel"),
    ONE_SUB(25, iswi_rpc_message, as.environment, environment_table,
            "function_environment_reload_request"),
    ONE_SUB(26, iswi_rpc_message, as.environment_done, environment_done_table,
            "function_environment_reload_response"),
    ONE_SUB(29, iswi_rpc_message, as.index, index_table, "functions_metadata_request"),
    ONE_SUB(30, iswi_rpc_message, as.index_done, index_done_table, "function_metadata_response"),
    ONE_SUB(33, iswi_rpc_message, as.warmup, warmup_table, "worker_warmup_request"),
    ONE_SUB(34, iswi_rpc_message, as.warmup_done, warmup_done_table, "worker_warmup_response"),
};
const iswi_proto_table iswi_rpc_message_table =
    CHOICE("StreamingMessage", iswi_rpc_message, message_rows);
