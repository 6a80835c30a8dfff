/* SPDX-License-Identifier: Apache-2.0 */
#include "config/support.h"

typedef struct program {
    isw_option_strings environment;
} program;

static const isw_option table[] = {
    { .name = "environment", .type = ISWI_OPTION_VARIABLES, .optional = true,
      .offset = offsetof(program, environment) },
    { 0 },
};

/* Load `text`, and hold the variables to `expected`, with spaces between; or what is told. */
static void read_as(const char *text, const char *expected, const char *lines)
{
    iswi_faults faults = { .count = 0 };
    iswi_config *config = NULL;
    const void *out = NULL;
    iswi_buffer joined = { 0 };

    assert_int_equal(iswi_config_open_text("c.yaml", text, strlen(text), &faults, &config, NULL),
                     ISW_OK);
    assert_int_equal(iswi_config_load(config, table, sizeof(program), &out, NULL),
                     lines ? ISW_E_CONFIG : ISW_OK);
    for (size_t i = 0; out && i < ((const program *)out)->environment.count; i++)
        iswi_buffer_printf(&joined, "%s%s", i ? " " : "",
                           ((const program *)out)->environment.items[i]);
    assert_string_equal(joined.size ? iswi_buffer_text(&joined) : "", expected);
    assert_string_equal(faults.count ? iswi_buffer_text(&faults.lines) : "", lines ? lines : "");
    iswi_buffer_fini(&joined);
    iswi_config_close(config);
    iswi_faults_fini(&faults);
}

static void a_mapping_and_a_list_say_the_same(void **state)
{
    (void)state;
    read_as("environment: {A: 1, B_2: 'x y', C: \"\", D: true, E: a=b}\n",
            "A=1 B_2=x y C= D=true E=a=b", NULL);
    read_as("environment: [A=1, 'B_2=x y', C=, D=true, E=a=b]\n",
            "A=1 B_2=x y C= D=true E=a=b", NULL);
    read_as("environment:\n", "", NULL);
    read_as("environment: {}\n", "", NULL);
    read_as("{}\n", "", NULL);
}

#define NO_VARIABLE(place, name)                                                            \
    "c.yaml:" place ": \"" name "\" is no variable for \"environment\"; write NAME: value, or a "  \
    "list of NAME=value\n"

static void what_is_no_variable_is_refused_with_its_place(void **state)
{
    (void)state;
    read_as("environment: [A, 1B=2, =3, {C: d}]\n", "",
            NO_VARIABLE("1:15", "A") NO_VARIABLE("1:18", "1B=2") NO_VARIABLE("1:24", "=3")
            "c.yaml:1:28: an entry of \"environment\" must be a text, not a mapping\n");
    read_as("environment: {a b: 1, C: , D: [e]}\n", "",
            NO_VARIABLE("1:15", "a b")
            "c.yaml:1:23: \"C\" has no value; write \"\" for an empty text\n"
            "c.yaml:1:28: an entry of \"environment\" must be a text, not a list\n");
    read_as("environment: yes\n", "",
            "c.yaml:1:14: \"environment\" must be a mapping of names to values, or a list of "
            "NAME=value, not \"yes\"\n");
}

static void a_name_stands_once(void **state)
{
    (void)state;
    read_as("environment: [A=1, AB=2, A=3]\n", "", "c.yaml:1:26: \"A\" is given twice\n");
    read_as("environment: {A: 1, A: 2}\n", "",
            "c.yaml:1:21: \"A\" is given twice; it already stands at line 1, column 15\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_mapping_and_a_list_say_the_same),
    cmocka_unit_test(what_is_no_variable_is_refused_with_its_place),
    cmocka_unit_test(a_name_stands_once),
};

ISW_TEST_MAIN(tests)
