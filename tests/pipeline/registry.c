/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken for a middleware, and what is loaded as a module. */
#include "support/main.h"
#include "support/modules.h"

#include "pipeline/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static isw_status pass(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    (void)self;
    (void)ctx;
    (void)next;
    return ISW_OK;
}

static const isw_middleware good = { .size = sizeof(isw_middleware), .name = "good",
                                     .invoke = pass };

static void assert_refused(const isw_middleware *middleware, isw_status status,
                           const char *message)
{
    iswi_registry registry = { 0 };
    isw_error error = { 0 };

    assert_int_equal(iswi_registry_add(&registry, &good, &error), ISW_OK);
    assert_int_equal(iswi_registry_add(&registry, middleware, &error), status);
    assert_string_equal(error.message, message);
    assert_int_equal(registry.count, 1);
    iswi_registry_fini(&registry);
}

static void a_broken_contract_is_said(void **state)
{
    isw_middleware bad = good;

    (void)state;
    bad.size = 8;
    assert_refused(&bad, ISW_E_INVALID,
                   "a middleware has the size 8, not 88: set it to sizeof(isw_middleware), and "
                   "build it with the headers of this isoworker");
    bad = good;
    bad.name = "";
    assert_refused(&bad, ISW_E_INVALID, "a middleware has no name");
    bad.name = NULL;
    assert_refused(&bad, ISW_E_INVALID, "a middleware has no name");
    bad = good;
    bad.invoke = NULL;
    assert_refused(&bad, ISW_E_INVALID, "middleware \"good\" has no invoke");
}

static void a_wrong_option_is_said(void **state)
{
    static const isw_option with_when[] = {
        { .name = "other", .type = ISW_OPTION_BOOL },
        { .name = "when", .type = ISW_OPTION_BOOL },
        { 0 },
    };
    static const isw_option with_plugin[] = {
        { .name = "plugin", .type = ISW_OPTION_BOOL },
        { .name = "level", .type = ISW_OPTION_BOOL },
        { 0 },
    };
    isw_middleware bad = good;

    (void)state;
    bad.options = with_when;
    assert_refused(&bad, ISW_E_INVALID,
                   "middleware \"good\" declares the option \"when\", which belongs to the chain");
    bad.options = with_plugin;
    assert_refused(&bad, ISW_E_INVALID,
                   "middleware \"good\" declares the option \"plugin\", which belongs to the "
                   "chain");
    bad.options = with_plugin + 1;
    assert_refused(&bad, ISW_E_INVALID,
                   "middleware \"good\": option \"level\" takes 1 bytes at offset 0 of a struct of "
                   "0; see its offset, and the size that goes with the table");
}

static void two_of_one_name_are_in_conflict(void **state)
{
    isw_middleware twin = good;

    (void)state;
    assert_refused(&twin, ISW_E_CONFLICT, 
                   "there is a middleware \"good\" in this worker already; give the other one a "
                   "name of its own");
}

static void the_same_descriptor_may_come_twice(void **state)
{
    iswi_registry registry = { 0 };

    (void)state;
    assert_int_equal(iswi_registry_add(&registry, &good, NULL), ISW_OK);
    assert_int_equal(iswi_registry_add(&registry, &good, NULL), ISW_OK);
    assert_int_equal(registry.count, 1);
    assert_ptr_equal(iswi_registry_find(&registry, "good"), &good);
    assert_null(iswi_registry_find(&registry, "goo"));
    iswi_registry_fini(&registry);
}

/* -- Modules ----------------------------------------------------------------------------------- */

typedef struct fixture {
    iswi_registry registry;
    char folder[MODULE_PATH_BYTES];
    char path[MODULE_PATH_BYTES];
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    make_folder(f->folder);
    copy_module(ISW_TEST_MODULES "sample.so", f->folder, "m.so", f->path);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;

    iswi_registry_fini(&f->registry);
    remove_folder(f->folder);
    free(f);
    return 0;
}

static void a_module_brings_its_list(void **state)
{
    fixture *f = *state;
    isw_error error = { 0 };
    const iswi_module *origin;

    if (iswi_registry_load(&f->registry, f->path, &error) != ISW_OK)
        fail_msg("%s", error.message);
    assert_int_equal(f->registry.count, 2);
    assert_non_null(iswi_registry_find(&f->registry, "sample_first"));
    origin = iswi_registry_origin(&f->registry, iswi_registry_find(&f->registry, "sample_second"));
    assert_string_equal(origin->path, f->path);
    assert_null(iswi_registry_origin(&f->registry, &good));
}

static void a_module_is_open_once_by_whatever_path(void **state)
{
    fixture *f = *state;
    char link[MODULE_PATH_BYTES + 8];

    snprintf(link, sizeof link, "%s/l.so", f->folder);
    assert_int_equal(symlink("m.so", link), 0);
    assert_int_equal(iswi_registry_load(&f->registry, f->path, NULL), ISW_OK);
    assert_int_equal(iswi_registry_load(&f->registry, link, NULL), ISW_OK);
    assert_int_equal(iswi_registry_load_one(&f->registry, link, "sample_first", NULL), ISW_OK);
    assert_int_equal(f->registry.count, 2);
    assert_int_equal(f->registry.module_count, 1);
}

static void one_of_a_module_comes_alone(void **state)
{
    fixture *f = *state;

    assert_int_equal(iswi_registry_load_one(&f->registry, f->path, "sample_second", NULL), ISW_OK);
    assert_int_equal(f->registry.count, 1);
    assert_null(iswi_registry_find(&f->registry, "sample_first"));
}

static void assert_not_loaded(fixture *f, const char *path, const char *name, isw_status status,
                              const char *format, ...) ISW_PRINTF(5, 6);

static void assert_not_loaded(fixture *f, const char *path, const char *name, isw_status status,
                              const char *format, ...)
{
    char message[ISW_ERROR_MESSAGE_BYTES];
    isw_error error = { 0 };
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    assert_int_equal(iswi_registry_load_one(&f->registry, path, name, &error), status);
    assert_string_equal(error.message, message);
}

static void a_name_that_a_module_does_not_bring_is_refused(void **state)
{
    fixture *f = *state;
    char functions[MODULE_PATH_BYTES];

    assert_not_loaded(f, f->path, "sample", ISW_E_CONFIG,
                      "module %s brings no middleware \"sample\"; it brings: sample_first, "
                      "sample_second", f->path);
    copy_module(ISW_TEST_MODULES "functions.so", f->folder, "f.so", functions);
    assert_not_loaded(f, functions, "sample", ISW_E_CONFIG,
                      "module %s brings no middleware \"sample\"; it brings: none", functions);
}

static void a_name_in_use_says_where_it_comes_from(void **state)
{
    fixture *f = *state;
    char twin[MODULE_PATH_BYTES];

    copy_module(ISW_TEST_MODULES "sample.so", f->folder, "twin.so", twin);
    assert_int_equal(iswi_registry_load(&f->registry, f->path, NULL), ISW_OK);
    assert_not_loaded(f, twin, "sample_first", ISW_E_CONFLICT,
                      "module %s: middleware \"sample_first\" comes from %s already; a worker has "
                      "one of a name, and takes another one when it starts again", twin, f->path);
}

static void what_was_added_can_be_taken_back(void **state)
{
    fixture *f = *state;

    assert_int_equal(iswi_registry_add(&f->registry, &good, NULL), ISW_OK);
    assert_int_equal(iswi_registry_load(&f->registry, f->path, NULL), ISW_OK);
    iswi_registry_trim(&f->registry, 1, 0);
    assert_int_equal(f->registry.count, 1);
    assert_null(iswi_registry_find(&f->registry, "sample_first"));
    assert_int_equal(iswi_registry_load(&f->registry, f->path, NULL), ISW_OK);
    assert_int_equal(f->registry.count, 3);
}

static void a_module_that_others_may_write_is_not_opened(void **state)
{
    fixture *f = *state;

    assert_int_equal(chmod(f->path, 0775), 0);
    assert_not_loaded(f, f->path, "sample_first", ISW_E_CONFIG,
                      "module %s is refused: %s may be written by others; chmod go-w %s", f->path,
                      f->path, f->path);
    assert_int_equal(f->registry.module_count, 0);
}

static void only_plain_names_are_looked_for_beside_the_library(void **state)
{
    static const char *const names[] = { "", "..", "../auth", "a/b", "Auth", "not_there" };
    iswi_registry registry = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(iswi_registry_load_known(&registry, names[i], NULL), ISW_OK);
    assert_int_equal(registry.count + registry.module_count, 0);
    iswi_registry_fini(&registry);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_broken_contract_is_said),
    cmocka_unit_test(a_wrong_option_is_said),
    cmocka_unit_test(two_of_one_name_are_in_conflict),
    cmocka_unit_test(the_same_descriptor_may_come_twice),
    cmocka_unit_test_setup_teardown(a_module_brings_its_list, setup, teardown),
    cmocka_unit_test_setup_teardown(a_module_is_open_once_by_whatever_path, setup, teardown),
    cmocka_unit_test_setup_teardown(one_of_a_module_comes_alone, setup, teardown),
    cmocka_unit_test_setup_teardown(a_name_that_a_module_does_not_bring_is_refused, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(a_name_in_use_says_where_it_comes_from, setup, teardown),
    cmocka_unit_test_setup_teardown(what_was_added_can_be_taken_back, setup, teardown),
    cmocka_unit_test_setup_teardown(a_module_that_others_may_write_is_not_opened, setup, teardown),
    cmocka_unit_test(only_plain_names_are_looked_for_beside_the_library),
};

ISW_TEST_MAIN(tests)
