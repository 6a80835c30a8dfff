/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace: spans of the invocation, of each middleware inside this one and of the handler, with those
 * that the handler makes itself (span.h), in the caller's W3C trace or a new one. They are exported
 * once the answer is sent: `to: log` writes a line for each under the category "Trace", `to: file`
 * one ExportTraceServiceRequest of OTLP/JSON for each invocation, a line of a file that an
 * OpenTelemetry collector's otlpjsonfile receiver takes. The file is bounded and turned over
 * (trace_file.h), and opened anew once it was moved or deleted.
 * Names, kinds and attributes are OpenTelemetry's (semantic conventions 1.27: http, faas). A trace
 * that its caller samples is sampled here, one that it does not is not; of those that begin here
 * the share `sample` is. Put it outermost: what is outside of it is not in its spans.
 */
#include "trace_file.h"
#include "trace_otlp.h"

#include <isoworker/http.h>
#include <isoworker/log.h>
#include <isoworker/span.h>
#include <isoworker/sys/middleware.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum to { LOG, FILE_LINES };

typedef struct options {
    int64_t to;
    const char *file;
    int64_t max_size, keep;
    double sample;
    const char *service;
} options;

static const char *const targets[] = { "log", "file", NULL };

static const isw_option rows[] = {
    { .name = "to", .type = ISW_OPTION_ENUM, .default_value = "log", .choices = targets,
      .offset = offsetof(options, to), .help = "where spans go" },
    { .name = "file", .type = ISW_OPTION_PATH, .optional = true, .offset = offsetof(options, file),
      .help = "of `to: file`; lines are added to it" },
    { .name = "max_size", .type = ISW_OPTION_SIZE, .default_value = "64MiB", .min = 4096,
      .max = INT64_MAX, .offset = offsetof(options, max_size),
      .help = "before the file is larger it becomes FILE.1, and a new one begins" },
    { .name = "keep", .type = ISW_OPTION_INT, .default_value = "3", .max = 1000,
      .offset = offsetof(options, keep), .help = "how many of FILE.1, FILE.2 ... stay" },
    { .name = "sample", .type = ISW_OPTION_DOUBLE, .default_value = "1",
      .offset = offsetof(options, sample), .help = "share of the traces that begin here, 0 to 1" },
    { .name = "service", .type = ISW_OPTION_STRING, .default_value = "isoworker",
      .offset = offsetof(options, service), .help = "the resource's service.name" },
    { 0 },
};

typedef struct state {
    iswi_trace_file file; /* of `to: file` */
} state;

static isw_status start(isw_instance *self, isw_error *error)
{
    const options *opt = isw_instance_options(self);
    state *own = isw_instance_state(self);

    if (!(opt->sample >= 0 && opt->sample <= 1))
        return isw_error_set(error, ISW_E_CONFIG, "sample is a share from 0 to 1");
    if (opt->to == LOG)
        return ISW_OK;
    if (!opt->file)
        return isw_error_set(error, ISW_E_CONFIG, "to: file needs a file");
    return iswi_trace_file_open(&own->file, opt->file, opt->max_size, opt->keep, error);
}

static void stop(isw_instance *self)
{
    const options *opt = isw_instance_options(self);

    if (opt->to == FILE_LINES)
        iswi_trace_file_close(&((state *)isw_instance_state(self))->file);
}

/* -- The root ---------------------------------------------------------------------------------- */

enum { ROOT_ATTRIBUTES = 6 };

static void describe_root(isw_context *ctx, isw_span *root, isw_named_value *attributes)
{
    const isw_function *function = isw_context_function(ctx);
    const isw_http *http = isw_http_request(ctx);
    const isw_http *reply = isw_http_response(ctx);
    const char *route = function->trigger.route ? function->trigger.route : function->name;
    const char *id = isw_context_invocation_id(ctx);
    size_t count = 0;

    root->name = function->name;
    attributes[count++] = isw_named("faas.name", isw_value_string(function->name));
    attributes[count++] = isw_named("faas.invocation_id", isw_value_string(id));
    attributes[count++] = isw_named("faas.trigger", isw_value_string(function->trigger.type));
    if (http) {
        root->name = isw_context_printf(ctx, "%.*s /%s", (int)http->method.size,
                                        http->method.data, route);
        attributes[count++] = isw_named("http.request.method", isw_value_text(http->method));
        attributes[count++] = isw_named("http.route", isw_value_string(route));
    }
    if (reply)
        attributes[count++] = isw_named("http.response.status_code", isw_value_int(reply->status));
    root->attributes = (isw_map){ attributes, count };
}

/* -- Export ------------------------------------------------------------------------------------ */

static void log_span(isw_context *ctx, const isw_recording *recording, const isw_span *span)
{
    isw_named_value fields[24] = {
        isw_named("trace_id", isw_value_string(recording->trace_id)),
        isw_named("span_id", isw_value_string(span->id)),
        isw_named("parent_id", isw_value_string(span->parent_id)),
        isw_named("start_us", isw_value_int(span->start_us)),
        isw_named("duration_us", isw_value_int(span->duration_us)),
        isw_named("status", isw_value_string(isw_status_name(span->status))),
    };
    size_t count = 6;

    for (size_t i = 0; i < span->attributes.count && count < 24; i++)
        fields[count++] = span->attributes.items[i];
    isw_log_fields(ctx, ISW_LOG_INFO, "Trace", fields, count, "%s", span->name ? span->name : "");
}

static void write_line(isw_context *ctx, const options *opt, iswi_trace_file *file,
                       const isw_recording *recording)
{
    size_t size = 0;
    char *text = iswi_trace_otlp(ctx, opt->service, recording, &size);
    int failure = text ? iswi_trace_file_write(file, text, size) : ENOMEM;

    if (failure)
        isw_log_fields(ctx, ISW_LOG_ERROR, "Trace", NULL, 0, "%s: %s; spans are lost until it is "
                       "mended", opt->file, strerror(failure));
    free(text);
}

/* What the export needs once the answer is sent. */
typedef struct trip {
    isw_instance *self;
    isw_status status;
} trip;

static void export(isw_context *ctx, void *user)
{
    const trip *done = user;
    const options *opt = isw_instance_options(done->self);
    const isw_recording *recording = isw_recording_get(ctx);
    isw_named_value attributes[ROOT_ATTRIBUTES];

    if (!recording)
        return;
    describe_root(ctx, &recording->spans[0], attributes);
    recording->spans[0].status = done->status;
    if (opt->to == FILE_LINES)
        write_line(ctx, opt, &((state *)isw_instance_state(done->self))->file, recording);
    for (size_t i = 0; opt->to == LOG && i < recording->count; i++)
        log_span(ctx, recording, &recording->spans[i]);
}

static bool is_sampled(const isw_context *ctx, const options *opt)
{
    int caller = isw_recording_caller(ctx);
    uint32_t random = UINT32_MAX;

    if (caller >= 0 || opt->sample >= 1)
        return caller != 0;
    return getrandom(&random, sizeof random, GRND_NONBLOCK) == sizeof random &&
           random < opt->sample * UINT32_MAX;
}

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    bool sampled = is_sampled(ctx, isw_instance_options(self));
    isw_status status = isw_recording_begin(ctx, sampled);
    trip *done = isw_context_alloc(ctx, sizeof *done);

    if (status == ISW_OK && !done)
        status = isw_fail(ctx, ISW_E_NO_MEMORY, "no memory for a trace");
    if (status == ISW_OK && sampled)
        status = isw_context_after(ctx, export, done);
    if (status != ISW_OK)
        return status;
    *done = (trip){ self, ISW_OK };
    done->status = isw_next_run(next, ctx);
    return done->status;
}

const isw_middleware isw_middleware_trace = {
    .size = sizeof(isw_middleware),
    .name = "trace",
    .summary = "spans of trigger, chain and handler in the caller's trace (W3C, OpenTelemetry)",
    .options = rows,
    .options_size = sizeof(options),
    .instance_size = sizeof(state),
    .start = start,
    .stop = stop,
    .invoke = invoke,
};
