/* SPDX-License-Identifier: Apache-2.0 */
/* What functions tell of themselves. Invariant: nothing that was told is given back while the host
 * lives, so that any thread may look at it; and what was a secret once stays one. */
#include "host/engine/engine.h"

#include <string.h>

struct iswi_policy {
    isw_cors cors; /* first: who has it has the policy */
    atomic_size_t users; /* functions */
    const iswi_policy *before;
};

static const char *copy(iswi_host *host, isw_str text)
{
    return iswi_arena_strndup(&host->arena, text.data, text.size);
}

/* -- Secrets ----------------------------------------------------------------------------------- */

static bool knows(const isw_pairs *secrets, const isw_pair *one)
{
    for (size_t i = 0; i < secrets->count; i++)
        if (isw_str_equal_nocase(secrets->items[i].name, one->name) &&
            isw_str_equal_nocase(secrets->items[i].value, one->value))
            return true;
    return false;
}

static bool knows_all(const isw_pairs *secrets, const isw_pairs *told)
{
    for (size_t i = 0; i < told->count; i++)
        if (!knows(secrets, &told->items[i]))
            return false;
    return true;
}

/* Of the host and no function, for callers may send any function what is a secret of another. */
static bool take_secrets(iswi_host *host, const isw_pairs *told)
{
    static const isw_pairs none;
    const isw_pairs *known = atomic_load(&host->secrets);
    isw_pairs *all;
    isw_pair *items;

    known = known ? known : &none;
    if (knows_all(known, told))
        return true;
    all = iswi_arena_alloc(&host->arena, sizeof *all);
    items = iswi_arena_calloc(&host->arena, known->count + told->count, sizeof *items);
    if (!all || !items)
        return false;
    if (known->count)
        memcpy(items, known->items, known->count * sizeof *items);
    *all = (isw_pairs){ items, known->count };
    for (size_t i = 0; i < told->count; i++) {
        const char *place = copy(host, told->items[i].name);
        const char *name = copy(host, told->items[i].value);

        if (!place || !name)
            return false;
        if (!knows(all, &told->items[i]))
            items[all->count++] = (isw_pair){ isw_str_of(place), isw_str_of(name) };
    }
    atomic_store(&host->secrets, all);
    return true;
}

/* -- Other sites ------------------------------------------------------------------------------- */

static bool says(const char *text, isw_str told)
{
    return isw_str_equal(isw_str_of(text), told);
}

static bool is_same(const isw_cors *known, const iswi_wire_cors *told)
{
    bool same = known->origin_count == told->origins.count && says(known->methods, told->methods) &&
                says(known->headers, told->headers) && says(known->expose, told->expose) &&
                known->credentials == told->credentials &&
                known->max_age_s == (int64_t)told->max_age_s;

    for (size_t i = 0; same && i < told->origins.count; i++)
        same = says(known->origins[i], told->origins.items[i]);
    return same;
}

static const isw_cors *add_policy(iswi_host *host, const iswi_wire_cors *told)
{
    iswi_policy *policy = iswi_arena_calloc(&host->arena, 1, sizeof *policy);
    const char **origins =
        iswi_arena_calloc(&host->arena, told->origins.count, sizeof *origins);
    bool whole = policy && origins;

    for (size_t i = 0; whole && i < told->origins.count; i++)
        whole = (origins[i] = copy(host, told->origins.items[i])) != NULL;
    if (!whole)
        return NULL;
    policy->cors = (isw_cors){ .origins = origins,
                               .origin_count = told->origins.count,
                               .methods = copy(host, told->methods),
                               .headers = copy(host, told->headers),
                               .expose = copy(host, told->expose),
                               .credentials = told->credentials,
                               .max_age_s = (int64_t)told->max_age_s };
    if (!policy->cors.methods || !policy->cors.headers || !policy->cors.expose)
        return NULL;
    policy->before = atomic_load(&host->policies);
    atomic_store(&host->policies, policy);
    return &policy->cors;
}

static bool take_policy(iswi_host *host, iswi_host_function *function, const iswi_wire_cors *told)
{
    const iswi_policy *at = atomic_load(&host->policies);
    const isw_cors *policy = NULL;

    if (told->origins.count) {
        while (at && !is_same(&at->cors, told))
            at = at->before;
        policy = at ? &at->cors : add_policy(host, told);
        if (!policy)
            return false;
    }
    if (policy)
        atomic_fetch_add(&((iswi_policy *)policy)->users, 1);
    policy = atomic_exchange(&function->cors, policy);
    if (policy)
        atomic_fetch_sub(&((iswi_policy *)policy)->users, 1);
    return true;
}

bool iswi_facts_take(iswi_host *host, iswi_host_function *function, const iswi_wire_function *wire)
{
    return take_secrets(host, &wire->secrets) && take_policy(host, function, &wire->cors);
}

const isw_cors *iswi_facts_policy(iswi_host *host, const iswi_host_function *function,
                                  const char *origin)
{
    if (function)
        return atomic_load(&((iswi_host_function *)function)->cors);
    for (const iswi_policy *at = atomic_load(&host->policies); at && origin; at = at->before)
        if (atomic_load(&at->users) && isw_cors_allows(&at->cors, origin))
            return &at->cors;
    return NULL;
}
