/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of triggers, before there is a host. Pure. */
#include "host/engine/trigger.h"

#include "config/properties.h"

iswi_settings_groups iswi_triggers_groups(iswi_trigger_list list)
{
    iswi_settings_groups groups = { .count = 0 };

    for (; *list && groups.count < ISWI_SETTINGS_GROUPS_MAX; list++) {
        if ((*list)->settings)
            groups.items[groups.count++] = (*list)->settings;
        groups.confined = groups.confined || (*list)->capabilities & ISWI_TRIGGER_CONFINES;
    }
    return groups;
}

bool iswi_entry_is_namesake(const iswi_entry *a, const iswi_entry *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->worker, b->worker) != 0;
}

static bool is_any(const iswi_trigger *trigger)
{
    return strcmp(trigger->type, "*") == 0;
}

const iswi_trigger *iswi_triggers_find(iswi_trigger_list list, const char *type, isw_error *error)
{
    const char *known[ISWI_TRIGGERS_MAX + 1] = { NULL };
    isw_error own = { ISW_OK, "" };
    size_t count = 0;

    for (size_t i = 0; list[i] && i < ISWI_TRIGGERS_MAX; i++) {
        if (list[i]->capabilities & ISWI_TRIGGER_NONE)
            continue;
        if (strcmp(list[i]->type, type) == 0)
            return list[i];
        known[count++] = list[i]->type;
    }
    for (size_t i = 0; list[i] && i < ISWI_TRIGGERS_MAX; i++)
        if (is_any(list[i]))
            return list[i];
    iswi_properties_unknown("trigger of the type", type, "it has ", known, &own);
    isw_error_set(error, own.status, "this host has %s", own.message);
    return NULL;
}

const iswi_trigger *iswi_trigger_server(iswi_trigger_list list, const iswi_trigger *trigger)
{
    if (!trigger || !trigger->within)
        return trigger;
    for (size_t i = 0; list[i] && i < ISWI_TRIGGERS_MAX; i++)
        if (!list[i]->within && strcmp(list[i]->type, trigger->within->type) == 0)
            return list[i];
    return trigger->within;
}

isw_status iswi_trigger_properties(const iswi_trigger *trigger, const isw_pairs *given,
                                   iswi_arena *arena, const void **out, isw_error *error)
{
    isw_error own = { ISW_OK, "" };

    if (is_any(trigger)) {
        *out = given;
        return ISW_OK;
    }
    if (iswi_properties_read(trigger->properties, trigger->properties_size, given, arena, out,
                             &own) == ISW_OK)
        return ISW_OK;
    return isw_error_set(error, own.status, "its trigger \"%s\": %s", trigger->type, own.message);
}
