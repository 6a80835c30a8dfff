/* SPDX-License-Identifier: Apache-2.0 */
/* Claiming: what has arrived is handed out; if that is nothing, the server is asked for what it has
 * now, and to send what it gets later. What must not be delivered is moved to where it belongs. */
#include "broker/nats/internal.h"

#include "base/alloc.h"

#include <stdio.h>

enum { MOVES_MAX = 64 };

typedef struct moves {
    iswi_nats_move items[MOVES_MAX];
    size_t count;
} moves;

/* -- One message ------------------------------------------------------------------------------- */

static bool move_all(iswi_nats *nats, moves *of)
{
    const size_t count = of->count;

    of->count = 0;
    return iswi_nats_move_all(nats, of->items, count);
}

static bool move(iswi_nats *nats, moves *all, iswi_nats_queue *queue, const iswi_nats_arrived *of,
                 iswi_nats_where where, unsigned attempts)
{
    all->items[all->count++] = (iswi_nats_move){ .queue = queue, .of = *of, .where = where,
                                                 .attempts = attempts };
    return all->count < MOVES_MAX || move_all(nats, all);
}

/* What is said of another copy of what is held here: the lease was over, and is begun again; this
 * one is no later copy, of one that was published twice as a host ended in between, and goes; or it is,
 * and comes once more when that is done with, as its own copies are known already. */
static const char *word_for(const iswi_nats_slot *slot, const iswi_nats_arrived *of,
                            const iswi_nats_meta *meta)
{
    if (slot->number == of->number)
        return "+WPI";
    return meta->copies > slot->copies ? "-NAK {\"delay\": 500000000}" : "+ACK";
}

/* Whether it is held here already. */
static bool is_held(iswi_nats *nats, const iswi_nats_queue *queue, const iswi_nats_arrived *of,
                    const iswi_nats_meta *meta)
{
    const char *reply = nats->lib.natsMsg_GetReply(of->msg);
    char root[ISWI_NATS_ROOT_BYTES];
    iswi_nats_slot *slot;

    iswi_nats_root_of(meta, of->number, root);
    slot = iswi_nats_slot_with(nats, queue, root);
    if (!slot)
        return false;
    iswi_nats_say(nats, reply, NULL, word_for(slot, of, meta));
    nats->lib.natsMsg_Destroy(of->msg);
    return true;
}

static bool say_end(iswi_nats_move *last, unsigned attempt)
{
    snprintf(last->cause, sizeof last->cause, "its host ended during attempt %u", attempt);
    return true;
}

/* Whether it is to be dead instead. */
static bool bury(iswi_nats *nats, moves *all, iswi_nats_queue *queue, const iswi_nats_arrived *of,
                 const iswi_nats_meta *meta)
{
    const unsigned attempt = meta->attempts + of->delivered;
    const bool is_over = meta->expires_ms && meta->expires_ms <= nats->now_ms;
    const bool is_spent = queue->keeps.max_attempts && attempt > queue->keeps.max_attempts;

    if (!is_over && !is_spent)
        return false;
    all->items[all->count] = (iswi_nats_move){ .queue = queue, .of = *of, .where = ISWI_NATS_DEAD,
                                               .attempts = attempt - 1 };
    if (is_over)
        snprintf(all->items[all->count].cause, sizeof all->items->cause, "expired");
    else
        say_end(&all->items[all->count], attempt - 1);
    if (++all->count == MOVES_MAX)
        move_all(nats, all);
    return true;
}

static void complete_delivery(iswi_delivery *one, const iswi_nats_arrived *of)
{
    one->state = ISWI_MESSAGE_CLAIMED;
    one->number = of->number;
    one->attempt += of->delivered;
    if (of->delivered > 1) {
        const char *text = iswi_arena_printf(&one->arena, "its host ended during attempt %u",
                                             one->attempt - 1);

        one->last_error = isw_str_of(text ? text : "");
    }
}

/* NULL: it is not to be delivered; or, with is_lost, there is no memory for it, and it comes again
 * after its lease. Takes the message. */
static iswi_delivery *deliver(iswi_nats *nats, moves *all, iswi_nats_queue *queue,
                              const iswi_nats_arrived *of)
{
    iswi_nats_meta meta;
    iswi_delivery *one = iswi_nats_delivery(queue, nats, iswi_nats_header_of(nats, of->msg),
                                            iswi_nats_body_of(nats, of->msg), &meta);

    if (one && (is_held(nats, queue, of, &meta) || bury(nats, all, queue, of, &meta))) {
        iswi_delivery_free(one);
        return NULL;
    }
    if (one && iswi_nats_slot_take(nats, queue, of, &meta, one)) {
        complete_delivery(one, of);
    } else {
        iswi_delivery_free(one);
        one = NULL;
        iswi_nats_lose(nats, "there is no memory for what is claimed");
    }
    nats->lib.natsMsg_Destroy(of->msg);
    return one;
}

/* -- One claim --------------------------------------------------------------------------------- */

static void hand_out(iswi_nats *nats, moves *all, iswi_nats_queue *queue, iswi_broker_op *op)
{
    iswi_nats_arrived of;

    while (!nats->is_lost && op->as.claim.count < op->as.claim.max &&
           iswi_nats_next_arrived(&queue->ready, &of)) {
        iswi_delivery *one = deliver(nats, all, queue, &of);

        if (one)
            op->as.claim.items[op->as.claim.count++] = one;
    }
}

/* Of all that are of this queue, from this one on. */
static size_t wanted(iswi_broker_op **ops, size_t count)
{
    size_t most = 0;

    for (size_t i = 0; i < count; i++)
        if (isw_str_equal(ops[i]->queue, ops[0]->queue))
            most += ops[i]->as.claim.max;
    return most < ISWI_BROKER_ITEMS_MAX ? most : ISWI_BROKER_ITEMS_MAX;
}

static void wait_for_more(iswi_nats_queue *queue, iswi_broker_op *op)
{
    for (size_t i = 0; i < queue->waiting_count; i++)
        if (queue->waiting[i] == op)
            return;
    if (iswi_grow(&queue->waiting, &queue->waiting_capacity, queue->waiting_count,
                  sizeof *queue->waiting))
        queue->waiting[queue->waiting_count++] = op;
}

static void forget_claim(iswi_nats_queue *queue, const iswi_broker_op *op)
{
    size_t kept = 0;

    for (size_t i = 0; i < queue->waiting_count; i++)
        if (queue->waiting[i] != op)
            queue->waiting[kept++] = queue->waiting[i];
    queue->waiting_count = kept;
}

/* Not twice in a run, and not beside a pull that waits, by which the next one comes. */
static bool is_to_be_asked(const iswi_nats *nats, const iswi_nats_queue *queue)
{
    return queue->asked_in != nats->run && (queue->waited.left == 0 || queue->waiting_count == 0);
}

static bool claim_one(iswi_nats *nats, moves *all, iswi_broker_op **ops, size_t count,
                      iswi_nats_queue *queue)
{
    iswi_broker_op *op = *ops;

    op->as.claim.count = 0;
    queue->is_claimed = true;
    if (!queue->paused) {
        hand_out(nats, all, queue, op);
        if (op->as.claim.count == 0 && !nats->is_lost && is_to_be_asked(nats, queue)) {
            queue->asked_in = nats->run;
            iswi_nats_pull_now(nats, queue, wanted(ops, count));
            hand_out(nats, all, queue, op);
        }
    }
    if (op->as.claim.count > 0) {
        iswi_nats_done(op); /* whatever happens to the others: it is this one's */
        forget_claim(queue, op);
    } else if (!nats->is_lost) {
        op->error.status = ISW_E_BUSY;
        wait_for_more(queue, op);
    }
    return !nats->is_lost;
}

/* -- Some -------------------------------------------------------------------------------------- */

/* What arrived for those who wait no more, or of a queue that is paused, is for others, with no
 * attempt made. */
static bool give_back(iswi_nats *nats, moves *all, iswi_nats_queue *queue)
{
    iswi_nats_arrived of;
    bool well = true;

    if (queue->waiting_count > 0 && !queue->paused)
        return true;
    while (well && iswi_nats_next_arrived(&queue->ready, &of)) {
        iswi_arena arena;
        iswi_nats_meta meta = { 0 };

        iswi_arena_init(&arena, 512);
        iswi_nats_read_meta(nats, iswi_nats_header_of(nats, of.msg), &arena, &meta);
        well = move(nats, all, queue, &of, ISWI_NATS_READY, meta.attempts + of.delivered - 1);
        iswi_arena_fini(&arena);
    }
    return well;
}

bool iswi_nats_give_back(iswi_nats *nats)
{
    moves all = { .count = 0 };
    bool well = true;

    for (size_t i = 0; i < nats->queue_count && well; i++)
        well = give_back(nats, &all, nats->queues[i]);
    return well && move_all(nats, &all);
}

void iswi_nats_withdraw(iswi_nats *nats, iswi_broker_op *op)
{
    iswi_nats_queue *queue = iswi_nats_queue_of(nats, op->queue);

    if (queue)
        forget_claim(queue, op);
}

bool iswi_nats_claim(iswi_nats *nats, iswi_broker_op **ops, size_t count)
{
    moves all = { .count = 0 };
    bool well = true;

    for (size_t i = 0; i < count && well; i++) {
        iswi_nats_queue *queue = iswi_nats_known(nats, ops[i]->queue);

        if (queue)
            well = claim_one(nats, &all, &ops[i], count - i, queue);
        else
            iswi_nats_fail(nats, ops[i]);
        if (!queue)
            iswi_nats_withdraw(nats, ops[i]);
        well = well && !nats->is_lost;
    }
    return well && move_all(nats, &all);
}
