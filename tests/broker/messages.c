/* SPDX-License-Identifier: Apache-2.0 */
/* The suite of brokers (support.h): messages, from being put to being done with. */
#include "broker/support.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    return iswi_wall_us() / 1000;
}

/* -- Putting and claiming ---------------------------------------------------------------------- */

static void a_message_is_delivered_as_it_was_put(void **state)
{
    fixture *is = *state;
    const int64_t before_ms = now_ms();
    iswi_delivery *got;

    assert_int_equal(put(is, (iswi_queue_put){ .body = { "\0x\xff", 3 },
                                               .content_type = text("application/x"),
                                               .id = text("order-7\xc3\xa9"),
                                               .trace = text("00-aa-bb-01") }),
                     ISW_OK);
    got = claim(is);
    assert_true(isw_str_equal(got->queue, is->queue));
    assert_text(got->id, "order-7\xc3\xa9");
    assert_text(got->content_type, "application/x");
    assert_text(got->trace, "00-aa-bb-01");
    assert_text(got->key, "");
    assert_text(got->last_error, "");
    assert_int_equal(got->body.size, 3);
    assert_memory_equal(got->body.data, "\0x\xff", 3);
    assert_int_equal(got->state, ISWI_MESSAGE_CLAIMED);
    assert_int_equal(got->attempt, 1);
    assert_true(got->put_ms >= before_ms && got->put_ms <= now_ms());
    assert_int_equal(got->expires_ms, 0);
    assert_int_equal(got->died_ms, 0);
    complete(is, got);
}

static void a_message_without_an_id_gets_one(void **state)
{
    fixture *is = *state;
    iswi_delivery *got[2];

    assert_int_equal(put_text(is, "a"), ISW_OK);
    assert_int_equal(put_text(is, "b"), ISW_OK);
    got[0] = claim(is);
    got[1] = claim(is);
    assert_true(got[0]->id.size > 0);
    assert_false(isw_str_equal(got[0]->id, got[1]->id));
    assert_true(got[0]->number < got[1]->number);
    complete(is, got[0]);
    complete(is, got[1]);
}

static void messages_come_in_the_order_in_which_they_were_put(void **state)
{
    enum { COUNT = 100 };
    fixture *is = *state;
    char texts[COUNT][8];
    iswi_queue_put items[COUNT] = { 0 };

    for (int i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof texts[i], "%d", i);
        items[i].body = (isw_bytes){ texts[i], strlen(texts[i]) };
    }
    assert_int_equal(put_many(is, items, COUNT / 2, NULL), ISW_OK);
    assert_int_equal(put_many(is, &items[COUNT / 2], COUNT / 2, NULL), ISW_OK);
    for (int i = 0; i < COUNT; i++) {
        iswi_delivery *got = claim(is);

        assert_body(got, texts[i]);
        complete(is, got);
    }
    assert_nothing_is_ready(is);
}

static void bodies_of_all_sizes_come_back_whole(void **state)
{
    static const size_t sizes[] = { 0, 1, 2047, 2048, 2049, 5000, 1000000, ISWI_QUEUED_MAX_BYTES };
    fixture *is = *state;
    char *body = malloc(ISWI_QUEUED_MAX_BYTES + 1);

    assert_non_null(body);
    for (size_t i = 0; i <= ISWI_QUEUED_MAX_BYTES; i++)
        body[i] = (char)(i * 7 + i / 4096);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        iswi_delivery *got;

        assert_int_equal(put(is, (iswi_queue_put){ .body = { body, sizes[i] } }), ISW_OK);
        got = claim(is);
        assert_int_equal(got->body.size, sizes[i]);
        assert_memory_equal(got->body.data, body, sizes[i]);
        complete(is, got);
    }
    assert_int_equal(put(is, (iswi_queue_put){ .body = { body, ISWI_QUEUED_MAX_BYTES + 1 } }),
                     ISW_E_TOO_LARGE);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_READY], 0);
    free(body);
}

static void a_claim_takes_what_there_is_up_to_what_it_asks_for(void **state)
{
    fixture *is = *state;
    iswi_delivery *got[16];

    for (int i = 0; i < 5; i++)
        assert_int_equal(put_text(is, "x"), ISW_OK);
    assert_int_equal(claim_many(is, got, 3), 3);
    assert_int_equal(claim_many(is, &got[3], 10), 2);
    assert_nothing_is_ready(is);
    for (int i = 0; i < 5; i++)
        complete(is, got[i]);
}

static void a_claim_waits_until_something_is_put(void **state)
{
    fixture *is = *state;
    handed waiting;

    hand_claim(is, &waiting, 5);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_CLAIMED], 0);
    assert_int_equal(put_text(is, "at last"), ISW_OK);
    hand_wait(&waiting);
    assert_int_equal(waiting.op.error.status, ISW_OK);
    assert_int_equal(waiting.op.as.claim.count, 1);
    assert_body(waiting.items[0], "at last");
    complete(is, waiting.items[0]);
}

static void who_waited_first_is_served_first(void **state)
{
    fixture *is = *state;
    handed first;
    handed second;

    hand_claim(is, &first, 1);
    hand_claim(is, &second, 1);
    assert_int_equal(put_text(is, "1"), ISW_OK);
    hand_wait(&first);
    assert_int_equal(put_text(is, "2"), ISW_OK);
    hand_wait(&second);
    assert_body(first.items[0], "1");
    assert_body(second.items[0], "2");
    complete(is, first.items[0]);
    complete(is, second.items[0]);
}

/* -- Settling ---------------------------------------------------------------------------------- */

static void a_completed_message_is_gone(void **state)
{
    fixture *is = *state;
    iswi_delivery *items[4];

    assert_int_equal(put_text(is, "x"), ISW_OK);
    complete(is, claim(is));
    assert_nothing_is_ready(is);
    assert_int_equal(list(is, (iswi_message_filter){ 0 }, items, 4), 0);
}

static void an_abandoned_message_comes_again_with_its_cause(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;

    assert_int_equal(put_text(is, "x"), ISW_OK);
    got = claim(is);
    assert_false(settle(is, got, ISWI_VERDICT_ABANDON, 0, "no money").died);
    got = claim(is);
    assert_int_equal(got->attempt, 2);
    assert_text(got->last_error, "no money");
    complete(is, got);
}

static void an_abandoned_message_waits_out_its_delay(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;
    int64_t begun_ms;

    assert_int_equal(put_text(is, "x"), ISW_OK);
    begun_ms = now_ms();
    settle(is, claim(is), ISWI_VERDICT_ABANDON, 80, "later");
    assert_nothing_is_ready(is);
    got = claim(is);
    assert_true(now_ms() >= begun_ms + 80);
    assert_int_equal(got->attempt, 2);
    complete(is, got);
}

static void a_deferred_attempt_does_not_count(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;

    assert_int_equal(declare(is, (iswi_queue_options){ .max_attempts = 2 }), ISW_OK);
    assert_int_equal(put_text(is, "x"), ISW_OK);
    for (int i = 0; i < 5; i++)
        assert_false(settle(is, claim(is), ISWI_VERDICT_DEFER, 0, NULL).died);
    got = claim(is);
    assert_int_equal(got->attempt, 1);
    complete(is, got);
}

static void a_message_is_dead_after_its_attempts(void **state)
{
    fixture *is = *state;
    iswi_delivery *dead[4];

    assert_int_equal(declare(is, (iswi_queue_options){ .max_attempts = 3 }), ISW_OK);
    assert_int_equal(put_text(is, "poison"), ISW_OK);
    for (int i = 1; i <= 3; i++) {
        iswi_delivery *got = claim(is);

        assert_int_equal(got->attempt, i);
        assert_int_equal(settle(is, got, ISWI_VERDICT_ABANDON, 0, i < 3 ? "again" : "the end").died,
                         i == 3);
    }
    assert_nothing_is_ready(is);
    assert_int_equal(list(is, only(ISWI_MESSAGE_DEAD), dead, 4), 1);
    assert_body(dead[0], "poison");
    assert_text(dead[0]->last_error, "the end");
    assert_int_equal(dead[0]->attempt, 3);
    assert_true(dead[0]->died_ms >= dead[0]->put_ms);
    iswi_delivery_free(dead[0]);
}

static void a_message_is_dead_when_that_is_said(void **state)
{
    fixture *is = *state;
    iswi_delivery *dead[4];

    assert_int_equal(put_text(is, "x"), ISW_OK);
    assert_true(settle(is, claim(is), ISWI_VERDICT_DEAD, 0, "not an order").died);
    assert_int_equal(list(is, only(ISWI_MESSAGE_DEAD), dead, 4), 1);
    assert_text(dead[0]->last_error, "not an order");
    iswi_delivery_free(dead[0]);
}

static void an_extended_claim_stays(void **state)
{
    fixture *is = *state;
    iswi_settlement more;
    iswi_broker_op op = { .kind = ISWI_BROKER_SETTLE,
                          .as.settle = { .items = &more, .count = 1 } };

    assert_int_equal(put_text(is, "x"), ISW_OK);
    more = (iswi_settlement){ .delivery = claim(is), .verdict = ISWI_VERDICT_EXTEND };
    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_OK);
    assert_false(more.lost);
    assert_nothing_is_ready(is);
    complete(is, more.delivery);
}

static void what_is_settled_twice_is_lost_the_second_time(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;
    iswi_settlement done;
    iswi_broker_op op = { .kind = ISWI_BROKER_SETTLE,
                          .as.settle = { .items = &done, .count = 1 } };

    assert_int_equal(put_text(is, "x"), ISW_OK);
    got = claim(is);
    done = (iswi_settlement){ .delivery = got, .verdict = ISWI_VERDICT_DEFER };
    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_OK);
    complete(is, claim(is));
    done.verdict = ISWI_VERDICT_COMPLETE;
    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_OK);
    assert_true(done.lost);
    done.verdict = ISWI_VERDICT_ABANDON;
    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_OK);
    assert_true(done.lost);
    iswi_delivery_free(got);
}

static void what_is_settled_twice_at_once_is_settled_once(void **state)
{
    fixture *is = *state;
    iswi_settlement both[2];
    iswi_broker_op op = { .kind = ISWI_BROKER_SETTLE,
                          .as.settle = { .items = both, .count = 2 } };

    assert_int_equal(put_text(is, "x"), ISW_OK);
    both[0] = both[1] = (iswi_settlement){ .delivery = claim(is), .verdict = ISWI_VERDICT_DEAD };
    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_OK);
    assert_true(both[0].died && !both[0].lost);
    assert_true(both[1].lost && !both[1].died);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_DEAD], 1);
    assert_int_equal(look(is).died, 1);
    iswi_delivery_free(both[0].delivery);
}

static void of_many_complete_at_once_only_what_was_so_before_is_lost(void **state)
{
    enum { COUNT = 45 };
    fixture *is = *state;
    iswi_queue_put items[COUNT] = { 0 };
    iswi_delivery *got[COUNT];
    iswi_settlement odd[COUNT / 2];
    iswi_settlement all[COUNT];
    iswi_broker_op before = { .kind = ISWI_BROKER_SETTLE,
                              .as.settle = { .items = odd, .count = COUNT / 2 } };
    iswi_broker_op op = { .kind = ISWI_BROKER_SETTLE,
                          .as.settle = { .items = all, .count = COUNT } };
    size_t claimed = 0;
    char bodies[COUNT][8];

    for (int i = 0; i < COUNT; i++)
        items[i].body = (isw_bytes){ bodies[i], (size_t)sprintf(bodies[i], "%d", i) };
    assert_int_equal(put_many(is, items, COUNT, NULL), ISW_OK);
    while (claimed < COUNT)
        claimed += claim_many(is, &got[claimed], COUNT - claimed);
    for (int i = 0; i < COUNT; i++) {
        assert_body(got[i], bodies[i]);
        all[i] = (iswi_settlement){ .delivery = got[i], .verdict = ISWI_VERDICT_COMPLETE };
        if (i % 2)
            odd[i / 2] = all[i];
    }
    assert_int_equal(iswi_broker_run(is->broker, &before), ISW_OK);
    for (int i = 0; i < COUNT / 2; i++)
        assert_false(odd[i].lost);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_CLAIMED], COUNT - COUNT / 2);
    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_OK);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(all[i].lost, i % 2);
    assert_int_equal(look(is).completed, COUNT);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_CLAIMED], 0);
    for (int i = 0; i < COUNT; i++)
        iswi_delivery_free(got[i]);
}

static void what_is_put_with_a_settlement_comes_with_it_or_not_at_all(void **state)
{
    fixture *is = *state;
    iswi_queue_put puts[2] = { { .queue = is->queue, .body = { "out", 3 } },
                               { .queue = text("nowhere-at-all"), .body = { "out", 3 } } };
    iswi_settlement done = { .verdict = ISWI_VERDICT_COMPLETE };
    iswi_broker_op op = { .kind = ISWI_BROKER_SETTLE,
                          .as.settle = { .items = &done, .count = 1, .puts = puts,
                                         .put_count = 2 } };
    iswi_delivery *got;

    needs(is, ISWI_BROKER_ATOMIC);
    assert_int_equal(put_text(is, "in"), ISW_OK);
    got = done.delivery = claim(is);
    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_E_NOT_FOUND);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_CLAIMED], 1);
    assert_nothing_is_ready(is);
    op.as.settle.put_count = 1;
    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_OK);
    assert_false(done.lost);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_READY], 1);
    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_OK);
    assert_true(done.lost); /* so nothing is put a second time */
    assert_int_equal(look(is).counts[ISWI_MESSAGE_READY], 1);
    iswi_delivery_free(got);
}

/* -- Times ------------------------------------------------------------------------------------- */

static void a_delayed_message_is_not_delivered_before(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;

    assert_int_equal(put(is, (iswi_queue_put){ .body = { "late", 4 }, .delay_ms = 150 }), ISW_OK);
    assert_int_equal(put_text(is, "now"), ISW_OK);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_DELAYED], 1);
    got = claim(is);
    assert_body(got, "now");
    complete(is, got);
    got = claim(is);
    assert_body(got, "late");
    assert_true(now_ms() >= got->put_ms + 150);
    assert_true(got->due_ms >= got->put_ms + 150);
    complete(is, got);
}

static void a_message_that_expires_is_dead(void **state)
{
    fixture *is = *state;
    iswi_delivery *dead[4];
    iswi_delivery *got;

    assert_int_equal(put(is, (iswi_queue_put){ .body = { "1", 1 }, .expires_ms = 30 }), ISW_OK);
    assert_int_equal(put(is, (iswi_queue_put){ .body = { "2", 1 }, .expires_ms = 3600000 }),
                     ISW_OK);
    while (look(is).counts[ISWI_MESSAGE_DEAD] == 0)
        usleep(2000);
    got = claim(is);
    assert_body(got, "2");
    assert_int_equal(got->expires_ms, got->put_ms + 3600000);
    complete(is, got);
    assert_int_equal(list(is, only(ISWI_MESSAGE_DEAD), dead, 4), 1);
    assert_body(dead[0], "1");
    assert_text(dead[0]->last_error, "expired");
    iswi_delivery_free(dead[0]);
}

static void a_claimed_message_does_not_expire_while_it_is_worked_on(void **state)
{
    fixture *is = *state;
    iswi_delivery *got[2];

    for (int i = 0; i < 2; i++)
        assert_int_equal(put(is, (iswi_queue_put){ .body = { "x", 1 }, .expires_ms = 300 }),
                         ISW_OK);
    assert_int_equal(claim_many(is, got, 1) + claim_now(is, &got[1], 1), 2);
    while (now_ms() <= got[1]->expires_ms)
        usleep(2000);
    complete(is, got[0]);
    assert_true(settle(is, got[1], ISWI_VERDICT_ABANDON, 0, "again").died);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_DEAD], 1);
}

/* -- Ids --------------------------------------------------------------------------------------- */

static void an_id_is_put_once_within_the_window(void **state)
{
    fixture *is = *state;
    iswi_queue_put items[] = { { .id = text("a") }, { .id = text("b") }, { .id = text("a") } };
    size_t duplicates;

    assert_int_equal(declare(is, (iswi_queue_options){ .window_ms = 3600000 }), ISW_OK);
    assert_int_equal(put_many(is, items, 3, &duplicates), ISW_OK);
    assert_int_equal(duplicates, 1);
    assert_int_equal(put_many(is, items, 2, &duplicates), ISW_OK);
    assert_int_equal(duplicates, 2);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_READY], 2);
    assert_int_equal(look(is).duplicates, 3);
    complete(is, claim(is));
    assert_int_equal(put_many(is, items, 1, &duplicates), ISW_OK); /* done with, and known still */
    assert_int_equal(duplicates, 1);
    complete(is, claim(is));
}

static void an_id_is_forgotten_after_the_window(void **state)
{
    fixture *is = *state;
    iswi_queue_put item = { .id = text("a") };
    size_t duplicates = 1;

    assert_int_equal(declare(is, (iswi_queue_options){ .window_ms = 100 }), ISW_OK);
    assert_int_equal(put_many(is, &item, 1, NULL), ISW_OK);
    while (duplicates) {
        usleep(5000);
        assert_int_equal(put_many(is, &item, 1, &duplicates), ISW_OK);
    }
    assert_int_equal(look(is).counts[ISWI_MESSAGE_READY], 2);
}

/* -- Priorities and keys ----------------------------------------------------------------------- */

static void a_higher_priority_comes_first(void **state)
{
    static const struct { const char *body; int priority; } rows[] = {
        { "3", 0 }, { "5", -7 }, { "1", 9 }, { "4", 0 }, { "2", 9 },
    };
    fixture *is = *state;

    needs(is, ISWI_BROKER_PRIORITY);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(put(is, (iswi_queue_put){ .body = { rows[i].body, 1 },
                                                   .priority = rows[i].priority }),
                         ISW_OK);
    for (char expected[] = "1"; *expected <= '5'; ++*expected) {
        iswi_delivery *got = claim(is);

        assert_body(got, expected);
        complete(is, got);
    }
}

static void put_keyed(fixture *is, const char *body, const char *key)
{
    assert_int_equal(put(is, (iswi_queue_put){ .body = { body, strlen(body) }, .key = text(key) }),
                     ISW_OK);
}

static void messages_of_a_key_come_one_at_a_time_in_their_order(void **state)
{
    fixture *is = *state;
    iswi_delivery *got[16];

    needs(is, ISWI_BROKER_KEYS);
    put_keyed(is, "a1", "a");
    put_keyed(is, "a2", "a");
    put_keyed(is, "b1", "b");
    put_keyed(is, "a3", "a");
    assert_int_equal(look(is).counts[ISWI_MESSAGE_READY], 4);
    assert_int_equal(claim_many(is, got, 16), 2);
    assert_body(got[0], "a1");
    assert_body(got[1], "b1");
    assert_text(got[0]->key, "a");
    assert_nothing_is_ready(is);
    complete(is, got[1]);
    assert_nothing_is_ready(is);
    complete(is, got[0]);
    got[0] = claim(is);
    assert_body(got[0], "a2");
    assert_true(settle(is, got[0], ISWI_VERDICT_DEAD, 0, "x").died);
    got[0] = claim(is);
    assert_body(got[0], "a3");
    complete(is, got[0]);
}

static void a_retry_holds_its_key(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;

    needs(is, ISWI_BROKER_KEYS);
    put_keyed(is, "a1", "a");
    put_keyed(is, "a2", "a");
    settle(is, claim(is), ISWI_VERDICT_ABANDON, 60, "later");
    assert_nothing_is_ready(is);
    got = claim(is);
    assert_body(got, "a1");
    settle(is, got, ISWI_VERDICT_ABANDON, 0, "at once");
    got = claim(is);
    assert_body(got, "a1");
    complete(is, got);
    got = claim(is);
    assert_body(got, "a2");
    complete(is, got);
}

static void a_claim_that_waits_is_woken_by_a_key_that_is_free(void **state)
{
    fixture *is = *state;
    iswi_delivery *first;
    handed waiting;

    needs(is, ISWI_BROKER_KEYS);
    put_keyed(is, "a1", "a");
    put_keyed(is, "a2", "a");
    first = claim(is);
    hand_claim(is, &waiting, 1);
    complete(is, first);
    hand_wait(&waiting);
    assert_body(waiting.items[0], "a2");
    complete(is, waiting.items[0]);
}

static void a_message_behind_others_of_its_key_waits_for_its_own_delay_too(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;
    int64_t due_ms;

    needs(is, ISWI_BROKER_KEYS);
    put_keyed(is, "a1", "a");
    due_ms = now_ms() + 100; /* or later: by when it is put */
    assert_int_equal(put(is, (iswi_queue_put){ .body = { "a2", 2 }, .key = text("a"),
                                               .delay_ms = 100 }),
                     ISW_OK);
    complete(is, claim(is));
    got = claim(is);
    assert_body(got, "a2");
    assert_true(now_ms() >= due_ms);
    complete(is, got);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_message_is_delivered_as_it_was_put,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_message_without_an_id_gets_one, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(messages_come_in_the_order_in_which_they_were_put,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(bodies_of_all_sizes_come_back_whole,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_claim_takes_what_there_is_up_to_what_it_asks_for,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_claim_waits_until_something_is_put,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(who_waited_first_is_served_first, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_completed_message_is_gone, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(an_abandoned_message_comes_again_with_its_cause,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(an_abandoned_message_waits_out_its_delay,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_deferred_attempt_does_not_count, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_message_is_dead_after_its_attempts,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_message_is_dead_when_that_is_said,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(an_extended_claim_stays, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(what_is_settled_twice_is_lost_the_second_time,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(what_is_settled_twice_at_once_is_settled_once,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(of_many_complete_at_once_only_what_was_so_before_is_lost,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(what_is_put_with_a_settlement_comes_with_it_or_not_at_all,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_delayed_message_is_not_delivered_before,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_message_that_expires_is_dead, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_claimed_message_does_not_expire_while_it_is_worked_on,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(an_id_is_put_once_within_the_window,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(an_id_is_forgotten_after_the_window,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_higher_priority_comes_first, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(messages_of_a_key_come_one_at_a_time_in_their_order,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_retry_holds_its_key, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_claim_that_waits_is_woken_by_a_key_that_is_free,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_message_behind_others_of_its_key_waits_for_its_own_delay_too,
                                    fixture_begin, fixture_end),
};

ISW_TEST_MAIN(tests)
