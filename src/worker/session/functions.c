/* SPDX-License-Identifier: Apache-2.0 */
/* What the worker tells the host of its functions, and which of them the host has loaded. */
#include "worker/session/internal.h"

#include "base/alloc.h"

iswi_entry *iswi_session_entry(iswi_session *session, uint64_t number)
{
    iswi_entry *entry = NULL;

    pthread_mutex_lock(&session->lock);
    if (number < session->loaded_count)
        entry = session->loaded[number];
    pthread_mutex_unlock(&session->lock);
    return entry;
}

static isw_pairs pairs_of(const isw_property *list, size_t spare, iswi_arena *arena)
{
    size_t count = 0;
    isw_pair *pairs;

    while (list && list[count].name)
        count++;
    pairs = iswi_arena_calloc(arena, count + spare, sizeof *pairs);
    for (size_t i = 0; pairs && i < count; i++)
        pairs[i] = (isw_pair){ isw_str_of(list[i].name), isw_str_of(list[i].value) };
    return (isw_pairs){ pairs, pairs ? count : 0 };
}

static void describe_trigger(const isw_function *function, iswi_wire_function *out,
                             iswi_arena *arena)
{
    isw_pairs pairs = pairs_of(function->trigger.properties, 2, arena);
    isw_pair *more = (isw_pair *)pairs.items;
    const char *route;
    const char *route_name = iswi_trigger_route_name(function, &route);

    if (more && strcmp(function->trigger.type, "http") == 0)
        more[pairs.count++] = (isw_pair){ isw_str_of("methods"),
                                          isw_str_of(function->trigger.methods) };
    if (more && route_name)
        more[pairs.count++] = (isw_pair){ isw_str_of(route_name), isw_str_of(route) };
    out->trigger_type = isw_str_of(function->trigger.type);
    out->trigger_binding = isw_str_of(function->trigger.binding);
    out->trigger = pairs;
}

static void describe_bindings(const isw_function *function, iswi_wire_function *out,
                              iswi_arena *arena)
{
    const isw_binding *list = function->bindings;
    iswi_wire_binding *bindings;
    size_t count = 0;

    while (list && list[count].name)
        count++;
    bindings = iswi_arena_calloc(arena, count, sizeof *bindings);
    for (size_t i = 0; bindings && i < count; i++)
        bindings[i] = (iswi_wire_binding){ isw_str_of(list[i].name), isw_str_of(list[i].type),
                                           (uint64_t)list[i].direction,
                                           pairs_of(list[i].properties, 0, arena) };
    out->bindings.items = bindings;
    out->bindings.count = bindings ? count : 0;
}

static bool describe_facts(const iswi_bound *bound, iswi_wire_function *out, iswi_arena *arena)
{
    const isw_cors *policy;
    iswi_facts facts;
    isw_str *origins;

    if (iswi_chain_facts(&bound->chain, arena, &facts) != ISW_OK)
        return false;
    out->secrets = facts.secrets;
    policy = facts.cors;
    if (!policy)
        return true;
    origins = iswi_arena_calloc(arena, policy->origin_count + 1, sizeof *origins);
    for (size_t i = 0; origins && i < policy->origin_count; i++)
        origins[i] = isw_str_of(policy->origins[i]);
    out->cors = (iswi_wire_cors){ .origins = { origins, policy->origin_count },
                                  .methods = isw_str_of(policy->methods),
                                  .headers = isw_str_of(policy->headers),
                                  .expose = isw_str_of(policy->expose),
                                  .credentials = policy->credentials,
                                  .max_age_s = (uint64_t)policy->max_age_s };
    return origins != NULL;
}

static bool describe_function(const iswi_bound *bound, iswi_wire_function *out, iswi_arena *arena)
{
    const isw_function *function = bound->function;
    isw_str *chain = iswi_arena_calloc(arena, bound->chain.count, sizeof *chain);

    for (size_t i = 0; chain && i < bound->chain.count; i++)
        chain[i] = isw_str_of(iswi_step_name(&bound->chain.steps[i]));
    out->name = isw_str_of(function->name);
    out->summary = isw_str_of(function->summary);
    describe_trigger(function, out, arena);
    describe_bindings(function, out, arena);
    out->metadata = pairs_of(function->metadata, 0, arena);
    out->timeout_ms = function->timeout_ms;
    out->idempotent = function->idempotent;
    out->streams = function->streams;
    out->chain = (iswi_strs){ chain, chain ? bound->chain.count : 0 };
    return describe_facts(bound, out, arena);
}

void iswi_session_describe(iswi_session *session, uint64_t id)
{
    isw_worker *worker = session->worker;
    iswi_generation *generation = iswi_generation_take(worker);
    iswi_frame frame = { .kind = ISWI_METADATA, .id = id };
    iswi_wire_function *functions =
        iswi_arena_calloc(&session->inbound, worker->function_count, sizeof *functions);

    for (size_t i = 0; functions && i < worker->function_count; i++)
        if (!describe_function(&generation->functions[i], &functions[i], &session->inbound))
            functions = NULL;
    if (!functions)
        frame.as.metadata.status = iswi_status_to_wire(ISW_E_NO_MEMORY, "no memory");
    frame.as.metadata.functions.items = functions;
    frame.as.metadata.functions.count = functions ? worker->function_count : 0;
    iswi_session_reply(session, &frame);
    iswi_generation_drop(generation);
}

static isw_status remember(iswi_session *session, uint64_t number, iswi_entry *entry)
{
    size_t count = session->loaded_count ? session->loaded_count : 64;
    iswi_entry **grown;

    if (number >= ISWI_LOADED_MAX)
        return ISW_E_TOO_LARGE;
    while (count <= number)
        count *= 2;
    if (count > session->loaded_count) {
        grown = iswi_realloc(session->loaded, count * sizeof *grown);
        if (!grown)
            return ISW_E_NO_MEMORY;
        memset(grown + session->loaded_count, 0, (count - session->loaded_count) * sizeof *grown);
        session->loaded = grown;
        session->loaded_count = count;
    }
    session->loaded[number] = entry;
    return ISW_OK;
}

void iswi_session_load(iswi_session *session, uint64_t id, const iswi_load *load)
{
    iswi_frame frame = { .kind = ISWI_LOADED, .id = id };
    iswi_entry *entry = iswi_worker_entry(session->worker, load->name);
    isw_status status = ISW_E_NOT_FOUND;

    if (entry) {
        pthread_mutex_lock(&session->lock);
        status = remember(session, load->function, entry);
        pthread_mutex_unlock(&session->lock);
    }
    frame.as.loaded.function = load->function;
    if (status != ISW_OK)
        frame.as.loaded.status = iswi_status_to_wire(
            status, status == ISW_E_NOT_FOUND ? "this worker has no function of that name"
                                              : isw_status_text(status));
    iswi_session_reply(session, &frame);
}
