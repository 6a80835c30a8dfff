/* SPDX-License-Identifier: Apache-2.0 */
/* Which process takes a call. The processes are ready, and their other ends never answer. */
#include "support/main.h"

#include "host/engine/engine.h"

#include <stdlib.h>

enum { PROCESSES = 4, CREDIT = 64, MS = 1000000, NOW_NS = 1000 * MS, CALLS = 200 };

typedef struct stage {
    iswi_host host;
    iswi_worker_settings settings;
    iswi_pool pool;
    iswi_process processes[PROCESSES];
    iswi_link *ends[PROCESSES];
    iswi_host_function function;
    iswi_call calls[CALLS];
    unsigned placed;
} stage;

static stage s;

static void ignore_message(void *user, iswi_message *message)
{
    (void)user;
    (void)message;
}

static void ignore_end(void *user)
{
    (void)user;
}

static int set_up(void **state)
{
    const iswi_link_events events = { .on_message = ignore_message, .on_closed = ignore_end };
    isw_error error = { ISW_OK, "" };

    (void)state;
    memset(&s, 0, sizeof s);
    s.settings.name = "stage";
    s.pool = (iswi_pool){ .settings = &s.settings, .processes = s.processes, .count = PROCESSES };
    s.function = (iswi_host_function){ .name = "f", .pool = &s.pool, .current = true };
    for (unsigned i = 0; i < PROCESSES; i++) {
        iswi_process *process = &s.processes[i];

        process->host = &s.host;
        process->pool = &s.pool;
        pthread_mutex_init(&process->lock, NULL);
        assert_int_equal(iswi_memory_lane_pair(&events, &process->link, &events, &s.ends[i],
                                               &error), ISW_OK);
        assert_true(iswi_process_grow_places(process, CREDIT));
        process->credit = CREDIT;
        atomic_store(&process->heard_ns, NOW_NS);
        iswi_process_set_state(process, ISWI_PROCESS_READY);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PROCESSES; i++) {
        iswi_link_destroy(s.processes[i].link);
        iswi_link_destroy(s.ends[i]);
        iswi_buffer_fini(&s.processes[i].outgoing.bytes);
        free(s.processes[i].places);
        free(s.processes[i].free_places);
        pthread_mutex_destroy(&s.processes[i].lock);
    }
    return 0;
}

static iswi_placing place_of(iswi_host_function *function, int64_t now_ns)
{
    iswi_call *call = &s.calls[s.placed++];
    isw_error failure;

    call->function = function;
    call->placed_ns = now_ns;
    return iswi_pool_place(&s.pool, call, &failure);
}

static void place(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(place_of(&s.function, NOW_NS), ISWI_PLACED);
}

static void assert_loads(unsigned a, unsigned b, unsigned c, unsigned d)
{
    const unsigned loads[PROCESSES] = { a, b, c, d };

    for (unsigned i = 0; i < PROCESSES; i++)
        assert_int_equal(s.processes[i].in_flight, loads[i]);
}

/* All that is in flight there is over. */
static void answer_all(unsigned index)
{
    iswi_process *process = &s.processes[index];

    for (unsigned i = 0; i < process->place_count; i++)
        if (process->places[i].id)
            iswi_process_free_place(process, process->places[i].id);
}

static void quick_functions_are_packed_onto_one_process(void **state)
{
    (void)state;
    iswi_function_learn(&s.function, 1000);
    place(CREDIT);
    assert_loads(CREDIT, 0, 0, 0);
    place(1); /* it has no room */
    assert_loads(CREDIT, 1, 0, 0);
    answer_all(0);
    place(1);
    assert_loads(1, 1, 0, 0);
}

static void the_next_process_is_used_when_one_has_enough_to_do(void **state)
{
    (void)state;
    iswi_function_learn(&s.function, 25000);
    place(4);
    assert_loads(4, 0, 0, 0);
    place(3);
    assert_loads(4, 3, 0, 0);
    place(9 + 2);
    assert_loads(5, 5, 4, 4); /* all have: the least loaded */
}

static void slow_functions_spread(void **state)
{
    (void)state;
    iswi_function_learn(&s.function, 50 * MS);
    place(PROCESSES);
    assert_loads(1, 1, 1, 1);
    place(PROCESSES + 1);
    assert_loads(3, 2, 2, 2);
}

static void functions_of_which_nothing_is_known_spread(void **state)
{
    (void)state;
    place(PROCESSES + 1);
    assert_loads(2, 1, 1, 1);
}

static void quick_calls_keep_away_from_slow_ones(void **state)
{
    iswi_host_function slow = { .name = "slow", .pool = &s.pool };

    (void)state;
    iswi_function_learn(&s.function, 1000);
    iswi_function_learn(&slow, 50 * MS);
    assert_int_equal(place_of(&slow, NOW_NS), ISWI_PLACED);
    place(10);
    assert_loads(1, 10, 0, 0);
    answer_all(0);
    place(1);
    assert_loads(1, 10, 0, 0);
}

static void a_process_that_says_nothing_gets_no_more(void **state)
{
    (void)state;
    iswi_function_learn(&s.function, 1000);
    place(1);
    assert_int_equal(place_of(&s.function, NOW_NS + MS / 2), ISWI_PLACED);
    assert_loads(2, 0, 0, 0);
    assert_int_equal(place_of(&s.function, NOW_NS + 2 * MS), ISWI_PLACED);
    assert_loads(2, 1, 0, 0);
    atomic_store(&s.processes[0].heard_ns, NOW_NS + 2 * MS);
    assert_int_equal(place_of(&s.function, NOW_NS + 2 * MS), ISWI_PLACED);
    assert_loads(3, 1, 0, 0);
    /* One that had nothing to do had nothing to say. */
    answer_all(0);
    assert_int_equal(place_of(&s.function, NOW_NS + 9 * MS), ISWI_PLACED);
    assert_int_equal(place_of(&s.function, NOW_NS + 9 * MS), ISWI_PLACED);
    assert_loads(2, 1, 0, 0);
}

static void in_the_average_the_last_ones_weigh_most(void **state)
{
    (void)state;
    iswi_function_learn(&s.function, 1000);
    assert_int_equal(atomic_load(&s.function.cost_ns), 1000);
    iswi_function_learn(&s.function, 50 * MS); /* as half a millisecond */
    assert_in_range(atomic_load(&s.function.cost_ns), 31000, 33000);
    for (int i = 0; i < 100; i++)
        iswi_function_learn(&s.function, 1000);
    assert_in_range(atomic_load(&s.function.cost_ns), 1000, 1100);
    for (int i = 0; i < 100; i++)
        iswi_function_learn(&s.function, 50 * MS);
    assert_in_range(atomic_load(&s.function.cost_ns), 450000, 500000);
}

static void where_it_was_lost_is_avoided_if_there_is_another(void **state)
{
    iswi_call *call = &s.calls[0];

    (void)state;
    iswi_function_learn(&s.function, 1000);
    call->avoid = &s.processes[0];
    place(1);
    assert_loads(0, 1, 0, 0);
    s.pool.count = 1;
    s.calls[1].avoid = &s.processes[0];
    place(1);
    assert_loads(1, 1, 0, 0);
    s.pool.count = PROCESSES;
}

static void nobody_takes_it_now_or_ever(void **state)
{
    bool lacks[1] = { true };

    (void)state;
    for (unsigned i = 0; i < PROCESSES; i++)
        iswi_process_set_state(&s.processes[i], ISWI_PROCESS_STARTING);
    assert_int_equal(place_of(&s.function, NOW_NS), ISWI_PLACE_FULL);
    s.processes[1].lacks = lacks;
    s.processes[1].lacks_count = 1;
    iswi_process_set_state(&s.processes[1], ISWI_PROCESS_READY);
    assert_int_equal(place_of(&s.function, NOW_NS), ISWI_PLACE_LACKS);
    for (unsigned i = 0; i < PROCESSES; i++)
        iswi_process_set_state(&s.processes[i], ISWI_PROCESS_GONE);
    assert_int_equal(place_of(&s.function, NOW_NS), ISWI_PLACE_REFUSED);
    iswi_process_set_state(&s.processes[1], ISWI_PROCESS_READY);
    assert_int_equal(place_of(&s.function, NOW_NS), ISWI_PLACE_REFUSED);
    s.processes[1].lacks = NULL;
    assert_int_equal(place_of(&s.function, NOW_NS), ISWI_PLACED);
}

static void what_is_not_begun_leaves_a_function_that_is_over(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PROCESSES; i++)
        iswi_process_set_state(&s.processes[i], ISWI_PROCESS_STARTING);
    s.pool.processes->host = &s.host;
    s.function.current = false;
    assert_int_equal(place_of(&s.function, NOW_NS), ISWI_PLACE_MOVED);
    s.calls[1].tries = 1; /* it may have been begun: one of those that are left may take it */
    assert_int_equal(place_of(&s.function, NOW_NS), ISWI_PLACE_FULL);
    s.function.over = true;
    s.calls[2].tries = 1;
    assert_int_equal(place_of(&s.function, NOW_NS), ISWI_PLACE_REFUSED);
    assert_int_equal(place_of(&s.function, NOW_NS), ISWI_PLACE_MOVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(quick_functions_are_packed_onto_one_process,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_next_process_is_used_when_one_has_enough_to_do,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(slow_functions_spread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(functions_of_which_nothing_is_known_spread,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(quick_calls_keep_away_from_slow_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_process_that_says_nothing_gets_no_more,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(in_the_average_the_last_ones_weigh_most,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(where_it_was_lost_is_avoided_if_there_is_another,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_takes_it_now_or_ever, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_begun_leaves_a_function_that_is_over,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
