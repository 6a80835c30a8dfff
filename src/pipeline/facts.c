/* SPDX-License-Identifier: Apache-2.0 */
/* Facts gather in the arena of whoever asks. Invariant: what memory cannot be had for fails the
 * whole, since a secret that nobody hears of would be written down. */
#include "pipeline/instance.h"

#include <string.h>

struct isw_facts {
    iswi_arena *arena;
    isw_pair *secrets;
    size_t count, capacity;
    isw_cors *cors;
    const iswi_chain *chain;
    size_t at; /* the step that tells */
    iswi_misplaced *misplaced;
    size_t misplaced_count;
    unsigned reads;
    bool comes_and_goes; /* the one that tells is not in the chain of every request */
    bool failed;
};

static isw_str copy(isw_facts *facts, const char *text)
{
    const char *kept = iswi_arena_strndup(facts->arena, text ? text : "", text ? strlen(text) : 0);

    facts->failed = facts->failed || !kept;
    return isw_str_of(kept);
}

static bool grow(isw_facts *facts)
{
    size_t wanted = facts->capacity ? 2 * facts->capacity : 8;
    isw_pair *grown = facts->secrets;

    if (facts->count < facts->capacity)
        return true;
    grown = iswi_arena_alloc(facts->arena, wanted * sizeof *grown);
    if (!grown)
        return false;
    if (facts->count)
        memcpy(grown, facts->secrets, facts->count * sizeof *grown);
    facts->secrets = grown;
    facts->capacity = wanted;
    return true;
}

void isw_facts_secret(isw_facts *facts, isw_secret_place place, const char *name)
{
    static const char *const places[] = { "anywhere", "header", "query", "cookie", "field" };
    size_t at = (size_t)place < sizeof places / sizeof places[0] ? (size_t)place : 0;

    if (!name || !*name)
        return;
    if (grow(facts))
        facts->secrets[facts->count++] = (isw_pair){ isw_str_of(places[at]), copy(facts, name) };
    else
        facts->failed = true;
}

void isw_facts_cors(isw_facts *facts, const isw_cors *policy)
{
    isw_cors *kept;
    const char **origins;

    if (facts->cors || facts->comes_and_goes)
        return;
    kept = iswi_arena_alloc(facts->arena, sizeof *kept);
    origins = iswi_arena_calloc(facts->arena, policy->origin_count + 1, sizeof *origins);
    facts->failed = facts->failed || !kept || !origins;
    if (!kept || !origins)
        return;
    *kept = *policy;
    for (size_t i = 0; i < policy->origin_count; i++)
        origins[i] = copy(facts, policy->origins[i]).data;
    kept->origins = origins;
    kept->methods = copy(facts, policy->methods).data;
    kept->headers = copy(facts, policy->headers).data;
    kept->expose = copy(facts, policy->expose).data;
    facts->cors = kept;
}

/* Take up the steps from `from` to before `to` that have the name `other`, on the one side or the
 * other of the step that tells. */
static void add_misplaced(isw_facts *facts, size_t from, size_t to, const char *other,
                          const char *why)
{
    const isw_next *steps = facts->chain->steps;
    const isw_instance *self = steps[facts->at].self;

    for (size_t i = from; i < to; i++) {
        size_t count = facts->misplaced_count;
        iswi_misplaced *grown;

        if (strcmp(steps[i].self->middleware->name, other) != 0)
            continue;
        grown = iswi_arena_calloc(facts->arena, count + 1, sizeof *grown);
        facts->failed = facts->failed || !grown;
        if (!grown)
            return;
        if (count)
            memcpy(grown, facts->misplaced, count * sizeof *grown);
        grown[count] = i < facts->at ? (iswi_misplaced){ self, steps[i].self, why }
                                     : (iswi_misplaced){ steps[i].self, self, why };
        facts->misplaced = grown;
        facts->misplaced_count++;
    }
}

void isw_facts_not_inside(isw_facts *facts, const char *other, const char *why)
{
    add_misplaced(facts, 0, facts->at, other, why);
}

void isw_facts_not_outside(isw_facts *facts, const char *other, const char *why)
{
    add_misplaced(facts, facts->at + 1, facts->chain->count, other, why);
}

const char *const iswi_asked_for[] = { "auth_level", "roles", "scopes", "body", "query", NULL };

void isw_facts_reads(isw_facts *facts, const char *names)
{
    for (const char *at = names; *at; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");

        for (unsigned i = 0; iswi_asked_for[i]; i++)
            if (strlen(iswi_asked_for[i]) == size && strncmp(iswi_asked_for[i], at, size) == 0)
                facts->reads |= 1u << i;
        at += size;
    }
}

isw_status iswi_chain_facts(const iswi_chain *chain, iswi_arena *arena, iswi_facts *out)
{
    isw_facts facts = { .arena = arena, .chain = chain };

    for (size_t i = 0; i < chain->count; i++) {
        const isw_next *step = &chain->steps[i];

        facts.at = i;
        facts.comes_and_goes = step->header != NULL;
        if (iswi_middleware_tells(step->self->middleware))
            step->self->middleware->tell(step->self, &facts);
    }
    *out = (iswi_facts){ { facts.secrets, facts.count }, facts.cors, facts.misplaced,
                         facts.misplaced_count, facts.reads };
    return facts.failed ? ISW_E_NO_MEMORY : ISW_OK;
}
