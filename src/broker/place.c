/* SPDX-License-Identifier: Apache-2.0 */
/* The place behind a broker: opened when it is first needed, and again when it was lost, with
 * longer and longer pauses. A line is said when that begins and when it is over. */
#include "base/clock.h"
#include "broker/internal.h"

#include <stdio.h>

enum { FIRST_PAUSE_MS = 20, LONGEST_PAUSE_MS = 500, PATIENT_PAUSE_MS = 250 };

static void say(const iswi_broker *broker, isw_log_level level, const char *sentence)
{
    if (broker->options.say)
        broker->options.say(broker->options.user, level, sentence);
}

/* For iswi_broker_is_well, on other threads. */
static void show_trouble(iswi_broker *broker)
{
    pthread_mutex_lock(&broker->lock);
    broker->trouble = broker->place.trouble;
    broker->trouble_since_ms = broker->place.since_ms;
    pthread_mutex_unlock(&broker->lock);
}

static void begin_trouble(iswi_broker *broker, const isw_error *why)
{
    char sentence[ISW_ERROR_MESSAGE_BYTES + 64];
    iswi_place *place = &broker->place;
    const bool is_new = place->trouble.status == ISW_OK;

    if (is_new)
        place->since_ms = iswi_now_ns() / 1000000;
    if (is_new || strcmp(place->trouble.message, why->message) != 0) {
        place->trouble = *why;
        snprintf(sentence, sizeof sentence, "%s%s", why->message,
                 place->barred ? "" : "; it is tried again");
        say(broker, place->barred ? ISW_LOG_ERROR : ISW_LOG_WARNING, sentence);
        show_trouble(broker);
    }
}

/* Whether there may be somebody who waits for it. */
static bool is_awaited(const iswi_broker *broker)
{
    const iswi_place *place = &broker->place;

    return place->trouble.status == ISW_OK ||
           iswi_now_ns() / 1000000 - place->since_ms < broker->options.patience_ms;
}

static void try_later(iswi_broker *broker)
{
    iswi_place *place = &broker->place;
    const int64_t longest_ms = broker->options.patience_ms && is_awaited(broker)
                                   ? PATIENT_PAUSE_MS
                                   : LONGEST_PAUSE_MS;

    place->pause_ms = place->pause_ms ? place->pause_ms * 2 : FIRST_PAUSE_MS;
    if (place->pause_ms > longest_ms)
        place->pause_ms = longest_ms;
    place->retry_ns = iswi_now_ns() + place->pause_ms * 1000000;
}

void iswi_place_refused(iswi_broker *broker, const isw_error *why)
{
    try_later(broker);
    begin_trouble(broker, why);
}

void iswi_place_lost(iswi_broker *broker, const isw_error *why)
{
    if (broker->driver->reopen)
        broker->place.lost = broker->place.self;
    else
        broker->driver->close(broker->place.self);
    broker->place.self = NULL;
    iswi_place_refused(broker, why);
}

/* Without a name, a password and what follows a '?'. */
static void name_place(const char *place, char *out, size_t size)
{
    const char *at = strstr(place, "://");
    const char *host = at ? strrchr(at, '@') : NULL;

    if (host)
        snprintf(out, size, "%.*s%.*s", (int)(at + 3 - place), place, (int)strcspn(host + 1, "?"),
                 host + 1);
    else
        snprintf(out, size, "%s", place);
}

void iswi_place_served(iswi_broker *broker)
{
    char name[256];
    char sentence[ISW_ERROR_MESSAGE_BYTES];
    iswi_place *place = &broker->place;
    const int64_t lasted_ms = iswi_now_ns() / 1000000 - place->since_ms;

    if (place->trouble.status == ISW_OK)
        return;
    memset(&place->trouble, 0, sizeof place->trouble);
    place->retry_ns = place->pause_ms = 0;
    broker->all_claims = true;
    show_trouble(broker);
    name_place(broker->options.place, name, sizeof name);
    snprintf(sentence, sizeof sentence, "%s does its work again, after %lld ms", name,
             (long long)lasted_ms);
    say(broker, ISW_LOG_INFO, sentence);
}

/* The one that was lost again, if it is kept. */
static isw_status open_one(iswi_broker *broker, isw_error *error)
{
    iswi_place *place = &broker->place;
    isw_status status;

    if (!place->lost)
        return broker->driver->open(&broker->options, iswi_broker_now_us(broker) / 1000,
                                    &place->self, error);
    status = broker->driver->reopen(place->lost, iswi_broker_now_us(broker) / 1000, error);
    if (status == ISW_OK) {
        place->self = place->lost;
        place->lost = NULL;
        broker->due_ms = 0; /* it may have something to do that nobody asks for */
    }
    return status;
}

static bool open_now(iswi_broker *broker)
{
    iswi_place *place = &broker->place;
    isw_error error = { 0 };

    if (open_one(broker, &error) == ISW_OK) {
        place->retry_ns = 0; /* the pause stays, until something came through */
        broker->all_claims = true;
        return true;
    }
    place->self = NULL;
    place->barred = error.status != ISW_E_UNAVAILABLE;
    iswi_place_refused(broker, &error);
    return false;
}

bool iswi_place_ready(iswi_broker *broker)
{
    const iswi_place *place = &broker->place;

    if (place->barred)
        return false;
    if (place->self)
        return true;
    return (!place->retry_ns || iswi_now_ns() >= place->retry_ns) && open_now(broker);
}

void iswi_place_close(iswi_broker *broker)
{
    iswi_place *place = &broker->place;

    if (place->self || place->lost)
        broker->driver->close(place->self ? place->self : place->lost);
    place->self = place->lost = NULL;
}
