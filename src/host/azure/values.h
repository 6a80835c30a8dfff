/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_VALUES_H
#define ISWI_HOST_AZURE_VALUES_H

/* Values as the messages of FunctionRpc carry them: TypedData, and what is in it. */
#include "host/azure/proto.h"

#include <isoworker/value.h>

/* google.protobuf.Duration */
typedef struct iswi_rpc_duration {
    int64_t seconds;
    int32_t nanos;
} iswi_rpc_duration;

/* Text that may be left out: NullableString. */
typedef struct iswi_rpc_nullable {
    uint32_t which; /* 0 or 1 */
    isw_str value;
} iswi_rpc_nullable;

typedef struct iswi_rpc_nullable_bool {
    uint32_t which;
    bool value;
} iswi_rpc_nullable_bool;

typedef struct iswi_rpc_nullable_double {
    uint32_t which;
    double value;
} iswi_rpc_nullable_double;

typedef struct iswi_rpc_nullable_time {
    uint32_t which;
    const iswi_rpc_duration *value; /* a Timestamp has the same fields */
} iswi_rpc_nullable_time;

enum { /* of TypedData */
    ISWI_RPC_STRING = 1,
    ISWI_RPC_JSON = 2,
    ISWI_RPC_BYTES = 3,
    ISWI_RPC_STREAM = 4,
    ISWI_RPC_HTTP = 5,
    ISWI_RPC_INT = 6,
    ISWI_RPC_DOUBLE = 7,
    ISWI_RPC_BYTES_LIST = 8,
    ISWI_RPC_STRING_LIST = 9,
    ISWI_RPC_DOUBLE_LIST = 10,
    ISWI_RPC_INT_LIST = 11,
    ISWI_RPC_MODEL = 12,
    ISWI_RPC_MODEL_LIST = 13
};

/* TypedData. The lists are of isw_bytes, isw_str, double, int64_t and isw_model. */
typedef struct iswi_rpc_data {
    uint32_t which;
    union {
        isw_str string;
        isw_bytes bytes;
        const struct iswi_rpc_http *http;
        int64_t integer;
        double real;
        const iswi_proto_list *list;
        const isw_model *model;
    } as;
} iswi_rpc_data;

/* ParameterBinding, and what maps of values have. */
typedef struct iswi_rpc_named {
    isw_str name;
    uint32_t which; /* of a ParameterBinding: 2 */
    const iswi_rpc_data *data;
} iswi_rpc_named;

typedef struct iswi_rpc_nullable_named {
    isw_str name;
    const iswi_rpc_nullable *value;
} iswi_rpc_nullable_named;

typedef struct iswi_rpc_cookie {
    isw_str name, value;
    const iswi_rpc_nullable *domain, *path;
    const iswi_rpc_nullable_time *expires;
    const iswi_rpc_nullable_bool *secure, *http_only;
    int32_t same_site; /* none 0, lax 1, strict 2, "None" 3 */
    const iswi_rpc_nullable_double *max_age;
} iswi_rpc_cookie;

/* RpcHttp. */
typedef struct iswi_rpc_http {
    isw_str method, url;
    isw_pairs headers, params, query;
    const iswi_rpc_data *body;
    isw_str status_code; /* digits */
    iswi_proto_list cookies;                                        /* of iswi_rpc_cookie */
    iswi_proto_list nullable_headers, nullable_params, nullable_query; /* of ..._nullable_named */
} iswi_rpc_http;

extern const iswi_proto_table iswi_rpc_data_table, iswi_rpc_duration_table, iswi_rpc_pair_table,
    iswi_rpc_named_table, iswi_rpc_parameter_table;

#endif
