/* SPDX-License-Identifier: Apache-2.0 */
/* What processes tell of their functions: the first one of a worker says what there is, the others,
 * those that begin later and those that have read their configuration again, what has changed. On
 * the supervisor's thread. */
#include "base/alloc.h"
#include "host/engine/engine.h"

static void say_difference(const iswi_process *process, isw_str name, const char *what)
{
    iswi_say(process->host, ISW_LOG_WARNING,
             "worker %s: function %.*s %s; start the host again", process->label,
             (int)name.size, name.data, what);
}

static void say_new(const iswi_process *process, const iswi_wire_function *wire)
{
    const iswi_pool *pool = process->pool;

    for (size_t i = 0; i < pool->function_count; i++)
        if (isw_str_equal(wire->name, isw_str_of(pool->functions[i]->name)))
            return;
    say_difference(process, wire->name, "is new and not served");
}

static isw_status refresh(iswi_process *process, const iswi_metadata *metadata, unsigned *changed,
                          isw_error *error)
{
    const iswi_pool *pool = process->pool;
    size_t count = metadata->functions.count;
    iswi_wire_function *sorted = iswi_functions_sort(metadata, error);
    isw_status status = sorted ? ISW_OK : error->status;
    size_t known = 0;

    *changed = 0;
    for (size_t i = 0; i < pool->function_count && status == ISW_OK; i++) {
        iswi_host_function *function = pool->functions[i];
        isw_str name = isw_str_of(function->name);
        const iswi_wire_function *wire = iswi_functions_among(sorted, count, name);

        if (!wire) {
            say_difference(process, name, "is there no more and answers 503");
            continue;
        }
        known++;
        if (!iswi_function_is_as_before(function, wire))
            say_difference(process, name, "has another trigger now, which does not count");
        if (iswi_function_refresh(process->host, function, wire, changed) != ISW_OK)
            status = isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its functions");
    }
    for (size_t i = 0; i < count && known < count && status == ISW_OK; i++)
        say_new(process, &sorted[i]);
    iswi_free(sorted);
    return status;
}

isw_status iswi_functions_take(iswi_process *process, isw_bytes bytes, unsigned *changed,
                               isw_error *error)
{
    const iswi_metadata *metadata;
    iswi_arena arena;
    iswi_frame frame;
    size_t used;
    isw_status status;

    *changed = 0;
    iswi_arena_init(&arena, 16 * 1024);
    status = iswi_frame_decode(bytes.data, bytes.size, &arena, &frame, &used, error);
    metadata = &frame.as.metadata;
    if (status == ISW_OK && metadata->status.code)
        status = isw_error_set(error, ISW_E_FAILED, "%.*s", (int)metadata->status.message.size,
                               metadata->status.message.size ? metadata->status.message.data : "");
    if (status == ISW_OK)
        status = process->pool->indexed
                     ? refresh(process, metadata, changed, error)
                     : iswi_functions_index(process->host, process->pool, metadata, error);
    iswi_arena_fini(&arena);
    return status;
}
