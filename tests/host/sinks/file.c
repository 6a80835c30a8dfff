/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `file` as every sink, and what files alone can do. */
#include "host/sink_conformance.h"

#include "host/sinks/sinks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 4 << 20 };

static char *read_file(const char *folder, const char *log)
{
    char *text = calloc(1, MOST_BYTES);
    char path[64];
    FILE *file;

    (void)log;
    snprintf(path, sizeof path, "%s/news", folder);
    file = fopen(path, "r");
    if (file) {
        text[fread(text, 1, MOST_BYTES - 1, file)] = '\0';
        fclose(file);
    }
    return text;
}

static const isw_pair given[] = { { { "path", 4 }, { "news", 4 } }, { { "", 0 }, { "", 0 } } };
static const isw_pair wrong[] = {
    { { "path", 4 }, { "", 0 } },
    { { "path", 4 }, { "/etc/passwd", 11 } },
    { { "path", 4 }, { "../news", 7 } },
    { { "", 0 }, { "", 0 } },
};

const conforming_sink subject = {
    .sink = &iswi_sink_file,
    .given = given,
    .wrong = wrong,
    .read = read_file,
};

static void an_output_without_a_path_is_told_what_it_misses(void **state)
{
    conforming_output o;
    isw_error error = { ISW_OK, "" };

    (void)state;
    conforming_open(&o);
    assert_int_equal(conforming_try(&o, given + 1, &error), ISW_E_CONFIG);
    assert_string_equal(error.message, "property \"path\" is missing: a file below the "
                                       "application's folder");
    conforming_close(&o);
}

static void what_cannot_be_written_is_told_with_its_path(void **state)
{
    const isw_value value = isw_value_string("x");
    conforming_output o;
    isw_error error = { ISW_OK, "" };
    char path[64];

    (void)state;
    conforming_open(&o);
    snprintf(path, sizeof path, "%s/news", o.folder);
    assert_int_equal(symlink("/dev/null", path), 0); /* links are not followed */
    assert_int_equal(conforming_put(&o, &value, &error), ISW_E_IO);
    assert_memory_equal(error.message, "news: ", 6);
    conforming_close(&o);
}

static void a_file_that_was_moved_away_is_made_anew_for_its_owner_alone(void **state)
{
    const isw_value value = isw_value_string("x");
    conforming_output o;
    isw_error error = { ISW_OK, "" };
    struct stat info;
    char path[64];
    char *came;

    (void)state;
    conforming_open(&o);
    snprintf(path, sizeof path, "%s/news", o.folder);
    assert_int_equal(conforming_put(&o, &value, &error), ISW_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(conforming_put(&o, &value, &error), ISW_OK);
    came = conforming_read(&o);
    assert_string_equal(came, "\"x\"\n");
    free(came);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    conforming_close(&o);
}

static const struct CMUnitTest tests[] = {
    SINK_CONFORMANCE,
    cmocka_unit_test(an_output_without_a_path_is_told_what_it_misses),
    cmocka_unit_test(what_cannot_be_written_is_told_with_its_path),
    cmocka_unit_test(a_file_that_was_moved_away_is_made_anew_for_its_owner_alone),
};

ISW_TEST_MAIN(tests)
