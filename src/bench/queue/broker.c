/* SPDX-License-Identifier: Apache-2.0 */
/* A queue as the host has it: operations are handed over by one thread and done on the broker's,
 * which tells it; so many are in flight. */
#include "bench/clock.h"
#include "bench/queue/measure.h"
#include "broker/broker.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREFILL = 1000, PREFILLS = 20 };

typedef struct queue {
    iswi_broker *broker;
    pthread_mutex_t lock;
    pthread_cond_t came;
    iswi_broker_op *done, **end; /* those that are, in their order */
    iswi_delivery *items[2][ISWI_BENCH_QUEUE_MOST];
    iswi_settlement settlements[ISWI_BENCH_QUEUE_MOST];
} queue;

static const isw_str NAME = { "bench", 5 };
static const isw_str EMPTY = { "empty", 5 }; /* for deliveries */

/* What queues keep to where host.yaml says nothing. */
#define AS_A_HOST \
    { .max_attempts = 5, .window_ms = 600000, .keep_dead_ms = INT64_C(1209600000), .lease_ms = 30000 }

static void close_queue(void *self)
{
    queue *on = self;

    iswi_broker_destroy(on->broker);
    pthread_mutex_destroy(&on->lock);
    pthread_cond_destroy(&on->came);
    free(on);
}

static bool run(queue *on, iswi_broker_op *op, isw_error *error)
{
    const isw_status status = iswi_broker_run(on->broker, op);

    if (status != ISW_OK)
        isw_error_set(error, status, "%s", op->error.message);
    return status == ISW_OK;
}

static bool open_queue(const char *where, void **self, isw_error *error)
{
    const bool is_place = strstr(where, "://") != NULL;
    const iswi_broker_options options = { .place = is_place ? where : "sqlite:queues.db",
                                          .folder = is_place ? "." : where };
    iswi_broker_op declare = { .kind = ISWI_BROKER_DECLARE, .queue = NAME, .as.declare = AS_A_HOST };
    iswi_broker_op declare_empty = { .kind = ISWI_BROKER_DECLARE, .queue = EMPTY,
                                     .as.declare = AS_A_HOST };
    queue *on = calloc(1, sizeof *on);

    if (!on || iswi_broker_create(&options, &on->broker, error) != ISW_OK) {
        free(on);
        return false;
    }
    pthread_mutex_init(&on->lock, NULL);
    pthread_cond_init(&on->came, NULL);
    on->end = &on->done;
    *self = on;
    if (run(on, &declare, error) && run(on, &declare_empty, error))
        return true;
    close_queue(on);
    return false;
}

/* -- Hand over, and be told -------------------------------------------------------------------- */

static void on_done(iswi_broker_op *op)
{
    queue *on = op->user;

    pthread_mutex_lock(&on->lock);
    op->next = NULL;
    if (!on->done)
        pthread_cond_signal(&on->came); /* once for all that come together */
    *on->end = op;
    on->end = &op->next;
    pthread_mutex_unlock(&on->lock);
}

static void submit(queue *on, iswi_broker_op *op)
{
    op->done = on_done;
    op->user = on;
    iswi_broker_submit(on->broker, op);
}

/* All that are done, at least one. */
static iswi_broker_op *wait_for_some(queue *on)
{
    iswi_broker_op *some;

    pthread_mutex_lock(&on->lock);
    while (!on->done)
        pthread_cond_wait(&on->came, &on->lock);
    some = on->done;
    on->done = NULL;
    on->end = &on->done;
    pthread_mutex_unlock(&on->lock);
    return some;
}

/* -- Putting ----------------------------------------------------------------------------------- */

static bool put(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                isw_error *error)
{
    static iswi_bench_queue_times times;
    const int64_t begun_ns = iswi_bench_now_ns();
    const iswi_queue_put item = { .queue = NAME, .body = { work->body, work->body_bytes } };
    iswi_broker_op ops[ISWI_BENCH_QUEUE_MOST];
    int64_t one_ns = begun_ns;
    unsigned left = work->in_flight;

    times.count = 0;
    for (unsigned i = 0; i < work->in_flight; i++) {
        ops[i] = (iswi_broker_op){ .kind = ISWI_BROKER_PUT,
                                   .as.put = { .items = &item, .count = 1 } };
        submit(self, &ops[i]);
    }
    while (left) {
        iswi_broker_op *op = wait_for_some(self);

        iswi_bench_queue_note(&times, one_ns);
        one_ns = iswi_bench_now_ns();
        while (op) {
            iswi_broker_op *next = op->next;

            if (op->error.status)
                isw_error_set(error, op->error.status, "%s", op->error.message);
            out->done++;
            if (iswi_bench_is_over(work->until_ns) || op->error.status)
                left--;
            else
                submit(self, op);
            op = next;
        }
    }
    out->elapsed_ns = iswi_bench_now_ns() - begun_ns;
    out->p50_us = iswi_bench_queue_p50(&times);
    return error->status == ISW_OK;
}

/* -- Claiming and completing ------------------------------------------------------------------- */

static bool fill(queue *on, const iswi_bench_queue_work *work, isw_error *error)
{
    static iswi_queue_put items[PREFILL];
    iswi_broker_op op = { .kind = ISWI_BROKER_PUT,
                          .as.put = { .items = items, .count = PREFILL } };

    for (int i = 0; i < PREFILL; i++)
        items[i] = (iswi_queue_put){ .queue = NAME, .body = { work->body, work->body_bytes } };
    for (int i = 0; i < PREFILLS; i++)
        if (!run(on, &op, error))
            return false;
    return true;
}

static bool count_ready(queue *on, int64_t *ready, isw_error *error)
{
    iswi_arena arena;
    iswi_broker_op op = { .kind = ISWI_BROKER_LOOK, .queue = NAME, .as.look.arena = &arena };
    bool well;

    iswi_arena_init(&arena, 1024);
    well = run(on, &op, error);
    if (well)
        *ready = op.as.look.items[0].counts[ISWI_MESSAGE_READY];
    iswi_arena_fini(&arena);
    return well;
}

static void begin_claim(queue *on, iswi_broker_op *claim, isw_str from, unsigned in_flight,
                        iswi_delivery **items)
{
    *claim = (iswi_broker_op){ .kind = ISWI_BROKER_CLAIM, .queue = from,
                               .as.claim = { .items = items, .max = in_flight } };
    submit(on, claim);
}

static void begin_settle(queue *on, iswi_broker_op *settle, iswi_delivery **items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        on->settlements[i] = (iswi_settlement){ .delivery = items[i],
                                                .verdict = ISWI_VERDICT_COMPLETE };
    *settle = (iswi_broker_op){ .kind = ISWI_BROKER_SETTLE,
                                .as.settle = { .items = on->settlements, .count = count } };
    submit(on, settle);
}

/* Both of them. */
static bool wait_for(queue *on, unsigned ops, isw_error *error)
{
    while (ops)
        for (iswi_broker_op *op = wait_for_some(on); op; op = op->next) {
            ops--;
            if (op->error.status)
                isw_error_set(error, op->error.status, "%s", op->error.message);
        }
    return error->status == ISW_OK;
}

/* What is held is completed while the next is claimed, as a trigger does. */
static bool complete_some(queue *on, const iswi_bench_queue_work *work, int64_t most,
                          iswi_bench_queue_sample *out, isw_error *error)
{
    const int64_t begun_ns = iswi_bench_now_ns();
    iswi_broker_op claim;
    iswi_broker_op settle;
    unsigned at = 0;
    size_t held;

    begin_claim(on, &claim, NAME, work->in_flight, on->items[at]);
    if (!wait_for(on, 1, error))
        return false;
    held = claim.as.claim.count;
    while (held) {
        const bool more = (most -= (int64_t)held) >= work->in_flight &&
                          !iswi_bench_is_over(work->until_ns);

        begin_settle(on, &settle, on->items[at], held);
        if (more)
            begin_claim(on, &claim, NAME, work->in_flight, on->items[1 - at]);
        if (!wait_for(on, more ? 2 : 1, error))
            return false;
        for (size_t i = 0; i < held; i++)
            iswi_delivery_free(on->items[at][i]);
        out->done += held;
        held = more ? claim.as.claim.count : 0;
        at = 1 - at;
    }
    out->elapsed_ns += iswi_bench_now_ns() - begun_ns;
    return true;
}

static bool complete(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                     isw_error *error)
{
    while (!iswi_bench_is_over(work->until_ns)) {
        int64_t ready;

        if (!count_ready(self, &ready, error) ||
            (ready < work->in_flight && !fill(self, work, error)) ||
            (ready >= work->in_flight && !complete_some(self, work, ready, out, error)))
            return false;
    }
    return true;
}

/* -- From put to claim ------------------------------------------------------------------------- */

/* The time of one: a claim waits, a message is put, and is there. It is completed outside of it. */
static bool deliver_one(queue *on, const iswi_queue_put *item, iswi_bench_queue_times *times,
                        isw_error *error)
{
    iswi_broker_op put_op = { .kind = ISWI_BROKER_PUT, .as.put = { .items = item, .count = 1 } };
    iswi_broker_op claim;
    iswi_broker_op settle;
    iswi_broker_op *first;
    int64_t begun_ns;
    unsigned left = 2;

    begin_claim(on, &claim, EMPTY, 1, on->items[0]);
    iswi_bench_sleep_ns(300000); /* it waits, and all is quiet */
    begun_ns = iswi_bench_now_ns();
    submit(on, &put_op);
    while (left)
        for (first = wait_for_some(on); first; first = first->next, left--)
            if (first == &claim)
                iswi_bench_queue_note(times, begun_ns);
    if (claim.error.status || put_op.error.status) {
        isw_error_set(error, ISW_E_IO, "%s%s", put_op.error.message, claim.error.message);
        return false;
    }
    begin_settle(on, &settle, on->items[0], 1);
    if (!wait_for(on, 1, error))
        return false;
    iswi_delivery_free(on->items[0][0]);
    return true;
}

static bool deliver(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                    isw_error *error)
{
    static iswi_bench_queue_times times;
    const iswi_queue_put item = { .queue = EMPTY, .body = { work->body, work->body_bytes } };

    times.count = 0;
    while (!iswi_bench_is_over(work->until_ns))
        if (!deliver_one(self, &item, &times, error))
            return false;
    out->done = times.count;
    out->elapsed_ns = 1;
    out->p50_us = iswi_bench_queue_p50(&times);
    return true;
}

const iswi_bench_queue_store iswi_bench_queue_broker = {
    .name = "sqlite",
    .open = open_queue,
    .close = close_queue,
    .put = put,
    .complete = complete,
    .deliver = deliver,
};
