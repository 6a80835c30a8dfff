/* SPDX-License-Identifier: Apache-2.0 */
/* The access log: off, in a file, and opened anew. Its lines are in access_line.c. */
#include "support/main.h"

#include "host/http/access_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void say_nothing(void *user, isw_log_level level, const char *text)
{
    (void)user;
    (void)level;
    fail_msg("%s", text);
}

static iswi_access_log *opened(const char *to, const char *folder, isw_error *error)
{
    const iswi_access_log_settings settings = { .to = to, .form = ISWI_ACCESS_COMBINED };
    iswi_access_log *log = NULL;

    iswi_access_log_open(&settings, folder, say_nothing, NULL, &log, error);
    return log;
}

static void without_a_place_there_is_none(void **state)
{
    static const iswi_access_log_settings none;
    static const iswi_access line = { .status = 200 };
    isw_error error = { ISW_OK, "" };
    iswi_access_log *log = (iswi_access_log *)&error;

    (void)state;
    assert_int_equal(iswi_access_log_open(&none, "/", say_nothing, NULL, &log, &error), ISW_OK);
    assert_null(log);
    iswi_access_log_add(log, &line);
    iswi_access_log_reopen(log);
    assert_int_equal(iswi_access_log_lost(log), 0);
    iswi_access_log_close(log);
}

static void a_relative_path_begins_in_the_folder(void **state)
{
    static const iswi_access line = { .status = 404, .worker_us = -1 };
    char folder[] = "/tmp/isw-XXXXXX";
    char path[64];
    char text[256] = "";
    isw_error error = { ISW_OK, "" };
    iswi_access_log *log;
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.log", folder);
    log = opened("a.log", folder, &error);
    assert_non_null(log);
    iswi_access_log_add(log, &line);
    iswi_access_log_close(log);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_non_null(strstr(text, "] \"-\" 404 - \"-\" \"-\"\n"));
    assert_null(fgets(text, sizeof text, file));
    fclose(file);
    unlink(path);
    assert_null(opened("b/a.log", folder, &error));
    assert_int_equal(error.status, ISW_E_IO);
    rmdir(folder);
}

/* What `to` is refused for; NULL: it is not. */
static void checked(const char *folder, const char *to, const char *why)
{
    const iswi_access_log_settings settings = { .to = to };
    char name[64];
    char text[128];
    isw_error error = { ISW_OK, "" };
    iswi_config *config = NULL;

    snprintf(name, sizeof name, "%s/host.yaml", folder);
    snprintf(text, sizeof text, "http:\n  access_log: {to: \"%s\"}\n", to);
    assert_int_equal(iswi_config_open_text(name, text, strlen(text), NULL, &config, &error),
                     ISW_OK);
    if (why) {
        assert_int_equal(iswi_access_log_check(config, &settings, &error), ISW_E_CONFIG);
        assert_non_null(strstr(error.message, "host.yaml:2:16: no access log can be written to"));
        if (!strstr(error.message, why))
            fail_msg("%s", error.message);
    } else if (iswi_access_log_check(config, &settings, &error) != ISW_OK) {
        fail_msg("%s", error.message);
    }
    iswi_config_close(config);
}

static void a_place_that_cannot_be_is_refused_before_the_start(void **state)
{
    char folder[] = "/tmp/isw-XXXXXX";
    char path[64];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a", folder);
    checked(folder, "stderr", NULL);
    checked(folder, "a.log", NULL);
    checked(folder, path, NULL);
    checked(folder, "/dev/null", NULL);
    checked(folder, "b/a.log", "No such file or directory");
    assert_int_equal(mkdir(path, 0700), 0);
    checked(folder, "a", "it is a folder");
    checked(folder, "", "write stderr, or the path of a file");
    rmdir(path);
    assert_int_equal(rmdir(folder), 0); /* nothing was made there */
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(without_a_place_there_is_none),
    cmocka_unit_test(a_relative_path_begins_in_the_folder),
    cmocka_unit_test(a_place_that_cannot_be_is_refused_before_the_start),
};

ISW_TEST_MAIN(tests)
