/* SPDX-License-Identifier: Apache-2.0 */
/* What the workers can do: functions as they described them. All on the supervisor's thread but
 * iswi_host_find; functions are read by others once they are in the list. */
#include "base/alloc.h"
#include "base/text.h"
#include "host/engine/engine.h"
#include "url/preflight.h"

/* -- Index ------------------------------------------------------------------------------------- */

static const char *copy(iswi_host *host, isw_str text)
{
    return iswi_arena_strndup(&host->arena, text.data, text.size);
}

static bool has_preflights(const iswi_wire_function *wire)
{
    for (size_t i = 0; i < wire->chain.count; i++)
        if (iswi_preflight_answered_by(wire->chain.items[i]))
            return true;
    return wire->cors.origins.count > 0;
}

/* The chain as text, kept if it is not `before`; `before` may be NULL. NULL: memory is out. */
static const char *chain_text(iswi_host *host, const iswi_strs *chain, const char *before)
{
    iswi_buffer text = { 0 };
    const char *kept;
    isw_str now;

    for (size_t i = 0; i < chain->count; i++) {
        if (i)
            iswi_buffer_append_text(&text, " > ");
        iswi_terminal_text(&text, chain->items[i]);
    }
    now = (isw_str){ (const char *)text.data, text.size };
    if (before && isw_str_equal(isw_str_of(before), now))
        kept = before;
    else
        kept = iswi_arena_strndup(&host->arena, now.data, now.size);
    iswi_buffer_fini(&text);
    return kept;
}

static void append_sized(iswi_buffer *text, isw_str part)
{
    iswi_buffer_printf(text, "%zu:%.*s,", part.size, (int)part.size, part.size ? part.data : "");
}

/* The outputs that a function tells of, as one text. */
static void outputs_text(const iswi_wire_function *wire, iswi_buffer *text)
{
    for (size_t i = 0; i < wire->bindings.count; i++) {
        const iswi_wire_binding *binding = &wire->bindings.items[i];

        if (binding->direction == 0)
            continue;
        append_sized(text, binding->name);
        append_sized(text, binding->type);
        for (size_t j = 0; j < binding->properties.count; j++) {
            append_sized(text, binding->properties.items[j].name);
            append_sized(text, binding->properties.items[j].value);
        }
        iswi_buffer_append_text(text, ";");
    }
}

static const char *keep_outputs(iswi_host *host, const iswi_wire_function *wire)
{
    iswi_buffer text = { 0 };
    const char *kept;

    outputs_text(wire, &text);
    kept = text.failed ? NULL
                       : iswi_arena_strndup(&host->arena, (const char *)text.data, text.size);
    iswi_buffer_fini(&text);
    return kept;
}

static bool same_outputs(const iswi_host_function *function, const iswi_wire_function *wire)
{
    iswi_buffer text = { 0 };
    bool same;

    outputs_text(wire, &text);
    same = isw_str_equal(isw_str_of(function->outputs_told),
                         (isw_str){ (const char *)text.data, text.size });
    iswi_buffer_fini(&text);
    return same;
}

/* host.yaml's word, else the function's own, else the default of all. */
static void set_timeout(const iswi_host *host, iswi_host_function *function)
{
    const iswi_host_settings *settings = host->settings;
    const iswi_function_settings *rows = settings->functions.items;
    uint64_t own_ms = function->told_timeout_ms;
    int64_t timeout = own_ms && own_ms < INT32_MAX ? (int64_t)own_ms
                                                   : settings->host.function_timeout_ms;

    for (size_t i = 0; i < settings->functions.count; i++)
        if (iswi_glob_match(rows[i].name, function->name))
            timeout = rows[i].timeout_ms;
    atomic_store(&function->timeout_ms, iswi_pool_is_patient(host, function->pool) ? 0 : timeout);
}

void iswi_functions_retime(iswi_host *host)
{
    for (size_t i = 0; i < host->function_count; i++)
        set_timeout(host, host->functions[i]);
}

static iswi_host_function *make_function(iswi_host *host, iswi_pool *pool,
                                         const iswi_wire_function *wire)
{
    iswi_host_function *function = iswi_arena_calloc(&host->arena, 1, sizeof *function);

    if (!function ||
        !iswi_grow(&host->functions, &host->function_capacity, host->function_count,
                   sizeof host->functions[0]) ||
        !iswi_grow(&pool->functions, &pool->function_capacity, pool->function_count,
                   sizeof pool->functions[0]))
        return NULL;
    function->number = host->function_count;
    function->pool = pool;
    function->name = copy(host, wire->name);
    function->summary = copy(host, wire->summary);
    function->outputs_told = keep_outputs(host, wire);
    atomic_init(&function->preflights, has_preflights(wire));
    atomic_init(&function->chain, chain_text(host, &wire->chain, NULL));
    function->idempotent = wire->idempotent;
    function->streams = wire->streams;
    if (!function->name || !function->summary || !function->outputs_told ||
        !atomic_load(&function->chain))
        return NULL;
    if (!iswi_outputs_take(host, function, wire) || !iswi_description_take(host, function, wire) ||
        !iswi_facts_take(host, function, wire) || !iswi_triggers_take(host, function))
        return NULL;
    function->told_timeout_ms = wire->timeout_ms;
    set_timeout(host, function);
    function->place = pool->function_count;
    pool->functions[pool->function_count++] = function;
    host->functions[host->function_count++] = function;
    function->before = atomic_load_explicit(&host->newest, memory_order_relaxed);
    atomic_store_explicit(&host->newest, function, memory_order_release);
    return function;
}

iswi_host_function *iswi_host_find(iswi_host *host, const char *name)
{
    iswi_host_function *function = atomic_load_explicit(&host->newest, memory_order_acquire);

    while (function && (!atomic_load(&function->current) || strcmp(function->name, name) != 0))
        function = function->before;
    return function;
}

isw_status iswi_function_refresh(iswi_host *host, iswi_host_function *function,
                                 const iswi_wire_function *wire, unsigned *changed)
{
    const char *before = atomic_load(&function->chain);
    const char *now = chain_text(host, &wire->chain, before);

    if (!now || !iswi_facts_take(host, function, wire))
        return ISW_E_NO_MEMORY;
    if (now != before) {
        iswi_say(host, ISW_LOG_DEBUG, "function %s: its chain is now %s",
                 function->name, *now ? now : "empty");
        atomic_store(&function->chain, now);
        ++*changed;
    }
    atomic_store(&function->preflights, has_preflights(wire));
    function->told_timeout_ms = wire->timeout_ms;
    set_timeout(host, function);
    return ISW_OK;
}

static bool same_pairs(const isw_pairs *a, const isw_pairs *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = isw_str_equal(a->items[i].name, b->items[i].name) &&
               isw_str_equal(a->items[i].value, b->items[i].value);
    return same;
}

bool iswi_function_is_as_before(const iswi_host_function *function, const iswi_wire_function *wire)
{
    return isw_str_equal(wire->summary, isw_str_of(function->summary)) &&
           isw_str_equal(wire->trigger_type, isw_str_of(function->description.trigger_type)) &&
           same_outputs(function, wire) &&
           same_pairs(&wire->trigger, &function->description.given) &&
           wire->streams == function->streams && wire->idempotent == function->idempotent;
}

iswi_host_function *iswi_function_of(iswi_host *host, iswi_pool *pool,
                                     const iswi_wire_function *wire)
{
    for (size_t i = 0; i < pool->function_count; i++) {
        iswi_host_function *function = pool->functions[i];

        if (isw_str_equal(wire->name, isw_str_of(function->name)) &&
            iswi_function_is_as_before(function, wire))
            return function;
    }
    return make_function(host, pool, wire);
}
