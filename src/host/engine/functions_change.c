/* SPDX-License-Identifier: Apache-2.0 */
/* A program that has other functions than the one before: from the first process on that is ready
 * with them, they are what is served. Those that are gone end with the last process that has them.
 * On the supervisor's thread. */
#include "base/text.h"
#include "host/engine/engine.h"

enum { LISTED_MAX = 8 }; /* names of functions in a line of the log, of each kind */

static const iswi_host_function *current_one(const iswi_pool *pool, const char *name)
{
    for (size_t i = 0; i < pool->function_count; i++)
        if (atomic_load(&pool->functions[i]->current) &&
            strcmp(pool->functions[i]->name, name) == 0)
            return pool->functions[i];
    return NULL;
}

static bool has(const iswi_process *process, const iswi_host_function *function)
{
    return function->place < process->lacks_count && !process->lacks[function->place];
}

static bool is_among(const iswi_process *process, const iswi_host_function *function)
{
    for (size_t i = 0; i < process->function_count; i++)
        if (process->functions[i] == function)
            return true;
    return false;
}

static bool names(const iswi_process *process, const char *name)
{
    for (size_t i = 0; i < process->function_count; i++)
        if (strcmp(process->functions[i]->name, name) == 0)
            return true;
    return false;
}

/* -- What is another --------------------------------------------------------------------------- */

/* A list with a word before it, and what stands between two of them. */
typedef struct listed {
    iswi_buffer text;
    size_t count;
    const char *lead;
} listed;

static void list(listed *to, iswi_host *host, const iswi_host_function *function)
{
    iswi_entry_told told;
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    iswi_host_tell(host, function, &arena, &told);
    if (to->count < LISTED_MAX) {
        iswi_buffer_printf(&to->text, "%s%s", to->count ? ", " : to->lead, function->name);
        if (told.text)
            iswi_buffer_printf(&to->text, " (%s)", told.text);
    }
    to->count++;
    iswi_arena_fini(&arena);
}

static void append_list(iswi_buffer *line, listed *from)
{
    iswi_buffer_append(line, from->text.data, from->text.size);
    if (from->count > LISTED_MAX)
        iswi_buffer_printf(line, " and %zu more", from->count - LISTED_MAX);
    iswi_buffer_fini(&from->text);
}

/* One line: what came, went, and is told otherwise. */
static void say_changes(iswi_process *process)
{
    const iswi_pool *pool = process->pool;
    listed added = { .lead = "; added: " };
    listed changed = { .lead = "; changed: " };
    listed removed = { .lead = "; removed: " };
    iswi_buffer line = { 0 };

    for (size_t i = 0; i < process->function_count; i++) {
        const iswi_host_function *function = process->functions[i];

        if (!atomic_load(&function->current))
            list(current_one(pool, function->name) ? &changed : &added, process->host, function);
    }
    for (size_t i = 0; i < pool->function_count; i++) {
        const iswi_host_function *function = pool->functions[i];

        if (atomic_load(&function->current) && !names(process, function->name))
            list(&removed, process->host, function);
    }
    append_list(&line, &added);
    append_list(&line, &changed);
    append_list(&line, &removed);
    iswi_say(process->host, ISW_LOG_INFO, "worker %s has other functions than before%.*s",
             pool->settings->name, (int)line.size, (const char *)line.data);
    iswi_buffer_fini(&line);
}

static bool differs(const iswi_process *process)
{
    const iswi_pool *pool = process->pool;

    for (size_t i = 0; i < pool->function_count; i++)
        if (atomic_load(&pool->functions[i]->current) != is_among(process, pool->functions[i]))
            return true;
    return false;
}

bool iswi_functions_adopt(iswi_process *process)
{
    iswi_pool *pool = process->pool;

    if (process->started_ns < pool->adopted_ns || !iswi_pool_is(pool, ISWI_POOL_HERE))
        return false;
    pool->adopted_ns = process->started_ns;
    if (!differs(process))
        return false;
    say_changes(process);
    for (size_t i = 0; i < pool->function_count; i++) {
        iswi_host_function *function = pool->functions[i];
        bool current = is_among(process, function);

        if (current)
            atomic_store(&function->over, false);
        atomic_store(&function->current, current);
    }
    pool->outdated = true;
    process->host->loop.changed = true;
    return true;
}

/* -- What is over ------------------------------------------------------------------------------ */

static bool somebody_has(const iswi_pool *pool, const iswi_host_function *function)
{
    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];
        bool may;

        pthread_mutex_lock(&process->lock);
        may = process->functions && process->running && has(process, function);
        pthread_mutex_unlock(&process->lock);
        if (may)
            return true;
    }
    return false;
}

void iswi_functions_tend(iswi_pool *pool)
{
    bool left = false;
    bool ended = false;

    if (!pool->outdated)
        return;
    for (size_t i = 0; i < pool->function_count; i++) {
        iswi_host_function *function = pool->functions[i];

        if (atomic_load(&function->current) || atomic_load(&function->over))
            continue;
        if (somebody_has(pool, function)) {
            left = true;
            continue;
        }
        atomic_store(&function->over, true);
        ended = true;
    }
    pool->outdated = left;
    if (ended)
        iswi_pool_serve(pool); /* which answers its calls */
}
