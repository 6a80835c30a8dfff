/* SPDX-License-Identifier: Apache-2.0 */
/* What a function declares that would hold for nothing, whatever host it has: said twice, said to a
 * trigger that does not take it, or by a name that is none. It is refused: nothing is lost so. */
#include "worker/registry/worker.h"

#include "base/text.h"
#include "wire/limits.h"

#include <stdarg.h>
#include <stdio.h>

/* -- Routes among properties ------------------------------------------------------------------- */

/* What the route of a trigger is called among its properties. */
typedef struct routed {
    const char *type, *name;
    bool may_be_left_out;
} routed;

static const routed *routed_of(const char *type)
{
    static const routed rows[] = { { "http", "route", true },
                                   { "cloudevents", "route", true },
                                   { "queue", "queue", true },
                                   { "timer", "schedule", false },
                                   { "file", "path", false } };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(type, rows[i].type) == 0)
            return &rows[i];
    return NULL;
}

const char *iswi_trigger_route_name(const isw_function *function, const char **route)
{
    const isw_trigger *trigger = &function->trigger;
    const routed *row = routed_of(trigger->type);

    if (!row || isw_property_find(trigger->properties, row->name))
        return NULL;
    *route = trigger->route || !row->may_be_left_out ? trigger->route : function->name;
    return *route ? row->name : NULL;
}

/* -- Its trigger ------------------------------------------------------------------------------- */

static isw_status refuse(const isw_function *function, isw_error *own, const char *format, ...)
    ISW_PRINTF(3, 4);
static isw_status refuse(const isw_function *function, isw_error *own, const char *format, ...)
{
    char text[ISW_ERROR_MESSAGE_BYTES / 2];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return isw_error_set(own, ISW_E_CONFIG, "function %s %s", function->name, text);
}

/* A member of the trigger, and the property that says the same. */
static isw_status check_once(const isw_function *function, const char *name, const char *member,
                             isw_error *own)
{
    const char *property = isw_property_find(function->trigger.properties, name);

    if (!member || !property)
        return ISW_OK;
    return refuse(function, own, "says its %s twice, as \"%s\" and by a property as \"%s\"; leave "
                  "one of them out", name, member, property);
}

/* What other hosts may have takes what they say. */
static bool is_known(const char *type)
{
    return routed_of(type) || strcmp(type, "call") == 0 || strcmp(type, "warmup") == 0;
}

static isw_status check_members(const isw_function *function, isw_error *own)
{
    const isw_trigger *trigger = &function->trigger;
    const routed *row = routed_of(trigger->type);
    const char *route = row ? row->name : NULL;
    bool is_http = strcmp(trigger->type, "http") == 0;

    if (!is_known(trigger->type))
        return ISW_OK;
    if (trigger->methods && *trigger->methods && !is_http)
        return refuse(function, own, "has the methods \"%s\", which its trigger \"%s\" does not "
                      "take; leave them out", trigger->methods, trigger->type);
    if (trigger->route && !route)
        return refuse(function, own, "has the route \"%s\", which its trigger \"%s\" does not "
                      "take; leave it out", trigger->route, trigger->type);
    if (is_http && check_once(function, "methods", trigger->methods, own) != ISW_OK)
        return own->status;
    return route ? check_once(function, route, trigger->route, own) : ISW_OK;
}

/* Of its trigger, or of the binding `name`. */
static isw_status check_properties(const isw_function *function, const isw_property *list,
                                   const char *name, isw_error *own)
{
    const char *lead = name ? ", in its binding " : "";

    for (const isw_property *at = list; at && at->name; at++) {
        if (!at->value)
            return refuse(function, own, "gives the property \"%s\" no value%s%s", at->name, lead,
                          name ? name : "");
        if (isw_property_find(list, at->name) != at->value)
            return refuse(function, own, "gives the property \"%s\" twice%s%s", at->name, lead,
                          name ? name : "");
    }
    return ISW_OK;
}

static isw_status check_trigger(const isw_function *function, isw_error *own)
{
    return check_members(function, own) == ISW_OK
               ? check_properties(function, function->trigger.properties, NULL, own)
               : own->status;
}

/* -- Its bindings ------------------------------------------------------------------------------ */

static isw_status check_binding(const isw_function *function, const isw_binding *at, isw_error *own)
{
    if (!iswi_binding_name(isw_str_of(at->name)) || strlen(at->name) > ISWI_NAME_MAX)
        return refuse(function, own, "has a binding \"%s\", which is no name for one: a letter or "
                      "'_', then letters, digits, '_', '-' and '.', at most %d", at->name,
                      ISWI_NAME_MAX);
    for (const isw_binding *other = function->bindings; other < at; other++)
        if (strcmp(other->name, at->name) == 0)
            return refuse(function, own, "has two bindings named \"%s\"", at->name);
    if (!at->type || !*at->type)
        return refuse(function, own, "has the binding %s without a type", at->name);
    if ((unsigned)at->direction > ISW_INOUT)
        return refuse(function, own, "has the binding %s with the direction %d; there are ISW_IN, "
                      "ISW_OUT and ISW_INOUT", at->name, (int)at->direction);
    return check_properties(function, at->properties, at->name, own);
}

static isw_status check_bindings(const isw_function *function, isw_error *own)
{
    isw_status status = ISW_OK;

    for (const isw_binding *at = function->bindings; status == ISW_OK && at && at->name; at++)
        status = check_binding(function, at, own);
    return status;
}

static isw_status check_timeout(const isw_function *function, isw_error *own)
{
    if (function->timeout_ms < INT32_MAX)
        return ISW_OK;
    return refuse(function, own, "has a timeout of %lu ms, which is more than there can be; 0 is that "
                  "of the host", (unsigned long)function->timeout_ms);
}

isw_status iswi_function_check(const isw_function *function, iswi_faults *faults, isw_error *error)
{
    isw_status (*const checks[])(const isw_function *, isw_error *) = {
        check_trigger, check_bindings, check_timeout
    };
    isw_status all = ISW_OK;
    bool on = true;

    for (size_t i = 0; on && i < sizeof checks / sizeof checks[0]; i++) {
        isw_error own = { ISW_OK, "" };

        if (checks[i](function, &own) != ISW_OK) {
            iswi_faults_add(faults, own.message);
            isw_error_set(error, own.status, "%s", own.message);
        }
        on = iswi_faults_go_on(faults, own.status, &all);
    }
    return all;
}
