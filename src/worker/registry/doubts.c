/* SPDX-License-Identifier: Apache-2.0 */
/* What of a chain can hardly be meant: an order of middleware, an entry that is in no chain, and a
 * function that asks for protection which its chain does not give. Warnings for people: the chain
 * is served as it is. */
#include "worker/registry/worker.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>

/* A pair that stands in some chains. */
typedef struct pair {
    const isw_instance *inner, *outer;
    const char *why;
    const char *function; /* the first that has it */
    size_t functions;
} pair;

typedef struct pairs {
    pair *items;
    size_t count, capacity;
} pairs;

static void add_pair(pairs *all, const iswi_misplaced *found, const char *function)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i].inner == found->inner && all->items[i].outer == found->outer) {
            all->items[i].functions++;
            return;
        }
    }
    if (iswi_grow(&all->items, &all->capacity, all->count, sizeof *all->items))
        all->items[all->count++] =
            (pair){ found->inner, found->outer, found->why, function, 1 };
}

static void warn(iswi_faults *out, const char *format, ...) ISW_PRINTF(2, 3);
static void warn(iswi_faults *out, const char *format, ...)
{
    isw_error text = { ISW_OK, "" };
    va_list list;

    va_start(list, format);
    vsnprintf(text.message, sizeof text.message, format, list);
    va_end(list);
    iswi_faults_add(out, text.message);
}

/* -- Protection -------------------------------------------------------------------------------- */

static bool asks_for(const isw_function *function, const char *what)
{
    if (strcmp(what, "body") == 0)
        return function->body && !function->streams;
    if (strcmp(what, "query") == 0)
        return function->query != NULL;
    return isw_property_find(function->metadata, what) != NULL;
}

/* Nobody in its chain acts on it. */
static void warn_of_unread(const isw_function *function, unsigned reads, iswi_faults *out)
{
    for (unsigned i = 0; iswi_asked_for[i]; i++) {
        const char *what = iswi_asked_for[i];
        const char *level = isw_property_find(function->metadata, what);
        bool fields = strcmp(what, "body") == 0 || strcmp(what, "query") == 0;

        if ((reads >> i & 1) || !asks_for(function, what) ||
            (level && strcmp(what, "auth_level") == 0 && strcmp(level, "anonymous") == 0))
            continue;
        warn(out, "warning: function %s has %s%s, and nothing in its chain acts on it, so that %s; "
                  "put %s into its chain",
             function->name, fields ? "fields for its " : "the metadata ", what,
             fields ? "anything comes through" : "everybody may call it",
             fields ? "validate" : "auth");
    }
}

static void look_at(pairs *all, const iswi_bound *bound, iswi_faults *out)
{
    iswi_facts facts = { .cors = NULL };
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    if (iswi_chain_facts(&bound->chain, &arena, &facts) == ISW_OK) {
        for (size_t i = 0; i < facts.misplaced_count; i++)
            add_pair(all, &facts.misplaced[i], bound->function->name);
        warn_of_unread(bound->function, facts.reads, out);
    }
    iswi_arena_fini(&arena);
}

/* -- Entries that are in no chain -------------------------------------------------------------- */

static bool is_in_a_chain(const isw_worker *worker, const iswi_generation *generation,
                          const isw_instance *self)
{
    for (size_t i = 0; i < worker->function_count; i++)
        for (size_t j = 0; j < generation->functions[i].chain.count; j++)
            if (generation->functions[i].chain.steps[j].self == self)
                return true;
    return false;
}

static void warn_of_idle(const isw_worker *worker, const iswi_generation *generation,
                         iswi_faults *out)
{
    const isw_instance *self;
    bool may_wait;

    for (size_t i = 0; (self = iswi_pipeline_entry(generation->pipeline, i, &may_wait)); i++)
        if (!may_wait && worker->function_count && !is_in_a_chain(worker, generation, self))
            warn(out, "%s: warning: %s is in no function's chain; its `when` admits none of those "
                      "that there are, or they leave it out",
                 iswi_pipeline_where(generation->pipeline, self), iswi_instance_name(self));
}

/* -- Names in `when` --------------------------------------------------------------------------- */

static bool has_function(const isw_worker *worker, const char *name)
{
    for (size_t i = 0; i < worker->function_count; i++)
        if (strcmp(worker->functions[i]->name, name) == 0)
            return true;
    return false;
}

/* A pattern may be for functions to come; a whole name that is none is a slip. */
static void warn_of_names(const isw_worker *worker, iswi_config *config, const iswi_node *list,
                          iswi_faults *out)
{
    for (size_t i = 0; list && i < list->child_count; i++)
        if (!strpbrk(list->children[i].text, "*?") &&
            !has_function(worker, list->children[i].text))
            warn(out, "%s: warning: this worker has no function \"%s\"",
                 iswi_config_where(config, &list->children[i]), list->children[i].text);
}

static void warn_of_whens(const isw_worker *worker, const iswi_generation *generation,
                          iswi_faults *out)
{
    for (size_t i = 0; i < generation->middleware.count; i++) {
        const iswi_node *when = iswi_node_find(generation->middleware.items[i].node, "when");
        bool may_wait;

        if (!is_in_a_chain(worker, generation,
                           iswi_pipeline_entry(generation->pipeline, i, &may_wait)))
            continue; /* as has been told */
        warn_of_names(worker, generation->config, iswi_node_find(when, "functions"), out);
        warn_of_names(worker, generation->config, iswi_node_find(when, "except"), out);
    }
}

/* -- Orders ------------------------------------------------------------------------------------ */

static void tell(const iswi_pipeline *pipeline, const pair *found, iswi_faults *out)
{
    const char *inner = iswi_instance_name(found->inner);
    const char *outer = iswi_instance_name(found->outer);
    char more[48] = "";

    if (found->functions > 1)
        snprintf(more, sizeof more, " and %zu more", found->functions - 1);
    warn(out, "%s: warning: %s stands inside of %s (%s) for function %s%s: %s; %s, or tell the "
              "two apart by `when`",
         iswi_pipeline_where(pipeline, found->inner), inner, outer,
         iswi_pipeline_where(pipeline, found->outer), found->function, more, found->why,
         strcmp(inner, outer) ? "move it further up" : "leave one of them out");
}

void iswi_worker_warn_of_doubts(isw_worker *worker, iswi_faults *out)
{
    iswi_generation *generation = iswi_generation_take(worker);
    pairs all = { .count = 0 };

    for (size_t i = 0; i < worker->function_count; i++)
        look_at(&all, &generation->functions[i], out);
    for (size_t i = 0; i < all.count; i++)
        tell(generation->pipeline, &all.items[i], out);
    warn_of_idle(worker, generation, out);
    warn_of_whens(worker, generation, out);
    iswi_generation_drop(generation);
    iswi_free(all.items);
}
