/* SPDX-License-Identifier: Apache-2.0 */
/* One loop over the triggers for each thing that they are told, and what they are told of
 * functions. */
#include "host/engine/triggers.h"

#include "base/alloc.h"
#include "host/engine/engine.h"

/* -- Life -------------------------------------------------------------------------------------- */

isw_status iswi_triggers_start(iswi_triggers *all, const iswi_trigger *trigger,
                               const iswi_trigger_start *with, isw_error *error)
{
    isw_status status;
    void *self;

    if (all->count == ISWI_TRIGGERS_MAX)
        return isw_error_set(error, ISW_E_NO_MEMORY, "a host has %d triggers at most",
                             ISWI_TRIGGERS_MAX);
    status = trigger->start(with, &self, error);
    if (status != ISW_OK)
        return status;
    all->items[all->count++] = (iswi_triggering){ trigger, self };
    if (with->shut && !trigger->open && trigger->hold)
        trigger->hold(self, true);
    return ISW_OK;
}

void iswi_triggers_open(iswi_triggers *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const iswi_trigger *trigger = all->items[i].trigger;

        if (trigger->open)
            trigger->open(all->items[i].self);
        else if (trigger->hold)
            trigger->hold(all->items[i].self, false);
    }
}

bool iswi_triggers_give(const iswi_triggers *all, iswi_legacy *legacy)
{
    bool fine = true;

    for (size_t i = 0; fine && i < all->count; i++)
        if (all->items[i].trigger->give)
            fine = all->items[i].trigger->give(all->items[i].self, legacy);
    return fine;
}

void iswi_triggers_leave(iswi_triggers *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const iswi_trigger *trigger = all->items[i].trigger;

        if (trigger->leave)
            trigger->leave(all->items[i].self);
        else if (trigger->quiesce)
            trigger->quiesce(all->items[i].self);
    }
}

void iswi_triggers_hand_on(const iswi_triggers *all, iswi_legacy *legacy)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].trigger->hand_on)
            all->items[i].trigger->hand_on(all->items[i].self, legacy);
}

void iswi_triggers_adopt(const iswi_triggers *all, iswi_legacy *legacy)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].trigger->adopt)
            all->items[i].trigger->adopt(all->items[i].self, legacy);
}

size_t iswi_triggers_visitors(const iswi_triggers *all)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].trigger->visitors)
            count += all->items[i].trigger->visitors(all->items[i].self);
    return count;
}

/* Of the first `count`. */
static void renew(iswi_triggers *all, size_t count, bool take)
{
    for (size_t i = 0; i < count; i++)
        if (all->items[i].trigger->renew)
            all->items[i].trigger->renew(all->items[i].self, take);
}

void iswi_triggers_renew(iswi_triggers *all, bool take)
{
    renew(all, all->count, take);
}

static isw_status prepare(const iswi_host *host, const iswi_triggering *one,
                          const iswi_host_settings *settings, isw_error *error)
{
    const iswi_settings_group *group = one->trigger->settings;
    const void *own = group ? iswi_host_settings_group(settings, &host->groups, group) : NULL;

    return one->trigger->prepare ? one->trigger->prepare(one->self, own, settings, error) : ISW_OK;
}

isw_status iswi_triggers_place(iswi_config *config, const char *group, const isw_error *own,
                               isw_error *error)
{
    const iswi_node *listen =
        iswi_node_find(iswi_node_find(iswi_config_root(config), group), "listen");

    if (own->status == ISW_OK)
        return ISW_OK;
    if (!listen || (own->status != ISW_E_CONFIG && own->status != ISW_E_CONFLICT))
        return isw_error_set(error, own->status, "%s", own->message);
    return isw_error_set(error, own->status, "%s: %s", iswi_config_where(config, listen),
                         own->message);
}

isw_status iswi_triggers_prepare(iswi_host *host, iswi_config *config,
                                 const iswi_host_settings *settings, isw_error *error)
{
    iswi_triggers *all = &host->triggers;

    for (size_t i = 0; i < all->count; i++) {
        const iswi_trigger *trigger = all->items[i].trigger;
        isw_error own = { ISW_OK, "" };

        if (prepare(host, &all->items[i], settings, &own) == ISW_OK)
            continue;
        renew(all, i, false);
        return trigger->settings ? iswi_triggers_place(config, trigger->settings->name, &own, error)
                                 : isw_error_set(error, own.status, "%s", own.message);
    }
    return ISW_OK;
}

void iswi_triggers_hold(iswi_triggers *all, bool on)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].trigger->hold)
            all->items[i].trigger->hold(all->items[i].self, on);
}

void iswi_triggers_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns)
{
    iswi_triggers *all = &host->triggers;
    unsigned asked = atomic_load(&host->reload.asked);

    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].trigger->tend)
            all->items[i].trigger->tend(all->items[i].self, asked != all->asked, now_ns, next_ns);
    all->asked = asked;
}

void iswi_triggers_quiesce(iswi_triggers *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].trigger->quiesce)
            all->items[i].trigger->quiesce(all->items[i].self);
}

size_t iswi_triggers_admitted(const iswi_triggers *all)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].trigger->admitted)
            count += all->items[i].trigger->admitted(all->items[i].self);
    return count;
}

void iswi_triggers_stop(iswi_triggers *all)
{
    while (all->count) {
        const iswi_triggering *last = &all->items[--all->count];

        last->trigger->stop(last->self);
    }
}

/* -- Functions --------------------------------------------------------------------------------- */

/* It is not served, in a column and in a sentence; that is said once. */
static void refuse(iswi_host *host, iswi_host_function *function, const char *reason,
                   const char *sentence)
{
    const char *before = atomic_load(&function->unserved);

    function->refused_now = true;
    if (before && sentence && strcmp(before, sentence) == 0)
        return;
    function->refused = reason;
    function->unserved = sentence;
    iswi_say(host, ISW_LOG_ERROR, "%s", sentence ? sentence : function->name);
}

static void on_refuse(void *user, const iswi_entry *entry, const iswi_entry *rival,
                      const char *reason, const char *why)
{
    iswi_host *host = user;
    iswi_arena *arena = &host->arena;

    refuse(host, entry->function, reason,
           rival ? iswi_arena_printf(arena,
                                     "function %s of worker %s is not served beside function %s of "
                                     "worker %s: %s", entry->name, entry->worker, rival->name,
                                     rival->worker, why)
                 : iswi_arena_printf(arena, "function %s of worker %s is not served: %s",
                                     entry->name, entry->worker, why));
}

static void warn_of_streams(iswi_host *host, const iswi_host_function *function)
{
    if (function->streams && !(function->trigger->capabilities & ISWI_TRIGGER_STREAMS))
        iswi_say(host, ISW_LOG_WARNING,
                 "function %s of worker %s gets each body whole: its trigger \"%s\" sends none in "
                 "pieces", function->name, function->entry.worker, function->trigger->type);
}

bool iswi_triggers_take(iswi_host *host, iswi_host_function *function)
{
    isw_error error = { ISW_OK, "" };

    function->entry = (iswi_entry){ .name = function->name,
                                    .worker = function->pool->settings->name,
                                    .function = function };
    function->trigger = iswi_triggers_find(host->triggers.list, function->description.trigger_type,
                                           &error);
    function->entry.trigger = function->trigger;
    if (!function->trigger) {
        /* No fault of the host's: some other one may have it. */
        function->refused = "this host has no trigger of its type";
        iswi_say(host, ISW_LOG_WARNING, "function %s of worker %s is not served: %s",
                 function->name, function->entry.worker, error.message);
        return true;
    }
    if (iswi_trigger_properties(function->trigger, &function->description.given, &host->arena,
                                &function->entry.properties, &error) == ISW_OK)
        warn_of_streams(host, function);
    else if (error.status == ISW_E_CONFIG)
        on_refuse(host, &function->entry, NULL, "its trigger refuses its properties",
                  error.message);
    return error.status != ISW_E_NO_MEMORY;
}

/* Those of one trigger; NULL: no memory. */
static iswi_entry **gather(const iswi_host *host, const iswi_trigger *trigger, size_t *count)
{
    iswi_entry **entries = iswi_calloc(host->function_count + 1, sizeof(iswi_entry *));

    *count = 0;
    for (size_t i = 0; entries && i < host->function_count; i++)
        if (iswi_trigger_server(host->triggers.list, host->functions[i]->trigger) == trigger &&
            host->functions[i]->entry.properties && atomic_load(&host->functions[i]->current))
            entries[(*count)++] = &host->functions[i]->entry;
    return entries;
}

/* Those that were refused before, and are not now, since a rival is gone. */
static void settle(iswi_entry *const *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        iswi_host_function *function = entries[i]->function;

        if (!function->refused_now) {
            atomic_store(&function->unserved, NULL);
            atomic_store(&function->refused, NULL);
        }
        function->refused_now = false;
    }
}

static void publish_one(iswi_host *host, const iswi_triggering *one, iswi_more more)
{
    size_t count;
    iswi_entry **entries = gather(host, one->trigger, &count);
    void *set = NULL;

    if (entries && one->trigger->arrange(entries, count, on_refuse, host, &set) == ISW_OK) {
        settle(entries, count);
        one->trigger->publish(one->self, set, more);
    } else {
        iswi_say(host, ISW_LOG_CRITICAL, "no memory for the functions of the trigger %s",
                 one->trigger->type);
    }
    iswi_free(entries);
}

void iswi_triggers_publish(iswi_host *host, iswi_more more)
{
    host->triggers.published = true;
    host->triggers.more = more;
    for (size_t i = 0; i < host->triggers.count; i++)
        publish_one(host, &host->triggers.items[i], more);
}

/* -- For those who ask ------------------------------------------------------------------------- */

const iswi_entry *iswi_host_entry(const iswi_host_function *function)
{
    return &function->entry;
}

size_t iswi_host_trigger_count(const iswi_host *host)
{
    return host->triggers.count;
}

const iswi_trigger *iswi_host_trigger(const iswi_host *host, size_t index, void **self)
{
    *self = host->triggers.items[index].self;
    return host->triggers.items[index].trigger;
}

void iswi_host_tend_by(iswi_host *host, int64_t at_ns)
{
    iswi_host_wake_by(host, at_ns);
}

const char *iswi_host_address(const iswi_host *host, size_t index)
{
    for (size_t i = 0; i < host->triggers.count; i++) {
        const iswi_triggering *one = &host->triggers.items[i];

        if (one->trigger->address && one->trigger->address(one->self, 0))
            return one->trigger->address(one->self, index);
    }
    return NULL;
}

void iswi_host_tell(const iswi_host *host, const iswi_host_function *function, iswi_arena *arena,
                    iswi_entry_told *out)
{
    *out = (iswi_entry_told){ .methods = NULL };
    for (size_t i = 0; i < host->triggers.count; i++) {
        const iswi_triggering *one = &host->triggers.items[i];

        if (one->trigger == iswi_trigger_server(host->triggers.list, function->trigger) &&
            function->entry.properties && one->trigger->tell)
            one->trigger->tell(one->self, &function->entry, arena, out);
    }
}
