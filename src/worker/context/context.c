/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a context, and what of it is not input or output: identity, items, and what is left
 * for after the answer. Invariant: between begin and end everything an invocation allocates
 * lies in the arena, except what items own.
 */
#include "base/text.h"
#include "worker/context/answer.h"
#include "worker/context/failure.h"
#include "worker/context/limit.h"
#include "worker/context/services.h"

#include <stddef.h>

enum { OUTGOING_KEPT_BYTES = 64 * 1024 };

/* -- Life -------------------------------------------------------------------------------------- */

void iswi_context_init(isw_context *ctx)
{
    iswi_arena_init(&ctx->arena, ISWI_CONTEXT_ARENA_BYTES);
    atomic_init(&ctx->cancelled, ISW_CANCEL_NONE);
    pthread_mutex_init(&ctx->cancel_lock, NULL);
    ctx->cancel_calls = NULL;
    ctx->cancel_fd = 0;
    ctx->watches_cancel = false;
}

void iswi_context_fini(isw_context *ctx)
{
    pthread_mutex_destroy(&ctx->cancel_lock);
    iswi_buffer_fini(&ctx->outgoing.bytes);
    iswi_arena_fini(&ctx->arena);
}

/* What a frame says of the invocation. */
static void take(isw_context *ctx, const iswi_invoke *invoke)
{
    const char *id = iswi_arena_strndup(&ctx->arena, invoke->invocation_id.data,
                                        invoke->invocation_id.size);

    ctx->invocation_id = id ? id : "";
    ctx->body.follows = invoke->body_follows;
    ctx->trigger = invoke->trigger;
    ctx->inputs = invoke->inputs;
    ctx->trigger_metadata = invoke->trigger_metadata;
    ctx->trace = (isw_trace){ invoke->trace.parent, invoke->trace.state, invoke->trace.baggage };
    ctx->retry.count = (uint32_t)invoke->retry.count;
    ctx->retry.max = (uint32_t)invoke->retry.max;
    ctx->retry.last_error = invoke->retry.last_error;
    if (invoke->timeout_ms && invoke->timeout_ms < INT64_MAX / 2000000)
        ctx->deadline_ns = ctx->arrived_ns + (int64_t)invoke->timeout_ms * 1000000;
}

bool iswi_context_begin(isw_context *ctx, const iswi_entry *entry, iswi_generation *generation,
                        const iswi_bound *bound, iswi_shared *shared, const iswi_given *given)
{
    size_t kept = offsetof(isw_context, entry);

    memset((char *)ctx + kept, 0, sizeof *ctx - kept);
    ctx->run.failure = (isw_failure){ .status = ISW_OK };
    ctx->run.failed = iswi_failure_follow_reason;
    ctx->run.spans = given->spans;
    ctx->entry = entry;
    ctx->generation = generation;
    ctx->shared = shared;
    ctx->log = given->log;
    ctx->host = given->host;
    ctx->sleep = given->sleep;
    ctx->endless = given->endless;
    ctx->id = given->id;
    ctx->arrived_ns = given->arrived_ns;
    take(ctx, given->invoke);
    return iswi_context_bind(ctx, bound);
}

bool iswi_context_bind(isw_context *ctx, const iswi_bound *bound)
{
    ctx->bound = bound;
    ctx->run.chain_state = iswi_arena_alloc(&ctx->arena, bound->chain.state_bytes);
    return ctx->run.chain_state != NULL;
}

iswi_generation *iswi_context_end(isw_context *ctx)
{
    iswi_generation *generation = ctx->generation;

    iswi_cancel_end(ctx);
    iswi_services_end(&ctx->made);
    for (size_t i = ctx->item_count; i-- > 0;)
        if (ctx->items[i].value && ctx->items[i].key->destroy)
            ctx->items[i].key->destroy(ctx->items[i].value);
    ctx->item_count = 0;
    iswi_body_end(&ctx->body);
    ctx->generation = NULL;
    ctx->entry = NULL;
    iswi_arena_reset(&ctx->arena);
    if (ctx->outgoing.bytes.capacity > OUTGOING_KEPT_BYTES)
        iswi_buffer_fini(&ctx->outgoing.bytes);
    return generation;
}

/* -1 is none, so it has the name of all those that there are not. */
static bool is_status(isw_status status)
{
    return strcmp(isw_status_name(status), isw_status_name((isw_status)-1)) != 0;
}

static isw_status call_handler(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    isw_status status;

    ctx->head.outer_count = ctx->head.reply.headers.count;
    status = ctx->bound->function->handler(ctx);
    (void)self;
    (void)next;
    if (status == ISW_OK)
        return ctx->shrinks ? iswi_answer_check_head(ctx) : iswi_answer_check(ctx);
    if (!is_status(status)) {
        iswi_misuse(ctx, ISW_E_FAILED, "its handler returned %d, which is no isw_status: return "
                                       "ISW_OK, and give HTTP statuses to isw_http_reply",
                    (int)status);
        return ISW_E_FAILED;
    }
    /* A failure that cannot be answered with its headers is another one. */
    return iswi_answer_check_head(ctx) == ISW_OK ? status : ISW_E_FAILED;
}

static bool has_header(const isw_context *ctx, const char *name)
{
    return ctx->trigger.type == ISW_VALUE_HTTP &&
           isw_pairs_find(&ctx->trigger.as.http->headers, name);
}

const iswi_ends iswi_context_ends = { .handler = call_handler, .has_header = has_header };

/* -- Identity ---------------------------------------------------------------------------------- */

const char *isw_context_invocation_id(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->invocation_id;
}

const isw_function *isw_context_function(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->bound->function;
}

const char *isw_context_metadata(const isw_context *ctx, const char *name)
{
    ISWI_ALIVE(ctx);
    return isw_property_find(ctx->bound->function->metadata, name);
}

isw_metrics *isw_context_metrics(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->shared->metrics;
}

const isw_trace *isw_context_trace(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return &ctx->trace;
}

const isw_retry *isw_context_retry(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return &ctx->retry;
}

/* -- Afterwards -------------------------------------------------------------------------------- */

struct iswi_after {
    isw_after_fn call;
    void *user;
    iswi_after *before;
};

isw_status isw_context_after(isw_context *ctx, isw_after_fn call, void *user)
{
    ISWI_ALIVE(ctx);
    iswi_after *made = iswi_arena_alloc(&ctx->arena, sizeof *made);

    if (!made)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a call after the answer");
    *made = (iswi_after){ call, user, ctx->after };
    ctx->after = made;
    return ISW_OK;
}

void iswi_context_after(isw_context *ctx)
{
    ctx->answered = true;
    while (ctx->after) {
        iswi_after *at = ctx->after;

        ctx->after = at->before;
        at->call(ctx, at->user);
    }
}

/* -- Items and the caller ---------------------------------------------------------------------- */

const char *isw_context_json_string(isw_context *ctx, const char *text)
{
    ISWI_ALIVE(ctx);
    iswi_buffer json = { 0 };
    const char *copy = NULL;

    iswi_json_string(&json, isw_str_of(text));
    if (!json.failed)
        copy = isw_context_strndup(ctx, (const char *)json.data, json.size);
    iswi_buffer_fini(&json);
    return copy;
}

static iswi_item *find_item(const isw_context *ctx, const isw_item_key *key)
{
    for (size_t i = 0; i < ctx->item_count; i++)
        if (ctx->items[i].key == key)
            return &ctx->items[i];
    return NULL;
}

void *isw_context_item(const isw_context *ctx, const isw_item_key *key)
{
    ISWI_ALIVE(ctx);
    const iswi_item *item = find_item(ctx, key);

    return item ? item->value : NULL;
}

isw_status isw_context_set_item(isw_context *ctx, const isw_item_key *key, void *value)
{
    ISWI_ALIVE(ctx);
    iswi_item *item = find_item(ctx, key);

    if (!item) {
        if (!iswi_context_grow(ctx, &ctx->items, &ctx->item_capacity, ctx->item_count,
                               sizeof *ctx->items))
            return ISW_E_NO_MEMORY;
        item = &ctx->items[ctx->item_count++];
        *item = (iswi_item){ .key = key };
    }
    if (item->value && item->value != value && key->destroy)
        key->destroy(item->value);
    item->value = value;
    return ISW_OK;
}

const isw_principal *isw_context_principal(const isw_context *ctx)
{
    ISWI_ALIVE(ctx);
    return ctx->principal;
}

void isw_context_set_principal(isw_context *ctx, const isw_principal *principal)
{
    isw_principal *own = principal ? isw_context_alloc(ctx, sizeof *own) : NULL;

    ISWI_ALIVE(ctx);
    if (own)
        *own = *principal;
    ctx->principal = own; /* without memory nobody is known, which lets nobody in */
}
