/* SPDX-License-Identifier: Apache-2.0 */
/* One invocation: what the worker has for it, its chain, and its end. Invariant: it holds its
 * generation from begin to end. */
#include "worker/registry/call.h"

#include "worker/context/failure.h"
#include "worker/http/reply.h"

bool iswi_call_begin(isw_context *ctx, isw_worker *worker, const iswi_entry *entry,
                     const iswi_given *given)
{
    iswi_generation *generation = iswi_generation_take(worker);

    return iswi_context_begin(ctx, entry, generation,
                              &generation->functions[entry - worker->entries], &worker->shared,
                              given);
}

bool iswi_call_leave_out(isw_context *ctx, const isw_option_strings *names)
{
    iswi_bound *own = iswi_arena_alloc(&ctx->arena, sizeof *own);
    isw_function *function = iswi_arena_alloc(&ctx->arena, sizeof *function);

    if (!own || !function)
        return false;
    *function = *ctx->bound->function;
    function->without = iswi_names_join(&ctx->arena, function->without, names);
    own->function = function;
    return function->without &&
           iswi_pipeline_chain(ctx->generation->pipeline, function, iswi_context_ends, &ctx->arena,
                               &own->chain) == ISW_OK &&
           iswi_context_bind(ctx, own);
}

isw_status iswi_call_run(isw_context *ctx)
{
    const isw_context *before = iswi_running_set(ctx);
    isw_status status;

    if (atomic_load(&ctx->cancelled)) {
        status = iswi_fail(ctx, ISW_E_CANCELLED, "cancelled before it began");
        iswi_failure_follow_reason(ctx);
    } else {
        status = iswi_http_settle(ctx, isw_next_run(ctx->bound->chain.steps, ctx));
    }
    iswi_running_set(before);
    if (ctx->run.failure.status != ISW_OK)
        iswi_context_report(ctx, status);
    return status;
}

void iswi_call_end(isw_context *ctx)
{
    iswi_generation_drop(iswi_context_end(ctx));
}
