/* SPDX-License-Identifier: Apache-2.0 */
/* Workers of one function, from a YAML in a temporary file. */
#include "worker/support.h"

#include "base/clock.h"
#include "base/logline.h"
#include "worker/registry/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

isw_status (*around)(isw_context *ctx, const isw_next *next);

static isw_status call_around(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    (void)self;
    return around(ctx, next);
}

static const isw_middleware around_middleware = { .size = sizeof(isw_middleware),
                                                  .name = "around",
                                                  .invoke = call_around };

static void write_file(char path[32], const char *text)
{
    int fd;

    strcpy(path, "/tmp/isw-worker-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

isw_status make_worker(const isw_function *functions, const char *yaml, isw_worker **out,
                       isw_error *error)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    char path[32];
    isw_status status;

    write_file(path, yaml);
    options.config_path = path;
    assert_int_equal(isw_worker_create(&options, out, error), ISW_OK);
    status = isw_worker_add_middleware(*out, &around_middleware, error);
    for (; status == ISW_OK && functions && functions->name; functions++)
        status = isw_worker_add_function(*out, functions, error);
    if (status == ISW_OK)
        status = isw_worker_configure(*out, error);
    unlink(path);
    return status;
}

const char *refusal_of(const char *yaml)
{
    static char message[ISW_ERROR_MESSAGE_BYTES];
    isw_error error = { 0 };
    isw_worker *worker = NULL;

    assert_int_not_equal(make_worker(NULL, yaml, &worker, &error), ISW_OK);
    isw_worker_destroy(worker);
    assert_int_equal(error.status, ISW_E_CONFIG);
    assert_memory_equal(error.message, "/tmp/isw-worker-", 16);
    strcpy(message, error.message + strlen("/tmp/isw-worker-XXXXXX"));
    return message;
}

/* -- Running ----------------------------------------------------------------------------------- */

isw_value http_data(const isw_http *http)
{
    return (isw_value){ .type = ISW_VALUE_HTTP, .as.http = http };
}

static void configured(run *r, const isw_function *function, const char *yaml)
{
    isw_error error = { 0 };

    memset(r, 0, sizeof *r);
    r->functions[0] = *function;
    if (make_worker(r->functions, yaml ? yaml : "worker: {}\n", &r->worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

static void invoke(run *r, const isw_function *function, const char *yaml, const isw_value *input)
{
    isw_error error = { 0 };

    configured(r, function, yaml);
    if (isw_worker_invoke(r->worker, function->name, input, &r->result, &error) != ISW_OK)
        fail_msg("%s", error.message);
}

void run_function(run *r, isw_handler_fn handler, const char *yaml, const isw_value *input)
{
    const isw_function function = { .name = "sample",
                                    .trigger = ISW_TRIGGER("call", NULL),
                                    .handler = handler };

    invoke(r, &function, yaml, input);
}

void run_http(run *r, isw_handler_fn handler, const char *yaml, const isw_http *request)
{
    static const isw_http plain = { .method = { "GET", 3 }, .url = { "/api/sample", 11 } };
    const isw_function function = { .name = "sample",
                                    .trigger = ISW_HTTP("GET", NULL),
                                    .handler = handler };
    isw_value input = http_data(request ? request : &plain);

    invoke(r, &function, yaml, &input);
}

void run_fini(run *r)
{
    isw_invocation_free(&r->result);
    isw_worker_destroy(r->worker);
}

/* -- Logs -------------------------------------------------------------------------------------- */

typedef struct capture {
    iswi_buffer text;
    isw_log_level threshold;
} capture;

static void catch_line(void *user, isw_context *ctx, const iswi_log *line)
{
    iswi_buffer *text = &((capture *)user)->text;

    (void)ctx;
    iswi_buffer_append_text(text, isw_log_level_name((isw_log_level)line->level));
    iswi_buffer_append_text(text, " ");
    iswi_buffer_append(text, line->category.data, line->category.size);
    iswi_buffer_append_text(text, ": ");
    iswi_buffer_append(text, line->message.data, line->message.size);
    for (size_t i = 0; i < line->fields.count; i++) {
        const isw_named_value *field = &line->fields.items[i];

        iswi_buffer_printf(text, " %.*s=", (int)field->name.size, field->name.data);
        if (isw_str_equal(field->name, isw_str_of("duration_us")))
            iswi_buffer_append_text(text, "*");
        else
            iswi_json_value(text, &field->value);
    }
    iswi_buffer_append_text(text, "\n");
}

static isw_log_level threshold_of(void *user, const char *category)
{
    (void)category;
    return ((capture *)user)->threshold;
}

void run_captured(run *r, const isw_function *function, const char *yaml, const isw_value *input,
                  isw_log_level threshold)
{
    capture caught = { .threshold = threshold };
    iswi_log_sink sink = { catch_line, threshold_of, &caught };
    iswi_invoke invoke = { .function = 0 };
    iswi_given given = { .log = &sink, .arrived_ns = iswi_now_ns(), .invoke = &invoke };
    isw_context *ctx = calloc(1, sizeof *ctx);
    iswi_entry *entry;

    configured(r, function, yaml);
    entry = iswi_worker_entry(r->worker, isw_str_of(function->name));
    atomic_store(&entry->threshold, (int)threshold);
    iswi_context_init(ctx);
    if (input)
        invoke.trigger = *input;
    assert_true(iswi_call_begin(ctx, r->worker, entry, &given));
    r->result.outcome = isw_context_outcome(ctx, iswi_call_run(ctx));
    iswi_call_end(ctx);
    iswi_context_fini(ctx);
    free(ctx);
    snprintf(r->log, sizeof r->log, "%s", iswi_buffer_text(&caught.text));
    iswi_buffer_fini(&caught.text);
}

/* -- Replies ----------------------------------------------------------------------------------- */

static const isw_http *reply_of(const run *r)
{
    assert_int_equal(r->result.result.type, ISW_VALUE_HTTP);
    return r->result.result.as.http;
}

void assert_reply(const run *r, int status, const char *body)
{
    const isw_http *reply = reply_of(r);

    assert_int_equal(reply->status, status);
    assert_int_equal(reply->body.size, strlen(body));
    if (reply->body.size)
        assert_memory_equal(reply->body.data, body, reply->body.size);
}

const char *reply_header(const run *r, const char *name)
{
    const isw_str *value = isw_pairs_find(&reply_of(r)->headers, name);

    return value ? value->data : "";
}
