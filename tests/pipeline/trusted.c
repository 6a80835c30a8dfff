/* SPDX-License-Identifier: Apache-2.0 */
/* Which files are ours alone. */
#include "support/main.h"
#include "support/modules.h"

#include "pipeline/trusted.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

/* DIR/sub/m.so, all of it ours. */
typedef struct fixture {
    char folder[MODULE_PATH_BYTES];
    char sub[MODULE_PATH_BYTES + 8];
    char file[MODULE_PATH_BYTES + 16];
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    int fd;

    make_folder(f->folder);
    snprintf(f->sub, sizeof f->sub, "%s/sub", f->folder);
    snprintf(f->file, sizeof f->file, "%s/m.so", f->sub);
    assert_int_equal(mkdir(f->sub, 0755), 0);
    fd = open(f->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    close(fd);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;

    remove_folder(f->folder);
    free(f);
    return 0;
}

static void assert_trusted(const char *path, const char *expected)
{
    char real[PATH_MAX];
    isw_error error = { 0 };

    if (iswi_trusted_path(path, real, &error) != ISW_OK)
        fail_msg("%s", error.message);
    assert_string_equal(real, expected);
}

static void assert_refused(const char *path, const char *format, ...) ISW_PRINTF(2, 3);

static void assert_refused(const char *path, const char *format, ...)
{
    char message[ISW_ERROR_MESSAGE_BYTES];
    char real[PATH_MAX];
    isw_error error = { 0 };
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    assert_int_equal(iswi_trusted_path(path, real, &error), ISW_E_CONFIG);
    assert_string_equal(error.message, message);
}

static void assert_writable(const char *path, const char *part)
{
    assert_refused(path, "module %s is refused: %s may be written by others; chmod go-w %s", path,
                   part, part);
}

static void what_is_ours_alone_is_trusted(void **state)
{
    fixture *f = *state;
    char crooked[MODULE_PATH_BYTES + 32];

    assert_trusted(f->file, f->file);
    snprintf(crooked, sizeof crooked, "%s/./../sub//m.so", f->sub);
    assert_trusted(crooked, f->file);
}

static void what_is_no_file_is_refused(void **state)
{
    fixture *f = *state;

    assert_refused("/nonexistent/m.so", "module /nonexistent/m.so: no such file");
    assert_refused(f->sub, "module %s: not a file", f->sub);
    assert_refused("/", "module /: not a file");
}

static void a_file_that_others_may_write_is_refused(void **state)
{
    static const mode_t modes[] = { 0664, 0646, 0666 };
    fixture *f = *state;

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(f->file, modes[i]), 0);
        assert_writable(f->file, f->file);
    }
}

static void a_folder_that_others_may_write_is_refused(void **state)
{
    fixture *f = *state;

    assert_int_equal(chmod(f->sub, 0775), 0);
    assert_writable(f->file, f->sub);
    assert_int_equal(chmod(f->sub, 0755), 0);
    assert_int_equal(chmod(f->folder, 0702), 0);
    assert_writable(f->file, f->folder);
}

static void a_folder_with_the_sticky_bit_is_trusted(void **state)
{
    fixture *f = *state;

    assert_int_equal(chmod(f->sub, 01777), 0);
    assert_trusted(f->file, f->file);
}

static void a_link_is_followed_before_the_check(void **state)
{
    fixture *f = *state;
    char link[MODULE_PATH_BYTES + 16];

    snprintf(link, sizeof link, "%s/link.so", f->folder);
    assert_int_equal(symlink("sub/m.so", link), 0);
    assert_trusted(link, f->file);
    assert_int_equal(chmod(f->sub, 0777), 0);
    assert_writable(link, f->sub);
}

static void assert_belongs_to_nobody(const char *path, const char *part)
{
    assert_refused(path,
                   "module %s is refused: %s belongs to uid %d, who could change it; it must "
                   "belong to root or to uid %u, who loads it",
                   path, part, NOBODY, (unsigned)geteuid());
}

static void what_belongs_to_somebody_else_is_refused(void **state)
{
    fixture *f = *state;

    if (chown(f->file, NOBODY, (gid_t)-1) != 0)
        skip(); /* only root gives files away */
    assert_belongs_to_nobody(f->file, f->file);
    assert_int_equal(chown(f->file, geteuid(), (gid_t)-1), 0);
    assert_int_equal(chown(f->sub, NOBODY, (gid_t)-1), 0);
    assert_belongs_to_nobody(f->file, f->sub);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(what_is_ours_alone_is_trusted, setup, teardown),
    cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, setup, teardown),
    cmocka_unit_test_setup_teardown(a_file_that_others_may_write_is_refused, setup, teardown),
    cmocka_unit_test_setup_teardown(a_folder_that_others_may_write_is_refused, setup, teardown),
    cmocka_unit_test_setup_teardown(a_folder_with_the_sticky_bit_is_trusted, setup, teardown),
    cmocka_unit_test_setup_teardown(a_link_is_followed_before_the_check, setup, teardown),
    cmocka_unit_test_setup_teardown(what_belongs_to_somebody_else_is_refused, setup, teardown),
};

ISW_TEST_MAIN(tests)
