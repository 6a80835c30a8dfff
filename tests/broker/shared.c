/* SPDX-License-Identifier: Apache-2.0 */
/* The suite of brokers (support.h): two hosts at one place that may be shared. */
#include "broker/support.h"

#include "base/clock.h"

#include <string.h>
#include <unistd.h>

enum { LEASE_MS = 400 };

typedef struct pair {
    fixture *is;
    iswi_broker *one, *other;
} pair;

static pair two(void **state)
{
    fixture *is = *state;
    pair of = { .is = is, .one = is->broker };

    needs(is, ISWI_BROKER_SHARED);
    assert_int_equal(declare(is, (iswi_queue_options){ .lease_ms = LEASE_MS, .max_attempts = 2 }),
                     ISW_OK);
    of.other = broker_open(is);
    return of;
}

static void end(pair *of)
{
    of->is->broker = of->one;
    iswi_broker_destroy(of->other);
}

/* What follows is done by this one. */
static fixture *by(pair *of, iswi_broker *broker)
{
    of->is->broker = broker;
    return of->is;
}

static void what_one_puts_wakes_the_other(void **state)
{
    pair of = two(state);
    handed waiting;

    hand_claim(by(&of, of.other), &waiting, 1);
    assert_int_equal(put_text(by(&of, of.one), "hello"), ISW_OK);
    hand_wait(&waiting);
    assert_int_equal(waiting.op.error.status, ISW_OK);
    assert_body(waiting.items[0], "hello");
    assert_nothing_is_ready(by(&of, of.one));
    complete(by(&of, of.other), waiting.items[0]);
    end(&of);
}

static void what_one_delays_comes_to_the_other(void **state)
{
    pair of = two(state);
    const int64_t begun_ms = iswi_wall_us() / 1000;
    handed waiting;

    hand_claim(by(&of, of.other), &waiting, 1);
    assert_int_equal(put(by(&of, of.one), (iswi_queue_put){ .body = { "x", 1 }, .delay_ms = 120 }),
                     ISW_OK);
    hand_wait(&waiting);
    assert_true(iswi_wall_us() / 1000 >= begun_ms + 120);
    assert_int_equal(waiting.items[0]->attempt, 1);
    complete(by(&of, of.other), waiting.items[0]);
    end(&of);
}

/* Where the server minds the time; else clocks must agree. */
static void what_a_host_delays_whose_clock_is_ahead_waits_no_longer(void **state)
{
    pair of = two(state);
    iswi_broker *ahead;

    if (!(iswi_broker_abilities(of.one) & ISWI_BROKER_SEES_ENDS)) {
        iswi_clock_fake(iswi_now_ns(), iswi_wall_us() + INT64_C(3600000000));
        ahead = broker_open(of.is);
        assert_int_equal(put(by(&of, ahead),
                             (iswi_queue_put){ .body = { "x", 1 }, .delay_ms = 50 }), ISW_OK);
        iswi_broker_destroy(ahead);
        iswi_clock_real();
        broker_reopen(by(&of, of.one)); /* which may have seen that time, too */
        of.one = of.is->broker;
        complete(of.is, claim(of.is));
    }
    end(&of);
}

static void an_id_that_one_has_put_is_known_to_the_other(void **state)
{
    pair of = two(state);
    iswi_queue_put item = { .id = text("a") };
    size_t duplicates;

    assert_int_equal(declare(by(&of, of.one), (iswi_queue_options){ .window_ms = 3600000 }),
                     ISW_OK);
    assert_int_equal(put_many(of.is, &item, 1, NULL), ISW_OK);
    assert_int_equal(put_many(by(&of, of.other), &item, 1, &duplicates), ISW_OK);
    assert_int_equal(duplicates, 1);
    end(&of);
}

static isw_status set_pause(fixture *is, bool paused)
{
    iswi_broker_op op = { .kind = ISWI_BROKER_PAUSE, .queue = is->queue, .as.pause = paused };

    return iswi_broker_run(is->broker, &op);
}

static void what_one_pauses_is_paused_for_the_other(void **state)
{
    pair of = two(state);
    handed waiting;

    hand_claim(by(&of, of.other), &waiting, 1);
    assert_int_equal(set_pause(by(&of, of.one), true), ISW_OK);
    assert_int_equal(put_text(of.is, "x"), ISW_OK);
    assert_true(look(by(&of, of.other)).paused);
    while (look(of.is).counts[ISWI_MESSAGE_READY] != 1) /* one may have been on its way */
        usleep(2000);
    assert_int_equal(sem_trywait(&waiting.done), -1);
    assert_int_equal(set_pause(by(&of, of.one), false), ISW_OK);
    hand_wait(&waiting);
    assert_int_equal(waiting.op.error.status, ISW_OK);
    complete(by(&of, of.other), waiting.items[0]);
    end(&of);
}

static void what_is_held_longer_than_its_lease_is_nobody_elses(void **state)
{
    pair of = two(state);
    iswi_delivery *held;
    int64_t until_ms;

    assert_int_equal(put_text(by(&of, of.one), "x"), ISW_OK);
    held = claim(of.is);
    until_ms = iswi_wall_us() / 1000 + 3 * LEASE_MS;
    while (iswi_wall_us() / 1000 < until_ms) {
        assert_nothing_is_ready(by(&of, of.other));
        usleep(20000);
    }
    complete(by(&of, of.one), held);
    assert_int_equal(look(of.is).counts[ISWI_MESSAGE_CLAIMED], 0);
    end(&of);
}

static void what_one_held_when_it_ended_comes_to_the_other(void **state)
{
    pair of = two(state);
    iswi_delivery *held;
    iswi_delivery *got;

    assert_int_equal(put_text(by(&of, of.one), "x"), ISW_OK);
    held = claim(by(&of, of.other));
    iswi_broker_destroy(of.other);
    iswi_delivery_free(held);
    got = claim(by(&of, of.one));
    assert_int_equal(got->attempt, 2);
    assert_text(got->last_error, "its host ended during attempt 1");
    iswi_delivery_free(got);
    of.other = of.one;
    broker_reopen(of.is); /* that was the last attempt */
    while (look(of.is).counts[ISWI_MESSAGE_DEAD] == 0)
        assert_nothing_is_ready(of.is);
    assert_int_equal(list(of.is, only(ISWI_MESSAGE_DEAD), &got, 1), 1);
    assert_int_equal(got->attempt, 2);
    assert_text(got->last_error, "its host ended during attempt 2");
    iswi_delivery_free(got);
}

static void a_record_is_the_same_for_both(void **state)
{
    pair of = two(state);
    iswi_broker_op op = { .kind = ISWI_BROKER_RECORD_WRITE };

    needs(of.is, ISWI_BROKER_RECORDS);
    op.as.record.record = (iswi_record){ .name = of.is->queue, .value = { "a", 1 } };
    assert_int_equal(iswi_broker_run(of.one, &op), ISW_OK);
    assert_int_equal(iswi_broker_run(of.other, &op), ISW_OK); /* over the version that it was given */
    op.as.record.record.version--;
    assert_int_equal(iswi_broker_run(of.one, &op), ISW_E_CONFLICT);
    end(&of);
}

static void nothing_runs_while_a_claim_waits(void **state)
{
    fixture *is = *state;
    handed waiting;

    needs(is, ISWI_BROKER_SHARED);
    assert_int_equal(put_text(is, "x"), ISW_OK);
    complete(is, claim(is));
    hand_claim(is, &waiting, 1);
    assert_broker_sleeps();
    iswi_broker_recall(is->broker, &waiting.op);
    hand_wait(&waiting);
    assert_int_equal(waiting.op.error.status, ISW_E_CANCELLED);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

static const struct CMUnitTest tests[] = {
    CASE(what_one_puts_wakes_the_other),
    CASE(what_one_delays_comes_to_the_other),
    CASE(what_a_host_delays_whose_clock_is_ahead_waits_no_longer),
    CASE(an_id_that_one_has_put_is_known_to_the_other),
    CASE(what_one_pauses_is_paused_for_the_other),
    CASE(what_is_held_longer_than_its_lease_is_nobody_elses),
    CASE(what_one_held_when_it_ended_comes_to_the_other),
    CASE(a_record_is_the_same_for_both),
    CASE(nothing_runs_while_a_claim_waits),
};

ISW_TEST_MAIN(tests)
