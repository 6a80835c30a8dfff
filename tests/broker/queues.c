/* SPDX-License-Identifier: Apache-2.0 */
/* The suite of brokers (support.h): queues as a whole, what operators do to them, and records. */
#include "broker/support.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void free_all(iswi_delivery **items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        iswi_delivery_free(items[i]);
}

/* -- What a queue keeps to --------------------------------------------------------------------- */

static void a_queue_that_was_not_declared_is_not_found(void **state)
{
    fixture *is = *state;
    iswi_delivery *items[1];
    iswi_broker_op ops[] = {
        { .kind = ISWI_BROKER_CLAIM, .as.claim = { .items = items, .max = 1 } },
        { .kind = ISWI_BROKER_LOOK },
        { .kind = ISWI_BROKER_LIST, .as.list = { .items = items, .max = 1 } },
        { .kind = ISWI_BROKER_PURGE, .as.sweep.max = 1 },
        { .kind = ISWI_BROKER_REPLAY, .as.sweep.max = 1 },
        { .kind = ISWI_BROKER_PAUSE, .as.pause = true },
    };

    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        ops[i].queue = text("nowhere-at-all");
        assert_int_equal(iswi_broker_run(is->broker, &ops[i]), ISW_E_NOT_FOUND);
        assert_non_null(strstr(ops[i].error.message, "nowhere-at-all"));
    }
    assert_int_equal(put(is, (iswi_queue_put){ .queue = text("nowhere-at-all") }),
                     ISW_E_NOT_FOUND);
}

static void assert_full(fixture *is, isw_bytes body, const char *bound)
{
    const iswi_queue_put item = { .queue = is->queue, .body = body };
    iswi_broker_op op = { .kind = ISWI_BROKER_PUT, .as.put = { .items = &item, .count = 1 } };

    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_E_BUSY);
    if (!strstr(op.error.message, bound))
        fail_msg("\"%s\" does not say \"%s\"", op.error.message, bound);
}

static void a_full_queue_takes_all_of_a_put_or_nothing(void **state)
{
    fixture *is = *state;
    iswi_queue_put items[3] = { { .body = { "1", 1 } }, { .body = { "2", 1 } },
                                { .body = { "3", 1 } } };

    assert_int_equal(declare(is, (iswi_queue_options){ .max_messages = 4 }), ISW_OK);
    assert_int_equal(put_many(is, items, 3, NULL), ISW_OK);
    assert_int_equal(put_many(is, items, 2, NULL), ISW_E_BUSY);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_READY], 3);
    assert_int_equal(put_many(is, items, 1, NULL), ISW_OK);
    assert_full(is, (isw_bytes){ "4", 1 }, "is full: it has 4 messages of 4 (max_messages)");
    complete(is, claim(is));
    assert_int_equal(put_many(is, items, 1, NULL), ISW_OK);
}

/* Exactly, or with what the place has beside each body. */
static void assert_bytes(fixture *is, int64_t seen, int64_t bodies, int64_t messages)
{
    const bool is_exact = iswi_broker_abilities(is->broker) & ISWI_BROKER_BODIES;

    assert_in_range(seen, bodies, bodies + (is_exact ? 0 : messages * 1000));
}

static void a_queue_is_full_by_bytes_too(void **state)
{
    static const char body[100000];
    fixture *is = *state;

    assert_int_equal(declare(is, (iswi_queue_options){ .max_bytes = 260000 }), ISW_OK);
    assert_int_equal(put(is, (iswi_queue_put){ .body = { body, 100000 } }), ISW_OK);
    assert_int_equal(put(is, (iswi_queue_put){ .body = { body, 100000 } }), ISW_OK);
    assert_full(is, (isw_bytes){ body, 100000 }, " of 260000 (max_bytes)");
    assert_bytes(is, look(is).bytes, 200000, 2);
    assert_int_equal(put(is, (iswi_queue_put){ .body = { body, 50000 } }), ISW_OK);
    complete(is, claim(is));
    assert_bytes(is, look(is).bytes, 150000, 2);
}

static void what_is_dead_leaves_room(void **state)
{
    fixture *is = *state;

    assert_int_equal(declare(is, (iswi_queue_options){ .max_messages = 1 }), ISW_OK);
    assert_int_equal(put_text(is, "1"), ISW_OK);
    assert_int_equal(put_text(is, "2"), ISW_E_BUSY);
    assert_true(settle(is, claim(is), ISWI_VERDICT_DEAD, 0, "x").died);
    assert_int_equal(put_text(is, "2"), ISW_OK);
}

static void a_queue_keeps_to_what_was_declared_last(void **state)
{
    fixture *is = *state;

    assert_int_equal(declare(is, (iswi_queue_options){ .max_messages = 1 }), ISW_OK);
    assert_int_equal(put_text(is, "1"), ISW_OK);
    assert_int_equal(put_text(is, "2"), ISW_E_BUSY);
    assert_int_equal(declare(is, (iswi_queue_options){ .max_messages = 2 }), ISW_OK);
    assert_int_equal(put_text(is, "2"), ISW_OK);
    broker_reopen(is);
    assert_int_equal(declare(is, (iswi_queue_options){ .max_messages = 2 }), ISW_OK);
    assert_int_equal(put_text(is, "3"), ISW_E_BUSY);
}

static void dead_messages_go_when_they_were_kept_long_enough(void **state)
{
    fixture *is = *state;

    assert_int_equal(declare(is, (iswi_queue_options){ .keep_dead_ms = 50 }), ISW_OK);
    assert_int_equal(put_text(is, "x"), ISW_OK);
    assert_true(settle(is, claim(is), ISWI_VERDICT_DEAD, 0, "x").died);
    while (look(is).counts[ISWI_MESSAGE_DEAD] > 0)
        usleep(5000);
}

/* -- Pause ------------------------------------------------------------------------------------- */

static isw_status pause_queue(fixture *is, bool paused)
{
    iswi_broker_op op = { .kind = ISWI_BROKER_PAUSE, .queue = is->queue, .as.pause = paused };

    return iswi_broker_run(is->broker, &op);
}

static void nothing_is_claimed_from_a_queue_that_is_paused(void **state)
{
    fixture *is = *state;
    handed waiting;

    assert_int_equal(pause_queue(is, true), ISW_OK);
    assert_int_equal(put_text(is, "x"), ISW_OK);
    assert_nothing_is_ready(is);
    broker_reopen(is);
    assert_int_equal(declare(is, (iswi_queue_options){ 0 }), ISW_OK);
    assert_true(look(is).paused);
    hand_claim(is, &waiting, 1);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_CLAIMED], 0);
    assert_int_equal(pause_queue(is, false), ISW_OK);
    hand_wait(&waiting);
    assert_int_equal(waiting.op.error.status, ISW_OK);
    complete(is, waiting.items[0]);
}

/* -- Looks and lists --------------------------------------------------------------------------- */

static void a_look_counts_by_state(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;
    iswi_broker_queue seen;

    for (int i = 0; i < 4; i++)
        assert_int_equal(put_text(is, "four"), ISW_OK);
    assert_int_equal(put(is, (iswi_queue_put){ .body = { "x", 1 }, .delay_ms = 3600000 }), ISW_OK);
    assert_true(settle(is, claim(is), ISWI_VERDICT_DEAD, 0, "x").died);
    assert_false(settle(is, claim(is), ISWI_VERDICT_ABANDON, 0, "x").died);
    got = claim(is);
    seen = look(is);
    assert_int_equal(seen.counts[ISWI_MESSAGE_READY], 2);
    assert_int_equal(seen.counts[ISWI_MESSAGE_DELAYED], 1);
    assert_int_equal(seen.counts[ISWI_MESSAGE_CLAIMED], 1);
    assert_int_equal(seen.counts[ISWI_MESSAGE_DEAD], 1);
    assert_bytes(is, seen.bytes, 13, 4);
    assert_int_equal(seen.put, 5);
    assert_int_equal(seen.abandoned, 1);
    assert_int_equal(seen.died, 1);
    assert_int_equal(seen.completed, 0);
    assert_true(seen.oldest_ms >= got->put_ms);
    assert_true(seen.next_due_ms >= got->put_ms + 3600000);
    complete(is, got);
    assert_int_equal(look(is).completed, 1);
}

static void a_look_at_all_has_them_by_name(void **state)
{
    fixture *is = *state;
    iswi_arena arena;
    iswi_broker_op op = { .kind = ISWI_BROKER_LOOK, .as.look.arena = &arena };
    char second[80];
    bool found = false;

    snprintf(second, sizeof second, "a-%s", is->name);
    is->queue = text(second);
    assert_int_equal(declare(is, (iswi_queue_options){ 0 }), ISW_OK);
    iswi_arena_init(&arena, 1024);
    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_OK);
    assert_true(op.as.look.count >= 2);
    for (size_t i = 0; i < op.as.look.count; i++) {
        const isw_str name = op.as.look.items[i].name;

        found = found || isw_str_equal(name, is->queue);
        if (i > 0)
            assert_true(strncmp(op.as.look.items[i - 1].name.data, name.data, name.size) <= 0);
    }
    assert_true(found);
    iswi_arena_fini(&arena);
}

static void a_list_is_gone_through_by_number(void **state)
{
    fixture *is = *state;
    iswi_message_filter filter = { 0 };
    iswi_delivery *items[16];
    char expected[2] = "0";

    for (char body[] = "0"; *body <= '6'; ++*body)
        assert_int_equal(put_text(is, body), ISW_OK);
    assert_true(settle(is, claim(is), ISWI_VERDICT_DEAD, 0, "x").died);
    for (size_t count = 3; count == 3;) {
        count = list(is, filter, items, 3);
        for (size_t i = 0; i < count; i++, ++*expected) {
            assert_body(items[i], expected);
            assert_int_equal(items[i]->state,
                             *expected == '0' ? ISWI_MESSAGE_DEAD : ISWI_MESSAGE_READY);
            filter.after = items[i]->number;
        }
        free_all(items, count);
    }
    assert_int_equal(*expected, '7');
}

static void a_list_is_of_what_the_filter_says(void **state)
{
    fixture *is = *state;
    iswi_delivery *items[16];
    iswi_delivery *got;
    iswi_message_filter filter = { 0 };

    assert_int_equal(put(is, (iswi_queue_put){ .id = text("one") }), ISW_OK);
    assert_int_equal(put(is, (iswi_queue_put){ .id = text("two"), .delay_ms = 3600000 }), ISW_OK);
    assert_int_equal(put(is, (iswi_queue_put){ .id = text("three") }), ISW_OK);
    got = claim(is);
    assert_int_equal(list(is, only(ISWI_MESSAGE_CLAIMED), items, 16), 1);
    assert_text(items[0]->id, "one");
    free_all(items, 1);
    assert_int_equal(list(is, only(ISWI_MESSAGE_DELAYED), items, 16), 1);
    assert_text(items[0]->id, "two");
    free_all(items, 1);
    filter.id = text("three");
    assert_int_equal(list(is, filter, items, 16), 1);
    assert_int_equal(items[0]->state, ISWI_MESSAGE_READY);
    free_all(items, 1);
    filter = (iswi_message_filter){ .before_ms = got->put_ms };
    assert_int_equal(list(is, filter, items, 16), 0);
    filter.before_ms += 3600000;
    assert_int_equal(list(is, filter, items, 16), 3);
    free_all(items, 3);
    complete(is, got);
}

/* -- Purge and replay -------------------------------------------------------------------------- */

static void a_purge_leaves_what_is_claimed(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;
    size_t count;

    for (int i = 0; i < 6; i++)
        assert_int_equal(put_text(is, "x"), ISW_OK);
    assert_true(settle(is, claim(is), ISWI_VERDICT_DEAD, 0, "x").died);
    got = claim(is);
    assert_int_equal(sweep(is, ISWI_BROKER_PURGE, only(ISWI_MESSAGE_READY), 3, &count), ISW_OK);
    assert_int_equal(count, 3);
    assert_int_equal(sweep(is, ISWI_BROKER_PURGE, (iswi_message_filter){ 0 }, 3, &count), ISW_OK);
    assert_int_equal(count, 2);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_CLAIMED], 1);
    assert_int_equal(look(is).counts[ISWI_MESSAGE_DEAD], 0);
    assert_bytes(is, look(is).bytes, 1, 1);
    complete(is, got);
}

static void a_purge_hands_the_key_on(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;
    size_t count;

    needs(is, ISWI_BROKER_KEYS);
    for (char body[] = "1"; *body <= '3'; ++*body)
        assert_int_equal(put(is, (iswi_queue_put){ .id = text(body), .key = text("k") }), ISW_OK);
    assert_int_equal(sweep(is, ISWI_BROKER_PURGE, (iswi_message_filter){ .id = text("1") }, 10,
                           &count),
                     ISW_OK);
    assert_int_equal(count, 1);
    got = claim(is);
    assert_text(got->id, "2");
    assert_nothing_is_ready(is);
    complete(is, got);
    assert_int_equal(sweep(is, ISWI_BROKER_PURGE, (iswi_message_filter){ .key = text("k") }, 10,
                           &count),
                     ISW_OK);
    assert_int_equal(count, 1);
    assert_nothing_is_ready(is);
}

static void dead_messages_are_replayed_with_no_attempt_made(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;
    handed waiting;
    size_t count;

    assert_int_equal(declare(is, (iswi_queue_options){ .max_attempts = 1 }), ISW_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put_text(is, "x"), ISW_OK);
        assert_true(settle(is, claim(is), ISWI_VERDICT_ABANDON, 0, "bad day").died);
    }
    hand_claim(is, &waiting, 1);
    assert_int_equal(sweep(is, ISWI_BROKER_REPLAY, (iswi_message_filter){ 0 }, 2, &count), ISW_OK);
    assert_int_equal(count, 2);
    hand_wait(&waiting);
    got = waiting.items[0];
    assert_int_equal(got->attempt, 1);
    assert_int_equal(got->died_ms, 0);
    complete(is, got);
    complete(is, claim(is));
    assert_int_equal(look(is).counts[ISWI_MESSAGE_DEAD], 1);
    assert_int_equal(sweep(is, ISWI_BROKER_REPLAY, (iswi_message_filter){ 0 }, 2, &count), ISW_OK);
    assert_int_equal(count, 1);
}

static void what_had_expired_is_replayed_for_good(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;

    assert_int_equal(put(is, (iswi_queue_put){ .body = { "x", 1 }, .expires_ms = 1 }), ISW_OK);
    while (look(is).counts[ISWI_MESSAGE_DEAD] == 0)
        usleep(2000);
    assert_int_equal(sweep(is, ISWI_BROKER_REPLAY, (iswi_message_filter){ 0 }, 2, NULL), ISW_OK);
    got = claim(is);
    assert_int_equal(got->expires_ms, 0);
    complete(is, got);
}

/* -- Records ----------------------------------------------------------------------------------- */

static isw_status write_record(fixture *is, const char *name, const char *value, uint64_t *version)
{
    iswi_broker_op op = { .kind = ISWI_BROKER_RECORD_WRITE };
    isw_status status;

    op.as.record.record = (iswi_record){ .name = text(name),
                                         .value = { value, value ? strlen(value) : 0 },
                                         .version = *version };
    status = iswi_broker_run(is->broker, &op);
    if (status == ISW_OK)
        *version = op.as.record.record.version;
    return status;
}

static void assert_record(fixture *is, const char *name, const char *value, uint64_t version)
{
    iswi_arena arena;
    iswi_broker_op op = { .kind = ISWI_BROKER_RECORD_READ, .as.record.arena = &arena };
    isw_status status;

    op.as.record.record.name = text(name);
    iswi_arena_init(&arena, 256);
    status = iswi_broker_run(is->broker, &op);
    assert_int_equal(status, value ? ISW_OK : ISW_E_NOT_FOUND);
    if (value) {
        assert_text((isw_str){ op.as.record.record.value.data, op.as.record.record.value.size },
                    value);
        assert_int_equal(op.as.record.record.version, version);
    }
    iswi_arena_fini(&arena);
}

static void a_record_is_written_over_its_version_alone(void **state)
{
    fixture *is = *state;
    char name[80];
    uint64_t version = 0;
    uint64_t old;
    uint64_t none = 0;

    needs(is, ISWI_BROKER_RECORDS);
    snprintf(name, sizeof name, "timer/%s", is->name);
    assert_record(is, name, NULL, 0);
    assert_int_equal(write_record(is, name, "a", &version), ISW_OK);
    assert_true(version > 0);
    assert_record(is, name, "a", version);
    assert_int_equal(write_record(is, name, "b", &none), ISW_E_CONFLICT);
    old = version;
    assert_int_equal(write_record(is, name, "c", &version), ISW_OK);
    assert_true(version > old);
    assert_int_equal(write_record(is, name, "d", &old), ISW_E_CONFLICT);
    broker_reopen(is);
    assert_record(is, name, "c", version);
    assert_int_equal(write_record(is, name, "", &version), ISW_OK);
    assert_record(is, name, "", version);
}

static void a_removed_record_does_not_come_back_with_an_old_version(void **state)
{
    fixture *is = *state;
    char name[80];
    uint64_t version = 0;
    uint64_t first;
    uint64_t none = 0;

    needs(is, ISWI_BROKER_RECORDS);
    snprintf(name, sizeof name, "timer/%s", is->name);
    assert_int_equal(write_record(is, name, "a", &version), ISW_OK);
    first = version;
    assert_int_equal(write_record(is, name, NULL, &version), ISW_OK);
    assert_record(is, name, NULL, 0);
    assert_int_equal(write_record(is, name, "b", &first), ISW_E_CONFLICT);
    assert_int_equal(write_record(is, name, "b", &none), ISW_OK);
    assert_true(none > first);
}

/* Names of files are names of records. */
static void a_record_has_any_text_for_a_name(void **state)
{
    fixture *is = *state;
    char name[120];
    uint64_t version = 0;

    needs(is, ISWI_BROKER_RECORDS);
    snprintf(name, sizeof name, "%s/a folder/Ma\303\237 *.>%%=\"'\\", is->name);
    assert_int_equal(write_record(is, name, "value", &version), ISW_OK);
    assert_int_equal(write_record(is, name, "another", &version), ISW_OK);
    version = 0;
    assert_int_equal(write_record(is, name, "third", &version), ISW_E_CONFLICT);
}

static void records_are_listed_by_how_they_begin(void **state)
{
    fixture *is = *state;
    char names[3][80];
    iswi_arena arena;
    iswi_broker_op op = { .kind = ISWI_BROKER_RECORD_LIST, .as.record.arena = &arena };
    uint64_t version;

    needs(is, ISWI_BROKER_RECORDS);
    snprintf(names[0], sizeof names[0], "%s/b", is->name);
    snprintf(names[1], sizeof names[1], "%s/a", is->name);
    snprintf(names[2], sizeof names[2], "%s", is->name);
    for (int i = 0; i < 3; i++) {
        version = 0;
        assert_int_equal(write_record(is, names[i], names[i], &version), ISW_OK);
    }
    snprintf(names[2], sizeof names[2], "%s/", is->name);
    iswi_arena_init(&arena, 256);
    op.as.record.record.name = text(names[2]);
    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_OK);
    assert_int_equal(op.as.record.count, 2);
    assert_text(op.as.record.items[0].name, names[1]);
    assert_text(op.as.record.items[1].name, names[0]);
    assert_int_equal(op.as.record.items[1].value.size, strlen(names[0]));
    op.as.record.record.name = text("");
    assert_int_equal(iswi_broker_run(is->broker, &op), ISW_OK);
    assert_true(op.as.record.count >= 3);
    iswi_arena_fini(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_queue_that_was_not_declared_is_not_found,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_full_queue_takes_all_of_a_put_or_nothing,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_queue_is_full_by_bytes_too, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(what_is_dead_leaves_room, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_queue_keeps_to_what_was_declared_last,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(dead_messages_go_when_they_were_kept_long_enough,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(nothing_is_claimed_from_a_queue_that_is_paused,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_look_counts_by_state, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_look_at_all_has_them_by_name, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_list_is_gone_through_by_number, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_list_is_of_what_the_filter_says, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_purge_leaves_what_is_claimed, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_purge_hands_the_key_on, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(dead_messages_are_replayed_with_no_attempt_made,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(what_had_expired_is_replayed_for_good,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_record_is_written_over_its_version_alone,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_removed_record_does_not_come_back_with_an_old_version,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_record_has_any_text_for_a_name, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(records_are_listed_by_how_they_begin,
                                    fixture_begin, fixture_end),
};

ISW_TEST_MAIN(tests)
