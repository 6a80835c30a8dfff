/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of the fields of values. As messages.c. */
#include "host/azure/values.h"

#include "host/azure/rows.h"

static const iswi_proto_table http_table;

static const iswi_proto_row duration_rows[] = {
    ROW(1, INT64, iswi_rpc_duration, seconds, "seconds"),
    ROW(2, INT32, iswi_rpc_duration, nanos, "nanos"),
};
const iswi_proto_table iswi_rpc_duration_table =
    TABLE("Duration", iswi_rpc_duration, duration_rows);

static const iswi_proto_row nullable_string_rows[] = {
    ONE(1, STRING, iswi_rpc_nullable, value, "value"),
};
static const iswi_proto_table nullable_string_table =
    CHOICE("NullableString", iswi_rpc_nullable, nullable_string_rows);

static const iswi_proto_row nullable_bool_rows[] = {
    ONE(1, BOOL, iswi_rpc_nullable_bool, value, "value"),
};
static const iswi_proto_table nullable_bool_table =
    CHOICE("NullableBool", iswi_rpc_nullable_bool, nullable_bool_rows);

static const iswi_proto_row nullable_double_rows[] = {
    ONE(1, DOUBLE, iswi_rpc_nullable_double, value, "value"),
};
static const iswi_proto_table nullable_double_table =
    CHOICE("NullableDouble", iswi_rpc_nullable_double, nullable_double_rows);

static const iswi_proto_row nullable_time_rows[] = {
    ONE_SUB(1, iswi_rpc_nullable_time, value, iswi_rpc_duration_table, "value"),
};
static const iswi_proto_table nullable_time_table =
    CHOICE("NullableTimestamp", iswi_rpc_nullable_time, nullable_time_rows);

static const iswi_proto_row pair_rows[] = {
    ROW(1, STRING, isw_pair, name, "key"),
    ROW(2, STRING, isw_pair, value, "value"),
};
const iswi_proto_table iswi_rpc_pair_table = TABLE("map<string,string>", isw_pair, pair_rows);

static const iswi_proto_row nullable_named_rows[] = {
    ROW(1, STRING, iswi_rpc_nullable_named, name, "key"),
    SUB(2, iswi_rpc_nullable_named, value, nullable_string_table, "value"),
};
static const iswi_proto_table nullable_named_table =
    TABLE("map<string,NullableString>", iswi_rpc_nullable_named, nullable_named_rows);

static const iswi_proto_row strings_rows[] = {
    ITEMS(STRING, "string"),
};
static const iswi_proto_table strings_table =
    TABLE("CollectionString", iswi_proto_list, strings_rows);

static const iswi_proto_row bytes_rows[] = {
    ITEMS(BYTES, "bytes"),
};
static const iswi_proto_table bytes_table = TABLE("CollectionBytes", iswi_proto_list, bytes_rows);

static const iswi_proto_row doubles_rows[] = {
    ITEMS(DOUBLE, "double"),
};
static const iswi_proto_table doubles_table =
    TABLE("CollectionDouble", iswi_proto_list, doubles_rows);

static const iswi_proto_row integers_rows[] = {
    ITEMS(SINT64, "sint64"),
};
static const iswi_proto_table integers_table =
    TABLE("CollectionSInt64", iswi_proto_list, integers_rows);

static const iswi_proto_row model_rows[] = {
    ROW(1, STRING, isw_model, version, "version"),
    ROW(2, STRING, isw_model, source, "source"),
    ROW(3, STRING, isw_model, content_type, "content_type"),
    ROW(4, BYTES, isw_model, content, "content"),
};
static const iswi_proto_table model_table = TABLE("ModelBindingData", isw_model, model_rows);

static const iswi_proto_row models_rows[] = {
    { TITLED(1, MESSAGE, 0, "model_binding_data"), .table = &model_table, .repeated = true },
};
static const iswi_proto_table models_table =
    TABLE("CollectionModelBindingData", iswi_proto_list, models_rows);

static const iswi_proto_row data_rows[] = {
    ONE(1, STRING, iswi_rpc_data, as.string, "string"),
    ONE(2, STRING, iswi_rpc_data, as.string, "json"),
    ONE(3, BYTES, iswi_rpc_data, as.bytes, "bytes"),
    ONE(4, BYTES, iswi_rpc_data, as.bytes, "stream"),
    ONE_SUB(5, iswi_rpc_data, as.http, http_table, "http"),
    ONE(6, SINT64, iswi_rpc_data, as.integer, "int"),
    ONE(7, DOUBLE, iswi_rpc_data, as.real, "double"),
    ONE_SUB(8, iswi_rpc_data, as.list, bytes_table, "collection_bytes"),
    ONE_SUB(9, iswi_rpc_data, as.list, strings_table, "collection_string"),
    ONE_SUB(10, iswi_rpc_data, as.list, doubles_table, "collection_double"),
    ONE_SUB(11, iswi_rpc_data, as.list, integers_table, "collection_sint64"),
    ONE_SUB(12, iswi_rpc_data, as.model, model_table, "model_binding_data"),
    ONE_SUB(13, iswi_rpc_data, as.list, models_table, "collection_model_binding_data"),
};
const iswi_proto_table iswi_rpc_data_table = CHOICE("TypedData", iswi_rpc_data, data_rows);

static const iswi_proto_row named_rows[] = {
    ROW(1, STRING, iswi_rpc_named, name, "key"),
    SUB(2, iswi_rpc_named, data, iswi_rpc_data_table, "value"),
};
const iswi_proto_table iswi_rpc_named_table =
    TABLE("map<string,TypedData>", iswi_rpc_named, named_rows);

static const iswi_proto_row parameter_rows[] = {
    ROW(1, STRING, iswi_rpc_named, name, "name"),
    ONE_SUB(2, iswi_rpc_named, data, iswi_rpc_data_table, "data"),
};
const iswi_proto_table iswi_rpc_parameter_table =
    CHOICE("ParameterBinding", iswi_rpc_named, parameter_rows);

static const iswi_proto_row cookie_rows[] = {
    ROW(1, STRING, iswi_rpc_cookie, name, "name"),
    ROW(2, STRING, iswi_rpc_cookie, value, "value"),
    SUB(3, iswi_rpc_cookie, domain, nullable_string_table, "domain"),
    SUB(4, iswi_rpc_cookie, path, nullable_string_table, "path"),
    SUB(5, iswi_rpc_cookie, expires, nullable_time_table, "expires"),
    SUB(6, iswi_rpc_cookie, secure, nullable_bool_table, "secure"),
    SUB(7, iswi_rpc_cookie, http_only, nullable_bool_table, "http_only"),
    ROW(8, INT32, iswi_rpc_cookie, same_site, "same_site"),
    SUB(9, iswi_rpc_cookie, max_age, nullable_double_table, "max_age"),
};
static const iswi_proto_table cookie_table = TABLE("RpcHttpCookie", iswi_rpc_cookie, cookie_rows);

static const iswi_proto_row http_rows[] = {
    ROW(1, STRING, iswi_rpc_http, method, "method"),
    ROW(2, STRING, iswi_rpc_http, url, "url"),
    SUBS(3, iswi_rpc_http, headers, iswi_rpc_pair_table, "headers"),
    SUB(4, iswi_rpc_http, body, iswi_rpc_data_table, "body"),
    SUBS(10, iswi_rpc_http, params, iswi_rpc_pair_table, "params"),
    ROW(12, STRING, iswi_rpc_http, status_code, "status_code"),
    SUBS(15, iswi_rpc_http, query, iswi_rpc_pair_table, "query"),
    SUBS(19, iswi_rpc_http, cookies, cookie_table, "cookies"),
    SUBS(20, iswi_rpc_http, nullable_headers, nullable_named_table, "nullable_headers"),
    SUBS(21, iswi_rpc_http, nullable_params, nullable_named_table, "nullable_params"),
    SUBS(22, iswi_rpc_http, nullable_query, nullable_named_table, "nullable_query"),
};
static const iswi_proto_table http_table = TABLE("RpcHttp", iswi_rpc_http, http_rows);
