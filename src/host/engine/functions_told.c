/* SPDX-License-Identifier: Apache-2.0 */
/* What processes tell of their functions. Each says what it has when it starts, since its program
 * may have changed; those that have read their configuration again say what that has changed. On
 * the supervisor's thread. */
#include "base/alloc.h"
#include "host/engine/engine.h"

/* -- Of one that has read its configuration again ---------------------------------------------- */

static void say_difference(const iswi_process *process, isw_str name, const char *what)
{
    iswi_say(process->host, ISW_LOG_WARNING,
             "worker %s: function %.*s %s; `isoworker restart` takes that over", process->label,
             (int)name.size, name.data, what);
}

static void say_new(const iswi_process *process, const iswi_wire_function *wire)
{
    for (size_t i = 0; i < process->function_count; i++)
        if (isw_str_equal(wire->name, isw_str_of(process->functions[i]->name)))
            return;
    say_difference(process, wire->name, "is new and not served");
}

static isw_status refresh(iswi_process *process, const iswi_metadata *metadata, unsigned *changed,
                          isw_error *error)
{
    size_t count = metadata->functions.count;
    iswi_wire_function *sorted = iswi_functions_sort(metadata, error);
    isw_status status = sorted ? ISW_OK : error->status;
    size_t known = 0;

    for (size_t i = 0; i < process->function_count && status == ISW_OK; i++) {
        iswi_host_function *function = process->functions[i];
        isw_str name = isw_str_of(function->name);
        const iswi_wire_function *wire = iswi_functions_among(sorted, count, name);

        if (!wire) {
            say_difference(process, name, "is told of no more");
            continue;
        }
        known++;
        if (!iswi_function_is_as_before(function, wire))
            say_difference(process, name, "is told otherwise now, which does not count");
        if (iswi_function_refresh(process->host, function, wire, changed) != ISW_OK)
            status = isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its functions");
    }
    for (size_t i = 0; i < count && known < count && status == ISW_OK; i++)
        say_new(process, &sorted[i]);
    iswi_free(sorted);
    return status;
}

/* -- Of one that starts ------------------------------------------------------------------------ */

/* Which of all that its pool ever had it has. */
static bool mark(iswi_process *process, iswi_host_function **functions, size_t count)
{
    size_t all = process->pool->function_count;
    bool *lacks = iswi_calloc(all + 1, sizeof *lacks);

    if (!lacks)
        return false;
    memset(lacks, true, all);
    for (size_t i = 0; i < count; i++)
        lacks[functions[i]->place] = false;
    pthread_mutex_lock(&process->lock);
    process->functions = functions;
    process->function_count = count;
    process->lacks = lacks;
    process->lacks_count = all;
    pthread_mutex_unlock(&process->lock);
    return true;
}

static bool find_all(iswi_process *process, const iswi_metadata *metadata,
                     iswi_host_function **functions)
{
    unsigned changed = 0;

    for (size_t i = 0; i < metadata->functions.count; i++) {
        const iswi_wire_function *wire = &metadata->functions.items[i];

        functions[i] = iswi_function_of(process->host, process->pool, wire);
        if (!functions[i] ||
            iswi_function_refresh(process->host, functions[i], wire, &changed) != ISW_OK)
            return false;
    }
    return mark(process, functions, metadata->functions.count);
}

static void make_current(iswi_host_function **functions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        atomic_store(&functions[i]->over, false);
        atomic_store(&functions[i]->current, true);
    }
}

static isw_status learn(iswi_process *process, const iswi_metadata *metadata, isw_error *error)
{
    iswi_wire_function *sorted = iswi_functions_sort(metadata, error);
    iswi_host_function **functions;

    if (!sorted)
        return error->status;
    iswi_free(sorted);
    functions = iswi_calloc(metadata->functions.count + 1, sizeof *functions);
    if (!functions || !find_all(process, metadata, functions)) {
        iswi_free(functions);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its functions");
    }
    if (!process->pool->indexed && iswi_pool_is(process->pool, ISWI_POOL_HERE))
        make_current(functions, metadata->functions.count);
    process->pool->indexed = true;
    return ISW_OK;
}

/* -- Frames ------------------------------------------------------------------------------------ */

static isw_status decode(isw_bytes bytes, iswi_arena *arena, iswi_frame *frame, isw_error *error)
{
    const iswi_metadata *metadata = &frame->as.metadata;
    size_t used;
    isw_status status = iswi_frame_decode(bytes.data, bytes.size, arena, frame, &used, error);

    if (status == ISW_OK && metadata->status.code)
        status = isw_error_set(error, ISW_E_FAILED, "%.*s", (int)metadata->status.message.size,
                               metadata->status.message.size ? metadata->status.message.data : "");
    return status;
}

isw_status iswi_functions_learn(iswi_process *process, isw_bytes bytes, isw_error *error)
{
    iswi_arena arena;
    iswi_frame frame;
    isw_status status;

    iswi_arena_init(&arena, 16 * 1024);
    status = decode(bytes, &arena, &frame, error);
    if (status == ISW_OK)
        status = learn(process, &frame.as.metadata, error);
    iswi_arena_fini(&arena);
    return status;
}

isw_status iswi_functions_take(iswi_process *process, isw_bytes bytes, unsigned *changed,
                               isw_error *error)
{
    iswi_arena arena;
    iswi_frame frame;
    isw_status status;

    *changed = 0;
    iswi_arena_init(&arena, 16 * 1024);
    status = decode(bytes, &arena, &frame, error);
    if (status == ISW_OK)
        status = refresh(process, &frame.as.metadata, changed, error);
    iswi_arena_fini(&arena);
    return status;
}
