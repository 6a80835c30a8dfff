/* SPDX-License-Identifier: Apache-2.0 */
/* Messages where they lie: to look at them, and to take them out. */
#include "broker/nats/internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { NO_CONSUMER = 10014 };

static const char *header(iswi_nats *nats, natsMsg *msg, const char *name)
{
    const char *value = NULL;

    return nats->lib.natsMsgHeader_Get(msg, name, &value) == NATS_OK ? value : NULL;
}

static isw_str copy(iswi_arena *arena, const void *data, size_t size)
{
    return (isw_str){ iswi_arena_strndup(arena, size ? data : "", size), size };
}

/* As the server sends it, with its place in headers of its own. */
static bool read_stored(iswi_nats *nats, natsMsg *msg, iswi_arena *arena, iswi_nats_stored *out)
{
    const char *number = msg ? header(nats, msg, "Nats-Sequence") : NULL;
    const char *subject = number ? header(nats, msg, "Nats-Subject") : NULL;
    isw_str ours;
    isw_str body;

    if (!subject)
        return false;
    ours = iswi_nats_header_of(nats, msg);
    body = (isw_str){ (const char *)iswi_nats_body_of(nats, msg).data,
                      iswi_nats_body_of(nats, msg).size };
    *out = (iswi_nats_stored){ .number = strtoull(number, NULL, 10),
                               .subject = copy(arena, subject, strlen(subject)),
                               .header = copy(arena, ours.data, ours.size),
                               .is_late = strstr(subject, ".late.") != NULL };
    body = copy(arena, body.data, body.size);
    out->body = (isw_bytes){ body.data, body.size };
    return (out->subject.data && out->header.data && body.data) ||
           iswi_nats_lose(nats, "there is no memory for a message");
}

static bool get(iswi_nats *nats, const iswi_nats_queue *queue, const char *kind, const char *text,
                iswi_arena *arena, iswi_nats_stored *out)
{
    bool well;

    iswi_nats_forget(nats);
    well = iswi_nats_ask_api(nats, text, "DIRECT.GET.%s-%s-%s", nats->address.prefix, kind,
                             queue->token) &&
           iswi_nats_answers(nats) && read_stored(nats, nats->asks[0].answer, arena, out);
    iswi_nats_forget(nats);
    return well;
}

bool iswi_nats_get(iswi_nats *nats, const iswi_nats_queue *queue, uint64_t number,
                   const char *next_of, iswi_arena *arena, iswi_nats_stored *out)
{
    char text[384];

    if (next_of)
        snprintf(text, sizeof text, "{\"seq\":%llu,\"next_by_subj\":\"%s.queue.%s.%s\"}",
                 (unsigned long long)number, nats->address.prefix, queue->token, next_of);
    else
        snprintf(text, sizeof text, "{\"seq\":%llu}", (unsigned long long)number);
    return get(nats, queue, "queue", text, arena, out);
}

bool iswi_nats_get_dead(iswi_nats *nats, const iswi_nats_queue *queue, uint64_t number,
                        iswi_arena *arena, iswi_nats_stored *out)
{
    char text[384];

    snprintf(text, sizeof text, "{\"last_by_subj\":\"%s.dead.%s.%llu\"}", nats->address.prefix,
             queue->token, (unsigned long long)number);
    return get(nats, queue, "dead", text, arena, out);
}

bool iswi_nats_delete(iswi_nats *nats, const iswi_nats_queue *queue, const char *kind,
                      uint64_t number)
{
    char text[64];
    json_t *json;
    bool well;
    int code;

    snprintf(text, sizeof text, "{\"seq\":%llu,\"no_erase\":true}", (unsigned long long)number);
    json = iswi_nats_api(nats, &code, text, "STREAM.MSG.DELETE.%s-%s-%s", nats->address.prefix,
                         kind, queue->token);
    well = json_is_true(json_object_get(json, "success"));
    json_decref(json);
    return well;
}

bool iswi_nats_given(iswi_nats *nats, const iswi_nats_queue *queue, const char *consumer,
                     iswi_nats_standing *out)
{
    int code;
    json_t *json = iswi_nats_api(nats, &code, "", "CONSUMER.INFO.%s-queue-%s.%s",
                                 nats->address.prefix, queue->token, consumer);

    *out = (iswi_nats_standing){
        .given = (uint64_t)iswi_nats_int(json_object_get(json, "delivered"), "stream_seq"),
        .settled = (uint64_t)iswi_nats_int(json_object_get(json, "ack_floor"), "stream_seq"),
        .unsettled = iswi_nats_int(json, "num_ack_pending"),
        .waiting = iswi_nats_int(json, "num_pending"),
    };
    json_decref(json);
    if (!json && code == NO_CONSUMER)
        nats->fault.status = ISW_E_NOT_FOUND;
    return json != NULL;
}
