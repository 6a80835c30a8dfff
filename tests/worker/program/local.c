/* SPDX-License-Identifier: Apache-2.0 */
/* What a program registers, and running it with no host. */
#include "worker/support.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static isw_status succeeds(isw_context *ctx)
{
    (void)ctx;
    return ISW_OK;
}

static isw_worker *new_worker(void)
{
    isw_worker *worker = NULL;
    isw_error error = { 0 };

    if (make_worker(NULL, "worker: {}\n", &worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return worker;
}

/* -- Functions --------------------------------------------------------------------------------- */

static void assert_added(const isw_function *function, isw_status status, const char *message)
{
    isw_worker *worker = NULL;
    isw_error error = { 0 };

    assert_int_equal(isw_worker_create(NULL, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_function(worker, function, &error), status);
    assert_memory_equal(error.message, message, strlen(message));
    isw_worker_destroy(worker);
}

static isw_function named(const char *name)
{
    return (isw_function){ .name = name, .trigger = ISW_TRIGGER("timer", NULL),
                           .handler = succeeds };
}

static void a_functions_name_is_a_letter_and_then_letters_and_digits(void **state)
{
    static const char *const bad[] = { NULL, "", "1st", "_a", "-a", "a b", "a.b", "a/b", "\xc3" };
    isw_function function;
    char longest[129];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        function = named(bad[i]);
        assert_added(&function, ISW_E_INVALID, "\"");
    }
    memset(longest, 'a', sizeof longest);
    longest[128] = '\0';
    function = named(longest);
    assert_added(&function, ISW_E_INVALID, "\"aaa");
    longest[127] = '\0';
    assert_added(&function, ISW_OK, "");
}

static void a_function_needs_a_handler_and_a_trigger(void **state)
{
    isw_function function = named("f");

    (void)state;
    function.handler = NULL;
    assert_added(&function, ISW_E_INVALID, "function f has no handler");
    function = named("f");
    function.trigger.type = NULL;
    assert_added(&function, ISW_E_INVALID, "function f has no trigger");
}

static void two_functions_of_one_name_are_in_conflict(void **state)
{
    const isw_function first = named("same");
    const isw_function second = named("same");
    isw_worker *worker = NULL;
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(isw_worker_create(NULL, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_function(worker, &first, &error), ISW_OK);
    assert_int_equal(isw_worker_add_function(worker, &second, &error), ISW_E_CONFLICT);
    assert_string_equal(error.message, "there are two functions named \"same\"");
    isw_worker_destroy(worker);
}

static void assert_app_refused(const isw_app *app, const char *message)
{
    isw_worker *worker = NULL;
    isw_error error = { 0 };

    assert_int_equal(isw_worker_create(NULL, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_app(worker, app, &error), ISW_E_INVALID);
    assert_string_equal(error.message, message);
    isw_worker_destroy(worker);
}

static void a_row_that_lost_its_name_ends_no_list(void **state)
{
    const isw_function functions[] = { named("a"), named(NULL), named("b"), { 0 } };
    const isw_service services[] = { { .type = "int", .create = isw_service_user }, { 0 } };

    (void)state;
    assert_app_refused(&(isw_app){ .functions = functions },
                       "row 2 of the list of functions has no name; only the last one, { 0 }, has "
                       "none");
    assert_app_refused(&(isw_app){ .services = services },
                       "row 1 of the list of services has no name; only the last one, { 0 }, has "
                       "none");
}

static void a_function_is_found_among_many(void **state)
{
    enum { COUNT = 50 };
    isw_function functions[COUNT + 1] = { { 0 } };
    char names[COUNT][8];
    isw_worker *worker = NULL;
    isw_error error = { 0 };

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "f%d", (i * 7) % COUNT);
        functions[i] = named(names[i]);
    }
    assert_int_equal(make_worker(functions, "worker: {}\n", &worker, &error), ISW_OK);
    for (int i = 0; i < COUNT; i++) {
        isw_invocation result;

        assert_int_equal(isw_worker_invoke(worker, names[i], NULL, &result, &error), ISW_OK);
        isw_invocation_free(&result);
    }
    isw_worker_destroy(worker);
}

static void an_unknown_function_is_not_found(void **state)
{
    isw_worker *worker = new_worker();
    isw_invocation result;
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(isw_worker_invoke(worker, "none", NULL, &result, &error), ISW_E_NOT_FOUND);
    assert_string_equal(error.message, "there is no function \"none\"");
    isw_worker_destroy(worker);
}

/* -- Invocations ------------------------------------------------------------------------------- */

static void an_invocation_may_be_freed_twice(void **state)
{
    run r;

    (void)state;
    run_function(&r, succeeds, NULL, NULL);
    isw_invocation_free(&r.result);
    run_fini(&r);
}

static isw_status adds_up(isw_context *ctx)
{
    isw_value sum = isw_value_int(isw_context_trigger(ctx)->as.integer + 1);

    return isw_context_set_result(ctx, &sum);
}

static void *invoke_often(void *user)
{
    for (int64_t i = 0; i < 200; i++) {
        isw_value input = isw_value_int(i);
        isw_invocation result;
        isw_error error = { 0 };
        bool right;

        if (isw_worker_invoke(user, "f", &input, &result, &error) != ISW_OK)
            return "an invocation was refused";
        right = result.result.as.integer == i + 1;
        isw_invocation_free(&result);
        if (!right)
            return "an invocation had the result of another";
    }
    return NULL;
}

static void several_threads_may_invoke_at_once(void **state)
{
    isw_function functions[] = { named("f"), { 0 } };
    isw_worker *worker = NULL;
    isw_error error = { 0 };
    pthread_t threads[4];

    (void)state;
    functions[0].handler = adds_up;
    assert_int_equal(make_worker(functions, "worker: {}\n", &worker, &error), ISW_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, invoke_often, worker), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failure = NULL;

        pthread_join(threads[i], &failure);
        assert_null(failure);
    }
    isw_worker_destroy(worker);
}

static void without_a_host_there_is_nothing_to_run_under(void **state)
{
    isw_worker *worker = new_worker();
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(isw_worker_run(worker, &error), ISW_E_UNAVAILABLE);
    assert_memory_equal(error.message, "ISOWORKER_URL is not set", 24);
    isw_worker_destroy(worker);
    isw_worker_destroy(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_functions_name_is_a_letter_and_then_letters_and_digits),
    cmocka_unit_test(a_function_needs_a_handler_and_a_trigger),
    cmocka_unit_test(two_functions_of_one_name_are_in_conflict),
    cmocka_unit_test(a_row_that_lost_its_name_ends_no_list),
    cmocka_unit_test(a_function_is_found_among_many),
    cmocka_unit_test(an_unknown_function_is_not_found),
    cmocka_unit_test(an_invocation_may_be_freed_twice),
    cmocka_unit_test(several_threads_may_invoke_at_once),
    cmocka_unit_test(without_a_host_there_is_nothing_to_run_under),
};

ISW_TEST_MAIN(tests)
