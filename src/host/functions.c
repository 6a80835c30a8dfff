/* SPDX-License-Identifier: Apache-2.0 */
/* What the workers can do: functions as they described them, routes to them, and the table that a
 * person sees. All on the supervisor's thread but iswi_host_find; routes and functions are read by
 * others once published. */
#include "base/alloc.h"
#include "base/text.h"
#include "host/engine.h"
#include "url/preflight.h"

/* -- Index ------------------------------------------------------------------------------------- */

static const char *copy(iswi_host *host, isw_str text)
{
    return iswi_arena_strndup(&host->arena, text.data, text.size);
}

static isw_str property(const isw_pairs *pairs, const char *name)
{
    const isw_str *value = isw_pairs_find(pairs, name);

    return value ? *value : (isw_str){ "", 0 };
}

static bool has_preflights(const iswi_strs *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        if (iswi_preflight_answered_by(chain->items[i]))
            return true;
    return false;
}

static const char *chain_text(iswi_host *host, const iswi_strs *chain)
{
    iswi_buffer text = { 0 };
    const char *kept;

    for (size_t i = 0; i < chain->count; i++) {
        if (i)
            iswi_buffer_append_text(&text, " > ");
        iswi_terminal_text(&text, chain->items[i]);
    }
    kept = iswi_arena_strndup(&host->arena, (const char *)text.data, text.size);
    iswi_buffer_fini(&text);
    return kept;
}

/* host.yaml's word, else the function's own, else the default of all. */
static int64_t timeout_of(const iswi_host *host, const char *name, uint64_t own_ms)
{
    const iswi_function_settings *rows = host->settings->functions.items;
    int64_t timeout = own_ms && own_ms < INT32_MAX ? (int64_t)own_ms
                                                   : host->options.function_timeout_ms;

    for (size_t i = 0; i < host->settings->functions.count; i++)
        if (iswi_glob_match(rows[i].name, name))
            timeout = rows[i].timeout_ms;
    return host->debug ? 0 : timeout;
}

static bool copy_outputs(iswi_host *host, iswi_host_function *function,
                         const iswi_wire_function *wire)
{
    iswi_host_output *outputs =
        iswi_arena_calloc(&host->arena, wire->bindings.count, sizeof *outputs);

    if (!outputs)
        return false;
    for (size_t i = 0; i < wire->bindings.count; i++) {
        const iswi_wire_binding *binding = &wire->bindings.items[i];
        iswi_host_output *output = &outputs[function->output_count];

        if (binding->direction == 0)
            continue;
        output->name = copy(host, binding->name);
        output->type = copy(host, binding->type);
        output->path = copy(host, property(&binding->properties, "path"));
        if (!output->name || !output->type || !output->path)
            return false;
        function->output_count++;
    }
    function->outputs = outputs;
    return true;
}

/* Say at the start what this host will not do. */
static void warn_of_outputs(iswi_host *host, const iswi_host_function *function)
{
    for (size_t i = 0; i < function->output_count; i++) {
        const char *refusal = iswi_output_refusal(&function->outputs[i]);

        if (refusal)
            iswi_console_say(&host->console, ISW_LOG_WARNING,
                             "output %s of function %s goes nowhere: %s",
                             function->outputs[i].name, function->name, refusal);
    }
}

static iswi_host_function *make_function(iswi_host *host, iswi_pool *pool,
                                         const iswi_wire_function *wire)
{
    iswi_host_function *function = iswi_arena_calloc(&host->arena, 1, sizeof *function);

    if (!function ||
        !iswi_grow(&host->functions, &host->function_capacity, host->function_count,
                   sizeof host->functions[0]))
        return NULL;
    function->number = host->function_count;
    function->pool = pool;
    function->name = copy(host, wire->name);
    function->summary = copy(host, wire->summary);
    function->trigger_type = copy(host, wire->trigger_type);
    function->methods = copy(host, property(&wire->trigger, "methods"));
    function->route = copy(host, property(&wire->trigger, "route"));
    atomic_init(&function->preflights, has_preflights(&wire->chain));
    atomic_init(&function->chain, chain_text(host, &wire->chain));
    function->idempotent = wire->idempotent;
    function->streams = wire->streams;
    if (!copy_outputs(host, function, wire))
        return NULL;
    if (!function->name || !function->summary || !function->trigger_type || !function->methods ||
        !function->route || !atomic_load(&function->chain))
        return NULL;
    atomic_init(&function->timeout_ms, timeout_of(host, function->name, wire->timeout_ms));
    host->functions[host->function_count++] = function;
    function->before = atomic_load_explicit(&host->newest, memory_order_relaxed);
    atomic_store_explicit(&host->newest, function, memory_order_release);
    return function;
}

iswi_host_function *iswi_host_find(iswi_host *host, const char *name)
{
    iswi_host_function *function = atomic_load_explicit(&host->newest, memory_order_acquire);

    while (function && strcmp(function->name, name) != 0)
        function = function->before;
    return function;
}

isw_status iswi_functions_index(iswi_host *host, iswi_pool *pool, const iswi_metadata *metadata,
                                isw_error *error)
{
    size_t count = metadata->functions.count;

    pool->functions = iswi_arena_calloc(&host->arena, count, sizeof *pool->functions);
    for (size_t i = 0; pool->functions && i < count; i++) {
        pool->functions[i] = make_function(host, pool, &metadata->functions.items[i]);
        if (pool->functions[i])
            warn_of_outputs(host, pool->functions[i]);
        else
            pool->functions = NULL;
    }
    if (!pool->functions && count)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its functions");
    pool->function_count = count;
    pool->indexed = true;
    return ISW_OK;
}

/* -- A configuration that was read again ------------------------------------------------------- */

/* Triggers, routes and bindings are the program's: what the YAML can change is taken over. */
static isw_status refresh(iswi_host *host, iswi_host_function *function,
                          const iswi_wire_function *wire, unsigned *changed)
{
    const char *now = chain_text(host, &wire->chain);

    if (!now)
        return ISW_E_NO_MEMORY;
    if (strcmp(atomic_load(&function->chain), now) != 0) {
        iswi_console_say(&host->console, ISW_LOG_DEBUG, "function %s: its chain is now %s",
                         function->name, *now ? now : "empty");
        atomic_store(&function->chain, now);
        ++*changed;
    }
    atomic_store(&function->preflights, has_preflights(&wire->chain));
    atomic_store(&function->timeout_ms, timeout_of(host, function->name, wire->timeout_ms));
    return ISW_OK;
}

isw_status iswi_functions_refresh(iswi_host *host, iswi_pool *pool, const iswi_metadata *metadata,
                                  unsigned *changed)
{
    isw_status status = ISW_OK;

    *changed = 0;
    for (size_t i = 0; i < metadata->functions.count && i < pool->function_count; i++)
        if (isw_str_equal(metadata->functions.items[i].name,
                          isw_str_of(pool->functions[i]->name)) && status == ISW_OK)
            status = refresh(host, pool->functions[i], &metadata->functions.items[i], changed);
    return status;
}

/* -- Routes ------------------------------------------------------------------------------------ */

static void add_route(iswi_host *host, iswi_routes *routes, iswi_host_function *function)
{
    isw_error error = { ISW_OK, "" };

    if (strcmp(function->trigger_type, "http") != 0) {
        function->refused = "this host has no trigger of its type";
        return;
    }
    if (iswi_routes_add(routes, function->methods, function->route, function, &error) == ISW_OK)
        return;
    if (!atomic_load(&function->refused))
        iswi_console_say(&host->console, ISW_LOG_ERROR,
                         "function %s of worker %s is not served: %s", function->name,
                         function->pool->settings->name, error.message);
    function->refused = "its route was refused";
}

void iswi_functions_publish(iswi_host *host)
{
    iswi_routes *routes = iswi_routes_create();

    if (!routes || !iswi_grow(&host->routes, &host->route_capacity, host->route_count,
                              sizeof host->routes[0])) {
        iswi_routes_destroy(routes);
        iswi_console_say(&host->console, ISW_LOG_CRITICAL, "no memory for routes");
        return;
    }
    for (size_t i = 0; i < host->function_count; i++)
        add_route(host, routes, host->functions[i]);
    host->routes[host->route_count++] = routes;
    if (host->http)
        iswi_http_set_routes(host->http, routes);
}

/* -- The table --------------------------------------------------------------------------------- */

enum { COLUMNS = 5 };

typedef struct row {
    char *cells[COLUMNS];
} row;

static char *url_of(iswi_host *host, const iswi_host_function *function)
{
    const char *prefix = host->http_settings.prefix;

    if (function->refused)
        return iswi_arena_printf(&host->arena, "(not served: %s)", function->refused);
    return iswi_arena_printf(&host->arena, "%s %s%s%s/%s",
                             *function->methods ? function->methods : "ANY",
                             host->http ? iswi_http_url(host->http) : "", *prefix ? "/" : "",
                             prefix, function->route);
}

static row row_of(iswi_host *host, const iswi_host_function *function)
{
    const char *chain = atomic_load(&function->chain);
    row made = { { (char *)function->name, (char *)function->trigger_type, url_of(host, function),
                   (char *)function->pool->settings->name, *chain ? (char *)chain : (char *)"-" } };

    return made;
}

static void print_row(iswi_buffer *out, const row *cells, const size_t *widths)
{
    iswi_buffer_append_text(out, " ");
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *text = cells->cells[i] ? cells->cells[i] : "";
        size_t before = out->size;

        iswi_buffer_append_text(out, " ");
        iswi_terminal_text(out, isw_str_of(text));
        while (i + 1 < COLUMNS && out->size - before < widths[i] + 2 && !out->failed)
            iswi_buffer_append_text(out, " ");
    }
    iswi_buffer_append_text(out, "\n");
}

void iswi_functions_show(iswi_host *host)
{
    static const row head = { { "FUNCTION", "TRIGGER", "URL", "WORKER", "CHAIN" } };
    row *rows = iswi_calloc(host->function_count + 1, sizeof *rows);
    size_t widths[COLUMNS] = { 0 };
    iswi_buffer out = { 0 };

    if (!rows)
        return;
    rows[0] = head;
    for (size_t i = 0; i < host->function_count; i++)
        rows[i + 1] = row_of(host, host->functions[i]);
    for (size_t i = 0; i <= host->function_count; i++)
        for (size_t j = 0; j < COLUMNS; j++)
            if (rows[i].cells[j] && strlen(rows[i].cells[j]) > widths[j])
                widths[j] = strlen(rows[i].cells[j]);
    iswi_buffer_append_text(&out, "\n");
    for (size_t i = 0; i <= host->function_count; i++)
        print_row(&out, &rows[i], widths);
    iswi_buffer_append_text(&out, "\n");
    iswi_console_text(&host->console, (const char *)out.data, out.size);
    iswi_buffer_fini(&out);
    iswi_free(rows);
}
