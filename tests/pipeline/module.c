/* SPDX-License-Identifier: Apache-2.0 */
/* What a shared object must be to be a module. */
#include "support/main.h"
#include "support/modules.h"

#include "pipeline/module.h"

#include <isoworker/bind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Opens the one that was built as `name`; its message without "module ./NAME". */
static isw_status open_named(const char *name, iswi_module *out, isw_error *error)
{
    char path[MODULE_PATH_BYTES];
    char shown[40];
    char *real;
    isw_status status;

    snprintf(path, sizeof path, "%s%s.so", ISW_TEST_MODULES, name);
    snprintf(shown, sizeof shown, "./%s.so", name);
    real = realpath(path, NULL);
    assert_non_null(real);
    status = iswi_module_open(shown, real, out, error);
    free(real);
    return status;
}

static void assert_refused(const char *name, const char *message)
{
    isw_error error = { 0 };
    iswi_module module;

    assert_int_equal(open_named(name, &module, &error), ISW_E_CONFIG);
    assert_string_equal(error.message, message);
}

static void a_module_says_its_version_and_what_it_brings(void **state)
{
    isw_error error = { 0 };
    iswi_module module;

    (void)state;
    if (open_named("sample", &module, &error) != ISW_OK)
        fail_msg("%s", error.message);
    assert_int_equal(module.exports->abi, ISW_MODULE_ABI);
    assert_string_equal(module.exports->version, ISW_VERSION_STRING);
    assert_string_equal(iswi_module_find(&module, "sample_first")->name, "sample_first");
    assert_null(iswi_module_find(&module, "sample"));
    assert_true(iswi_module_has(&module, iswi_module_find(&module, "sample_second")));
    assert_null(module.exports->app->functions);
    iswi_module_close(&module);
}

static void a_module_may_have_functions_alone(void **state)
{
    isw_error error = { 0 };
    iswi_module module;

    (void)state;
    if (open_named("functions", &module, &error) != ISW_OK)
        fail_msg("%s", error.message);
    assert_string_equal(module.exports->app->functions[0].name, "answer");
    assert_null(iswi_module_find(&module, "one"));
    iswi_module_close(&module);
}

static void what_is_no_shared_object_is_refused(void **state)
{
    char path[] = "/tmp/isw-module-XXXXXX";
    isw_error error = { 0 };
    iswi_module module;
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, "not ELF", 7), 7);
    close(fd);
    assert_int_equal(iswi_module_open("./m.so", path, &module, &error), ISW_E_CONFIG);
    assert_string_equal(error.message, "module ./m.so: file too short");
    unlink(path);
}

static void what_exports_no_module_is_refused(void **state)
{
    (void)state;
    assert_refused("empty", "module ./empty.so exports no isw_module_exports; put ISW_MODULE or "
                            "ISW_APP_MODULE of <isoworker/sys/module.h> into its source");
    assert_refused("nothing", "module ./nothing.so brings nothing: its isw_app is NULL");
}

static void a_module_of_another_version_is_refused(void **state)
{
    (void)state;
    assert_refused("other_abi",
                   "module ./other_abi.so was built for version 99 of the module interface "
                   "(isoworker 9.9.9), and this is version 1 (isoworker " ISW_VERSION_STRING
                   "); build it again with the headers of this one");
    assert_refused("future",
                   "module ./future.so: undefined symbol: isw_from_the_future; it was built for a "
                   "newer isoworker than this one, " ISW_VERSION_STRING);
}

static void a_module_with_a_broken_middleware_is_refused(void **state)
{
    (void)state;
    assert_refused("bad_option",
                   "module ./bad_option.so: middleware \"one\": the default of option \"level\" "
                   "must be a whole number, 0 or more, not \"much\"");
    assert_refused("size",
                   "module ./size.so: a middleware has the size 8, not 88: set it to "
                   "sizeof(isw_middleware), and build it with the headers of this isoworker");
    assert_refused("twins", "module ./twins.so brings two middleware named \"one\"");
}

/* Who changes one of these layouts changes the numbers here, and raises ISW_MODULE_ABI if a release
 * had it: no module that was built before may be misread. isw_middleware says its own size, and may
 * grow at its end. */
static void the_version_stands_for_these_layouts(void **state)
{
    (void)state;
    if (sizeof(void *) != 8)
        skip();
    assert_int_equal(ISW_MODULE_ABI, 1);
    assert_int_equal(sizeof(isw_module), 24);
    assert_int_equal(sizeof(isw_app), 24);
    assert_int_equal(sizeof(isw_middleware), 88);
    assert_int_equal(sizeof(isw_option), 88);
    assert_int_equal(sizeof(isw_function), 120);
    assert_int_equal(sizeof(isw_trigger), 40);
    assert_int_equal(sizeof(isw_binding), 32);
    assert_int_equal(sizeof(isw_service), 56);
    assert_int_equal(sizeof(isw_field), 96);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_module_says_its_version_and_what_it_brings),
    cmocka_unit_test(a_module_may_have_functions_alone),
    cmocka_unit_test(what_is_no_shared_object_is_refused),
    cmocka_unit_test(what_exports_no_module_is_refused),
    cmocka_unit_test(a_module_of_another_version_is_refused),
    cmocka_unit_test(a_module_with_a_broken_middleware_is_refused),
    cmocka_unit_test(the_version_stands_for_these_layouts),
};

ISW_TEST_MAIN(tests)
