/* SPDX-License-Identifier: Apache-2.0 */
/* All that is wrong with a document is told, each thing once and at its place. */
#include "config/support.h"

/* Open and load `text`, which is refused, and hold its faults to these lines. */
static void told(const char *text, const char *lines)
{
    iswi_faults faults = { .count = 0 };
    iswi_config *config = NULL;
    const void *out = NULL;
    isw_error error = { 0 };
    isw_status status =
        iswi_config_open_text("c.yaml", text, strlen(text), &faults, &config, &error);

    if (status == ISW_OK)
        status = iswi_config_load(config, sample_table, sizeof(sample), &out, &error);
    assert_int_equal(status, ISW_E_CONFIG);
    assert_string_equal(iswi_buffer_text(&faults.lines), lines);
    assert_memory_equal(error.message, lines, strlen(error.message));
    iswi_config_close(config);
    iswi_faults_fini(&faults);
}

static void every_wrong_value_is_told(void **state)
{
    (void)state;
    told("name: [a]\nport: x\nlimits: {depth: 0, ratio: much}\nhosts: [a, {b: c}, [d]]\n",
         "c.yaml:1:7: \"name\" must be a text, not a list\n"
         "c.yaml:2:7: \"port\" must be a whole number from 1 to 65535, not \"x\" (it is not a "
         "decimal number)\n"
         "c.yaml:4:12: an entry of \"hosts\" must be a text, not a mapping\n"
         "c.yaml:4:20: an entry of \"hosts\" must be a text, not a list\n"
         "c.yaml:3:17: \"depth\" must be a whole number, 1 or more, not \"0\" (it is too small)\n"
         "c.yaml:3:27: \"ratio\" must be a number, not \"much\" (it is not a decimal number)\n");
}

static void what_is_wrong_with_the_text_does_not_hide_the_rest(void **state)
{
    (void)state;
    unsetenv("ISW_T_NONE");
    told("name: ${ISW_T_NONE}\nport: *p\nverbose: !!bool true\nlimits: {depth: 1, depth: 2}\n"
         "tls: {<<: 1, cert: c, verify: maybe}\n",
         "c.yaml:1:7: environment variable \"ISW_T_NONE\" is not set; set it, or give a default: "
         "${ISW_T_NONE:-value}\n"
         "c.yaml:2:7: alias \"*p\" has no anchor \"&p\" before it\n"
         "c.yaml:3:10: tags such as \"!!str\" are not supported\n"
         "c.yaml:4:20: \"depth\" is given twice; it already stands at line 4, column 10\n"
         "c.yaml:5:7: merge keys (\"<<\") are not supported; write the options out, or use an "
         "alias for a whole value\n"
         "c.yaml:5:31: \"verify\" must be true or false, not \"maybe\" (only these two words "
         "are known)\n");
}

static void what_an_alias_repeats_is_told_once(void **state)
{
    (void)state;
    told("name: a\nservers: [&s {host: h, port: 0}, *s, *s]\n",
         "c.yaml:2:30: \"port\" must be a whole number from 1 to 65535, not \"0\" (it is too "
         "small)\n");
}

static void there_are_not_faults_without_end(void **state)
{
    iswi_faults faults = { .count = 0 };
    iswi_buffer text = { 0 };
    iswi_config *config = NULL;
    const void *out = NULL;
    size_t lines = 0;

    (void)state;
    for (int i = 0; i < 3000; i++)
        iswi_buffer_printf(&text, "x%d: 1\n", i);
    assert_int_equal(iswi_config_open_text("c.yaml", iswi_buffer_text(&text), text.size, &faults,
                                           &config, NULL), ISW_OK);
    assert_int_equal(iswi_config_load(config, sample_table, sizeof(sample), &out, NULL),
                     ISW_E_CONFIG);
    for (size_t i = 0; i < faults.lines.size; i++)
        lines += faults.lines.data[i] == '\n';
    assert_int_equal(lines, ISWI_FAULTS_MAX);
    iswi_config_close(config);
    iswi_faults_fini(&faults);
    iswi_buffer_fini(&text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_wrong_value_is_told),
    cmocka_unit_test(what_is_wrong_with_the_text_does_not_hide_the_rest),
    cmocka_unit_test(what_an_alias_repeats_is_told_once),
    cmocka_unit_test(there_are_not_faults_without_end),
};

ISW_TEST_MAIN(tests)
