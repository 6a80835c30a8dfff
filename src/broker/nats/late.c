/* SPDX-License-Identifier: Apache-2.0 */
/* What is delayed, and what expires. The server is the clock of what is delayed: it delivers that,
 * is told by when to do so again, and in the end what is due becomes ready. What expires is minded
 * by the host that put it; of one that is gone, by whoever would deliver it. */
#include "broker/nats/internal.h"

#include <stdio.h>

enum { MOVES_MAX = 64 };

/* -- Delays ------------------------------------------------------------------------------------ */

static bool not_yet(iswi_nats *nats, const iswi_nats_arrived *of, int64_t left_ms)
{
    char text[64];
    const bool well = (snprintf(text, sizeof text, "-NAK {\"delay\": %lld}",
                                (long long)left_ms * 1000000),
                       iswi_nats_say(nats, nats->lib.natsMsg_GetReply(of->msg), NULL, text));

    nats->lib.natsMsg_Destroy(of->msg);
    return well;
}

static bool read_meta(iswi_nats *nats, const iswi_nats_arrived *of, iswi_nats_meta *meta)
{
    iswi_arena arena;
    bool well;

    iswi_arena_init(&arena, 512);
    well = iswi_nats_read_meta(nats, iswi_nats_header_of(nats, of->msg), &arena, meta);
    iswi_arena_fini(&arena); /* its numbers alone are wanted */
    return well || iswi_nats_lose(nats, "there is no memory for a message");
}

/* One that is to wait for longer than it was put off for was so by a host whose clock is ahead of
 * ours: the server waits for as long as that one wanted, once. */
static int64_t left_ms(const iswi_nats *nats, const iswi_nats_arrived *of,
                       const iswi_nats_meta *meta)
{
    const int64_t left_ms = meta->due_ms - nats->now_ms;

    if (!meta->delay_ms || left_ms <= meta->delay_ms)
        return left_ms;
    return of->delivered > 1 ? 0 : meta->delay_ms;
}

static bool ripen(iswi_nats *nats, iswi_nats_queue *queue)
{
    iswi_nats_move moves[MOVES_MAX];
    iswi_nats_arrived of;
    size_t count = 0;
    bool well = true;

    while (well && count < MOVES_MAX && iswi_nats_next_arrived(&queue->late, &of)) {
        iswi_nats_meta meta;

        well = read_meta(nats, &of, &meta);
        if (well && left_ms(nats, &of, &meta) > 0)
            well = not_yet(nats, &of, left_ms(nats, &of, &meta));
        else
            moves[count++] = (iswi_nats_move){ .queue = queue, .of = of, .where = ISWI_NATS_READY,
                                               .attempts = meta.attempts };
    }
    return iswi_nats_move_all(nats, moves, count) && well;
}

/* Once the server has said that nothing came for a minute: whether there is something still. */
static bool look_again(iswi_nats *nats, iswi_nats_queue *queue)
{
    if (queue->has_late && queue->is_known && queue->due.left == 0 && queue->due_was_silent) {
        queue->due_was_silent = false;
        queue->is_known = false;
        return iswi_nats_known(nats, queue->view) || !nats->is_lost;
    }
    return true;
}

bool iswi_nats_ripen(iswi_nats *nats)
{
    for (size_t i = 0; i < nats->queue_count; i++) {
        iswi_nats_queue *queue = nats->queues[i];

        while (iswi_nats_waiting_arrivals(&queue->late) > 0)
            if (!ripen(nats, queue))
                return false;
        if (!look_again(nats, queue) || !iswi_nats_pull_later(nats, queue))
            return false;
    }
    return true;
}

/* -- Expiries ---------------------------------------------------------------------------------- */

/* Dead, and gone from where it was. */
static bool bury(iswi_nats *nats, iswi_nats_queue *queue, const iswi_nats_stored *of,
                 iswi_arena *arena)
{
    iswi_nats_meta meta;
    bool is_duplicate;
    bool well;
    uint64_t number;

    if (!iswi_nats_read_meta(nats, of->header, arena, &meta))
        return false;
    meta.died_ms = nats->now_ms;
    meta.cause = isw_str_of("expired");
    iswi_nats_forget(nats);
    well = iswi_nats_copy(nats, queue, ISWI_NATS_DEAD, &meta, of->body, of->number, NULL) &&
           iswi_nats_answers(nats) && iswi_nats_was_taken(nats, 0, &is_duplicate, &number);
    iswi_nats_forget(nats);
    return well && iswi_nats_delete(nats, queue, "queue", of->number);
}

/* One that is there still and that nobody has been given, but to wait. */
static void expire_one(iswi_nats *nats, iswi_nats_queue *queue, uint64_t number, uint64_t up_to)
{
    iswi_nats_stored of;
    iswi_arena arena;

    iswi_arena_init(&arena, 1024);
    if (iswi_nats_get(nats, queue, number, NULL, &arena, &of) && (of.is_late || number > up_to))
        queue->died += bury(nats, queue, &of, &arena);
    iswi_arena_fini(&arena);
}

static void expire_queue(iswi_nats *nats, iswi_nats_queue *queue, int64_t *due_ms)
{
    iswi_nats_standing at;
    bool is_asked = false;
    size_t kept = 0;

    for (size_t i = 0; i < queue->expiry_count; i++) {
        const iswi_nats_expiry of = queue->expiries[i];

        if (of.at_ms > nats->now_ms || nats->is_lost) {
            *due_ms = of.at_ms < *due_ms ? of.at_ms : *due_ms;
            queue->expiries[kept++] = of;
            continue;
        }
        if (!is_asked)
            is_asked = iswi_nats_given(nats, queue, "ready", &at);
        if (is_asked)
            expire_one(nats, queue, of.number, at.given);
    }
    queue->expiry_count = kept;
}

bool iswi_nats_expire(iswi_nats *nats, int64_t *due_ms)
{
    for (size_t i = 0; i < nats->queue_count && !nats->is_lost; i++)
        if (nats->queues[i]->expiry_count)
            expire_queue(nats, nats->queues[i], due_ms);
    return !nats->is_lost;
}
