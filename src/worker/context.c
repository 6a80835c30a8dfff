/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a context, and what of it is not input or output: identity, failure, outcome, time,
 * memory, items. Invariant: between begin and end everything an invocation allocates lies in the
 * arena, except what items own.
 */
#include "worker/context.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

enum { OUTGOING_KEPT_BYTES = 64 * 1024 };

void iswi_gate_init(iswi_gate *gate)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&gate->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&gate->cancelled, &attributes);
    pthread_condattr_destroy(&attributes);
}

void iswi_gate_fini(iswi_gate *gate)
{
    pthread_cond_destroy(&gate->cancelled);
    pthread_mutex_destroy(&gate->lock);
}

/* -- Life -------------------------------------------------------------------------------------- */

void iswi_context_init(isw_context *ctx)
{
    iswi_arena_init(&ctx->arena, ISWI_CONTEXT_ARENA_BYTES);
    atomic_init(&ctx->cancelled, false);
}

void iswi_context_fini(isw_context *ctx)
{
    iswi_buffer_fini(&ctx->outgoing.bytes);
    iswi_arena_fini(&ctx->arena);
}

bool iswi_context_begin(isw_context *ctx, const iswi_entry *entry, const iswi_services *services,
                        const iswi_log_sink *log, iswi_gate *gate)
{
    size_t kept = offsetof(isw_context, entry);

    memset((char *)ctx + kept, 0, sizeof *ctx - kept);
    ctx->run.failure.status = ISW_OK;
    ctx->run.chain_state = iswi_arena_alloc(&ctx->arena, entry->chain.state_bytes);
    ctx->entry = entry;
    ctx->services = services;
    ctx->log = log;
    ctx->gate = gate;
    ctx->invocation_id = "";
    ctx->arrived_ns = iswi_now_ns();
    return ctx->run.chain_state != NULL;
}

isw_status iswi_context_run(isw_context *ctx)
{
    return isw_next_run(ctx->entry->chain.steps, ctx);
}

void iswi_context_end(isw_context *ctx)
{
    for (size_t i = ctx->item_count; i-- > 0;)
        if (ctx->items[i].value && ctx->items[i].key->destroy)
            ctx->items[i].key->destroy(ctx->items[i].value);
    ctx->item_count = 0;
    iswi_arena_reset(&ctx->arena);
    if (ctx->outgoing.bytes.capacity > OUTGOING_KEPT_BYTES)
        iswi_buffer_fini(&ctx->outgoing.bytes);
}

void iswi_context_cancel(isw_context *ctx)
{
    atomic_store(&ctx->cancelled, true);
}

isw_status iswi_handler_step(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    (void)self;
    (void)next;
    return ctx->entry->function->handler(ctx);
}

bool iswi_context_grow(isw_context *ctx, void *array_pointer, size_t *capacity, size_t count,
                       size_t item_size)
{
    void **array = array_pointer;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    void *grown;

    if (count < *capacity)
        return true;
    grown = iswi_arena_alloc(&ctx->arena, wanted * item_size);
    if (!grown)
        return false;
    if (count)
        memcpy(grown, *array, count * item_size);
    *array = grown;
    *capacity = wanted;
    return true;
}

/* -- Identity ---------------------------------------------------------------------------------- */

const char *isw_context_invocation_id(const isw_context *ctx)
{
    return ctx->invocation_id;
}

const isw_function *isw_context_function(const isw_context *ctx)
{
    return ctx->entry->function;
}

void *isw_context_service(const isw_context *ctx, const char *name)
{
    for (size_t i = 0; i < ctx->services->count; i++)
        if (strcmp(ctx->services->items[i].name, name) == 0)
            return ctx->services->items[i].service;
    return NULL;
}

const isw_trace *isw_context_trace(const isw_context *ctx)
{
    return &ctx->trace;
}

const isw_retry *isw_context_retry(const isw_context *ctx)
{
    return &ctx->retry;
}

/* -- Failure and outcome ----------------------------------------------------------------------- */

isw_status isw_fail(isw_context *ctx, isw_status status, const char *format, ...)
{
    va_list args;

    assert(status != ISW_OK);
    if (ctx->run.failure.status != ISW_OK)
        return status;
    ctx->run.failure.status = status;
    va_start(args, format);
    vsnprintf(ctx->run.failure.message, sizeof ctx->run.failure.message, format, args);
    va_end(args);
    return status;
}

const isw_error *isw_context_failure(const isw_context *ctx)
{
    return ctx->run.failure.status == ISW_OK ? NULL : &ctx->run.failure;
}

void isw_context_recover(isw_context *ctx)
{
    ctx->run.failure.status = ISW_OK;
}

void isw_context_set_outcome(isw_context *ctx, isw_outcome outcome, uint32_t retry_after_ms)
{
    ctx->outcome_decided = true;
    ctx->outcome = outcome;
    ctx->retry_after_ms = retry_after_ms;
}

isw_outcome isw_context_outcome(const isw_context *ctx, isw_status status)
{
    if (ctx->outcome_decided)
        return ctx->outcome;
    if (ctx->run.failure.status != ISW_OK)
        status = ctx->run.failure.status;
    if (status == ISW_OK)
        return ISW_OUTCOME_SUCCESS;
    return status == ISW_E_CANCELLED ? ISW_OUTCOME_CANCELLED : ISW_OUTCOME_FAILED;
}

/* -- Time -------------------------------------------------------------------------------------- */

int64_t isw_context_remaining_ms(const isw_context *ctx)
{
    int64_t left;

    if (!ctx->deadline_ns)
        return INT64_MAX;
    left = ctx->deadline_ns - iswi_now_ns();
    return left > 0 ? left / 1000000 : 0;
}

int64_t isw_context_elapsed_us(const isw_context *ctx)
{
    return (iswi_now_ns() - ctx->arrived_ns) / 1000;
}

bool isw_context_cancelled(const isw_context *ctx)
{
    return atomic_load_explicit(&ctx->cancelled, memory_order_relaxed) ||
           (ctx->deadline_ns && iswi_now_ns() >= ctx->deadline_ns);
}

isw_status isw_context_sleep(isw_context *ctx, uint32_t ms)
{
    int64_t until = iswi_now_ns() + (int64_t)ms * 1000000;
    bool cut = ctx->deadline_ns && ctx->deadline_ns < until;
    struct timespec at;
    int timed_out = 0;

    if (cut)
        until = ctx->deadline_ns;
    if (ctx->sleep) {
        ctx->sleep(ctx, until);
        return cut || atomic_load(&ctx->cancelled) ? ISW_E_CANCELLED : ISW_OK;
    }
    at.tv_sec = until / 1000000000;
    at.tv_nsec = until % 1000000000;
    pthread_mutex_lock(&ctx->gate->lock);
    while (!atomic_load(&ctx->cancelled) && !timed_out)
        timed_out = pthread_cond_timedwait(&ctx->gate->cancelled, &ctx->gate->lock, &at);
    pthread_mutex_unlock(&ctx->gate->lock);
    return cut || atomic_load(&ctx->cancelled) ? ISW_E_CANCELLED : ISW_OK;
}

/* -- Memory, items and the caller -------------------------------------------------------------- */

void *isw_context_alloc(isw_context *ctx, size_t size)
{
    return iswi_arena_alloc(&ctx->arena, size);
}

char *isw_context_strndup(isw_context *ctx, const char *text, size_t size)
{
    return iswi_arena_strndup(&ctx->arena, text, size);
}

char *isw_context_printf(isw_context *ctx, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = iswi_arena_vprintf(&ctx->arena, format, args);
    va_end(args);
    return text;
}

const char *isw_context_json_string(isw_context *ctx, const char *text)
{
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
    const iswi_item *item = find_item(ctx, key);

    return item ? item->value : NULL;
}

isw_status isw_context_set_item(isw_context *ctx, const isw_item_key *key, void *value)
{
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
    return ctx->principal;
}

void isw_context_set_principal(isw_context *ctx, const isw_principal *principal)
{
    ctx->principal = principal;
}
