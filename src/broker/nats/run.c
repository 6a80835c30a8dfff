/* SPDX-License-Identifier: Apache-2.0 */
/* A run, and the table of the driver. What puts and settles goes together, all else one by one, and
 * claims last. */
#include "base/alloc.h"
#include "base/clock.h"
#include "broker/nats/internal.h"
#include "broker/nats/nats.h"

/* -- Operations -------------------------------------------------------------------------------- */

static bool is_written(const iswi_broker_op *op)
{
    return op->kind == ISWI_BROKER_PUT || op->kind == ISWI_BROKER_SETTLE;
}

static void run_one(iswi_nats *nats, iswi_broker_op *op)
{
    static void (*const how[])(iswi_nats *nats, iswi_broker_op *op) = {
        [ISWI_BROKER_DECLARE] = iswi_nats_declare,
        [ISWI_BROKER_LOOK] = iswi_nats_look,
        [ISWI_BROKER_LIST] = iswi_nats_list,
        [ISWI_BROKER_PURGE] = iswi_nats_sweep,
        [ISWI_BROKER_REPLAY] = iswi_nats_sweep,
        [ISWI_BROKER_PAUSE] = iswi_nats_pause,
        [ISWI_BROKER_RECORD_READ] = iswi_nats_record,
        [ISWI_BROKER_RECORD_WRITE] = iswi_nats_record,
        [ISWI_BROKER_RECORD_LIST] = iswi_nats_record,
    };

    memset(&nats->fault, 0, sizeof nats->fault);
    how[op->kind](nats, op);
}

static bool run_all(iswi_nats *nats, iswi_broker_op **ops, size_t count)
{
    for (size_t i = 0, end; i < count && !nats->is_lost; i = end) {
        for (end = i; end < count && is_written(ops[end]);)
            end++;
        if (end > i) {
            iswi_nats_write(nats, ops + i, end - i);
        } else if (ops[i]->kind == ISWI_BROKER_CLAIM) {
            return iswi_nats_claim(nats, ops + i, count - i); /* the rest is of that kind */
        } else {
            run_one(nats, ops[i]);
            end = i + 1;
        }
    }
    return !nats->is_lost;
}

/* What is to be done by itself, and when the next of it is. */
static bool tend(iswi_nats *nats, int64_t *due_ms)
{
    return iswi_nats_renew(nats, due_ms) && iswi_nats_expire(nats, due_ms) &&
           iswi_nats_ripen(nats) && iswi_nats_give_back(nats) &&
           iswi_nats_look_after(nats, due_ms) && iswi_nats_watch_pulls(nats, due_ms) &&
           iswi_nats_turn(nats, -1);
}

static isw_status say_lost(const iswi_nats *nats, isw_error *error)
{
    return isw_error_set(error, ISW_E_UNAVAILABLE, "%s", nats->fault.message);
}

/* What came while something else was done: claims may find it. */
static bool is_there_more(const iswi_nats *nats)
{
    for (size_t i = 0; i < nats->queue_count; i++) {
        const iswi_nats_queue *queue = nats->queues[i];

        if (iswi_nats_waiting_arrivals(&queue->ready) || iswi_nats_waiting_arrivals(&queue->late) ||
            (queue->is_stale && queue->waiting_count))
            return true;
    }
    return false;
}

static isw_status run(void *self, iswi_broker_op **ops, size_t count, int64_t now_ms,
                      int64_t *due_ms, isw_error *error)
{
    iswi_nats *nats = self;

    nats->now_ms = now_ms;
    nats->has_news = false;
    nats->run++;
    if (nats->is_lost || !run_all(nats, ops, count) || !tend(nats, due_ms))
        return say_lost(nats, error);
    if (nats->has_news && is_there_more(nats))
        *due_ms = now_ms;
    return ISW_OK;
}

static int descriptor(void *self)
{
    return ((const iswi_nats *)self)->socket;
}

static isw_status heard(void *self, int64_t now_ms, bool *claims, int64_t *due_ms,
                        isw_error *error)
{
    iswi_nats *nats = self;

    nats->has_news = false;
    nats->now_ms = now_ms;
    *due_ms = INT64_MAX;
    if (!iswi_nats_turn(nats, 0) || !tend(nats, due_ms))
        return say_lost(nats, error);
    *claims = nats->has_news;
    return ISW_OK;
}

static void withdrawn(void *self, iswi_broker_op *op)
{
    iswi_nats_withdraw(self, op);
}

/* -- Opening ----------------------------------------------------------------------------------- */

static void close_all(void *self)
{
    iswi_nats *nats = self;

    for (size_t i = 0; i < nats->queue_count; i++)
        nats->queues[i]->waiting_count = 0;
    if (nats->conn && !nats->is_lost)
        iswi_nats_give_back(nats);
    iswi_nats_slots_end(nats);
    iswi_nats_forget(nats);
    iswi_nats_disconnect(nats);
    iswi_nats_queues_free(nats);
    iswi_free(nats->asks);
    iswi_buffer_fini(&nats->text);
    iswi_buffer_fini(&nats->subject);
    iswi_nats_address_free(&nats->address);
    iswi_free(nats);
}

/* What it claimed is still its; all else is asked again. */
static isw_status reopen(void *self, int64_t now_ms, isw_error *error)
{
    iswi_nats *nats = self;
    json_t *json;
    int code;

    nats->now_ms = now_ms;
    iswi_nats_forget(nats);
    if (!iswi_nats_connect(nats, error))
        return error->status;
    nats->has_bucket = false;
    for (size_t i = 0; i < nats->queue_count; i++) {
        iswi_nats_queue *queue = nats->queues[i];

        queue->is_known = false;
        iswi_nats_doubt(queue);
        queue->waited = queue->due = (iswi_nats_pull){ 0 };
    }
    json = iswi_nats_api(nats, &code, "", "INFO");
    json_decref(json);
    if (json && iswi_nats_verify_held(nats))
        return ISW_OK;
    nats->is_lost = true;
    return isw_error_set(error, ISW_E_UNAVAILABLE, "%s", nats->fault.message);
}

static isw_status open_all(const iswi_broker_options *options, int64_t now_ms, void **self,
                           isw_error *error)
{
    iswi_nats *nats = iswi_calloc(1, sizeof *nats);
    isw_status status;

    if (!nats)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "no memory for a place on NATS");
    nats->options = options;
    nats->take = iswi_nats_arrive;
    nats->socket = -1;
    status = iswi_nats_load(&nats->lib, error);
    if (status) {
        iswi_free(nats);
        return status;
    }
    status = iswi_nats_address_read(options->place, &nats->address, error);
    if (status == ISW_OK)
        status = reopen(nats, now_ms, error);
    if (status)
        close_all(nats);
    else
        *self = nats;
    return status;
}

#define DRIVER(its_scheme)                                                                        \
    {                                                                                             \
        .scheme = its_scheme, .form = its_scheme "://HOST:PORT",                                  \
        .abilities = ISWI_BROKER_SHARED | ISWI_BROKER_RECORDS, .check = iswi_nats_check,          \
        .open = open_all, .reopen = reopen, .close = close_all, .run = run, .fd = descriptor,     \
        .heard = heard, .withdrawn = withdrawn,                                                   \
    }

const iswi_broker_driver iswi_broker_nats = DRIVER("nats");
const iswi_broker_driver iswi_broker_nats_tls = DRIVER("tls");
