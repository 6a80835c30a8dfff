/* SPDX-License-Identifier: Apache-2.0 */
/* One invocation in the calling thread, with no host: for tests, debuggers and `invoke`. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/logline.h"
#include "worker/worker.h"

#include <stdio.h>

static void print_line(void *user, isw_context *ctx, const iswi_log *line)
{
    iswi_logline text = { .level = (isw_log_level)line->level,
                          .time_us = (int64_t)line->time_us,
                          .source = isw_str_of("local"),
                          .category = line->category,
                          .message = line->message,
                          .fields = line->fields.items,
                          .field_count = line->fields.count };
    iswi_buffer out = { 0 };

    (void)user;
    (void)ctx;
    iswi_logline_text(&text, false, &out);
    fwrite(out.data, 1, out.size, stderr);
    iswi_buffer_fini(&out);
}

static isw_log_level print_threshold(void *user, const char *category)
{
    (void)user;
    (void)category;
    return ISW_LOG_INFO;
}

static const iswi_log_sink to_stderr = { print_line, print_threshold, NULL };

static isw_status begin(isw_worker *worker, const iswi_entry *entry, const isw_value *input,
                        isw_context *ctx)
{
    unsigned char random[16];
    char *id;

    iswi_context_init(ctx);
    if (!iswi_context_begin(ctx, entry, &worker->services, &to_stderr, &worker->gate))
        return ISW_E_NO_MEMORY;
    id = isw_context_alloc(ctx, 2 * sizeof random + 1);
    if (!id || !iswi_random(random, sizeof random))
        return ISW_E_NO_MEMORY;
    iswi_hex(random, sizeof random, id);
    ctx->invocation_id = id;
    if (input)
        ctx->trigger = *input;
    if (entry->function->timeout_ms)
        ctx->deadline_ns = ctx->arrived_ns + (int64_t)entry->function->timeout_ms * 1000000;
    return ISW_OK;
}

static void fill(const isw_context *ctx, isw_status status, isw_invocation *out)
{
    const isw_error *failure = isw_context_failure(ctx);

    memset(out, 0, sizeof *out);
    out->outcome = isw_context_outcome(ctx, status);
    if (failure)
        out->failure = *failure;
    if (ctx->has_result)
        out->result = ctx->result;
    out->outputs = ctx->outputs.items;
    out->output_count = ctx->outputs.count;
    out->duration_us = isw_context_elapsed_us(ctx);
    out->opaque = (void *)ctx;
}

isw_status isw_worker_invoke(isw_worker *worker, const char *name, const isw_value *input,
                             isw_invocation *out, isw_error *error)
{
    isw_status status = isw_worker_configure(worker, error);
    const iswi_entry *entry;
    isw_context *ctx;

    if (status != ISW_OK)
        return status;
    entry = iswi_worker_entry(worker, isw_str_of(name));
    if (!entry)
        return isw_error_set(error, ISW_E_NOT_FOUND, "there is no function \"%s\"", name);
    ctx = iswi_calloc(1, sizeof *ctx);
    status = ctx ? begin(worker, entry, input, ctx) : ISW_E_NO_MEMORY;
    if (status != ISW_OK) {
        if (ctx)
            iswi_context_fini(ctx);
        iswi_free(ctx);
        return isw_error_set(error, status, "no memory for the invocation");
    }
    fill(ctx, iswi_context_run(ctx), out);
    return ISW_OK;
}

void isw_invocation_free(isw_invocation *invocation)
{
    isw_context *ctx = invocation->opaque;

    if (!ctx)
        return;
    iswi_context_end(ctx);
    iswi_context_fini(ctx);
    iswi_free(ctx);
    invocation->opaque = NULL;
}
