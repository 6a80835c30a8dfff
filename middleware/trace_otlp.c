/* SPDX-License-Identifier: Apache-2.0 */
/* OTLP/JSON: ids in hexadecimal digits, times as texts, kinds and status codes as numbers
 * (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding"). */
#include "trace_otlp.h"

#include <isoworker/convert.h>
#include <isoworker/http.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* As JSON has doubles, in no locale, and as OTLP/JSON has those that JSON has not. */
static isw_str double_of(isw_context *ctx, const isw_value *value)
{
    const double real = value->as.real;
    isw_str json = isw_str_of(isnan(real) ? "\"NaN\""
                              : real > 0  ? "\"Infinity\""
                                          : "\"-Infinity\"");

    if (isfinite(real))
        isw_json_write(ctx, value, &json);
    return json;
}

static void write_value(isw_context *ctx, FILE *out, const isw_value *value)
{
    isw_str text = value->type == ISW_VALUE_STRING ? value->as.string : isw_str_of("");
    const char *json;

    if (value->type == ISW_VALUE_INT) {
        fprintf(out, "{\"intValue\":\"%" PRId64 "\"}", value->as.integer);
    } else if (value->type == ISW_VALUE_DOUBLE) {
        text = double_of(ctx, value);
        fprintf(out, "{\"doubleValue\":%.*s}", (int)text.size, text.data);
    } else if (value->type == ISW_VALUE_BOOL) {
        fprintf(out, "{\"boolValue\":%s}", value->as.boolean ? "true" : "false");
    } else {
        json = isw_context_json_string(ctx, isw_context_strndup(ctx, text.data, text.size));
        fprintf(out, "{\"stringValue\":%s}", json ? json : "\"\"");
    }
}

/* SpanKind: internal, but for one of which the function says that it waits for somebody. */
static int kind_of(const isw_span *span)
{
    for (size_t i = 0; i < span->attributes.count; i++) {
        const isw_named_value *at = &span->attributes.items[i];

        if (isw_str_equal(at->name, isw_str_of("span.kind")) &&
            at->value.type == ISW_VALUE_STRING &&
            isw_str_equal(at->value.as.string, isw_str_of("client")))
            return 3;
    }
    return 1;
}

static void write_span(isw_context *ctx, FILE *out, const isw_recording *recording, size_t number)
{
    const isw_span *span = &recording->spans[number];
    int kind = number ? kind_of(span) : isw_http_request(ctx) ? 2 : 5; /* server, consumer */
    const char *name = span->name ? isw_context_json_string(ctx, span->name) : NULL;

    fprintf(out, "%s{\"traceId\":\"%s\",\"spanId\":\"%s\",\"parentSpanId\":\"%s\",\"name\":%s,"
            "\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64 "000\",\"endTimeUnixNano\":\"%" PRId64
            "000\",\"attributes\":[", number ? "," : "", recording->trace_id, span->id,
            span->parent_id, name ? name : "\"\"", kind, span->start_us,
            span->start_us + span->duration_us);
    for (size_t i = 0; i < span->attributes.count; i++) {
        const isw_named_value *at = &span->attributes.items[i];

        fprintf(out, "%s{\"key\":\"%.*s\",\"value\":", i ? "," : "", (int)at->name.size,
                at->name.data);
        write_value(ctx, out, &at->value);
        fputs("}", out);
    }
    fputs("],\"status\":{", out);
    if (span->status != ISW_OK)
        fprintf(out, "\"code\":2,\"message\":\"%s\"", isw_status_name(span->status));
    fputs("}}", out);
}

char *iswi_trace_otlp(isw_context *ctx, const char *service, const isw_recording *recording,
                      size_t *size)
{
    const char *name = isw_context_json_string(ctx, service);
    char *text = NULL;
    FILE *out = open_memstream(&text, size);

    if (!out)
        return NULL;
    fprintf(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
                 "\"value\":{\"stringValue\":%s}}]},\"scopeSpans\":[{\"scope\":{\"name\":"
                 "\"isoworker\"},\"spans\":[", name ? name : "\"\"");
    for (size_t i = 0; i < recording->count; i++)
        write_span(ctx, out, recording, i);
    fputs("]}]}]}\n", out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
