/* SPDX-License-Identifier: Apache-2.0 */
/* One invocation in the calling thread, with no host: for tests, debuggers and `invoke`. */
#include "worker/program/local.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/logline.h"
#include "worker/registry/call.h"

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
    if (out.size) /* else memory is out */
        fwrite(out.data, 1, out.size, stderr);
    iswi_buffer_fini(&out);
}

static isw_log_level print_threshold(void *user, const char *category)
{
    (void)user;
    (void)category;
    return ISW_LOG_INFO;
}

const iswi_log_sink iswi_local_log = { print_line, print_threshold, NULL };

enum { ID_RANDOM_BYTES = 16, ID_BYTES = 2 * ID_RANDOM_BYTES + 1 };

/* That of `local`, or one at random in `room`; NULL: no randomness. */
static isw_str id_of(const iswi_local *local, char room[ID_BYTES])
{
    unsigned char random[ID_RANDOM_BYTES];

    if (local->invocation_id)
        return isw_str_of(local->invocation_id);
    if (!iswi_random(random, sizeof random))
        return (isw_str){ NULL, 0 };
    iswi_hex(random, sizeof random, room);
    return (isw_str){ room, ID_BYTES - 1 };
}

/* As a host would send it; its time is not in it. */
static iswi_invoke invoke_of(const iswi_local *local, isw_str id)
{
    return (iswi_invoke){ .invocation_id = id,
                          .trigger = local->trigger,
                          .inputs = local->inputs,
                          .trigger_metadata = local->trigger_metadata,
                          .trace = { local->trace.parent, local->trace.state,
                                     local->trace.baggage },
                          .retry = { local->retry.count, local->retry.max,
                                     local->retry.last_error } };
}

static void set_deadline(isw_context *ctx, const iswi_local *local)
{
    uint32_t timeout_ms =
        local->timeout_ms ? local->timeout_ms : ctx->bound->function->timeout_ms;

    if (timeout_ms && !local->endless)
        iswi_context_set_deadline(ctx, ctx->arrived_ns + (int64_t)timeout_ms * 1000000);
}

/* False: no memory, or no randomness for its id. */
static bool begin(isw_worker *worker, const iswi_entry *entry, const iswi_local *local,
                  isw_context *ctx)
{
    char room[ID_BYTES];
    isw_str id = id_of(local, room);
    iswi_local whole = *local;
    iswi_invoke invoke;
    const iswi_given given = { .log = local->log,
                               .sleep = local->sleep,
                               .spans = local->spans,
                               .arrived_ns = iswi_now_ns(),
                               .endless = local->endless,
                               .invoke = &invoke };

    iswi_context_init(ctx);
    if (!id.data ||
        (!local->all_told && !iswi_local_make_up(entry->function, id, &whole, &ctx->arena)))
        return false;
    invoke = invoke_of(&whole, id);
    if (!iswi_call_begin(ctx, worker, entry, &given) ||
        (local->without.count && !iswi_call_leave_out(ctx, &local->without)))
        return false;
    set_deadline(ctx, local);
    return true;
}

isw_context *iswi_local_begin(isw_worker *worker, const iswi_entry *entry, const iswi_local *local)
{
    isw_context *ctx = iswi_calloc(1, sizeof *ctx);

    if (!ctx || begin(worker, entry, local, ctx))
        return ctx;
    iswi_local_end(ctx);
    return NULL;
}

void iswi_local_end(isw_context *ctx)
{
    iswi_call_end(ctx);
    iswi_context_fini(ctx);
    iswi_free(ctx);
}

void iswi_local_fill(const isw_context *ctx, isw_status status, isw_invocation *out)
{
    const isw_failure *failure = isw_context_failure(ctx);

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
    iswi_local local = { .log = &iswi_local_log };
    const iswi_entry *entry;
    isw_context *ctx;

    if (status == ISW_OK)
        status = iswi_worker_start(worker, error);
    if (status != ISW_OK)
        return status;
    entry = iswi_worker_entry(worker, isw_str_of(name));
    if (!entry)
        return isw_error_set(error, ISW_E_NOT_FOUND, "there is no function \"%s\"", name);
    if (input)
        local.trigger = *input;
    ctx = iswi_local_begin(worker, entry, &local);
    if (!ctx)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for the invocation");
    status = iswi_call_run(ctx);
    iswi_local_fill(ctx, status, out);
    iswi_context_after(ctx);
    return ISW_OK;
}

void isw_invocation_free(isw_invocation *invocation)
{
    if (invocation->opaque)
        iswi_local_end(invocation->opaque);
    invocation->opaque = NULL;
}
