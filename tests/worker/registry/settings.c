/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's YAML: what it says, and how it is refused, to the column. */
#include "worker/support.h"

#include "worker/registry/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static isw_worker *worker_of(const char *yaml)
{
    isw_worker *worker = NULL;
    isw_error error = { 0 };

    if (make_worker(NULL, yaml, &worker, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return worker;
}

static void assert_settings(const char *yaml, int64_t concurrency, unsigned limit)
{
    isw_worker *worker = worker_of(yaml);

    assert_int_equal(worker->settings.concurrency, concurrency);
    assert_int_equal(iswi_worker_limit(worker), limit);
    isw_worker_destroy(worker);
}

static void settings_have_defaults(void **state)
{
    (void)state;
    assert_settings("{}\n", 16, 64);
    assert_settings("worker: {}\n", 16, 64);
    assert_settings("worker: {concurrency: 3}\n", 3, 12);
    assert_settings("worker: {concurrency: 2, max_in_flight: 5}\n", 2, 5);
    assert_settings("worker: {concurrency: 1024}\n", 1024, 4096);
}

static void settings_have_bounds(void **state)
{
    (void)state;
    assert_memory_equal(refusal_of("worker: {concurrency: 0}\n"), ":1:23: ", 7);
    assert_memory_equal(refusal_of("worker: {concurrency: 1025}\n"), ":1:23: ", 7);
    assert_memory_equal(refusal_of("worker: {max_in_flight: 65536}\n"), ":1:25: ", 7);
}

static void a_misspelt_middleware_is_refused_with_its_place(void **state)
{
    static const char expected[] = ":2:5: unknown name \"loging\" in \"middleware\"; did you mean "
                                   "\"logging\"? allowed: ";
    const char *message = refusal_of("middleware:\n  - loging\n");

    (void)state;
    assert_memory_equal(message, expected, strlen(expected));
    assert_non_null(strstr(message, "logging, "));
    assert_non_null(strstr(message, ", around"));
    assert_memory_equal(refusal_of("middleware:\n  - around\n  - loging: {level: info}\n"),
                        ":3:5: ", 6);
}

static void a_misspelt_option_is_refused_with_its_place(void **state)
{
    (void)state;
    assert_string_equal(refusal_of("middleware:\n  - logging: {levle: info}\n"),
                        ":2:15: unknown option \"levle\" in \"middleware.logging\"; did "
                        "you mean \"level\"? allowed: when, success_level, "
                        "failure_level, level, scope");
    assert_memory_equal(refusal_of("middleware:\n  - logging:\n      success_level: loud\n"),
                        ":3:22: ", 7);
    assert_memory_equal(refusal_of("worker:\n  concurency: 3\n"), ":2:3: ", 6);
    assert_memory_equal(refusal_of("midleware: []\n"), ":1:1: ", 6);
}

static void an_entry_is_one_name(void **state)
{
    (void)state;
    assert_memory_equal(refusal_of("middleware:\n  - {around: {}, logging: {}}\n"), ":2:", 3);
    assert_memory_equal(refusal_of("middleware: around\n"), ":1:", 3);
    assert_memory_equal(refusal_of("middleware: [[around]]\n"), ":1:", 3);
}

static void a_file_that_is_not_there_is_said(void **state)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_worker *worker = NULL;
    isw_error error = { 0 };

    (void)state;
    options.config_path = "/nonexistent/w.yaml";
    assert_int_equal(isw_worker_create(&options, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_configure(worker, &error), ISW_E_IO);
    assert_non_null(strstr(error.message, "/nonexistent/w.yaml"));
    isw_worker_destroy(worker);
}

static void a_refused_configuration_can_be_tried_again(void **state)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    char path[] = "/tmp/isw-worker-XXXXXX";
    isw_worker *worker = NULL;
    int fd = mkstemp(path);

    (void)state;
    options.config_path = path;
    assert_int_equal(isw_worker_create(&options, &worker, NULL), ISW_OK);
    assert_int_equal(write(fd, "middleware: [x]", 15), 15);
    assert_int_equal(isw_worker_configure(worker, NULL), ISW_E_CONFIG);
    assert_int_equal(isw_worker_configure(worker, NULL), ISW_E_CONFIG);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "middleware: []", 14, 0), 14);
    assert_int_equal(isw_worker_configure(worker, NULL), ISW_OK);
    assert_int_equal(isw_worker_configure(worker, NULL), ISW_OK);
    close(fd);
    unlink(path);
    isw_worker_destroy(worker);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(settings_have_defaults),
    cmocka_unit_test(settings_have_bounds),
    cmocka_unit_test(a_misspelt_middleware_is_refused_with_its_place),
    cmocka_unit_test(a_misspelt_option_is_refused_with_its_place),
    cmocka_unit_test(an_entry_is_one_name),
    cmocka_unit_test(a_file_that_is_not_there_is_said),
    cmocka_unit_test(a_refused_configuration_can_be_tried_again),
};

ISW_TEST_MAIN(tests)
