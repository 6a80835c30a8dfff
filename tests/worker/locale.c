/* SPDX-License-Identifier: Apache-2.0 */
/* A program that has set its user's locale: one with a comma in numbers, in which I is not the
 * capital of i, as in Turkish. It is made here, so that none needs to be installed. */
#include "worker/support.h"

#include "base/logline.h"
#include "base/number.h"
#include "value/value.h"
#include "worker/http/types.h"

#include <isoworker/span.h>
#include <isoworker/testing.h>
#include <ctype.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[32];

static void write_text(const char *name, const char *text)
{
    char path[64];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* Pairs of letters, but for I, as localedef reads them. */
static void append_pairs(char *out, size_t size, int first, int step)
{
    for (int i = 0; i < 26; i++)
        if (i != 'I' - 'A')
            snprintf(out + strlen(out), size - strlen(out), "%s(<U%04X>,<U%04X>)", i ? ";" : "",
                     (unsigned)(first + i), (unsigned)(first + i + step));
}

static int set_locale(void **state)
{
    char source[4096] = "comment_char %\nescape_char /\nLC_CTYPE\n"
                        "upper <U0041>..<U005A>\nlower <U0061>..<U007A>\ntoupper ";
    char command[256];
    char number[8];

    (void)state;
    strcpy(folder, "/tmp/isw-locale-XXXXXX");
    assert_non_null(mkdtemp(folder));
    append_pairs(source, sizeof source, 'a', 'A' - 'a');
    strcat(source, "\ntolower ");
    append_pairs(source, sizeof source, 'A', 'a' - 'A');
    strcat(source, "\nEND LC_CTYPE\nLC_NUMERIC\ndecimal_point \",\"\nthousands_sep \".\"\n"
                   "grouping 3;3\nEND LC_NUMERIC\n");
    write_text("source", source);
    write_text("map", "<code_set_name> ASCII\n<comment_char> %\n<escape_char> /\nCHARMAP\n"
                      "<U0000>..<U007F> /x00 ASCII\nEND CHARMAP\n");
    snprintf(command, sizeof command, "localedef --quiet -c -f %s/map -i %s/source %s/xx_XX",
             folder, folder, folder);
    if (system(command) < 0) /* 1 for each category that it lacks */
        return -1;
    setenv("LOCPATH", folder, 1);
    if (!setlocale(LC_ALL, "xx_XX"))
        fail_msg("no locale came of: %s", command);
    snprintf(number, sizeof number, "%g", 1.5);
    assert_string_equal(number, "1,5");
    assert_int_equal(tolower('I'), 'I'); /* a sanitizer may have a strcasecmp of its own */
    return 0;
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    setlocale(LC_ALL, "C");
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void doubles_have_a_point(void **state)
{
    static const char *const wrong[] = { "", "0,5", "1.5 ", " 1", "0x1p3", "inf", "nan", "1e999",
                                         "1.2.3", "-", "1e", "." };
    char text[ISWI_DOUBLE_BYTES];
    double value = 7;

    (void)state;
    iswi_double_text(0.1, text);
    assert_string_equal(text, "0.1");
    iswi_double_text(-1234567.25e30, text);
    assert_string_equal(text, "-1.23456725e+36");
    iswi_double_brief(9223372036854775807.0 / 4, text);
    assert_string_equal(text, "2.30584e+18");
    assert_true(iswi_double_read("-0.5e1", &value));
    assert_true(value == -5);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (iswi_double_read(wrong[i], &value) || value != -5)
            fail_msg("read: %s", wrong[i]);
}

static void values_come_and_go_alike(void **state)
{
    static const char json[] = "[0.5,1e+300,-2.25]";
    isw_value text = isw_value_string("1.5");
    isw_value comma = isw_value_string("1,5");
    isw_named_value field = isw_named("share", isw_value_double(0.25));
    iswi_logline line = { .fields = &field, .field_count = 1 };
    iswi_buffer out = { 0 };
    iswi_arena arena;
    isw_value value;
    isw_str written;
    double number;

    (void)state;
    iswi_arena_init(&arena, 1024);
    assert_int_equal(iswi_json_parse(&arena, isw_str_of(json), &value, NULL), ISW_OK);
    assert_int_equal(iswi_json_write(&arena, &value, &written, NULL), ISW_OK);
    assert_string_equal(written.data, json);
    assert_int_equal(isw_value_to_double(&text, &number, NULL), ISW_OK);
    assert_true(number == 1.5);
    assert_int_equal(isw_value_to_double(&comma, &number, NULL), ISW_E_INVALID);
    iswi_logline_json(&line, &out);
    assert_non_null(strstr(iswi_buffer_text(&out), "\"share\":0.25"));
    iswi_buffer_reset(&out);
    iswi_logline_text(&line, false, &out);
    assert_non_null(strstr(iswi_buffer_text(&out), "share=0.25"));
    iswi_buffer_fini(&out);
    iswi_arena_fini(&arena);
}

static void names_have_no_letter_case(void **state)
{
    const isw_pair one = { { "content-id", 10 }, { "x", 1 } };
    const isw_pairs pairs = { &one, 1 };

    (void)state;
    assert_non_null(isw_pairs_find(&pairs, "CONTENT-ID"));
    assert_string_equal(iswi_content_type_of("A.GIF"), "image/gif");
    assert_true(isw_str_equal_nocase(isw_str_of("azAZ[`"), isw_str_of("AZaz[`")));
    assert_false(isw_str_equal_nocase(isw_str_of("["), isw_str_of("{")));
    assert_false(isw_str_equal_nocase(isw_str_of("@"), isw_str_of("`")));
    assert_false(isw_str_equal_nocase(isw_str_of("\xc9"), isw_str_of("\xe9")));
    assert_false(isw_str_equal_nocase(isw_str_of("a"), isw_str_of("ab")));
}

static isw_status half(isw_context *ctx)
{
    const unsigned span = isw_span_begin(ctx, "half");
    const isw_value share = isw_value_double(0.5);

    isw_span_set(ctx, span, "share", &share);
    isw_span_end(ctx, span, ISW_OK);
    return ISW_OK;
}

/* Options as well as spans. */
static void a_chain_is_configured_and_exports_alike(void **state)
{
    static const isw_function functions[] = {
        { .name = "half", .trigger = ISW_HTTP("GET", NULL), .handler = half }, { 0 }
    };
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    char yaml[256];
    char line[4096] = "";
    isw_worker *worker;
    isw_error error = { 0 };
    isw_test *test;
    FILE *in;

    (void)state;
    snprintf(yaml, sizeof yaml,
             "middleware:\n  - metrics: {buckets: [0.5, 2.5]}\n"
             "  - trace: {to: file, file: %s/spans, sample: 1.0}\n"
             "  - retry: {attempts: 2, base: 1ms}\n", folder);
    options.config_text = yaml;
    assert_int_equal(isw_worker_create(&options, &worker, &error), ISW_OK);
    assert_int_equal(isw_worker_add_function(worker, functions, &error), ISW_OK);
    if (isw_test_create(worker, &test, &error) != ISW_OK)
        fail_msg("%s", error.message);
    isw_test_http(test, "GET", "/half");
    isw_test_destroy(test);
    snprintf(yaml, sizeof yaml, "%s/spans", folder);
    in = fopen(yaml, "r");
    assert_non_null(in);
    assert_non_null(fgets(line, sizeof line, in));
    fclose(in);
    if (!strstr(line, "{\"key\":\"share\",\"value\":{\"doubleValue\":0.5}}"))
        fail_msg("%s", line);
    assert_non_null(strstr(refusal_of("middleware:\n  - trace: {sample: \"0,5\"}\n"),
                           "it is not a decimal number"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(doubles_have_a_point, set_locale, remove_folder),
    cmocka_unit_test_setup_teardown(values_come_and_go_alike, set_locale, remove_folder),
    cmocka_unit_test_setup_teardown(names_have_no_letter_case, set_locale, remove_folder),
    cmocka_unit_test_setup_teardown(a_chain_is_configured_and_exports_alike, set_locale,
                                    remove_folder),
};

ISW_TEST_MAIN(tests)
