/* SPDX-License-Identifier: Apache-2.0 */
/* Where an event goes: by the rules of host.yaml, else by what it is and what it is from. */
#include "host/lambda/internal.h"

#include "base/text.h"
#include "host/engine/log.h"
#include "host/queue/foreign.h"
#include "host/queue/queue.h"
#include "host/timer/foreign.h"

#include <stdio.h>

enum { MESSAGE_BYTES = ISW_ERROR_MESSAGE_BYTES + 256 };

/* -- Functions --------------------------------------------------------------------------------- */

static bool is_of(const iswi_host_function *function, const char *type)
{
    iswi_function_look look;

    iswi_function_look_at(function, &look);
    return !look.refused && strcmp(look.trigger_type, type) == 0;
}

static bool answers_to(const iswi_entry *entry, isw_str name, bool by_queue)
{
    const char *own = by_queue ? iswi_queue_of(entry) : entry->name;

    return isw_str_equal_nocase(name, isw_str_of(own)) ||
           isw_str_equal_nocase(name, isw_str_of(entry->name));
}

/* That of this trigger which is called as what the event is from, or else, if that is asked for, the
 * only one. */
static const iswi_entry *find(const iswi_host *host, const char *type, isw_str name, bool alone)
{
    const bool by_queue = strcmp(type, "queue") == 0;
    const iswi_entry *only = NULL;
    size_t count = 0;

    for (const iswi_host_function *at = iswi_host_newest_function(host); at;
         at = iswi_function_before(at)) {
        const iswi_entry *entry = iswi_host_entry(at);

        if (!is_of(at, type))
            continue;
        if (name.size && answers_to(entry, name, by_queue))
            return entry;
        only = entry;
        count++;
    }
    return alone && count == 1 ? only : NULL;
}

static const iswi_entry *find_named(const iswi_lambda_slot *slot, const char *name)
{
    const iswi_host_function *function = iswi_host_find(slot->lambda->host, name);

    return function ? iswi_host_entry(function) : NULL;
}

static bool matches(const char *pattern, isw_str text, iswi_arena *arena)
{
    const char *copy = text.size ? iswi_arena_strndup(arena, text.data, text.size) : NULL;

    return copy && iswi_glob_match(pattern, copy);
}

/* NULL: none is for it. */
static const char *by_rule(iswi_lambda_slot *slot)
{
    const isw_option_list *list = &slot->lambda->settings->rules;
    const iswi_lambda_rule *rules = list->items;
    const iswi_lambda_event *event = &slot->event;

    for (size_t i = 0; i < list->count; i++)
        if (iswi_glob_match(rules[i].source, iswi_lambda_kind_name(event->kind)) ||
            matches(rules[i].source, event->source, &slot->arena) ||
            matches(rules[i].source, event->arn, &slot->arena))
            return rules[i].function;
    return NULL;
}

/* A queue of the kind FIFO has that in its name, which a function's need not have. */
static isw_str queue_name(isw_str resource)
{
    const isw_str end = isw_str_of(".fifo");

    if (resource.size > end.size &&
        memcmp(resource.data + resource.size - end.size, end.data, end.size) == 0)
        resource.size -= end.size;
    return resource;
}

/* By what it is; *begin is how it is worked on. */
static const iswi_entry *by_kind(iswi_lambda_slot *slot, void (**begin)(iswi_lambda_slot *slot))
{
    const iswi_host *host = slot->lambda->host;
    const char *standard = slot->lambda->settings->function;
    const iswi_entry *entry = NULL;

    if (iswi_lambda_is_batch(slot->event.kind)) {
        *begin = iswi_lambda_batch_begin;
        entry = find(host, "queue", queue_name(slot->event.resource), true);
    } else if (iswi_lambda_is_notice(slot->event.kind)) {
        *begin = iswi_lambda_batch_begin;
        entry = find(host, "queue", queue_name(slot->event.resource), false);
    } else if (slot->event.kind == ISWI_LAMBDA_SCHEDULE) {
        *begin = iswi_lambda_schedule_begin;
        entry = find(host, "timer", slot->event.resource, true);
    }
    if (entry)
        return entry;
    *begin = iswi_lambda_plain_begin;
    return standard ? find_named(slot, standard) : find(host, "call", (isw_str){ NULL, 0 }, true);
}

/* A function that a rule names gets its event as its trigger would, where that can be. */
static void (*way_to(const iswi_lambda_slot *slot))(iswi_lambda_slot *)
{
    const iswi_host_function *function = slot->entry->function;

    if (is_of(function, "queue") && !iswi_lambda_is_http(slot->event.kind))
        return iswi_lambda_batch_begin;
    if (slot->event.kind == ISWI_LAMBDA_SCHEDULE && is_of(function, "timer"))
        return iswi_lambda_schedule_begin;
    return iswi_lambda_plain_begin;
}

/* -- Refusals ---------------------------------------------------------------------------------- */

static void refuse(iswi_lambda_slot *slot, const char *type, const char *text)
{
    iswi_say(slot->lambda->host, ISW_LOG_ERROR, "event %.*s: %s", (int)slot->invocation.id.size,
             slot->invocation.id.data, text);
    iswi_lambda_slot_fail(slot, type, isw_str_of(text));
}

static void refuse_alone(iswi_lambda_slot *slot)
{
    const iswi_lambda_event *event = &slot->event;
    char text[MESSAGE_BYTES];

    snprintf(text, sizeof text, "no function is for it (%s%s%.*s): a rule under lambda.rules of "
             "host.yaml can name one, or lambda.function the one for all else",
             iswi_lambda_kind_name(event->kind), event->arn.size ? ", " : "",
             (int)event->arn.size, event->arn.data ? event->arn.data : "");
    refuse(slot, "Runtime.NoFunction", text);
}

/* -- The way ----------------------------------------------------------------------------------- */

static iswi_http *front_of(const iswi_host *host)
{
    for (size_t i = 0; i < iswi_host_trigger_count(host); i++) {
        void *self;

        if (iswi_host_trigger(host, i, &self) == &iswi_http_guests_trigger)
            return iswi_http_guests_front(self);
    }
    return NULL;
}

static void lead_request(iswi_lambda_slot *slot)
{
    iswi_http *front = front_of(slot->lambda->host);

    if (front)
        iswi_lambda_http_begin(slot, front);
    else
        refuse(slot, "Runtime.NoFunction", "http.enabled of host.yaml switches HTTP off");
}

void iswi_lambda_lead(iswi_lambda_slot *slot)
{
    const isw_str text = { (const char *)slot->text.data, slot->text.size };
    void (*begin)(iswi_lambda_slot *slot) = NULL;
    isw_error error = { ISW_OK, "" };
    char message[MESSAGE_BYTES];
    const char *rule;

    if (iswi_lambda_event_read(text, &slot->arena, &slot->event, &error) != ISW_OK) {
        snprintf(message, sizeof message, "the event cannot be read: %s", error.message);
        refuse(slot, "Runtime.InvalidEvent", message);
        return;
    }
    rule = by_rule(slot);
    if (!rule && iswi_lambda_is_http(slot->event.kind)) {
        lead_request(slot);
        return;
    }
    slot->entry = rule ? find_named(slot, rule) : by_kind(slot, &begin);
    if (!slot->entry)
        refuse_alone(slot);
    else
        (begin ? begin : way_to(slot))(slot);
}
