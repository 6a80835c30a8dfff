/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_MESSAGES_H
#define ISWI_HOST_AZURE_MESSAGES_H

/*
 * The messages of FunctionRpc, the protocol between the Azure Functions host and its language
 * workers, as plain structs: those and the fields that are of use here. messages.c has their
 * numbers. What a pointer or a view points to is the caller's when it is written, and lies in the
 * message and its arena when it was read.
 */
#include "host/azure/values.h"

/* -- Results ----------------------------------------------------------------------------------- */

typedef struct iswi_rpc_exception {
    isw_str stack_trace, message, source, type;
    bool is_user_exception;
} iswi_rpc_exception;

enum { ISWI_RPC_FAILURE = 0, ISWI_RPC_SUCCESS = 1, ISWI_RPC_CANCELLED = 2 };

/* StatusResult. */
typedef struct iswi_rpc_result {
    isw_str result;
    const iswi_rpc_exception *exception;
    int32_t status;
} iswi_rpc_result;

/* -- Messages ---------------------------------------------------------------------------------- */

typedef struct iswi_rpc_start {
    isw_str worker_id;
} iswi_rpc_start;

typedef struct iswi_rpc_init {
    isw_str host_version;
    isw_pairs capabilities;
    isw_str worker_directory, function_app_directory;
} iswi_rpc_init;

/* WorkerMetadata. */
typedef struct iswi_rpc_runtime {
    isw_str name, version, worker_version, bitness;
} iswi_rpc_runtime;

typedef struct iswi_rpc_init_done {
    isw_str worker_version;
    isw_pairs capabilities;
    const iswi_rpc_result *result;
    const iswi_rpc_runtime *metadata;
} iswi_rpc_init_done;

typedef struct iswi_rpc_terminate {
    const iswi_rpc_duration *grace;
} iswi_rpc_terminate;

typedef struct iswi_rpc_nothing {
    char unused;
} iswi_rpc_nothing;

/* FunctionEnvironmentReloadRequest and its response. */
typedef struct iswi_rpc_environment {
    isw_pairs variables;
    isw_str function_app_directory;
} iswi_rpc_environment;

typedef struct iswi_rpc_environment_done {
    const iswi_rpc_runtime *metadata;
    isw_pairs capabilities;
    const iswi_rpc_result *result;
    int32_t strategy; /* merge 0, replace 1 */
} iswi_rpc_environment_done;

typedef struct iswi_rpc_retry_options {
    int32_t max_retry_count; /* -1: for ever */
    const iswi_rpc_duration *delay, *least, *most;
    int32_t strategy; /* exponential 0, fixed 1 */
} iswi_rpc_retry_options;

/* RpcFunctionMetadata. */
typedef struct iswi_rpc_function {
    isw_str name, directory, script_file, entry_point, language, function_id;
    iswi_proto_list raw_bindings; /* of isw_str, JSON */
    const iswi_rpc_retry_options *retry;
    isw_pairs properties;
} iswi_rpc_function;

typedef struct iswi_rpc_index {
    isw_str function_app_directory;
} iswi_rpc_index;

typedef struct iswi_rpc_index_done {
    iswi_proto_list functions; /* of iswi_rpc_function */
    const iswi_rpc_result *result;
    bool use_default;
} iswi_rpc_index_done;

typedef struct iswi_rpc_load {
    isw_str function_id;
    const iswi_rpc_function *metadata;
} iswi_rpc_load;

typedef struct iswi_rpc_load_done {
    isw_str function_id;
    const iswi_rpc_result *result;
} iswi_rpc_load_done;

typedef struct iswi_rpc_trace {
    isw_str parent, state;
    isw_pairs attributes, baggage;
} iswi_rpc_trace;

typedef struct iswi_rpc_retry {
    int32_t count, max;
    const iswi_rpc_exception *exception;
} iswi_rpc_retry;

typedef struct iswi_rpc_invoke {
    isw_str invocation_id, function_id;
    iswi_proto_list inputs, metadata; /* of iswi_rpc_named */
    const iswi_rpc_trace *trace;
    const iswi_rpc_retry *retry;
} iswi_rpc_invoke;

typedef struct iswi_rpc_invoke_done {
    isw_str invocation_id;
    iswi_proto_list outputs; /* of iswi_rpc_named */
    const iswi_rpc_result *result;
    const iswi_rpc_data *returned;
} iswi_rpc_invoke_done;

typedef struct iswi_rpc_cancel {
    isw_str invocation_id;
} iswi_rpc_cancel;

typedef struct iswi_rpc_log {
    isw_str invocation_id, category, message, event_id, properties;
    int32_t level;        /* trace 0 to critical 5 */
    int32_t log_category; /* user 0, system 1 */
    const iswi_rpc_exception *exception;
    iswi_proto_list fields; /* of iswi_rpc_named */
} iswi_rpc_log;

typedef struct iswi_rpc_warmup {
    isw_str worker_directory;
} iswi_rpc_warmup;

typedef struct iswi_rpc_warmup_done {
    const iswi_rpc_result *result;
} iswi_rpc_warmup_done;

/* -- What is sent ------------------------------------------------------------------------------ */

typedef enum iswi_rpc_kind {
    ISWI_RPC_LOG = 2,
    ISWI_RPC_INVOKE = 4,
    ISWI_RPC_INVOKE_DONE = 5,
    ISWI_RPC_LOAD = 8,
    ISWI_RPC_LOAD_DONE = 9,
    ISWI_RPC_STATUS = 12,
    ISWI_RPC_STATUS_DONE = 13,
    ISWI_RPC_TERMINATE = 14,
    ISWI_RPC_INIT_DONE = 16,
    ISWI_RPC_INIT = 17,
    ISWI_RPC_START = 20,
    ISWI_RPC_CANCEL = 21,
    ISWI_RPC_ENVIRONMENT = 25,
    ISWI_RPC_ENVIRONMENT_DONE = 26,
    ISWI_RPC_INDEX = 29,
    ISWI_RPC_INDEX_DONE = 30,
    ISWI_RPC_WARMUP = 33,
    ISWI_RPC_WARMUP_DONE = 34
} iswi_rpc_kind;

/* StreamingMessage. */
typedef struct iswi_rpc_message {
    isw_str request_id;
    uint32_t which; /* iswi_rpc_kind; 0: something that is not known */
    union {
        const iswi_rpc_log *log;
        const iswi_rpc_invoke *invoke;
        const iswi_rpc_invoke_done *invoke_done;
        const iswi_rpc_load *load;
        const iswi_rpc_load_done *load_done;
        const iswi_rpc_terminate *terminate;
        const iswi_rpc_init *init;
        const iswi_rpc_init_done *init_done;
        const iswi_rpc_start *start;
        const iswi_rpc_cancel *cancel;
        const iswi_rpc_environment *environment;
        const iswi_rpc_environment_done *environment_done;
        const iswi_rpc_index *index;
        const iswi_rpc_index_done *index_done;
        const iswi_rpc_warmup *warmup;
        const iswi_rpc_warmup_done *warmup_done;
        const iswi_rpc_nothing *nothing; /* of a status, and its answer */
    } as;
} iswi_rpc_message;

extern const iswi_proto_table iswi_rpc_message_table;

#endif
