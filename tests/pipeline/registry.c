/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken for a middleware, and what is loaded as a module. */
#include "support/main.h"

#include "pipeline/registry.h"

#include <fcntl.h>
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
    static const isw_option with_when[] = {
        { .name = "other", .type = ISW_OPTION_BOOL },
        { .name = "when", .type = ISW_OPTION_BOOL },
        { 0 },
    };
    isw_middleware bad = good;

    (void)state;
    bad.size = 8;
    assert_refused(&bad, ISW_E_INVALID, "a middleware was built for another version of isoworker");
    bad = good;
    bad.name = "";
    assert_refused(&bad, ISW_E_INVALID, "a middleware has no name");
    bad.name = NULL;
    assert_refused(&bad, ISW_E_INVALID, "a middleware has no name");
    bad = good;
    bad.invoke = NULL;
    assert_refused(&bad, ISW_E_INVALID, "a middleware has no invoke");
    bad = good;
    bad.options = with_when;
    assert_refused(&bad, ISW_E_INVALID,
                   "a middleware declares the option \"when\", which belongs to the chain");
}

static void two_of_one_name_are_in_conflict(void **state)
{
    isw_middleware twin = good;

    (void)state;
    assert_refused(&twin, ISW_E_CONFLICT, "there are two middleware named \"good\"");
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

static void a_module_brings_its_list(void **state)
{
    iswi_registry registry = { 0 };
    isw_error error = { 0 };

    (void)state;
    assert_int_equal(chmod(ISW_TEST_MODULE, 0755), 0); /* whatever the umask of the build */
    if (iswi_registry_load(&registry, ISW_TEST_MODULE, &error) != ISW_OK)
        fail_msg("%s", error.message);
    assert_int_equal(registry.count, 2);
    assert_non_null(iswi_registry_find(&registry, "sample_first"));
    assert_non_null(iswi_registry_find(&registry, "sample_second"));
    assert_int_equal(iswi_registry_load(&registry, ISW_TEST_MODULE, &error), ISW_OK);
    assert_int_equal(registry.count, 2);
    iswi_registry_fini(&registry);
}

static void assert_not_loaded(const char *path, const char *message)
{
    iswi_registry registry = { 0 };
    isw_error error = { 0 };

    assert_int_equal(iswi_registry_load(&registry, path, &error), ISW_E_CONFIG);
    assert_memory_equal(error.message, message, strlen(message));
    assert_int_equal(registry.count, 0);
    iswi_registry_fini(&registry);
}

static void a_shared_object_without_the_entry_is_refused(void **state)
{
    (void)state;
    assert_int_equal(chmod(ISW_TEST_NO_MODULE, 0755), 0);
    assert_not_loaded(ISW_TEST_NO_MODULE, ISW_TEST_NO_MODULE " exports no isw_module_middleware");
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    assert_not_loaded("/nonexistent/m.so", "module /nonexistent/m.so: no such file");
    assert_not_loaded("/", "module /: no such file");
}

/* A file of this text and mode; the caller unlinks it. */
static void make_file(char path[40], const char *text, mode_t mode)
{
    int fd;

    strcpy(path, "/tmp/isw-module-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void a_file_that_is_no_shared_object_is_refused(void **state)
{
    char message[80];
    char path[40];

    (void)state;
    make_file(path, "not ELF", 0644);
    snprintf(message, sizeof message, "module %s: ", path);
    assert_not_loaded(path, message);
    unlink(path);
}

static void a_module_that_others_may_write_is_refused(void **state)
{
    static const mode_t modes[] = { 0664, 0646, 0666 };

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        char message[120];
        char path[40];

        make_file(path, "", modes[i]);
        snprintf(message, sizeof message,
                 "module %s may be written by others; chmod go-w it", path);
        assert_not_loaded(path, message);
        unlink(path);
    }
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
    cmocka_unit_test(two_of_one_name_are_in_conflict),
    cmocka_unit_test(the_same_descriptor_may_come_twice),
    cmocka_unit_test(a_module_brings_its_list),
    cmocka_unit_test(a_shared_object_without_the_entry_is_refused),
    cmocka_unit_test(what_is_no_file_is_refused),
    cmocka_unit_test(a_file_that_is_no_shared_object_is_refused),
    cmocka_unit_test(a_module_that_others_may_write_is_refused),
    cmocka_unit_test(only_plain_names_are_looked_for_beside_the_library),
};

ISW_TEST_MAIN(tests)
