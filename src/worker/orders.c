/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of middleware that cannot be meant. They are for people: the chain is served as it is. */
#include "worker/worker.h"

#include "base/alloc.h"

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

static void look_at(pairs *all, const iswi_bound *bound)
{
    iswi_facts facts = { .cors = NULL };
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    if (iswi_chain_facts(&bound->chain, &arena, &facts) == ISW_OK)
        for (size_t i = 0; i < facts.misplaced_count; i++)
            add_pair(all, &facts.misplaced[i], bound->function->name);
    iswi_arena_fini(&arena);
}

static void tell(const iswi_pipeline *pipeline, const pair *found, iswi_faults *out)
{
    const char *inner = iswi_instance_name(found->inner);
    const char *outer = iswi_instance_name(found->outer);
    isw_error text = { ISW_OK, "" };
    char more[48] = "";

    if (found->functions > 1)
        snprintf(more, sizeof more, " and %zu more", found->functions - 1);
    isw_error_set(&text, ISW_E_CONFIG,
                  "%s: warning: %s stands inside of %s (%s) for function %s%s: %s; %s, or tell the "
                  "two apart by `when`",
                  iswi_pipeline_where(pipeline, found->inner), inner, outer,
                  iswi_pipeline_where(pipeline, found->outer), found->function, more, found->why,
                  strcmp(inner, outer) ? "move it further up" : "leave one of them out");
    iswi_faults_add(out, text.message);
}

void iswi_worker_warn_of_orders(isw_worker *worker, iswi_faults *out)
{
    iswi_generation *generation = iswi_generation_take(worker);
    pairs all = { .count = 0 };

    for (size_t i = 0; i < worker->function_count; i++)
        look_at(&all, &generation->functions[i]);
    for (size_t i = 0; i < all.count; i++)
        tell(generation->pipeline, &all.items[i], out);
    iswi_generation_drop(generation);
    iswi_free(all.items);
}
