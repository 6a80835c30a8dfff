/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of a queue and those who read them, and what the queue keeps to, which the server
 * keeps as the description of its stream, so that all hosts know. */
#include "broker/nats/internal.h"

#include <stdio.h>
#include <stdlib.h>

/* A code of the server. */
enum { NAME_IN_USE = 10058 };

#define NS_OF_MS INT64_C(1000000)

/* Bounds of the server: nothing is kept for less than this. */
enum { LEAST_MS = 100, LEASE_MS = 30000, WINDOW_MS = 120000 };

/* What is delayed is with a host for a moment: so long it may be until another is told of it. */
enum { LATE_LEASE_MS = 2000 };

static int64_t at_least(int64_t value, int64_t least)
{
    return value > least ? value : least;
}

/* -- What is said of a queue ------------------------------------------------------------------- */

static json_t *describe(const iswi_queue_options *keeps, bool paused)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:b}", "max_messages",
                     (json_int_t)keeps->max_messages, "max_bytes", (json_int_t)keeps->max_bytes,
                     "max_attempts", (json_int_t)keeps->max_attempts, "window_ms",
                     (json_int_t)keeps->window_ms, "keep_dead_ms",
                     (json_int_t)keeps->keep_dead_ms, "lease_ms", (json_int_t)keeps->lease_ms,
                     "paused", paused);
}

static void read_description(iswi_nats_queue *queue, const json_t *config)
{
    const char *text = json_string_value(json_object_get(config, "description"));
    json_t *of = text ? json_loads(text, 0, NULL) : NULL;

    queue->keeps = (iswi_queue_options){
        .max_messages = iswi_nats_int(of, "max_messages"),
        .max_bytes = iswi_nats_int(of, "max_bytes"),
        .max_attempts = (unsigned)iswi_nats_int(of, "max_attempts"),
        .window_ms = iswi_nats_int(of, "window_ms"),
        .keep_dead_ms = iswi_nats_int(of, "keep_dead_ms"),
        .lease_ms = iswi_nats_int(of, "lease_ms"),
    };
    queue->paused = json_is_true(json_object_get(of, "paused"));
    json_decref(of);
}

/* As text, to be freed; NULL: no memory. Takes it. */
static char *text_of(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    return text;
}

static char *queue_config(const iswi_nats *nats, const iswi_nats_queue *queue,
                          const iswi_queue_options *keeps, bool paused)
{
    const int64_t window_ms = keeps->window_ms ? at_least(keeps->window_ms, LEAST_MS) : WINDOW_MS;
    char *description = text_of(describe(keeps, paused));
    char name[256];
    char subject[256];
    json_t *json;

    snprintf(name, sizeof name, "%s-queue-%s", nats->address.prefix, queue->token);
    snprintf(subject, sizeof subject, "%s.queue.%s.>", nats->address.prefix, queue->token);
    json = json_pack("{s:s,s:[s],s:s,s:s,s:s,s:I,s:i,s:i,s:i,s:i,s:s*,s:b}", "name", name,
                     "subjects", subject, "retention", "workqueue", "storage", "file", "discard",
                     "new", "duplicate_window", (json_int_t)(window_ms * NS_OF_MS),
                     "num_replicas", nats->address.replicas, "max_consumers", -1, "max_msgs", -1,
                     "max_bytes", -1, "description", description, "allow_direct", 1);
    free(description);
    return text_of(json);
}

static char *dead_config(const iswi_nats *nats, const iswi_nats_queue *queue,
                         const iswi_queue_options *keeps)
{
    const int64_t age_ms = keeps->keep_dead_ms ? at_least(keeps->keep_dead_ms, LEAST_MS) : 0;
    const int64_t window_ms = age_ms && age_ms < WINDOW_MS ? age_ms : WINDOW_MS;
    char name[256];
    char subject[256];

    snprintf(name, sizeof name, "%s-dead-%s", nats->address.prefix, queue->token);
    snprintf(subject, sizeof subject, "%s.dead.%s.*", nats->address.prefix, queue->token);
    return text_of(json_pack("{s:s,s:[s],s:s,s:s,s:I,s:I,s:i,s:b}", "name", name, "subjects",
                             subject, "retention", "limits", "storage", "file", "max_age",
                             (json_int_t)(age_ms * NS_OF_MS), "duplicate_window",
                             (json_int_t)(window_ms * NS_OF_MS), "num_replicas",
                             nats->address.replicas, "allow_direct", 1));
}

/* `filter`: behind the queue's subject. What is not settled is delivered again after the lease. */
static char *consumer_config(const iswi_nats *nats, const iswi_nats_queue *queue,
                             int64_t lease_ms, const char *name, const char *filter)
{
    char stream[256];
    char subject[256];

    snprintf(stream, sizeof stream, "%s-queue-%s", nats->address.prefix, queue->token);
    snprintf(subject, sizeof subject, "%s.queue.%s.%s", nats->address.prefix, queue->token,
             filter);
    return text_of(json_pack("{s:s,s:{s:s,s:s,s:s,s:s,s:I,s:i,s:s,s:i,s:i}}", "stream_name",
                             stream, "config", "durable_name", name, "deliver_policy", "all",
                             "ack_policy", "explicit", "replay_policy", "instant", "ack_wait",
                             (json_int_t)(lease_ms * NS_OF_MS), "max_deliver", -1,
                             "filter_subject", subject, "max_ack_pending", -1, "max_waiting",
                             4096));
}

/* -- Asking ------------------------------------------------------------------------------------ */

/* One that changes something; takes the text. False: nats->fault. */
static bool ask_for(iswi_nats *nats, char *text, int *code, const char *what, const char *kind,
                    const iswi_nats_queue *queue, const char *end)
{
    json_t *json = text ? iswi_nats_api(nats, code, text, "%s.%s-%s-%s%s", what,
                                        nats->address.prefix, kind, queue->token, end)
                        : NULL;

    if (!text)
        iswi_nats_lose(nats, "there is no memory for what is asked");
    free(text);
    json_decref(json);
    return json != NULL;
}

bool iswi_nats_have_stream(iswi_nats *nats, const iswi_nats_queue *queue, bool is_new,
                           const iswi_queue_options *keeps, bool paused)
{
    int code = 0;

    if (is_new && ask_for(nats, queue_config(nats, queue, keeps, paused), &code, "STREAM.CREATE",
                          "queue", queue, ""))
        return true;
    return (!is_new || code == NAME_IN_USE) &&
           ask_for(nats, queue_config(nats, queue, keeps, paused), &code, "STREAM.UPDATE", "queue",
                   queue, "");
}

/* The one for what is dead is there before the one for the others. */
static bool have_dead(iswi_nats *nats, const iswi_nats_queue *queue,
                      const iswi_queue_options *keeps)
{
    int code = 0;

    return ask_for(nats, dead_config(nats, queue, keeps), &code, "STREAM.CREATE", "dead", queue,
                   "") ||
           (code == NAME_IN_USE && ask_for(nats, dead_config(nats, queue, keeps), &code,
                                           "STREAM.UPDATE", "dead", queue, ""));
}

static bool have_consumers(iswi_nats *nats, const iswi_nats_queue *queue,
                           const iswi_queue_options *keeps)
{
    const struct { const char *name, *filter; int64_t lease_ms; } rows[] = {
        { "ready", "ready", keeps->lease_ms ? at_least(keeps->lease_ms, LEAST_MS) : LEASE_MS },
        { "late", "late.*", LATE_LEASE_MS },
    };
    bool well = true;
    int code;

    for (size_t i = 0; i < 2 && well; i++) {
        char end[16];

        snprintf(end, sizeof end, ".%s", rows[i].name);
        well = ask_for(nats,
                       consumer_config(nats, queue, rows[i].lease_ms, rows[i].name,
                                       rows[i].filter),
                       &code, "CONSUMER.DURABLE.CREATE", "queue", queue, end);
    }
    return well;
}

bool iswi_nats_have_all(iswi_nats *nats, const iswi_nats_queue *queue, bool is_new,
                        const iswi_queue_options *keeps)
{
    return have_dead(nats, queue, keeps) &&
           iswi_nats_have_stream(nats, queue, is_new, keeps, queue->paused) &&
           have_consumers(nats, queue, keeps);
}

/* Whether something is delayed there. Where nobody is to read, it was not declared to the end. */
static bool load_standing(iswi_nats *nats, iswi_nats_queue *queue)
{
    iswi_nats_standing late;
    const bool well = iswi_nats_given(nats, queue, "late", &late);

    queue->has_late = well && (late.waiting > 0 || late.unsettled > 0);
    return well;
}

bool iswi_nats_load_queue(iswi_nats *nats, iswi_nats_queue *queue)
{
    json_t *json;
    int code;

    queue->is_stale = false; /* until it is told once more */
    json = iswi_nats_api(nats, &code, "", "STREAM.INFO.%s-queue-%s", nats->address.prefix,
                         queue->token);
    if (json)
        read_description(queue, json_object_get(json, "config"));
    queue->is_known = json && load_standing(nats, queue);
    json_decref(json);
    return queue->is_known;
}
