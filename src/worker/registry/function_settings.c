/* SPDX-License-Identifier: Apache-2.0 */
/* What the worker's YAML says of its functions: metadata, and which middleware they add or leave
 * out. Invariant: after it, the function that everybody sees has it all; nobody looks in two
 * places. */
#include "worker/registry/worker.h"

#include "base/text.h"

#include <stddef.h>

const isw_option iswi_function_rows[] = {
    { .name = "name", .type = ISW_OPTION_STRING,
      .offset = offsetof(iswi_function_settings, name),
      .help = "of the functions, a pattern (* and ?)" },
    { .name = "with", .type = ISW_OPTION_STRINGS, .optional = true,
      .offset = offsetof(iswi_function_settings, with),
      .help = "middleware to add that waits to be asked for (on_request)" },
    { .name = "without", .type = ISW_OPTION_STRINGS, .optional = true,
      .offset = offsetof(iswi_function_settings, without), .help = "middleware to leave out" },
    { .name = "metadata", .type = ISW_OPTION_PROPERTIES, .optional = true,
      .offset = offsetof(iswi_function_settings, metadata),
      .help = "added to what the function says of itself, or in its place" },
    { .name = "timeout", .type = ISW_OPTION_DURATION, .default_value = "0",
      .offset = offsetof(iswi_function_settings, timeout_ms), .max = INT32_MAX,
      .help = "of an invocation; 0: as the function says" },
    { 0 },
};

static const iswi_function_settings *row_at(const iswi_generation *generation, size_t i)
{
    return (const iswi_function_settings *)generation->function_settings.items + i;
}

static bool matches_one(const isw_worker *worker, const char *pattern)
{
    for (size_t i = 0; i < worker->function_count; i++)
        if (iswi_glob_match(pattern, worker->functions[i]->name))
            return true;
    return false;
}

isw_status iswi_generation_check_rows(const isw_worker *worker, iswi_generation *generation,
                                      isw_error *error)
{
    const iswi_node *list = iswi_node_find(iswi_config_root(generation->config), "functions");
    isw_status all = ISW_OK;

    for (size_t i = 0; i < generation->function_settings.count; i++)
        if (!matches_one(worker, row_at(generation, i)->name) &&
            !iswi_faults_go_on(iswi_config_faults(generation->config),
                               iswi_config_refuse(generation->config,
                                                  iswi_node_find(&list->children[i], "name"), error,
                                                  "no function of this worker matches \"%s\"",
                                                  row_at(generation, i)->name), &all))
            break;
    return all;
}

/* Whether the chain has what one row adds, or leaves out. */
static bool check_list(iswi_generation *generation, const char *pattern,
                       const isw_option_strings *list, const iswi_node *node, isw_error *error,
                       isw_status *all)
{
    bool on = true;

    for (size_t i = 0; on && i < list->count; i++) {
        const char *const name[] = { list->items[i], NULL };
        isw_error own = { ISW_OK, "" };

        if (iswi_pipeline_knows(&generation->middleware, pattern, name, &generation->arena, &own) !=
            ISW_OK)
            on = iswi_faults_go_on(iswi_config_faults(generation->config),
                                   iswi_config_refuse(generation->config, &node->children[i], error,
                                                      "%s", own.message), all);
    }
    return on;
}

isw_status iswi_generation_check_names(iswi_generation *generation, isw_error *error)
{
    const iswi_node *list = iswi_node_find(iswi_config_root(generation->config), "functions");
    isw_status all = ISW_OK;
    bool on = true;

    for (size_t i = 0; on && i < generation->function_settings.count; i++) {
        const iswi_function_settings *row = row_at(generation, i);
        const iswi_node *node = &list->children[i];

        on = check_list(generation, row->name, &row->with, iswi_node_find(node, "with"), error,
                        &all) &&
             check_list(generation, row->name, &row->without, iswi_node_find(node, "without"),
                        error, &all);
    }
    return all;
}

/* -- Adjusting --------------------------------------------------------------------------------- */

static size_t count_names(const char *const *names)
{
    size_t count = 0;

    while (names && names[count])
        count++;
    return count;
}

const char *const *iswi_names_join(iswi_arena *arena, const char *const *names,
                                   const isw_option_strings *more)
{
    size_t count = count_names(names);
    const char **all;

    if (!more->count)
        return names;
    all = iswi_arena_calloc(arena, count + more->count + 1, sizeof *all);
    if (!all)
        return NULL;
    for (size_t i = 0; i < count; i++)
        all[i] = names[i];
    for (size_t i = 0; i < more->count; i++)
        all[count + i] = more->items[i];
    return all;
}

/* `list` with the pairs of `more` in it, in the place of those of the same name. */
static const isw_property *merge(iswi_arena *arena, const isw_property *list,
                                 const isw_option_strings *more)
{
    size_t count = 0;
    isw_property *all;

    while (list && list[count].name)
        count++;
    if (!more->count)
        return list;
    all = iswi_arena_calloc(arena, count + more->count / 2 + 1, sizeof *all);
    if (!all)
        return NULL;
    if (count)
        memcpy(all, list, count * sizeof *all);
    for (size_t i = 0; i + 1 < more->count; i += 2) {
        size_t at = 0;

        while (at < count && strcmp(all[at].name, more->items[i]) != 0)
            at++;
        all[at] = (isw_property){ more->items[i], more->items[i + 1] };
        count += at == count;
    }
    return all;
}

static bool apply(iswi_generation *generation, const iswi_function_settings *row,
                  isw_function *function)
{
    iswi_arena *arena = &generation->arena;

    function->with = iswi_names_join(arena, function->with, &row->with);
    function->without = iswi_names_join(arena, function->without, &row->without);
    function->metadata = merge(arena, function->metadata, &row->metadata);
    if (row->timeout_ms)
        function->timeout_ms = (uint32_t)row->timeout_ms;
    return (function->with || !row->with.count) && (function->without || !row->without.count) &&
           (function->metadata || !row->metadata.count);
}

static const isw_function *adjusted(iswi_generation *generation,
                                    const isw_function *function)
{
    isw_function *copy = NULL;

    for (size_t i = 0; i < generation->function_settings.count; i++) {
        if (!iswi_glob_match(row_at(generation, i)->name, function->name))
            continue;
        if (!copy) {
            copy = iswi_arena_alloc(&generation->arena, sizeof *copy);
            if (!copy)
                return NULL;
            *copy = *function;
        }
        if (!apply(generation, row_at(generation, i), copy))
            return NULL;
    }
    return copy ? copy : function;
}

isw_status iswi_generation_adjust(iswi_generation *generation, const isw_function **function,
                                  isw_error *error)
{
    const isw_function *made = adjusted(generation, *function);
    isw_status status;

    if (!made)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for function %s",
                             (*function)->name);
    status = iswi_pipeline_knows(&generation->middleware, made->name, made->with,
                                 &generation->arena, error);
    if (status == ISW_OK)
        status = iswi_pipeline_knows(&generation->middleware, made->name, made->without,
                                     &generation->arena, error);
    *function = made;
    return status;
}
