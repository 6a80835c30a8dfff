/* SPDX-License-Identifier: Apache-2.0 */
/* The suite of brokers (support.h): hosts that end, in order or not, and what is there then. */
#include "broker/support.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void what_was_put_is_there_when_it_is_opened_again(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;
    iswi_broker_queue before;
    iswi_broker_queue after;

    assert_int_equal(put_text(is, "ready"), ISW_OK);
    assert_int_equal(put_text(is, "dead"), ISW_OK);
    assert_int_equal(put(is, (iswi_queue_put){ .body = { "late", 4 }, .delay_ms = 3600000 }),
                     ISW_OK);
    settle(is, claim(is), ISWI_VERDICT_ABANDON, 3600000, "x");
    assert_true(settle(is, claim(is), ISWI_VERDICT_DEAD, 0, "x").died);
    assert_int_equal(put_text(is, "again"), ISW_OK);
    before = look(is);
    broker_reopen(is);
    after = look(is);
    assert_memory_equal(before.counts, after.counts, sizeof before.counts);
    assert_int_equal(before.bytes, after.bytes);
    assert_int_equal(before.next_due_ms, after.next_due_ms);
    got = claim(is);
    assert_body(got, "again");
    complete(is, got);
}

static void an_id_is_known_after_it_was_opened_again(void **state)
{
    fixture *is = *state;
    iswi_queue_put item = { .id = text("a") };
    size_t duplicates;

    assert_int_equal(declare(is, (iswi_queue_options){ .window_ms = 3600000 }), ISW_OK);
    assert_int_equal(put_many(is, &item, 1, NULL), ISW_OK);
    broker_reopen(is);
    assert_int_equal(put_many(is, &item, 1, &duplicates), ISW_OK);
    assert_int_equal(duplicates, 1);
}

static void numbers_grow_over_restarts(void **state)
{
    fixture *is = *state;
    uint64_t last = 0;

    for (int i = 0; i < 3; i++) {
        iswi_delivery *got;

        assert_int_equal(put_text(is, "x"), ISW_OK);
        got = claim(is);
        assert_true(got->number > last);
        last = got->number;
        complete(is, got);
        broker_reopen(is);
    }
}

static void what_a_host_had_claimed_comes_again_when_it_ended(void **state)
{
    fixture *is = *state;
    iswi_delivery *held;
    iswi_delivery *got;

    needs(is, ISWI_BROKER_SEES_ENDS);
    assert_int_equal(put_text(is, "x"), ISW_OK);
    held = claim(is);
    broker_reopen(is);
    got = claim(is);
    assert_int_equal(got->attempt, 2);
    assert_text(got->last_error, "its host ended during attempt 1");
    assert_true(settle(is, held, ISWI_VERDICT_COMPLETE, 0, NULL).lost);
    complete(is, got);
}

static void what_ends_its_host_each_time_is_dead_after_its_attempts(void **state)
{
    fixture *is = *state;
    iswi_delivery *dead[2];

    needs(is, ISWI_BROKER_SEES_ENDS);
    assert_int_equal(declare(is, (iswi_queue_options){ .max_attempts = 2 }), ISW_OK);
    assert_int_equal(put_text(is, "x"), ISW_OK);
    for (int i = 0; i < 2; i++) {
        iswi_delivery_free(claim(is));
        broker_reopen(is);
    }
    assert_nothing_is_ready(is);
    assert_int_equal(list(is, only(ISWI_MESSAGE_DEAD), dead, 2), 1);
    assert_int_equal(dead[0]->attempt, 2);
    assert_text(dead[0]->last_error, "its host ended during attempt 2");
    iswi_delivery_free(dead[0]);
}

static void a_key_is_free_when_its_host_ended(void **state)
{
    fixture *is = *state;
    iswi_delivery *got;

    needs(is, ISWI_BROKER_SEES_ENDS | ISWI_BROKER_KEYS);
    assert_int_equal(declare(is, (iswi_queue_options){ .max_attempts = 1 }), ISW_OK);
    assert_int_equal(put(is, (iswi_queue_put){ .body = { "1", 1 }, .key = text("k") }), ISW_OK);
    assert_int_equal(put(is, (iswi_queue_put){ .body = { "2", 1 }, .key = text("k") }), ISW_OK);
    iswi_delivery_free(claim(is));
    broker_reopen(is);
    got = claim(is);
    assert_body(got, "2");
    complete(is, got);
}

/* -- Killed ------------------------------------------------------------------------------------ */

static void tell(int out, char what, const char *number)
{
    char line[32];
    const int size = snprintf(line, sizeof line, "%c%s\n", what, number);

    if (write(out, line, (size_t)size) != size)
        _exit(3);
}

/* A host in a process of its own, which tells what it knows to be durable: "+N\n" for a put that
 * was acknowledged, "?N\n" for a completion that begins, and "-N\n" for one that is done. It never
 * ends by itself. */
static _Noreturn void host(fixture *is, int out, int first)
{
    is->broker = broker_open(is);
    if (declare(is, (iswi_queue_options){ 0 }) != ISW_OK)
        _exit(1);
    for (int i = first;; i++) {
        char number[16];

        snprintf(number, sizeof number, "%d", i);
        if (put_text(is, number) != ISW_OK)
            _exit(2);
        tell(out, '+', number);
        if (i % 3 == 0) {
            iswi_delivery *got = claim(is);

            snprintf(number, sizeof number, "%.*s", (int)got->body.size,
                     (const char *)got->body.data);
            tell(out, '?', number);
            complete(is, got);
            tell(out, '-', number);
        }
    }
}

/* Read what it tells until it is killed after some lines, and has ended. */
static int follow(int in, pid_t child, int lines, char *states, int most)
{
    FILE *file = fdopen(in, "r");
    char line[32];
    int last = 0;
    int status;

    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        const int number = atoi(&line[1]);

        if (line[0] == '+')
            last = number;
        if (number < most && strchr(line, '\n'))
            states[number] = line[0];
        if (--lines == 0)
            kill(child, SIGKILL);
    }
    fclose(file);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return last;
}

static int run_and_kill(fixture *is, int first, int lines, char *states, int most)
{
    int ends[2];
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        host(is, ends[1], first);
    }
    close(ends[1]);
    return follow(ends[0], child, lines, states, most);
}

/* Those that are there, or come back soon: a server may not have seen yet that a host ended. */
static int64_t left(fixture *is)
{
    const iswi_broker_queue seen = look(is);

    return seen.counts[ISWI_MESSAGE_READY] + seen.counts[ISWI_MESSAGE_CLAIMED];
}

/* All that is there now; what was completed must not be. */
static void drain(fixture *is, char *states, int most)
{
    while (left(is) > 0) {
        iswi_delivery *got = claim(is);
        const int number = atoi((const char *)iswi_arena_strndup(&got->arena, got->body.data,
                                                                 got->body.size));

        assert_true(number < most);
        if (states[number] == '-')
            fail_msg("%d was completed, and is there", number);
        states[number] = '-';
        complete(is, got);
    }
}

static void a_host_that_is_killed_loses_nothing(void **state)
{
    enum { MOST = 4000, TIMES = 8 };
    fixture *is = *state;
    char states[MOST] = { 0 };
    int next = 1;

    needs(is, ISWI_BROKER_SEES_ENDS);
    iswi_broker_destroy(is->broker);
    is->broker = NULL;
    for (int i = 0; i < TIMES; i++)
        next = run_and_kill(is, next + 1, 37 * (i + 1), states, MOST) + 1;
    is->broker = broker_open(is);
    assert_int_equal(declare(is, (iswi_queue_options){ 0 }), ISW_OK);
    drain(is, states, MOST);
    for (int i = 0; i < MOST; i++)
        if (states[i] == '+')
            fail_msg("%d was put, and is gone", i);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(what_was_put_is_there_when_it_is_opened_again,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(an_id_is_known_after_it_was_opened_again,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(numbers_grow_over_restarts, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(what_a_host_had_claimed_comes_again_when_it_ended,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(what_ends_its_host_each_time_is_dead_after_its_attempts,
                                    fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_key_is_free_when_its_host_ended, fixture_begin, fixture_end),
    cmocka_unit_test_setup_teardown(a_host_that_is_killed_loses_nothing,
                                    fixture_begin, fixture_end),
};

ISW_TEST_MAIN(tests)
