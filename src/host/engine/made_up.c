/* SPDX-License-Identifier: Apache-2.0 */
/* Functions by their names, for those who call them with events that nothing has brought. */
#include "base/text.h"
#include "host/engine/engine.h"

isw_status iswi_host_refuse_function(const iswi_host *host, const char *name, isw_error *error)
{
    size_t least = 1 + strlen(name) / 4;
    const char *nearest = NULL;

    for (const iswi_host_function *at = iswi_host_newest_function(host); at;
         at = iswi_function_before(at)) {
        size_t distance = iswi_edit_distance(name, at->name);

        if (distance <= least && distance < strlen(at->name)) {
            nearest = at->name;
            least = distance ? distance - 1 : 0;
        }
    }
    return isw_error_set(error, ISW_E_NOT_FOUND, "no worker has a function \"%s\"%s%s%s", name,
                         nearest ? "; is \"" : "", nearest ? nearest : "",
                         nearest ? "\" meant?" : "");
}

/* Whether it is meant by that: NAME, or WORKER/NAME. */
static bool is_meant(const iswi_host_function *function, const char *words)
{
    const char *worker = function->pool->settings->name;
    size_t size = strlen(worker);

    return strcmp(function->name, words) == 0 ||
           (strncmp(words, worker, size) == 0 && words[size] == '/' &&
            strcmp(words + size + 1, function->name) == 0);
}

isw_status iswi_host_find_meant(iswi_host *host, const char *words, iswi_host_function **out,
                                isw_error *error)
{
    iswi_host_function *found = NULL;

    *out = NULL;
    for (iswi_host_function *at = iswi_host_newest_function(host); at;
         at = iswi_function_before(at)) {
        if (!is_meant(at, words) || (found && atomic_load(&at->unserved)))
            continue;
        if (found && found->pool != at->pool && !atomic_load(&found->unserved))
            return isw_error_set(error, ISW_E_CONFLICT,
                                 "workers %s and %s both have a function \"%s\"; say which one: "
                                 "%s/%s or %s/%s",
                                 at->pool->settings->name, found->pool->settings->name, at->name,
                                 at->pool->settings->name, at->name, found->pool->settings->name,
                                 at->name);
        found = at;
    }
    *out = found;
    return ISW_OK;
}

const char *iswi_host_run_verb(const iswi_host_function *function, const char **type)
{
    *type = function->description.trigger_type;
    return function->trigger ? function->trigger->run_verb : NULL;
}

static void *self_of(const iswi_host *host, const iswi_trigger *trigger)
{
    for (size_t i = 0; i < host->triggers.count; i++)
        if (host->triggers.items[i].trigger == trigger)
            return host->triggers.items[i].self;
    return NULL;
}

/* Of what is no request it would mean nothing. */
static isw_status check_plain(const iswi_host_function *function, const iswi_made_up *event,
                              isw_error *error)
{
    const char *what = event->method.size     ? "a method"
                       : event->params.count  ? "parameters of a route"
                       : event->query.count   ? "a query"
                       : event->headers.count ? "headers"
                                              : NULL;

    return what ? isw_error_set(error, ISW_E_INVALID,
                                "function %s has the trigger \"%s\": only requests have %s",
                                function->name, function->description.trigger_type, what)
                : ISW_OK;
}

isw_status iswi_host_make_up(const iswi_host *host, iswi_host_function *function,
                             const iswi_made_up *event, iswi_arena *arena, iswi_call *call,
                             isw_error *error)
{
    const iswi_trigger *trigger = iswi_trigger_server(host->triggers.list, function->trigger);
    const char *refused = atomic_load(&function->refused);

    call->function = function;
    call->trigger = event->data;
    if (trigger && (refused || !function->entry.properties))
        return isw_error_set(error, ISW_E_UNSUPPORTED, "function %s is not served: %s",
                             function->name, refused ? refused : "its trigger has refused it");
    if (!(trigger && trigger->capabilities & ISWI_TRIGGER_REQUESTS) &&
        check_plain(function, event, error) != ISW_OK)
        return error->status;
    if (!trigger || !trigger->make_up || !self_of(host, trigger))
        return ISW_OK;
    return trigger->make_up(self_of(host, trigger), &function->entry, event, arena, call, error);
}
