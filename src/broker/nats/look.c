/* SPDX-License-Identifier: Apache-2.0 */
/* How much there is in a queue, as the server counts. */
#include "broker/nats/internal.h"

#include <stdio.h>
#include <stdlib.h>

/* -- One queue --------------------------------------------------------------------------------- */

/* What is there of each kind. */
typedef struct counted {
    int64_t ready, late, ripe; /* ripe: of those that are late, but due */
    int64_t next_due_ms, bytes;
    uint64_t last; /* of all in its stream */
} counted;

/* By the subjects of its stream: those that are late are named by when they are due. */
static void count_subject(iswi_nats *nats, const char *subject, int64_t count, counted *out)
{
    const char *late = strstr(subject, ".late.");
    const int64_t due_ms = late ? strtoll(late + 6, NULL, 10) : 0;

    out->ready += late ? 0 : count;
    out->late += late ? count : 0;
    if (late && due_ms <= nats->now_ms)
        out->ripe += count;
    else if (late && (!out->next_due_ms || due_ms < out->next_due_ms))
        out->next_due_ms = due_ms;
}

static bool count_live(iswi_nats *nats, const iswi_nats_queue *queue, counted *out)
{
    char text[256];
    int code;
    json_t *json;
    json_t *count;
    const char *subject;

    *out = (counted){ 0 };
    snprintf(text, sizeof text, "{\"subjects_filter\":\"%s.queue.%s.>\"}", nats->address.prefix,
             queue->token);
    json = iswi_nats_api(nats, &code, text, "STREAM.INFO.%s-queue-%s", nats->address.prefix,
                         queue->token);
    out->bytes = iswi_nats_int(json_object_get(json, "state"), "bytes");
    out->last = (uint64_t)iswi_nats_int(json_object_get(json, "state"), "last_seq");
    json_object_foreach(json_object_get(json_object_get(json, "state"), "subjects"), subject,
                        count)
        count_subject(nats, subject, json_integer_value(count), out);
    json_decref(json);
    return json != NULL;
}

static bool count_dead(iswi_nats *nats, const iswi_nats_queue *queue, iswi_broker_queue *out)
{
    int code;
    json_t *json = iswi_nats_api(nats, &code, "", "STREAM.INFO.%s-dead-%s", nats->address.prefix,
                                 queue->token);

    out->counts[ISWI_MESSAGE_DEAD] = iswi_nats_int(json_object_get(json, "state"), "messages");
    json_decref(json);
    return json != NULL;
}

/* The first that nobody has been given. */
static bool find_oldest(iswi_nats *nats, const iswi_nats_queue *queue, uint64_t up_to,
                        iswi_broker_queue *out)
{
    iswi_nats_stored of;
    iswi_nats_meta meta;
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    if (iswi_nats_get(nats, queue, up_to + 1, "ready", &arena, &of) &&
        iswi_nats_read_meta(nats, of.header, &arena, &meta))
        out->oldest_ms = meta.due_ms ? meta.due_ms : meta.put_ms;
    iswi_arena_fini(&arena);
    return !nats->is_lost;
}

static bool count(iswi_nats *nats, iswi_nats_queue *queue, counted *there,
                  iswi_nats_standing *at)
{
    iswi_nats_standing late = { 0 };

    if (!count_live(nats, queue, there) || !iswi_nats_given(nats, queue, "ready", at) ||
        (there->late && !iswi_nats_given(nats, queue, "late", &late)))
        return false;
    at->last = late.last = there->last;
    return iswi_nats_mend(nats, queue, false, there->ready, at) &&
           iswi_nats_mend(nats, queue, true, there->late, &late);
}

static void fill(iswi_nats_queue *queue, const counted *there, const iswi_nats_standing *at,
                 iswi_broker_queue *out)
{
    /* what has arrived is nobody's yet; and what was asked at two moments may not fit together */
    int64_t claimed = at->unsettled - (int64_t)iswi_nats_waiting_arrivals(&queue->ready);

    claimed = claimed > there->ready ? there->ready : claimed;
    out->counts[ISWI_MESSAGE_CLAIMED] = claimed > 0 ? claimed : 0;
    out->counts[ISWI_MESSAGE_READY] =
        there->ready + there->ripe - out->counts[ISWI_MESSAGE_CLAIMED];
    out->counts[ISWI_MESSAGE_DELAYED] = there->late - there->ripe;
    out->next_due_ms = there->next_due_ms;
    out->bytes = there->bytes;
    out->paused = queue->paused;
    out->put = queue->put;
    out->completed = queue->completed;
    out->abandoned = queue->abandoned;
    out->died = queue->died;
    out->duplicates = queue->duplicates;
}

static bool look_at(iswi_nats *nats, iswi_nats_queue *queue, iswi_broker_queue *out)
{
    iswi_nats_standing at;
    counted there;

    if (!count(nats, queue, &there, &at) || !count_dead(nats, queue, out))
        return false;
    fill(queue, &there, &at, out);
    return out->counts[ISWI_MESSAGE_READY] == 0 || find_oldest(nats, queue, at.given, out);
}

/* -- All --------------------------------------------------------------------------------------- */

/* A page of the names of streams that begin with ours. */
static json_t *ask_names(iswi_nats *nats, size_t offset)
{
    char text[160];
    int code;

    snprintf(text, sizeof text, "{\"subject\":\"%s.queue.>\",\"offset\":%zu}",
             nats->address.prefix, offset);
    return iswi_nats_api(nats, &code, text, "STREAM.NAMES");
}

/* "PREFIX-queue-a=b" to "a.b", in place. */
static isw_str name_of(const iswi_nats *nats, char *stream)
{
    const size_t skip = strlen(nats->address.prefix) + sizeof "-queue-" - 1;
    char *name = strlen(stream) > skip ? stream + skip : stream + strlen(stream);

    for (char *at = name; *at; at++)
        if (*at == '=')
            *at = '.';
    return isw_str_of(name);
}

static bool add_names(iswi_nats *nats, iswi_arena *arena, const json_t *streams, isw_str *out)
{
    for (size_t i = 0; i < json_array_size(streams); i++) {
        const char *stream = json_string_value(json_array_get(streams, i));
        char *mine = iswi_arena_strndup(arena, stream ? stream : "", stream ? strlen(stream) : 0);

        if (!mine)
            return iswi_nats_lose(nats, "there is no memory for the names of queues");
        out[i] = name_of(nats, mine);
    }
    return true;
}

/* In the arena; false: a fault. */
static bool all_names(iswi_nats *nats, iswi_arena *arena, isw_str **names, size_t *count)
{
    bool well = true;
    bool more = true;

    for (*count = 0, *names = NULL; well && more;) {
        json_t *json = ask_names(nats, *count);
        const json_t *streams = json_object_get(json, "streams");
        const size_t size = json_array_size(streams);
        isw_str *larger = iswi_arena_calloc(arena, *count + size + 1, sizeof *larger);

        well = json && larger;
        if (well && *count)
            memcpy(larger, *names, *count * sizeof *larger);
        well = well && add_names(nats, arena, streams, larger + *count);
        *names = larger;
        *count += size;
        more = size > 0 && (int64_t)*count < iswi_nats_int(json, "total");
        json_decref(json);
    }
    return well;
}

static int by_name(const void *a, const void *b)
{
    const isw_str x = ((const iswi_broker_queue *)a)->name;
    const isw_str y = ((const iswi_broker_queue *)b)->name;
    const int order = memcmp(x.data, y.data, x.size < y.size ? x.size : y.size);

    return order ? order : (x.size > y.size) - (x.size < y.size);
}

static bool look_at_all(iswi_nats *nats, iswi_broker_op *op, const isw_str *names, size_t count)
{
    op->as.look.count = 0;
    op->as.look.items =
        iswi_arena_calloc(op->as.look.arena, count + 1, sizeof *op->as.look.items);
    if (!op->as.look.items)
        return iswi_nats_lose(nats, "there is no memory for queues");
    for (size_t i = 0; i < count; i++) {
        iswi_nats_queue *queue = iswi_nats_known(nats, names[i]);
        iswi_broker_queue *out = &op->as.look.items[op->as.look.count];

        if (!queue && !nats->is_lost && nats->fault.status == ISW_E_NOT_FOUND && count > 1)
            continue; /* one that is taken away, or declared, in this moment */
        if (!queue || !look_at(nats, queue, out))
            return false;
        out->name = (isw_str){ iswi_arena_strndup(op->as.look.arena, names[i].data, names[i].size),
                               names[i].size };
        op->as.look.count++;
    }
    qsort(op->as.look.items, op->as.look.count, sizeof *op->as.look.items, by_name);
    return true;
}

void iswi_nats_look(iswi_nats *nats, iswi_broker_op *op)
{
    isw_str one = op->queue;
    isw_str *names = &one;
    size_t count = 1;

    if (op->queue.size && !iswi_nats_known(nats, op->queue))
        iswi_nats_fail(nats, op);
    else if ((op->queue.size || all_names(nats, op->as.look.arena, &names, &count)) &&
        look_at_all(nats, op, names, count))
        iswi_nats_done(op);
    else
        iswi_nats_fail(nats, op);
}

/* -- After a server was gone ------------------------------------------------------------------- */

static bool look_after(iswi_nats *nats, iswi_nats_queue *queue)
{
    enum { EVERY_MS = 2500 };
    iswi_nats_standing at;
    counted there;

    if (!count(nats, queue, &there, &at))
        return !nats->is_lost;
    queue->check_ms = nats->now_ms + EVERY_MS;
    queue->checks = queue->odd[0].since_ns || queue->odd[1].since_ns ? queue->checks - 1 : 0;
    return true;
}

void iswi_nats_doubt(iswi_nats_queue *queue)
{
    queue->checks = ISWI_NATS_CHECKS;
    queue->check_ms = 0;
}

/* Of those of which somebody here claims. */
bool iswi_nats_look_after(iswi_nats *nats, int64_t *due_ms)
{
    for (size_t i = 0; i < nats->queue_count; i++) {
        iswi_nats_queue *queue = nats->queues[i];

        if (!queue->is_known || !queue->is_claimed || queue->checks == 0)
            continue;
        if (queue->check_ms <= nats->now_ms && !look_after(nats, queue))
            return false;
        if (queue->checks > 0 && queue->check_ms < *due_ms)
            *due_ms = queue->check_ms;
    }
    return !nats->is_lost;
}
