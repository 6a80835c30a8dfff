/* SPDX-License-Identifier: Apache-2.0 */
/* Modules that the YAML and the program name. Each test has a folder of its own, with w.yaml and
 * copies of the modules that it needs beside it. */
#include "support/main.h"
#include "support/modules.h"

#include "worker/registry/worker.h"

#include <isoworker/sys/module.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct fixture {
    char folder[MODULE_PATH_BYTES];
    char yaml[MODULE_PATH_BYTES + 8];
    isw_worker *worker;
    isw_error error;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    char path[MODULE_PATH_BYTES];

    make_folder(f->folder);
    copy_module(ISW_TEST_MODULES "sample.so", f->folder, "sample.so", path);
    snprintf(f->yaml, sizeof f->yaml, "%s/w.yaml", f->folder);
    options.config_path = f->yaml;
    assert_int_equal(isw_worker_create(&options, &f->worker, NULL), ISW_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;

    isw_worker_destroy(f->worker);
    remove_folder(f->folder);
    free(f);
    return 0;
}

static void write_yaml(fixture *f, const char *text)
{
    FILE *file = fopen(f->yaml, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    f->error = (isw_error){ ISW_OK, "" };
}

static void configure(fixture *f, const char *text)
{
    write_yaml(f, text);
    if (isw_worker_configure(f->worker, &f->error) != ISW_OK)
        fail_msg("%s", f->error.message);
}

/* The message is "FOLDER/w.yaml" and then `format`, filled in. */
static void assert_message(const fixture *f, const char *format, ...) ISW_PRINTF(2, 3);

static void assert_message(const fixture *f, const char *format, ...)
{
    char message[ISW_ERROR_MESSAGE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    assert_int_equal(f->error.status, ISW_E_CONFIG);
    assert_memory_equal(f->error.message, f->yaml, strlen(f->yaml));
    assert_string_equal(f->error.message + strlen(f->yaml), message);
}

static void refuse(fixture *f, const char *text)
{
    write_yaml(f, text);
    assert_int_equal(isw_worker_configure(f->worker, &f->error), ISW_E_CONFIG);
}

static bool knows(const fixture *f, const char *name)
{
    return iswi_registry_find(&f->worker->registry, name) != NULL;
}

/* -- The YAML ---------------------------------------------------------------------------------- */

static void a_plugin_is_named_where_it_stands(void **state)
{
    fixture *f = *state;

    configure(f, "middleware:\n"
                 "  - error_handling\n"
                 "  - sample_first: {plugin: ./sample.so, loud: true, when: {trigger: http}}\n"
                 "  - sample_first: {loud: false}\n");
    assert_true(knows(f, "sample_first"));
    assert_false(knows(f, "sample_second"));
}

static void a_list_of_modules_makes_all_of_them_known(void **state)
{
    fixture *f = *state;

    configure(f, "modules: [sample.so]\n"
                 "middleware: [sample_second, sample_first: {plugin: sample.so}]\n");
    assert_true(knows(f, "sample_first"));
    assert_int_equal(f->worker->registry.module_count, 1);
}

static void a_module_that_is_not_there_is_refused_with_its_place(void **state)
{
    fixture *f = *state;

    refuse(f, "middleware:\n  - error_handling\n  - mine: { plugin: ./mine.so }\n");
    assert_message(f, ":3:13: module %s/mine.so: no such file", f->folder);
    refuse(f, "modules:\n  - /nonexistent/m.so\n");
    assert_message(f, ":2:5: module /nonexistent/m.so: no such file");
    refuse(f, "modules: [[a]]\n");
    assert_memory_equal(f->error.message + strlen(f->yaml), ":1:11: ", 7);
}

static void a_name_that_the_module_does_not_bring_is_refused(void **state)
{
    fixture *f = *state;

    refuse(f, "middleware: [sample: {plugin: ./sample.so}]\n");
    assert_message(f, ":1:23: module %s/sample.so brings no middleware \"sample\"; it brings: "
                      "sample_first, sample_second", f->folder);
}

static void a_plugin_is_a_path(void **state)
{
    fixture *f = *state;

    refuse(f, "middleware: [mine: {plugin: [a]}]\n");
    assert_message(f, ":1:21: \"plugin\" must be the path of the shared object that brings the "
                      "middleware \"mine\"");
    refuse(f, "middleware: [mine: {plugin: }]\n");
    assert_message(f, ":1:21: \"plugin\" must be the path of the shared object that brings the "
                      "middleware \"mine\"");
}

static void a_plugin_has_a_name_of_its_own(void **state)
{
    fixture *f = *state;
    char path[MODULE_PATH_BYTES];

    copy_module(ISW_TEST_MODULES "built_in.so", f->folder, "m.so", path);
    refuse(f, "middleware: [logging: {plugin: ./m.so}]\n");
    assert_message(f, ":1:24: module %s: there is a middleware \"logging\" in this worker already; "
                      "give the other one a name of its own", path);
}

static void what_is_linked_in_takes_no_plugin(void **state)
{
    fixture *f = *state;

    configure(f, "middleware: [logging]\n");
    write_yaml(f, "middleware: [logging: {plugins: ./m.so}]\n");
    assert_int_equal(isw_worker_reload(f->worker, &f->error), ISW_E_CONFIG);
    assert_message(f, ":1:24: unknown option \"plugins\" in \"middleware.logging\"; allowed: when, "
                      "success_level, failure_level, level, scope");
}

static void a_broken_module_is_refused_with_its_place(void **state)
{
    fixture *f = *state;
    char path[MODULE_PATH_BYTES];

    copy_module(ISW_TEST_MODULES "other_abi.so", f->folder, "m.so", path);
    refuse(f, "middleware:\n  - one:\n      plugin: m.so\n");
    assert_message(f, ":3:7: module %s was built for version 99 of the module interface "
                      "(isoworker 9.9.9), and this is version 1 (isoworker " ISW_VERSION_STRING
                      "); build it again with the headers of this one", path);
}

static void a_module_that_others_may_write_is_refused_with_its_place(void **state)
{
    fixture *f = *state;

    assert_int_equal(chmod(f->folder, 0770), 0);
    refuse(f, "middleware: [sample_first: {plugin: ./sample.so}]\n");
    assert_message(f, ":1:29: module %s/sample.so is refused: %s may be written by others; chmod "
                      "go-w %s", f->folder, f->folder, f->folder);
}

/* -- Reading again ----------------------------------------------------------------------------- */

static void what_a_refused_configuration_loaded_is_forgotten(void **state)
{
    fixture *f = *state;
    char path[MODULE_PATH_BYTES];

    copy_module(ISW_TEST_MODULES "sample.so", f->folder, "other.so", path);
    refuse(f, "middleware: [sample_first: {plugin: ./sample.so, lout: true}]\n");
    assert_message(f, ":1:50: unknown option \"lout\" in \"middleware.sample_first\"; did you mean "
                      "\"loud\"? allowed: when, plugin, loud");
    assert_false(knows(f, "sample_first"));
    configure(f, "middleware: [sample_first: {plugin: ./other.so}]\n");
    assert_true(knows(f, "sample_first"));
}

static void a_plugin_comes_with_a_new_configuration(void **state)
{
    fixture *f = *state;

    configure(f, "middleware: []\n");
    write_yaml(f, "middleware: [sample_first: {plugin: ./sample.so}]\n");
    if (isw_worker_reload(f->worker, &f->error) != ISW_OK)
        fail_msg("%s", f->error.message);
    assert_true(knows(f, "sample_first"));
    write_yaml(f, "middleware: []\n");
    assert_int_equal(isw_worker_reload(f->worker, &f->error), ISW_OK);
}

static void a_plugin_is_not_replaced_while_the_worker_runs(void **state)
{
    fixture *f = *state;
    char path[MODULE_PATH_BYTES];

    copy_module(ISW_TEST_MODULES "sample.so", f->folder, "other.so", path);
    configure(f, "middleware: [sample_first: {plugin: ./sample.so}]\n");
    write_yaml(f, "middleware: [sample_first: {plugin: ./other.so}]\n");
    assert_int_equal(isw_worker_reload(f->worker, &f->error), ISW_E_CONFIG);
    assert_message(f, ":1:29: module %s: middleware \"sample_first\" comes from %s/sample.so "
                      "already; a worker has one of a name, and takes another one when it starts "
                      "again", path, f->folder);
    assert_int_equal(f->worker->registry.module_count, 1);
}

/* -- The program ------------------------------------------------------------------------------- */

static void a_module_brings_functions(void **state)
{
    fixture *f = *state;
    isw_invocation result;
    isw_value input = isw_value_string("");
    char path[MODULE_PATH_BYTES];

    copy_module(ISW_TEST_MODULES "functions.so", f->folder, "f.so", path);
    if (isw_worker_add_module(f->worker, path, &f->error) != ISW_OK)
        fail_msg("%s", f->error.message);
    configure(f, "middleware: [error_handling]\n");
    assert_int_equal(isw_worker_invoke(f->worker, "answer", &input, &result, NULL), ISW_OK);
    assert_int_equal(result.outcome, ISW_OUTCOME_SUCCESS);
    isw_invocation_free(&result);
}

static void a_module_that_cannot_be_added_is_named(void **state)
{
    fixture *f = *state;
    char path[MODULE_PATH_BYTES];
    char message[256];

    copy_module(ISW_TEST_MODULES "functions.so", f->folder, "f.so", path);
    assert_int_equal(isw_worker_add_module(f->worker, path, NULL), ISW_OK);
    assert_int_equal(isw_worker_add_module(f->worker, path, &f->error), ISW_E_CONFLICT);
    snprintf(message, sizeof message, "module %s: there are two functions named \"answer\"", path);
    assert_string_equal(f->error.message, message);
    f->error = (isw_error){ ISW_OK, "" };
    assert_int_equal(isw_worker_add_module(f->worker, "/nonexistent/m.so", &f->error),
                     ISW_E_CONFIG);
    assert_string_equal(f->error.message, "module /nonexistent/m.so: no such file");
}

static void a_module_without_functions_is_no_worker(void **state)
{
    fixture *f = *state;
    char path[MODULE_PATH_BYTES + 16];
    char message[512];

    snprintf(path, sizeof path, "%s/sample.so", f->folder);
    assert_int_equal(isw_worker_add_module(f->worker, path, &f->error), ISW_E_CONFIG);
    snprintf(message, sizeof message,
             "module %s brings no functions; if it brings middleware, name that in worker.yaml "
             "with `plugin`, see `isoworker explain %s`", path, path);
    assert_string_equal(f->error.message, message);
}

static void a_module_is_explained(void **state)
{
    fixture *f = *state;
    char path[MODULE_PATH_BYTES + 16];
    char expected[640];
    char *text = NULL;

    snprintf(path, sizeof path, "%s/sample.so", f->folder);
    if (isw_middleware_explain(path, &text, &f->error) != ISW_OK)
        fail_msg("%s", f->error.message);
    snprintf(expected, sizeof expected,
             "sample_first: the first one\n\noptions:\n  loud  true or false  default false\n"
             "\nin worker.yaml:\n  - sample_first: { plugin: %s }\n"
             "\nsample_second\n\nIt has no options.\n"
             "\nin worker.yaml:\n  - sample_second: { plugin: %s }\n", path, path);
    assert_string_equal(text, expected);
    isw_free(text);
    copy_module(ISW_TEST_MODULES "functions.so", f->folder, "f.so", path);
    assert_int_equal(isw_middleware_explain(path, &text, NULL), ISW_OK);
    snprintf(expected, sizeof expected, "%s has functions: `isoworker worker %s --describe`\n",
             path, path);
    assert_string_equal(text, expected);
    isw_free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_plugin_is_named_where_it_stands, setup, teardown),
    cmocka_unit_test_setup_teardown(a_list_of_modules_makes_all_of_them_known, setup, teardown),
    cmocka_unit_test_setup_teardown(a_module_that_is_not_there_is_refused_with_its_place, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(a_name_that_the_module_does_not_bring_is_refused, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(a_plugin_is_a_path, setup, teardown),
    cmocka_unit_test_setup_teardown(a_plugin_has_a_name_of_its_own, setup, teardown),
    cmocka_unit_test_setup_teardown(what_is_linked_in_takes_no_plugin, setup, teardown),
    cmocka_unit_test_setup_teardown(a_broken_module_is_refused_with_its_place, setup, teardown),
    cmocka_unit_test_setup_teardown(a_module_that_others_may_write_is_refused_with_its_place, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(what_a_refused_configuration_loaded_is_forgotten, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(a_plugin_comes_with_a_new_configuration, setup, teardown),
    cmocka_unit_test_setup_teardown(a_plugin_is_not_replaced_while_the_worker_runs, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(a_module_brings_functions, setup, teardown),
    cmocka_unit_test_setup_teardown(a_module_that_cannot_be_added_is_named, setup, teardown),
    cmocka_unit_test_setup_teardown(a_module_without_functions_is_no_worker, setup, teardown),
    cmocka_unit_test_setup_teardown(a_module_is_explained, setup, teardown),
};

ISW_TEST_MAIN(tests)
