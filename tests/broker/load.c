/* SPDX-License-Identifier: Apache-2.0 */
/* The suite of brokers (support.h): many who put and many who claim at the same time. */
#include "broker/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRODUCERS = 8, CONSUMERS = 4, EACH = 150, MESSAGES = PRODUCERS * EACH, AT_ONCE = 8 };

typedef struct load {
    fixture *is;
    atomic_int next_producer;
    atomic_int completed[MESSAGES], claimed[MESSAGES];
    bool keyed;
} load;

static void *produce(void *user)
{
    load *of = user;
    const int producer = atomic_fetch_add(&of->next_producer, 1);

    for (int i = 0; i < EACH; i++) {
        char body[16];
        char key[16];

        snprintf(body, sizeof body, "%d", producer * EACH + i);
        snprintf(key, sizeof key, "%d", i % 5);
        assert_int_equal(put(of->is, (iswi_queue_put){ .body = { body, strlen(body) },
                                                       .key = text(of->keyed ? key : "") }),
                         ISW_OK);
    }
    return NULL;
}

/* False: it says that there is no more to come. */
static bool consume_one(load *of, iswi_delivery *got)
{
    int number;

    if (got->body.size == 0) {
        complete(of->is, got);
        return false;
    }
    number = atoi(iswi_arena_strndup(&got->arena, got->body.data, got->body.size));
    if (atomic_fetch_add(&of->claimed[number], 1) != 0)
        fail_msg("%d is with two at once", number);
    atomic_fetch_sub(&of->claimed[number], 1);
    if (number % 7 == 0 && got->attempt == 1) {
        settle(of->is, got, ISWI_VERDICT_ABANDON, 0, "once more");
        return true;
    }
    atomic_fetch_add(&of->completed[number], 1);
    complete(of->is, got);
    return true;
}

static void *consume(void *user)
{
    load *of = user;
    bool more = true;

    while (more) {
        iswi_delivery *items[AT_ONCE];
        const size_t count = claim_many(of->is, items, AT_ONCE);

        for (size_t i = 0; i < count; i++)
            if (more)
                more = consume_one(of, items[i]);
            else
                settle(of->is, items[i], ISWI_VERDICT_ABANDON, 0, "for another one");
    }
    return NULL;
}

/* Until all that was put is done with, but for what ends those who claim. */
static void end_consumers(load *of, pthread_t *threads)
{
    iswi_broker_queue seen;

    do
        seen = look(of->is);
    while (seen.counts[ISWI_MESSAGE_READY] || seen.counts[ISWI_MESSAGE_CLAIMED]);
    for (int i = 0; i < CONSUMERS; i++)
        assert_int_equal(put(of->is, (iswi_queue_put){ 0 }), ISW_OK);
    for (int i = 0; i < CONSUMERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void run_load(fixture *is, bool keyed)
{
    load *of = calloc(1, sizeof *of);
    pthread_t consumers[CONSUMERS];
    pthread_t producers[PRODUCERS];

    assert_non_null(of);
    of->is = is;
    of->keyed = keyed;
    for (int i = 0; i < CONSUMERS; i++)
        assert_int_equal(pthread_create(&consumers[i], NULL, consume, of), 0);
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&producers[i], NULL, produce, of), 0);
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_join(producers[i], NULL), 0);
    end_consumers(of, consumers);
    for (int i = 0; i < MESSAGES; i++)
        if (atomic_load(&of->completed[i]) != 1)
            fail_msg("%d was completed %d times", i, atomic_load(&of->completed[i]));
    assert_int_equal(look(is).completed, MESSAGES + CONSUMERS);
    free(of);
}

static void each_message_is_with_one_at_a_time_and_completed_once(void **state)
{
    run_load(*state, false);
}

static void so_it_is_with_keys(void **state)
{
    needs(*state, ISWI_BROKER_KEYS);
    run_load(*state, true);
}

static void claims_are_recalled_while_messages_come(void **state)
{
    enum { TIMES = 300 };
    fixture *is = *state;
    int got = 0;

    for (int i = 0; i < TIMES; i++) {
        handed waiting;

        hand_claim(is, &waiting, 1);
        assert_int_equal(put_text(is, "x"), ISW_OK);
        if (i % 2)
            iswi_broker_recall(is->broker, &waiting.op);
        hand_wait(&waiting);
        if (waiting.op.error.status == ISW_OK) {
            complete(is, waiting.items[0]);
            got++;
        }
    }
    assert_int_equal(look(is).counts[ISWI_MESSAGE_READY], TIMES - got);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(each_message_is_with_one_at_a_time_and_completed_once,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(so_it_is_with_keys, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(claims_are_recalled_while_messages_come,
                                    fixture_begin, fixture_end),
};

ISW_TEST_MAIN(tests)
