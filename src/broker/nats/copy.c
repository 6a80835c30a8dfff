/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that are published once more: dead, or ready or delayed again. The server knows a copy
 * by what it is one of, so that there is one however often it is made within the queue's window. That
 * is no number of a stream: a server that was killed may give those twice. */
#include "broker/nats/internal.h"

#include <stdio.h>

enum { CAUSE_BYTES = 1000 };

/* Whole characters of it. */
static isw_str cut(isw_str text)
{
    if (text.size > CAUSE_BYTES) {
        text.size = CAUSE_BYTES;
        while (text.size > 0 && ((unsigned char)text.data[text.size] & 0xc0) == 0x80)
            text.size--;
    }
    return text;
}

bool iswi_nats_copy(iswi_nats *nats, iswi_nats_queue *queue, iswi_nats_where where,
                    const iswi_nats_meta *meta, isw_bytes body, uint64_t of, iswi_broker_op *op)
{
    iswi_nats_meta copy = *meta;
    char root[ISWI_NATS_ROOT_BYTES];
    char known_as[64];
    char reply[64];

    iswi_nats_root_of(meta, of, root);
    if (!isw_str_equal(copy.id, isw_str_of(root)))
        copy.root = isw_str_of(root);
    copy.copies++;
    copy.cause = cut(copy.cause);
    if (where == ISWI_NATS_LATE) /* it may be there even if nobody hears so, or hears it too late */
        queue->has_late = queue->tells_late = true;
    if (where == ISWI_NATS_DEAD)
        snprintf(known_as, sizeof known_as, "=%s.dead", root);
    else
        snprintf(known_as, sizeof known_as, "=%s.%u", root, copy.copies);
    iswi_nats_ask_reply(nats, reply);
    return iswi_nats_ask_msg(
        nats, iswi_nats_make(nats, queue, where, &copy, body, known_as, of, reply),
        (iswi_nats_ask){ .op = op, .queue = queue, .is_ready = where == ISWI_NATS_READY,
                         .ends_ms = where == ISWI_NATS_DEAD ? 0 : copy.expires_ms });
}

bool iswi_nats_was_taken(iswi_nats *nats, size_t ask, bool *is_duplicate, uint64_t *number)
{
    int code;
    json_t *json = iswi_nats_answer(nats, ask, &code);

    *is_duplicate = json_is_true(json_object_get(json, "duplicate"));
    *number = (uint64_t)iswi_nats_int(json, "seq");
    json_decref(json);
    return json != NULL;
}

/* -- What has arrived -------------------------------------------------------------------------- */

static bool ask_move(iswi_nats *nats, const iswi_nats_move *move, iswi_arena *arena)
{
    iswi_nats_meta meta;

    iswi_arena_reset(arena);
    if (!iswi_nats_read_meta(nats, iswi_nats_header_of(nats, move->of.msg), arena, &meta))
        return iswi_nats_lose(nats, "there is no memory for a message");
    meta.attempts = move->attempts;
    if (move->where == ISWI_NATS_DEAD) {
        meta.died_ms = nats->now_ms;
        meta.cause = isw_str_of(move->cause);
        move->queue->died++;
    }
    return iswi_nats_copy(nats, move->queue, move->where, &meta,
                          iswi_nats_body_of(nats, move->of.msg), move->of.number, NULL);
}

/* In the order of the moves. */
static bool acknowledge(iswi_nats *nats, iswi_nats_move *moves, size_t count)
{
    bool well = true;

    for (size_t i = 0; i < count && well; i++) {
        const int64_t ends_ms = nats->asks[i].ends_ms;
        bool is_duplicate;
        uint64_t number;

        if (!iswi_nats_was_taken(nats, i, &is_duplicate, &number))
            continue;
        if (ends_ms)
            iswi_nats_expect_end(moves[i].queue, ends_ms, number);
        well = iswi_nats_say(nats, nats->lib.natsMsg_GetReply(moves[i].of.msg), NULL, "+ACK");
    }
    return well;
}

bool iswi_nats_move_all(iswi_nats *nats, iswi_nats_move *moves, size_t count)
{
    iswi_arena arena;
    bool well = true;

    if (count == 0)
        return true;
    iswi_nats_forget(nats);
    iswi_arena_init(&arena, 1024);
    for (size_t i = 0; i < count && well; i++)
        well = ask_move(nats, &moves[i], &arena);
    well = well && iswi_nats_answers(nats) && acknowledge(nats, moves, count);
    iswi_nats_forget(nats);
    iswi_arena_fini(&arena);
    for (size_t i = 0; i < count; i++)
        nats->lib.natsMsg_Destroy(moves[i].of.msg);
    return well;
}
