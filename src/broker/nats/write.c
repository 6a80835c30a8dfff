/* SPDX-License-Identifier: Apache-2.0 */
/* Putting and settling, of several operations at a time: first all is published that is to be
 * there, and when the server has it what is settled by that is acknowledged. */
#include "broker/nats/internal.h"

#include "base/clock.h"

enum { HEADER_MAX_BYTES = 4096 };

typedef struct items {
    const iswi_queue_put *first;
    size_t count;
} items;

static items items_of(const iswi_broker_op *op)
{
    return op->kind == ISWI_BROKER_PUT ? (items){ op->as.put.items, op->as.put.count }
                                       : (items){ op->as.settle.puts, op->as.settle.put_count };
}

static iswi_nats_slot *slot_of(iswi_nats *nats, const iswi_settlement *of)
{
    return of->lost ? NULL : iswi_nats_slot_of(nats, of->delivery);
}

/* -- What an operation will do ----------------------------------------------------------------- */

static bool is_over(const iswi_delivery *of, int64_t now_ms)
{
    return of->expires_ms && of->expires_ms <= now_ms;
}

static bool dies(const iswi_nats_slot *slot, const iswi_settlement *of, int64_t now_ms)
{
    const unsigned most = slot->queue->keeps.max_attempts;

    return of->verdict == ISWI_VERDICT_DEAD ||
           (of->verdict == ISWI_VERDICT_ABANDON &&
            ((most && of->delivery->attempt >= most) || is_over(of->delivery, now_ms)));
}

/* Whether any is not lost. */
static bool judge(iswi_nats *nats, iswi_broker_op *op)
{
    bool any = false;

    for (size_t i = 0; i < op->as.settle.count; i++) {
        iswi_settlement *of = &op->as.settle.items[i];
        iswi_nats_slot *slot = iswi_nats_slot_of(nats, of->delivery);

        of->lost = !slot || !iswi_nats_slot_settle(slot, of);
        of->died = !of->lost && dies(slot, of, nats->now_ms);
        any = any || !of->lost;
    }
    return any;
}

/* Of an operation that may have been done before the connection was lost, and of messages that came
 * before. */
static bool verify(iswi_nats *nats, const iswi_broker_op *op)
{
    bool well = true;

    for (size_t i = 0; i < op->as.settle.count && well; i++) {
        iswi_nats_slot *slot = iswi_nats_slot_of(nats, op->as.settle.items[i].delivery);

        well = !slot || !(op->tried || slot->is_old) || iswi_nats_slot_verify(nats, slot);
    }
    return well;
}

static bool fits(iswi_nats *nats, iswi_broker_op *op, items of)
{
    const int64_t most = nats->lib.natsConnection_GetMaxPayload(nats->conn);

    for (size_t i = 0; i < of.count; i++)
        if ((int64_t)of.first[i].body.size + HEADER_MAX_BYTES > most) {
            iswi_nats_refuse(op, ISW_E_TOO_LARGE,
                             "the server takes messages of %lld bytes, with their header (its "
                             "max_payload says so)", (long long)most);
            return false;
        }
    return true;
}

static void prepare(iswi_nats *nats, iswi_broker_op *op)
{
    const items of = items_of(op);

    if (op->kind == ISWI_BROKER_PUT)
        op->as.put.duplicates = 0;
    else if (!verify(nats, op))
        return;
    else if (!judge(nats, op))
        iswi_nats_done(op);
    if (iswi_nats_is_open(op) && fits(nats, op, of))
        iswi_nats_has_room(nats, op, of.first, of.count);
}

/* -- First what is published ------------------------------------------------------------------- */

static bool ask_put(iswi_nats *nats, iswi_broker_op *op, const iswi_queue_put *put)
{
    iswi_nats_queue *queue = iswi_nats_known(nats, put->queue);
    const int64_t ends_ms = put->expires_ms ? nats->now_ms + put->expires_ms : 0;
    iswi_nats_meta meta = { .id = put->id, .content_type = put->content_type,
                            .trace = put->trace, .put_ms = nats->now_ms,
                            .due_ms = put->delay_ms ? nats->now_ms + put->delay_ms : 0,
                            .delay_ms = put->delay_ms,
                            .expires_ms = ends_ms };
    const bool is_named = put->id.size > 0 && queue && queue->keeps.window_ms > 0;
    char name[ISWI_ULID_BYTES];
    char reply[64];

    iswi_ulid(nats->now_ms, name);
    if (meta.id.size)
        meta.root = isw_str_of(name);
    else
        meta.id = isw_str_of(name);
    iswi_nats_ask_reply(nats, reply);
    return queue &&
           iswi_nats_ask_msg(nats,
                             iswi_nats_make(nats, queue,
                                            put->delay_ms ? ISWI_NATS_LATE : ISWI_NATS_READY,
                                            &meta, put->body, is_named ? NULL : name, 0, reply),
                             (iswi_nats_ask){ .op = op, .queue = queue, .ends_ms = ends_ms,
                                              .is_put = true, .is_ready = put->delay_ms == 0 });
}

static bool ask_puts(iswi_nats *nats, iswi_broker_op *op)
{
    const items of = items_of(op);
    bool well = true;

    for (size_t i = 0; i < of.count && well; i++)
        well = ask_put(nats, op, &of.first[i]);
    return well;
}

static bool is_copied(const iswi_settlement *of)
{
    return !of->lost && of->verdict != ISWI_VERDICT_COMPLETE && of->verdict != ISWI_VERDICT_EXTEND;
}

static bool ask_copy(iswi_nats *nats, iswi_broker_op *op, const iswi_settlement *of)
{
    const iswi_delivery *was = of->delivery;
    iswi_nats_slot *slot = slot_of(nats, of);
    const bool is_late = !of->died && of->delay_ms > 0;
    const iswi_nats_meta meta = {
        .id = was->id, .content_type = was->content_type, .trace = was->trace,
        .cause = of->cause.size ? of->cause : was->last_error, .put_ms = was->put_ms,
        .due_ms = nats->now_ms + (is_late ? of->delay_ms : 0),
        .delay_ms = is_late ? of->delay_ms : 0, .expires_ms = was->expires_ms,
        .died_ms = of->died ? nats->now_ms : 0,
        .attempts = was->attempt - (of->verdict == ISWI_VERDICT_DEFER),
        .root = isw_str_of(slot ? slot->root : ""),
        .copies = slot ? slot->copies : 0,
    };

    return !slot || iswi_nats_copy(nats, slot->queue,
                                   of->died  ? ISWI_NATS_DEAD
                                   : is_late ? ISWI_NATS_LATE
                                             : ISWI_NATS_READY,
                                   &meta, was->body, slot->number, op);
}

static bool ask_first(iswi_nats *nats, iswi_broker_op *op)
{
    bool well = ask_puts(nats, op);

    if (op->kind == ISWI_BROKER_SETTLE)
        for (size_t i = 0; i < op->as.settle.count && well; i++)
            if (is_copied(&op->as.settle.items[i]))
                well = ask_copy(nats, op, &op->as.settle.items[i]);
    return well;
}

/* -- What came of that ------------------------------------------------------------------------- */

static void take_published(iswi_nats *nats, size_t i)
{
    const iswi_nats_ask of = nats->asks[i];
    bool is_duplicate;
    uint64_t number;

    if (!iswi_nats_was_taken(nats, i, &is_duplicate, &number)) {
        if (iswi_nats_is_open(of.op))
            iswi_nats_fail(nats, of.op);
        return;
    }
    if (of.ends_ms)
        iswi_nats_expect_end(of.queue, of.ends_ms, number);
    if (of.is_ready && !is_duplicate && number > of.queue->put_number) {
        of.queue->put_number = number;
        of.queue->put_ns = iswi_now_ns();
    }
    if (!of.is_put)
        return;
    of.queue->put += !is_duplicate;
    of.queue->duplicates += is_duplicate;
    if (of.op->kind == ISWI_BROKER_PUT)
        of.op->as.put.duplicates += is_duplicate;
}

static void note_late(iswi_nats_queue *queue)
{
    queue->has_late = queue->tells_late = true;
}

static void note_puts(iswi_nats *nats, const iswi_broker_op *op)
{
    const items of = items_of(op);

    for (size_t i = 0; i < of.count; i++)
        if (of.first[i].delay_ms)
            note_late(iswi_nats_queue_of(nats, of.first[i].queue));
}

static void tell_late(iswi_nats *nats)
{
    for (size_t i = 0; i < nats->queue_count; i++) {
        if (nats->queues[i]->tells_late)
            iswi_nats_tell(nats, nats->queues[i], "late");
        nats->queues[i]->tells_late = false;
    }
}

/* -- And then what is settled ------------------------------------------------------------------ */

static bool is_published(const iswi_broker_op *op)
{
    if (op->kind == ISWI_BROKER_PUT || op->as.settle.put_count)
        return true;
    for (size_t i = 0; i < op->as.settle.count; i++)
        if (is_copied(&op->as.settle.items[i]))
            return true;
    return false;
}

static bool ask_settled(iswi_nats *nats, const iswi_broker_op *op)
{
    bool well = true;

    if (op->kind == ISWI_BROKER_PUT)
        return true;
    for (size_t i = 0; i < op->as.settle.count && well; i++) {
        const iswi_settlement *of = &op->as.settle.items[i];
        const iswi_nats_slot *slot = slot_of(nats, of);

        if (slot)
            well = iswi_nats_ask_text(nats, slot->reply, of->verdict == ISWI_VERDICT_EXTEND ? "+WPI"
                                                         : of->died ? "+TERM"
                                                                    : "+ACK");
    }
    return well;
}

static void finish_one(iswi_nats *nats, const iswi_settlement *of)
{
    iswi_nats_slot *slot = slot_of(nats, of);

    if (!slot)
        return;
    if (of->verdict == ISWI_VERDICT_EXTEND) {
        slot->renewed_ns = iswi_now_ns();
        return;
    }
    slot->queue->completed += of->verdict == ISWI_VERDICT_COMPLETE;
    slot->queue->abandoned += of->verdict == ISWI_VERDICT_ABANDON;
    slot->queue->died += of->died;
    if (is_copied(of) && !of->died && of->delay_ms > 0)
        note_late(slot->queue);
    iswi_nats_slot_free(nats, slot);
}

static void finish(iswi_nats *nats, iswi_broker_op *op)
{
    note_puts(nats, op);
    if (op->kind == ISWI_BROKER_SETTLE)
        for (size_t i = 0; i < op->as.settle.count; i++)
            finish_one(nats, &op->as.settle.items[i]);
    iswi_nats_done(op);
}

/* What needs no publishing is settled at the same time as the others publish. */
static bool ask_all(iswi_nats *nats, iswi_broker_op **ops, size_t count, bool is_second)
{
    bool well = true;

    iswi_nats_forget(nats);
    for (size_t i = 0; i < count && well; i++)
        if (iswi_nats_is_open(ops[i])) {
            if (!is_second)
                well = ask_first(nats, ops[i]);
            if (well && is_published(ops[i]) == is_second)
                well = ask_settled(nats, ops[i]);
        }
    return well && iswi_nats_answers(nats);
}

bool iswi_nats_write(iswi_nats *nats, iswi_broker_op **ops, size_t count)
{
    bool well;

    for (size_t i = 0; i < count && !nats->is_lost; i++)
        prepare(nats, ops[i]);
    well = !nats->is_lost && ask_all(nats, ops, count, false);
    for (size_t i = 0; i < nats->ask_count && well; i++)
        if (nats->asks[i].queue)
            take_published(nats, i);
    well = well && ask_all(nats, ops, count, true);
    for (size_t i = 0; i < count && well; i++)
        if (iswi_nats_is_open(ops[i]))
            finish(nats, ops[i]);
    tell_late(nats);
    iswi_nats_slots_forget(nats);
    iswi_nats_forget(nats);
    return well && !nats->is_lost;
}
