/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains. Invariant: `when` is decided once for each function, when its chain is made; an
 * invocation tests nothing and only walks its array.
 */
#include "pipeline/instance.h"

#include <stdalign.h>
#include <stddef.h>

/* "error_handling, logging"; "none". */
static const char *names_of(const iswi_named_list *list, iswi_arena *arena)
{
    const char *names = NULL;

    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->items[i].row->name;

        names = names ? iswi_arena_printf(arena, "%s, %s", names, name) : name;
    }
    return names ? names : "none";
}

isw_status iswi_pipeline_knows(const iswi_named_list *list, const char *function,
                               const char *const *names, iswi_arena *arena, isw_error *error)
{
    for (; names && *names; names++) {
        bool known = false;

        for (size_t i = 0; i < list->count; i++)
            known = known || strcmp(list->items[i].row->name, *names) == 0;
        if (!known)
            return isw_error_set(error, ISW_E_CONFIG,
                                 "function %s names the middleware \"%s\", which is not in the "
                                 "chain; the chain has: %s",
                                 function, *names, names_of(list, arena));
    }
    return ISW_OK;
}

static size_t aligned(size_t size)
{
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

isw_status iswi_pipeline_chain(const iswi_pipeline *pipeline, const isw_function *function,
                               iswi_ends ends, iswi_arena *arena, iswi_chain *out)
{
    size_t most = pipeline ? pipeline->count : 0;
    isw_next *steps = iswi_arena_calloc(arena, most + 1, sizeof *steps);
    size_t count = 0;
    size_t state_bytes = 0;

    if (!steps)
        return ISW_E_NO_MEMORY;
    for (size_t i = 0; i < most; i++) {
        const iswi_member *member = &pipeline->members[i];
        isw_instance *self = member->instance;

        if (!iswi_member_admits(member, function))
            continue;
        steps[count++] = (isw_next){ .invoke = self->middleware->invoke,
                                     .self = self,
                                     .header = iswi_member_header(member),
                                     .has_header = ends.has_header,
                                     .state_offset = state_bytes,
                                     .state_size = self->middleware->invocation_size };
        state_bytes += aligned(self->middleware->invocation_size);
    }
    steps[count].invoke = ends.handler;
    *out = (iswi_chain){ .steps = steps, .count = count, .state_bytes = state_bytes };
    return ISW_OK;
}

const char *iswi_step_name(const isw_next *step)
{
    return step->self ? step->self->middleware->name : "handler";
}

void *isw_next_state(const isw_next *next, isw_context *ctx)
{
    return ((iswi_run *)ctx)->chain_state + next[-1].state_offset;
}

static isw_status run_step(const isw_next *step, isw_context *ctx)
{
    iswi_run *run = (iswi_run *)ctx;
    isw_status status;

    if (step->state_size)
        memset(run->chain_state + step->state_offset, 0, step->state_size);
    status = step->invoke(step->self, ctx, step + 1);
    if (status != ISW_OK && run->failure.status == ISW_OK)
        run->failure = (isw_failure){ .status = status,
                                      .message = isw_status_text(status),
                                      .type = "",
                                      .place = "",
                                      .user = true,
                                      .retriable = isw_status_retriable(status) };
    if (run->failure.status != ISW_OK && run->failed)
        run->failed(ctx);
    return status;
}

static isw_status run_recorded(const isw_next *step, isw_context *ctx, iswi_spans *spans)
{
    size_t at = iswi_spans_begin(spans, iswi_step_name(step));
    isw_status status = run_step(step, ctx);

    iswi_spans_end(spans, at, status);
    return status;
}

isw_status isw_next_run(const isw_next *next, isw_context *ctx)
{
    iswi_spans *spans = ((iswi_run *)ctx)->spans;

    while (next->header && !next->has_header(ctx, next->header))
        next++;
    return spans ? run_recorded(next, ctx, spans) : run_step(next, ctx);
}
