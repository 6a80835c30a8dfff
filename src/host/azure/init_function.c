/* SPDX-License-Identifier: Apache-2.0 */
#include "host/azure/init_function.h"

#include "base/text.h"
#include "cron/expression.h"
#include "host/azure/boxes.h"
#include "host/azure/custom.h"
#include "host/azure/names.h"

#include <stdio.h>
#include <string.h>

#define STORAGE "AzureWebJobsStorage"

ISW_PRINTF(3, 4)
static void note(iswi_faults *notes, const iswi_told_function *function, const char *format, ...)
{
    char text[1024];
    int size = snprintf(text, sizeof text, "note: function %s: ", function->name);
    va_list args;

    va_start(args, format);
    vsnprintf(text + size, sizeof text - (size_t)size, format, args);
    va_end(args);
    iswi_faults_add(notes, text);
}

/* A text among the properties; NULL: it is not there. */
static const char *property(const isw_value *properties, const char *name)
{
    for (size_t i = 0; properties->type == ISW_VALUE_MAP && i < properties->as.map.count; i++) {
        const isw_named_value *item = &properties->as.map.items[i];

        if (item->value.type == ISW_VALUE_STRING && isw_str_equal(item->name, isw_str_of(name)))
            return item->value.as.string.data;
    }
    return NULL;
}

/* -- Members of JSON --------------------------------------------------------------------------- */

static void begin(iswi_buffer *out, const char *type, const char *direction, const char *name)
{
    char called[ISWI_AZURE_NAME_BYTES];

    iswi_azure_binding_name(isw_str_of(name), called);
    iswi_buffer_append_text(out, "    { \"type\": ");
    iswi_json_string(out, isw_str_of(type));
    iswi_buffer_printf(out, ", \"direction\": \"%s\", \"name\": \"%s\"", direction, called);
}

static void add(iswi_buffer *out, const char *name, const char *value)
{
    iswi_buffer_append_text(out, ", ");
    iswi_json_string(out, isw_str_of(name));
    iswi_buffer_append_text(out, ": ");
    iswi_json_string(out, isw_str_of(value));
}

/* -- Triggers ---------------------------------------------------------------------------------- */

/* Keys are the chain's to ask for, which has "auth". */
static void add_http(const iswi_told_function *function, iswi_buffer *out)
{
    const iswi_told_trigger *trigger = &function->trigger;
    const char *route = trigger->route ? trigger->route : property(&trigger->properties, "route");
    const char *at = strcmp(trigger->type, "http") != 0 ? ISWI_AZURE_EVENT_METHODS
                     : trigger->methods                 ? trigger->methods
                                                        : "";
    bool first = true;

    begin(out, "httpTrigger", "in", iswi_azure_trigger_binding("http"));
    add(out, "authLevel", "anonymous");
    add(out, "route", route ? route : function->name);
    if (at[strspn(at, " ")])
        iswi_buffer_append_text(out, ", \"methods\": [");
    for (at += strspn(at, " "); *at; at += strspn(at, " "), first = false) {
        size_t size = strcspn(at, " ");

        iswi_buffer_append_text(out, first ? "" : ", ");
        iswi_json_string(out, (isw_str){ at, size });
        at += size;
    }
    iswi_buffer_append_text(out, first ? " },\n" : "] },\n");
    begin(out, "http", "out", ISWI_AZURE_HTTP_OUTPUT);
}

/* What Azure's storage takes as a name. */
static void check_queue(const iswi_told_function *function, const char *queue, iswi_faults *notes)
{
    size_t size = strlen(queue);
    size_t fine = strspn(queue, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (fine != size || size < 3 || size > 63)
        note(notes, function, "\"%s\" cannot be a queue of Azure's storage: such a name has 3 to 63 "
             "small letters, digits and hyphens; change queueName in its function.json", queue);
}

static void add_queue(const iswi_told_function *function, iswi_faults *notes, iswi_buffer *out)
{
    const iswi_told_trigger *trigger = &function->trigger;
    const char *queue = trigger->queue ? trigger->queue : property(&trigger->properties, "queue");

    queue = queue ? queue : function->name;
    check_queue(function, queue, notes);
    begin(out, "queueTrigger", "in", iswi_azure_trigger_binding("queue"));
    add(out, "queueName", queue);
    add(out, "connection", STORAGE);
}

/* As NCRONTAB with six fields, or as the time between two; NULL: it cannot be read. */
static const char *schedule_of(const iswi_told_function *function, const char *text,
                               iswi_faults *notes, char *out, size_t size)
{
    static const char *const words[][2] = {
        { "@hourly", "0 0 * * * *" },   { "@daily", "0 0 0 * * *" },
        { "@midnight", "0 0 0 * * *" }, { "@weekly", "0 0 0 * * 0" },
        { "@monthly", "0 0 0 1 * *" },  { "@yearly", "0 0 0 1 1 *" },
        { "@annually", "0 0 0 1 1 *" },
    };
    iswi_cron cron;
    size_t fields = 0;

    if (iswi_cron_read(text, &cron, NULL) != ISW_OK)
        return NULL;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (isw_str_equal_nocase(isw_str_of(words[i][0]), isw_str_of(text)))
            return words[i][1];
    if (cron.every_s) {
        snprintf(out, size, "%lld.%02lld:%02lld:%02lld", (long long)(cron.every_s / 86400),
                 (long long)(cron.every_s / 3600 % 24), (long long)(cron.every_s / 60 % 60),
                 (long long)(cron.every_s % 60));
        return out;
    }
    for (const char *at = text + strspn(text, " \t"); *at; at += strspn(at, " \t"), fields++)
        at += strcspn(at, " \t");
    if (cron.either)
        note(notes, function, "its schedule \"%s\" runs by day or by weekday, and there it runs "
             "where both agree", text);
    snprintf(out, size, "%s%s", fields == 5 ? "0 " : "", text);
    return out;
}

static bool add_timer(const iswi_told_function *function, iswi_faults *notes, iswi_buffer *out)
{
    const iswi_told_trigger *trigger = &function->trigger;
    const isw_value *more = &trigger->properties;
    const char *text = trigger->schedule ? trigger->schedule : property(more, "schedule");
    const char *zone = property(more, "zone");
    const char *at_start = property(more, "run_on_startup");
    char room[256];
    const char *schedule = text ? schedule_of(function, text, notes, room, sizeof room) : NULL;

    if (!schedule) {
        note(notes, function, "its schedule \"%s\" cannot be read", text ? text : "");
        return false;
    }
    if (zone && strcmp(zone, "UTC") != 0)
        note(notes, function, "its times are those of %s: set WEBSITE_TIME_ZONE of the application "
             "to that", zone);
    begin(out, "timerTrigger", "in", iswi_azure_trigger_binding("timer"));
    add(out, "schedule", schedule);
    if (at_start && strcmp(at_start, "true") == 0)
        iswi_buffer_append_text(out, ", \"runOnStartup\": true");
    return true;
}

static bool add_trigger(const iswi_told_function *function, iswi_faults *notes, iswi_buffer *out)
{
    const char *type = function->trigger.type;

    if (iswi_azure_comes_by_http(type))
        add_http(function, out);
    else if (strcmp(type, "queue") == 0)
        add_queue(function, notes, out);
    else if (strcmp(type, "timer") == 0)
        return add_timer(function, notes, out);
    else {
        note(notes, function, "its trigger \"%s\" is not known there: write its function.json by "
             "hand, with a trigger that is called \"%s\"", type, iswi_azure_trigger_binding(type));
        return false;
    }
    return true;
}

/* -- Outputs ----------------------------------------------------------------------------------- */

static bool is_theirs(const iswi_told_binding *binding)
{
    return strcmp(binding->direction ? binding->direction : "in", "in") != 0 &&
           !iswi_azure_stays_here(binding->type);
}

bool iswi_azure_has_outputs(const iswi_told_function *function)
{
    for (size_t i = 0; i < function->binding_count; i++)
        if (is_theirs(&function->bindings[i]))
            return true;
    return false;
}

static void add_output(const iswi_told_function *function, const iswi_told_binding *binding,
                       iswi_faults *notes, iswi_buffer *out)
{
    const bool queue = strcmp(binding->type, "queue") == 0;
    const isw_value *more = &binding->properties;

    iswi_buffer_append_text(out, " },\n");
    begin(out, binding->type, "out", binding->name);
    for (size_t i = 0; more->type == ISW_VALUE_MAP && i < more->as.map.count; i++) {
        const isw_named_value *item = &more->as.map.items[i];
        const bool name = queue && isw_str_equal(item->name, isw_str_of("queue"));

        if (item->value.type != ISW_VALUE_STRING)
            continue;
        if (name)
            check_queue(function, item->value.as.string.data, notes);
        add(out, name ? "queueName" : item->name.data, item->value.as.string.data);
    }
    if (queue)
        add(out, "connection", STORAGE);
}

bool iswi_azure_function_json(const iswi_told_function *function, iswi_faults *notes,
                              iswi_buffer *out)
{
    if (!iswi_azure_is_function_name(function->name))
        note(notes, function, ISWI_AZURE_NAME_REMEDY);
    iswi_buffer_append_text(out, "{\n  \"bindings\": [\n");
    if (!add_trigger(function, notes, out))
        return false;
    for (size_t i = 0; i < function->binding_count; i++)
        if (is_theirs(&function->bindings[i]))
            add_output(function, &function->bindings[i], notes, out);
    iswi_buffer_append_text(out, " }\n  ]\n}\n");
    return true;
}
