/* SPDX-License-Identifier: Apache-2.0 */
/* The turn of a broker: what is there at a moment goes to the driver in one go, and is answered.
 * Invariant: an operation is in one list, or is its caller's again. */
#include "base/alloc.h"
#include "base/clock.h"
#include "broker/internal.h"
#include "broker/touched.h"

enum { BATCH_MAX = 4096 };

static void forget_error(iswi_broker_op *op)
{
    op->error.status = ISW_OK;
    op->error.message[0] = '\0';
}

/* ISW_OK: as it says itself. */
static void answer(iswi_broker_op *op, isw_status status, const char *why)
{
    if (status != ISW_OK) {
        forget_error(op);
        isw_error_set(&op->error, status, "%s", why);
    }
    op->done(op);
}

static void answer_all(iswi_op_list *list, isw_status status, const char *why)
{
    iswi_op_list ended = *list;
    iswi_broker_op *op;

    if (!list->first)
        return;
    iswi_op_list_init(list); /* those that are called may come back with more */
    while ((op = iswi_op_list_take(&ended)) != NULL)
        answer(op, status, why);
}

/* Claims that were with the driver, which forgets them. */
static void end_claims(iswi_broker *broker, iswi_op_list *list, isw_status status, const char *why)
{
    void *self = broker->place.self ? broker->place.self : broker->place.lost;

    if (self && broker->driver->withdrawn)
        for (iswi_broker_op *op = list->first; op; op = op->next)
            broker->driver->withdrawn(self, op);
    answer_all(list, status, why);
}

/* -- What is there ----------------------------------------------------------------------------- */

/* Those that wait and were recalled; not yet one that was not tried, as long as it can be. */
static void move_recalled(iswi_broker *broker, iswi_op_list *ended)
{
    const bool is_open = broker->place.self && !broker->place.retry_ns;
    iswi_op_list all = broker->waiting;
    iswi_broker_op *op;

    if (!all.first)
        return;
    iswi_op_list_init(&broker->waiting);
    pthread_mutex_lock(&broker->lock);
    while ((op = iswi_op_list_take(&all)) != NULL) {
        const bool stays = !op->recalled || (is_open && !op->tried);

        broker->recalls = broker->recalls || (op->recalled && stays);
        iswi_op_list_add(stays ? &broker->waiting : ended, op);
    }
    pthread_mutex_unlock(&broker->lock);
}

/* What came; whether a claim was recalled. */
static bool take_inbox(iswi_broker *broker, iswi_op_list *came)
{
    bool recalls;

    pthread_mutex_lock(&broker->lock);
    iswi_op_list_join(came, &broker->inbox);
    atomic_store_explicit(&broker->came, 0, memory_order_relaxed);
    recalls = broker->recalls;
    broker->recalls = false;
    pthread_mutex_unlock(&broker->lock);
    return recalls;
}

static void sort_inbox(iswi_broker *broker)
{
    iswi_op_list came;
    iswi_op_list bad;
    iswi_op_list recalled;
    iswi_broker_op *op;
    bool recalls;

    iswi_op_list_init(&came);
    iswi_op_list_init(&bad);
    iswi_op_list_init(&recalled);
    recalls = take_inbox(broker, &came);
    while ((op = iswi_op_list_take(&came)) != NULL)
        if (!iswi_broker_op_check(op, broker->driver))
            iswi_op_list_add(&bad, op);
        else
            iswi_op_list_add(op->kind == ISWI_BROKER_CLAIM ? &broker->waiting : &broker->todo, op);
    if (recalls)
        move_recalled(broker, &recalled);
    answer_all(&bad, ISW_OK, NULL);
    end_claims(broker, &recalled, ISW_E_CANCELLED, "it was recalled");
}

/* -- A batch ----------------------------------------------------------------------------------- */

static bool add_to_batch(iswi_broker *broker, size_t *count, iswi_broker_op *op)
{
    if (*count == BATCH_MAX ||
        !iswi_grow(&broker->batch, &broker->batch_capacity, *count, sizeof *broker->batch))
        return false;
    op->error.status = (isw_status)ISWI_BROKER_OPEN;
    broker->batch[(*count)++] = op;
    return true;
}

/* Move from `list` what has room. */
static void add_list(iswi_broker *broker, size_t *count, iswi_op_list *list, iswi_touched *queues)
{
    while (list->first && add_to_batch(broker, count, list->first)) {
        iswi_touch_by(queues, list->first);
        iswi_op_list_take(list);
    }
}

/* Those of claims stay in their list, until they have something. */
static void add_claims(iswi_broker *broker, size_t *count, const iswi_touched *queues)
{
    for (iswi_broker_op *op = broker->waiting.first; op; op = op->next)
        if (!op->tried || iswi_is_touched(queues, op->queue)) {
            op->tried = false;
            if (add_to_batch(broker, count, op))
                op->tried = true;
        }
}

/* -- What came of it --------------------------------------------------------------------------- */

/* That is wrong with the place, not with what was asked. */
static bool is_of_place(isw_status status)
{
    return status == ISW_E_IO || status == ISW_E_NO_MEMORY || status == ISW_E_UNAVAILABLE ||
           status == (isw_status)ISWI_BROKER_OPEN;
}

/* Its caller could do nothing but ask again. */
static bool must_be(const iswi_broker_op *op)
{
    return op->kind == ISWI_BROKER_SETTLE || op->kind == ISWI_BROKER_DECLARE;
}

static void sort_out(iswi_broker *broker, iswi_broker_op *op, const isw_error *lost,
                     iswi_op_list *ended)
{
    if (is_of_place(op->error.status) && must_be(op)) {
        forget_error(op);
        op->tried = true;
        iswi_op_list_add(&broker->again, op);
        return;
    }
    if (op->error.status == ISW_E_IO)
        op->error.status = ISW_E_UNAVAILABLE; /* as while it cannot be opened for the same cause */
    if (op->error.status == (isw_status)ISWI_BROKER_OPEN) {
        op->error.status = ISW_OK;
        isw_error_set(&op->error, ISW_E_UNAVAILABLE, "%s",
                      lost->status ? lost->message : "the driver has not said what came of it");
    }
    iswi_op_list_add(ended, op);
}

static void sort_out_claims(iswi_broker *broker, iswi_op_list *ended)
{
    iswi_op_list all = broker->waiting;
    iswi_broker_op *op;

    if (!all.first)
        return;
    iswi_op_list_init(&broker->waiting);
    while ((op = iswi_op_list_take(&all)) != NULL) {
        const isw_status status = op->error.status;

        if (!op->tried || (status != ISW_E_BUSY && !is_of_place(status))) {
            iswi_op_list_add(op->tried ? ended : &broker->waiting, op);
            continue;
        }
        op->tried = status == ISW_E_BUSY;
        forget_error(op);
        op->error.status = ISW_E_BUSY; /* as of all that wait */
        iswi_op_list_add(&broker->waiting, op);
    }
}

/* Whether what went through is a sign that the place is well. */
static void judge(iswi_broker *broker, size_t count)
{
    const isw_error *refusal = NULL;
    bool served = false;

    for (size_t i = 0; i < count; i++) {
        const iswi_broker_op *op = broker->batch[i];

        if (op->error.status == ISW_E_IO || op->error.status == ISW_E_NO_MEMORY)
            refusal = &op->error;
        served = served || (op->error.status == ISW_OK && op->kind != ISWI_BROKER_LOOK &&
                            op->kind != ISWI_BROKER_LIST && op->kind != ISWI_BROKER_RECORD_READ &&
                            op->kind != ISWI_BROKER_RECORD_LIST);
    }
    if (refusal)
        iswi_place_refused(broker, refusal);
    else if (served)
        iswi_place_served(broker);
}

static void run_batch(iswi_broker *broker, size_t count, int64_t now_ms)
{
    isw_error lost = { 0 };
    iswi_op_list ended;
    const isw_status status = broker->driver->run(broker->place.self, broker->batch, count, now_ms,
                                                  &broker->due_ms, &lost);

    iswi_op_list_init(&ended);
    if (status != ISW_OK)
        iswi_place_lost(broker, &lost);
    else
        judge(broker, count);
    for (size_t i = 0; i < count; i++)
        if (broker->batch[i]->kind != ISWI_BROKER_CLAIM)
            sort_out(broker, broker->batch[i], &lost, &ended);
    sort_out_claims(broker, &ended);
    broker->expected = count + atomic_load_explicit(&broker->came, memory_order_relaxed);
    answer_all(&ended, ISW_OK, NULL);
}

/* -- Turns ------------------------------------------------------------------------------------- */

/* No driver has had it, and its caller would rather wait a little than be refused. */
static bool may_wait(const iswi_broker *broker, const iswi_broker_op *op)
{
    const bool is_short =
        iswi_now_ns() / 1000000 - broker->place.since_ms < broker->options.patience_ms;

    return must_be(op) || is_short;
}

/* While it cannot be reached. */
static void refuse(iswi_broker *broker)
{
    const isw_error why = broker->place.trouble;
    iswi_op_list all;
    iswi_op_list ended;
    iswi_broker_op *op;

    iswi_op_list_init(&all);
    iswi_op_list_init(&ended);
    iswi_op_list_join(&all, &broker->again);
    iswi_op_list_join(&all, &broker->todo);
    while ((op = iswi_op_list_take(&all)) != NULL)
        iswi_op_list_add(may_wait(broker, op) && !broker->place.barred ? &broker->again : &ended,
                         op);
    if (broker->place.barred)
        end_claims(broker, &broker->waiting, why.status, why.message);
    answer_all(&ended, why.status, why.message);
}

/* How many there are to run; claims, too, if they are wanted. What is done again waits while the
 * place takes nothing. */
static size_t gather(iswi_broker *broker, bool claims)
{
    iswi_place *place = &broker->place;
    iswi_touched queues = { .count = 0, .all = broker->all_claims };
    size_t count = 0;

    if (place->retry_ns && iswi_now_ns() >= place->retry_ns)
        place->retry_ns = 0;
    if (!place->retry_ns)
        add_list(broker, &count, &broker->again, &queues);
    add_list(broker, &count, &broker->todo, &queues);
    if (claims && !place->retry_ns) {
        broker->all_claims = false;
        add_claims(broker, &count, &queues);
    }
    return count;
}

void iswi_broker_turn(iswi_broker *broker)
{
    int64_t now_ms;
    bool is_due;
    size_t count;

    sort_inbox(broker);
    now_ms = iswi_broker_now_us(broker) / 1000; /* not before what came was handed over */
    is_due = broker->due_ms <= now_ms;
    if (!iswi_place_ready(broker)) {
        refuse(broker);
        return;
    }
    if (is_due) {
        broker->due_ms = INT64_MAX;
        broker->all_claims = true;
    }
    count = gather(broker, true);
    if (count || is_due) {
        broker->rested = false;
        run_batch(broker, count, now_ms);
    }
}

void iswi_broker_last_turn(iswi_broker *broker)
{
    static const char ends[] = "the broker ends";
    size_t count;

    sort_inbox(broker);
    end_claims(broker, &broker->waiting, ISW_E_CLOSED, ends);
    broker->place.retry_ns = 0;
    while ((broker->todo.first || broker->again.first) && iswi_place_ready(broker) &&
           (count = gather(broker, false)) > 0)
        run_batch(broker, count, iswi_broker_now_us(broker) / 1000);
    answer_all(&broker->todo, ISW_E_CLOSED, ends);
    answer_all(&broker->again, ISW_E_CLOSED, ends);
    answer_all(&broker->waiting, ISW_E_CLOSED, ends);
}
