/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of a broker, on a driver that does as it is told. */
#include "broker/support.h"

#include "base/clock.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A driver that counts messages, which are all the same. */
typedef struct place {
    int64_t patience_ms;
    iswi_broker *broker;
    atomic_int opens, closes, runs, largest, claims_tried, rests, withdrawn;
    atomic_int messages, settled;
    atomic_int closed_for; /* so many times it cannot be opened */
    atomic_bool bars;      /* for good */
    atomic_int loses;      /* so many runs are lost */
    atomic_int refuses;    /* so many runs end in an I/O error */
    atomic_llong due_in_ms; /* of what is put; 0: it is due */
    int64_t due_ms;
    int late; /* those that are delayed until then */
    bool gated;
    sem_t inside, gate; /* a run that is gated posts one and waits for the other */
    atomic_int said[ISW_LOG_NONE];
} place;

static isw_status fake_check(const char *at, isw_error *error)
{
    (void)at;
    (void)error;
    return ISW_OK;
}

static isw_status fake_open(const iswi_broker_options *options, int64_t now_ms, void **self,
                            isw_error *error)
{
    place *is = options->user;

    (void)now_ms;
    atomic_fetch_add(&is->opens, 1);
    if (atomic_load(&is->bars))
        return isw_error_set(error, ISW_E_CONFIG, "this is no place");
    if (atomic_load(&is->closed_for) > 0) {
        atomic_fetch_sub(&is->closed_for, 1);
        return isw_error_set(error, ISW_E_UNAVAILABLE, "it is night");
    }
    *self = is;
    return ISW_OK;
}

static void fake_close(void *self)
{
    atomic_fetch_add(&((place *)self)->closes, 1);
}

static void do_claim(place *is, iswi_broker_op *op)
{
    atomic_fetch_add(&is->claims_tried, 1);
    op->as.claim.count = 0;
    while (atomic_load(&is->messages) > 0 && op->as.claim.count < op->as.claim.max) {
        atomic_fetch_sub(&is->messages, 1);
        op->as.claim.items[op->as.claim.count++] = iswi_delivery_create();
    }
    op->error.status = op->as.claim.count ? ISW_OK : ISW_E_BUSY;
}

static void do_one(place *is, iswi_broker_op *op, int64_t now_ms, int64_t *due_ms)
{
    const int64_t due_in_ms = atomic_load(&is->due_in_ms);

    op->error.status = ISW_OK;
    if (op->kind == ISWI_BROKER_CLAIM) {
        do_claim(is, op);
    } else if (op->kind == ISWI_BROKER_SETTLE) {
        atomic_fetch_add(&is->settled, (int)op->as.settle.count);
    } else if (op->kind == ISWI_BROKER_PUT && due_in_ms) {
        is->late += (int)op->as.put.count;
        is->due_ms = now_ms + due_in_ms;
        *due_ms = is->due_ms < *due_ms ? is->due_ms : *due_ms;
    } else if (op->kind == ISWI_BROKER_PUT) {
        atomic_fetch_add(&is->messages, (int)op->as.put.count);
    }
}

static bool takes_one(atomic_int *times)
{
    if (atomic_load(times) == 0)
        return false;
    atomic_fetch_sub(times, 1);
    return true;
}

static isw_status fake_run(void *self, iswi_broker_op **ops, size_t count, int64_t now_ms,
                           int64_t *due_ms, isw_error *error)
{
    place *is = self;

    atomic_fetch_add(&is->runs, 1);
    if ((int)count > atomic_load(&is->largest))
        atomic_store(&is->largest, (int)count);
    if (is->gated) {
        sem_post(&is->inside);
        sem_wait(&is->gate);
    }
    if (takes_one(&is->loses))
        return isw_error_set(error, ISW_E_UNAVAILABLE, "the line is cut");
    if (is->late && now_ms >= is->due_ms) {
        atomic_fetch_add(&is->messages, is->late);
        is->late = 0;
    }
    if (takes_one(&is->refuses)) {
        for (size_t i = 0; i < count; i++) {
            ops[i]->error.status = ISW_OK;
            isw_error_set(&ops[i]->error, ISW_E_IO, "the disk is full");
        }
        return ISW_OK;
    }
    for (size_t i = 0; i < count; i++)
        do_one(is, ops[i], now_ms, due_ms);
    return ISW_OK;
}

static void fake_rest(void *self)
{
    atomic_fetch_add(&((place *)self)->rests, 1);
}

static void fake_withdrawn(void *self, iswi_broker_op *claim)
{
    assert_int_equal(claim->kind, ISWI_BROKER_CLAIM);
    atomic_fetch_add(&((place *)self)->withdrawn, 1);
}

static const iswi_broker_driver fake = {
    .scheme = "fake",
    .form = "fake:PATH",
    .check = fake_check,
    .open = fake_open,
    .close = fake_close,
    .run = fake_run,
    .rest = fake_rest,
    .withdrawn = fake_withdrawn,
};

static void on_say(void *user, isw_log_level level, const char *sentence)
{
    (void)sentence;
    atomic_fetch_add(&((place *)user)->said[level], 1);
}

static void begin(place *is)
{
    iswi_broker_options options = { .place = "fake:x", .user = is, .say = on_say,
                                    .patience_ms = is->patience_ms };
    isw_error error = { 0 };

    sem_init(&is->inside, 0, 0);
    sem_init(&is->gate, 0, 0);
    assert_int_equal(iswi_broker_create_on(&fake, &options, &is->broker, &error), ISW_OK);
}

static void end(place *is)
{
    iswi_broker_destroy(is->broker);
    sem_destroy(&is->inside);
    sem_destroy(&is->gate);
}

/* -- Operations -------------------------------------------------------------------------------- */

static void post(iswi_broker_op *op)
{
    sem_post(op->user);
}

static const iswi_queue_put ONE = { .queue = { "q", 1 } };

static iswi_broker_op put_of(sem_t *done)
{
    return (iswi_broker_op){ .kind = ISWI_BROKER_PUT, .as.put = { .items = &ONE, .count = 1 },
                             .done = post, .user = done };
}

static iswi_broker_op claim_of(iswi_delivery **items, size_t max, sem_t *done)
{
    return (iswi_broker_op){ .kind = ISWI_BROKER_CLAIM, .queue = { "q", 1 },
                             .as.claim = { .items = items, .max = max }, .done = post,
                             .user = done };
}

static isw_status put_one(place *is)
{
    iswi_broker_op op = put_of(NULL);

    return iswi_broker_run(is->broker, &op);
}

/* Until it waits in vain. */
static void submit_claim(place *is, iswi_broker_op *op)
{
    const int tried = atomic_load(&is->claims_tried);

    iswi_broker_submit(is->broker, op);
    while (atomic_load(&is->claims_tried) == tried)
        usleep(100);
}

static void free_all(iswi_broker_op *op)
{
    for (size_t i = 0; i < op->as.claim.count; i++)
        iswi_delivery_free(op->as.claim.items[i]);
}

/* -- Cases ------------------------------------------------------------------------------------- */

static void nothing_is_opened_before_it_is_needed(void **state)
{
    place is = { 0 };

    (void)state;
    begin(&is);
    assert_true(iswi_broker_is_well(is.broker, NULL));
    end(&is);
    assert_int_equal(is.opens, 0);
}

static void operations_of_a_moment_go_in_one_run(void **state)
{
    enum { COUNT = 50 };
    place is = { .gated = true };
    iswi_broker_op ops[COUNT];
    sem_t done;

    (void)state;
    sem_init(&done, 0, 0);
    begin(&is);
    for (int i = 0; i < COUNT; i++) {
        ops[i] = put_of(&done);
        iswi_broker_submit(is.broker, &ops[i]);
        if (i == 0)
            sem_wait(&is.inside); /* the others come while it is busy with this one */
    }
    sem_post(&is.gate);
    sem_post(&is.gate);
    for (int i = 0; i < COUNT; i++)
        sem_wait(&done);
    assert_int_equal(is.runs, 2);
    assert_int_equal(is.largest, COUNT - 1);
    assert_int_equal(is.messages, COUNT);
    end(&is);
    sem_destroy(&done);
}

static void a_put_wakes_a_claim_in_the_same_run(void **state)
{
    place is = { 0 };
    iswi_delivery *got[4];
    iswi_broker_op op;
    sem_t done;
    int runs;

    (void)state;
    sem_init(&done, 0, 0);
    begin(&is);
    op = claim_of(got, 4, &done);
    submit_claim(&is, &op);
    runs = atomic_load(&is.runs);
    assert_int_equal(put_one(&is), ISW_OK);
    sem_wait(&done);
    assert_int_equal(op.error.status, ISW_OK);
    assert_int_equal(op.as.claim.count, 1);
    assert_int_equal(atomic_load(&is.runs), runs + 1);
    free_all(&op);
    end(&is);
    sem_destroy(&done);
}

static void a_put_elsewhere_leaves_a_claim_alone(void **state)
{
    static const iswi_queue_put other = { .queue = { "other", 5 } };
    place is = { 0 };
    iswi_delivery *got[1];
    iswi_broker_op put = { .kind = ISWI_BROKER_PUT, .as.put = { .items = &other, .count = 1 } };
    iswi_broker_op op;
    sem_t done;

    (void)state;
    sem_init(&done, 0, 0);
    begin(&is);
    op = claim_of(got, 1, &done);
    submit_claim(&is, &op);
    assert_int_equal(iswi_broker_run(is.broker, &put), ISW_OK);
    assert_int_equal(iswi_broker_run(is.broker, &put), ISW_OK);
    assert_int_equal(is.claims_tried, 1);
    end(&is);
    assert_int_equal(op.error.status, ISW_E_CLOSED);
    sem_destroy(&done);
}

static void what_becomes_due_wakes_a_claim(void **state)
{
    place is = { .due_in_ms = 30 };
    iswi_delivery *got[1];
    iswi_broker_op op;
    sem_t done;

    (void)state;
    sem_init(&done, 0, 0);
    begin(&is);
    op = claim_of(got, 1, &done);
    submit_claim(&is, &op);
    assert_int_equal(put_one(&is), ISW_OK);
    sem_wait(&done);
    assert_int_equal(op.error.status, ISW_OK);
    assert_true(iswi_wall_us() / 1000 >= is.due_ms);
    free_all(&op);
    end(&is);
    sem_destroy(&done);
}

static void a_clock_that_is_set_back_holds_nothing_up(void **state)
{
    const int64_t now_ns = iswi_now_ns();
    const int64_t wall_us = iswi_wall_us();
    place is = { .due_in_ms = 1000 };
    iswi_broker_op look = { .kind = ISWI_BROKER_LOOK };
    iswi_delivery *got[1];
    iswi_broker_op op;
    sem_t done;

    (void)state;
    sem_init(&done, 0, 0);
    begin(&is);
    iswi_clock_fake(now_ns, wall_us);
    op = claim_of(got, 1, &done);
    submit_claim(&is, &op);
    assert_int_equal(put_one(&is), ISW_OK);
    iswi_clock_fake(now_ns + 1000000000, wall_us - INT64_C(3600000000));
    assert_int_equal(iswi_broker_run(is.broker, &look), ISW_OK); /* its clock is looked at */
    sem_wait(&done);
    iswi_clock_real();
    assert_int_equal(op.error.status, ISW_OK);
    free_all(&op);
    end(&is);
    sem_destroy(&done);
}

static void nothing_is_older_than_the_clock_says(void **state)
{
    const iswi_broker_queue queue = { .oldest_ms = 5000 };
    const iswi_broker_queue empty = { 0 };

    (void)state;
    assert_int_equal(iswi_broker_age_ms(&queue, 7000), 2000);
    assert_int_equal(iswi_broker_age_ms(&queue, 3000), 0); /* since it was set back */
    assert_int_equal(iswi_broker_age_ms(&empty, 7000), 0);
}

static void a_claim_is_recalled(void **state)
{
    place is = { 0 };
    iswi_delivery *got[1];
    iswi_broker_op op;
    sem_t done;

    (void)state;
    sem_init(&done, 0, 0);
    begin(&is);
    op = claim_of(got, 1, &done);
    submit_claim(&is, &op);
    iswi_broker_recall(is.broker, &op);
    sem_wait(&done);
    assert_int_equal(op.error.status, ISW_E_CANCELLED);
    assert_int_equal(is.withdrawn, 1); /* the driver waits for no more for it */
    iswi_broker_recall(is.broker, &op); /* it is done: nothing */
    assert_int_equal(put_one(&is), ISW_OK);
    assert_int_equal(is.messages, 1);
    end(&is);
    sem_destroy(&done);
}

static void a_claim_that_is_recalled_at_once_is_tried_before(void **state)
{
    place is = { .gated = true };
    iswi_delivery *got[1];
    iswi_broker_op put;
    iswi_broker_op op;
    sem_t done;

    (void)state;
    sem_init(&done, 0, 0);
    begin(&is);
    put = put_of(&done);
    op = claim_of(got, 1, &done);
    iswi_broker_submit(is.broker, &put);
    sem_wait(&is.inside); /* it is busy, and finds both together */
    iswi_broker_submit(is.broker, &op);
    iswi_broker_recall(is.broker, &op);
    sem_post(&is.gate);
    sem_post(&is.gate);
    sem_wait(&done);
    sem_wait(&done);
    assert_int_equal(op.error.status, ISW_OK);
    free_all(&op);
    op = claim_of(got, 1, &done); /* and once more, for nothing */
    iswi_broker_submit(is.broker, &op);
    iswi_broker_recall(is.broker, &op);
    sem_post(&is.gate);
    sem_wait(&done);
    assert_int_equal(op.error.status, ISW_E_CANCELLED);
    sem_post(&is.gate);
    end(&is);
    sem_destroy(&done);
}

static void a_broker_that_ends_answers_what_waits(void **state)
{
    place is = { 0 };
    iswi_delivery *got[2][1];
    iswi_broker_op claims[2];
    sem_t done;

    (void)state;
    sem_init(&done, 0, 0);
    begin(&is);
    for (int i = 0; i < 2; i++) {
        claims[i] = claim_of(got[i], 1, &done);
        submit_claim(&is, &claims[i]);
    }
    end(&is);
    for (int i = 0; i < 2; i++) {
        sem_wait(&done);
        assert_int_equal(claims[i].error.status, ISW_E_CLOSED);
    }
    assert_int_equal(is.withdrawn, 2);
    assert_int_equal(is.closes, 1);
    sem_destroy(&done);
}

static void a_place_that_cannot_be_opened_is_tried_again(void **state)
{
    place is = { .closed_for = 3 };
    iswi_delivery *got[1];
    iswi_broker_op op;
    isw_error error = { 0 };
    sem_t done;

    (void)state;
    sem_init(&done, 0, 0);
    begin(&is);
    assert_int_equal(put_one(&is), ISW_E_UNAVAILABLE);
    assert_false(iswi_broker_is_well(is.broker, &error));
    assert_non_null(strstr(error.message, "it is night"));
    op = claim_of(got, 1, &done);
    submit_claim(&is, &op); /* which waits until it was opened */
    assert_int_equal(put_one(&is), ISW_OK);
    sem_wait(&done);
    assert_int_equal(op.as.claim.count, 1);
    assert_true(iswi_broker_is_well(is.broker, NULL));
    assert_int_equal(is.opens, 4);
    assert_int_equal(is.said[ISW_LOG_WARNING], 1);
    assert_int_equal(is.said[ISW_LOG_INFO], 1);
    free_all(&op);
    end(&is);
    sem_destroy(&done);
}

static void a_put_waits_for_a_place_that_may_be_opened_soon(void **state)
{
    place is = { .closed_for = 3, .patience_ms = 60000 };
    place never = { .closed_for = INT32_MAX, .patience_ms = 100 };

    (void)state;
    begin(&is);
    assert_int_equal(put_one(&is), ISW_OK);
    assert_int_equal(is.opens, 4);
    end(&is);
    begin(&never);
    assert_int_equal(put_one(&never), ISW_E_UNAVAILABLE);
    assert_int_equal(put_one(&never), ISW_E_UNAVAILABLE);
    end(&never);
}

static void a_place_that_is_none_fails_all_and_for_good(void **state)
{
    place is = { .bars = true };
    iswi_delivery *got[1];
    iswi_broker_op op = claim_of(got, 1, NULL);

    (void)state;
    begin(&is);
    assert_int_equal(put_one(&is), ISW_E_CONFIG);
    assert_int_equal(iswi_broker_run(is.broker, &op), ISW_E_CONFIG);
    assert_int_equal(is.opens, 1);
    assert_int_equal(is.said[ISW_LOG_ERROR], 1);
    end(&is);
}

static void what_is_lost_settles_after_it_was_opened_again(void **state)
{
    place is = { 0 };
    iswi_delivery *got[1];
    iswi_settlement settlement = { .verdict = ISWI_VERDICT_COMPLETE };
    iswi_broker_op settle = { .kind = ISWI_BROKER_SETTLE,
                              .as.settle = { .items = &settlement, .count = 1 } };
    iswi_broker_op op = claim_of(got, 1, NULL);

    (void)state;
    begin(&is);
    assert_int_equal(put_one(&is), ISW_OK);
    assert_int_equal(iswi_broker_run(is.broker, &op), ISW_OK);
    atomic_store(&is.loses, 1);
    assert_int_equal(put_one(&is), ISW_E_UNAVAILABLE);
    atomic_store(&is.loses, 1);
    settlement.delivery = got[0];
    assert_int_equal(iswi_broker_run(is.broker, &settle), ISW_OK);
    assert_int_equal(is.settled, 1);
    assert_int_equal(is.opens, 3);
    free_all(&op);
    end(&is);
}

static void a_disk_that_is_full_fails_puts_and_holds_the_others_up(void **state)
{
    place is = { .refuses = 2 };
    iswi_delivery *got[1];
    iswi_broker_op op = claim_of(got, 1, NULL);

    (void)state;
    begin(&is);
    atomic_store(&is.messages, 1);
    assert_int_equal(put_one(&is), ISW_E_UNAVAILABLE);
    assert_false(iswi_broker_is_well(is.broker, NULL));
    assert_int_equal(iswi_broker_run(is.broker, &op), ISW_OK);
    assert_true(iswi_broker_is_well(is.broker, NULL));
    assert_int_equal(is.opens, 1);
    free_all(&op);
    end(&is);
}

static void what_is_wrong_is_not_given_to_the_driver(void **state)
{
    static const iswi_queue_put odd = { .queue = { "a b", 3 } };
    static const iswi_queue_put keyed = { .queue = { "q", 1 }, .key = { "k", 1 } };
    place is = { 0 };
    iswi_broker_op op = { .kind = ISWI_BROKER_PUT, .as.put = { .items = &odd, .count = 1 } };

    (void)state;
    begin(&is);
    assert_int_equal(iswi_broker_run(is.broker, &op), ISW_E_INVALID);
    assert_non_null(strstr(op.error.message, "\"a b\" is no name of a queue"));
    op.as.put.items = &keyed;
    assert_int_equal(iswi_broker_run(is.broker, &op), ISW_E_UNSUPPORTED);
    op.as.put.count = 0;
    assert_int_equal(iswi_broker_run(is.broker, &op), ISW_E_INVALID);
    assert_int_equal(is.runs, 0);
    end(&is);
}

static void nothing_runs_at_rest(void **state)
{
    place is = { 0 };
    iswi_delivery *got[1];
    iswi_broker_op op = claim_of(got, 1, NULL);

    (void)state;
    begin(&is);
    submit_claim(&is, &op);
    while (atomic_load(&is.rests) == 0)
        usleep(1000);
    assert_broker_sleeps();
    op.done = post;
    op.user = &is.inside;
    end(&is);
}

static void a_place_that_is_lost_is_left_alone_until_it_is_tried_again(void **state)
{
    place is = { .patience_ms = 10000 };
    iswi_broker_op op;
    sem_t done;
    clock_t before;

    (void)state;
    begin(&is);
    sem_init(&done, 0, 0);
    atomic_store(&is.due_in_ms, 300);
    assert_int_equal(put_one(&is), ISW_OK);
    atomic_store(&is.loses, 1);
    atomic_store(&is.closed_for, 1000000);
    op = put_of(&done);
    iswi_broker_submit(is.broker, &op);
    usleep(400000); /* what is due is so since before */
    before = clock(); /* of the processor */
    usleep(500000);
    assert_in_range(clock() - before, 0, CLOCKS_PER_SEC / 20);
    assert_true(atomic_load(&is.opens) > 1);
    atomic_store(&is.closed_for, 0);
    sem_wait(&done);
    sem_destroy(&done);
    end(&is);
}

static void a_place_that_nobody_knows_is_refused(void **state)
{
    static const char *const slips[][2] = {
        { "queues.db", "; did you mean \"sqlite:queues.db\"? one is " },
        { "postgres://me:word@host/db", "; did you mean \"postgresql:...\"? one is " },
        { "carrier-pigeon:x", "for messages; one is " },
    };
    iswi_broker_options options = { .place = "carrier-pigeon:x" };
    iswi_broker *broker = NULL;
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(iswi_broker_create(&options, &broker, &error), ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "\"carrier-pigeon:x\" is no place for messages"));
    assert_null(broker);
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        error = (isw_error){ 0 };
        assert_int_equal(iswi_broker_check(slips[i][0], NULL, &error), ISW_E_CONFIG);
        assert_non_null(strstr(error.message, slips[i][1]));
    }
}

static void ids_that_are_made_sort_by_time(void **state)
{
    char a[ISWI_ULID_BYTES];
    char b[ISWI_ULID_BYTES];
    char c[ISWI_ULID_BYTES];

    (void)state;
    iswi_ulid(1469918176385, a);
    iswi_ulid(1469918176385, b);
    iswi_ulid(1469918176386, c);
    assert_memory_equal(a, "01ARYZ6S41", 10); /* the example of the specification */
    assert_int_equal(strlen(a), 26);
    assert_string_not_equal(a, b);
    assert_true(strcmp(a, c) < 0 && strcmp(b, c) < 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nothing_is_opened_before_it_is_needed),
    cmocka_unit_test(operations_of_a_moment_go_in_one_run),
    cmocka_unit_test(a_put_wakes_a_claim_in_the_same_run),
    cmocka_unit_test(a_put_elsewhere_leaves_a_claim_alone),
    cmocka_unit_test(what_becomes_due_wakes_a_claim),
    cmocka_unit_test(a_clock_that_is_set_back_holds_nothing_up),
    cmocka_unit_test(nothing_is_older_than_the_clock_says),
    cmocka_unit_test(a_claim_is_recalled),
    cmocka_unit_test(a_claim_that_is_recalled_at_once_is_tried_before),
    cmocka_unit_test(a_broker_that_ends_answers_what_waits),
    cmocka_unit_test(a_place_that_cannot_be_opened_is_tried_again),
    cmocka_unit_test(a_put_waits_for_a_place_that_may_be_opened_soon),
    cmocka_unit_test(a_place_that_is_none_fails_all_and_for_good),
    cmocka_unit_test(what_is_lost_settles_after_it_was_opened_again),
    cmocka_unit_test(a_disk_that_is_full_fails_puts_and_holds_the_others_up),
    cmocka_unit_test(what_is_wrong_is_not_given_to_the_driver),
    cmocka_unit_test(nothing_runs_at_rest),
    cmocka_unit_test(a_place_that_is_lost_is_left_alone_until_it_is_tried_again),
    cmocka_unit_test(a_place_that_nobody_knows_is_refused),
    cmocka_unit_test(ids_that_are_made_sort_by_time),
};

ISW_TEST_MAIN(tests)
