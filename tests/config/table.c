/* SPDX-License-Identifier: Apache-2.0 */
/* What a table must keep to, and the sentence for each slip. */
#include "support/main.h"

#include "config/config.h"

#include <stdio.h>

typedef struct inner {
    bool on;
} inner;

typedef struct outer {
    bool flag;
    int64_t number;
    double factor;
    const char *text;
    isw_option_strings list;
    inner group;
    isw_option_list groups;
} outer;

static const isw_option inner_rows[] = {
    { .name = "on", .type = ISW_OPTION_BOOL, .optional = true },
    { 0 },
};

static const isw_option good_rows[] = {
    { .name = "flag", .type = ISW_OPTION_BOOL, .default_value = "true",
      .offset = offsetof(outer, flag) },
    { .name = "number", .type = ISW_OPTION_DURATION, .default_value = "5s", .min = 1, .max = 60000,
      .offset = offsetof(outer, number) },
    { .name = "factor", .type = ISW_OPTION_DOUBLE, .default_value = "0.5",
      .offset = offsetof(outer, factor) },
    { .name = "text", .type = ISW_OPTION_STRING, .default_value = "",
      .offset = offsetof(outer, text) },
    { .name = "list", .type = ISW_OPTION_STRINGS, .default_value = "[a, b]",
      .offset = offsetof(outer, list) },
    { .name = "group", .type = ISW_OPTION_GROUP, .offset = offsetof(outer, group),
      .group = inner_rows, .group_size = sizeof(inner) },
    { .name = "groups", .type = ISW_OPTION_GROUP_LIST, .offset = offsetof(outer, groups),
      .optional = true, .group = inner_rows, .group_size = sizeof(inner) },
    { 0 },
};

static void a_table_that_keeps_the_rules_is_taken(void **state)
{
    isw_error error = { 0 };

    (void)state;
    if (iswi_option_table_check(good_rows, sizeof(outer), &error) != ISW_OK)
        fail_msg("%s", error.message);
    assert_int_equal(iswi_option_table_check(NULL, 0, &error), ISW_OK);
}

/* `row` after a row "first", which lies at the offset 0 and has 8 bytes, in a struct of 24. */
static void assert_refused(isw_option row, const char *message)
{
    const isw_option rows[] = { { .name = "first", .type = ISW_OPTION_INT, .optional = true }, row,
                                { 0 } };
    isw_error error = { 0 };

    assert_int_equal(iswi_option_table_check(rows, 24, &error), ISW_E_INVALID);
    assert_string_equal(error.message, message);
}

static void a_name_is_lower_case_and_used_once(void **state)
{
    (void)state;
    assert_refused((isw_option){ .name = "Level", .offset = 8 },
                   "\"Level\" is no name for an option: lower case letters, digits, '_'");
    assert_refused((isw_option){ .name = "", .offset = 8 },
                   "\"\" is no name for an option: lower case letters, digits, '_'");
    assert_refused((isw_option){ .name = "first", .offset = 8 },
                   "two options are named \"first\"");
}

static void a_value_lies_within_its_struct_and_apart_from_others(void **state)
{
    (void)state;
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_STRINGS, .offset = 16 },
                   "option \"x\" takes 16 bytes at offset 16 of a struct of 24; see its offset, "
                   "and the size that goes with the table");
    assert_refused((isw_option){ .name = "x", .offset = (size_t)-1 },
                   "option \"x\" takes 1 bytes at offset 18446744073709551615 of a struct of 24; "
                   "see its offset, and the size that goes with the table");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_STRING },
                   "options \"first\" and \"x\" lie in the same bytes; give each the offsetof of "
                   "its member");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_BOOL, .offset = 7 },
                   "options \"first\" and \"x\" lie in the same bytes; give each the offsetof of "
                   "its member");
}

static void a_default_can_be_read(void **state)
{
    static const char *const choices[] = { "low", "high", NULL };

    (void)state;
    assert_refused((isw_option){ .name = "x", .default_value = "yes", .offset = 8 },
                   "the default of option \"x\" must be true or false, not \"yes\"");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_INT, .default_value = "9",
                                 .max = 8, .offset = 8 },
                   "the default of option \"x\" must be a whole number from 0 to 8, not \"9\"");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_DURATION, .default_value = "5",
                                 .offset = 8 },
                   "the default of option \"x\" must be a duration (250ms, 10s, 5m, 1h), not "
                   "\"5\"");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_SIZE, .default_value = "1MB",
                                 .offset = 8 },
                   "the default of option \"x\" must be a size (512, 64KiB, 16MiB, 1GiB), not "
                   "\"1MB\"");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_DOUBLE, .default_value = "half",
                                 .offset = 8 },
                   "the default of option \"x\" must be a number, not \"half\"");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_ENUM, .default_value = "mid",
                                 .choices = choices, .offset = 8 },
                   "the default of option \"x\" must be one of low, high, not \"mid\"");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_STRINGS, .default_value = "a, b",
                                 .offset = 8 },
                   "the default of option \"x\" must be a list of texts, not \"a, b\"");
}

static void a_row_has_what_its_type_needs(void **state)
{
    static const char *const none[] = { NULL };

    (void)state;
    assert_refused((isw_option){ .type = ISW_OPTION_INT, .offset = 8 },
                   "row 2 of a table of options has no name; only the last one, { 0 }, has none");
    assert_refused((isw_option){ .name = "x", .type = (isw_option_type)99, .offset = 8 },
                   "option \"x\" has a type that this isoworker does not know");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_ENUM, .offset = 8 },
                   "option \"x\" has no choices");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_ENUM, .choices = none,
                                 .offset = 8 },
                   "option \"x\" has no choices");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_GROUP, .offset = 8 },
                   "option \"x\" has no group, which is the table of what stands in it, or no "
                   "group_size");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_PROPERTIES, .default_value = "a",
                                 .offset = 8 },
                   "option \"x\" has a default, which its type cannot have");
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_INT, .min = 5, .max = 4,
                                 .offset = 8 },
                   "option \"x\" has a min above its max");
}

static void nested_tables_keep_the_same_rules(void **state)
{
    static const isw_option wrong[] = { { .name = "on", .offset = 1 }, { 0 } };

    (void)state;
    assert_refused((isw_option){ .name = "x", .type = ISW_OPTION_GROUP, .group = wrong,
                                 .group_size = 1, .offset = 8 },
                   "option \"on\" takes 1 bytes at offset 1 of a struct of 1; see its offset, and "
                   "the size that goes with the table");
}

static void a_table_ends(void **state)
{
    isw_option endless[] = {
        { .name = "x", .type = ISW_OPTION_GROUP_LIST, .group_size = sizeof(isw_option_list) },
        { 0 },
    };
    isw_option many[300] = { { .name = NULL } };
    char names[300][8];
    isw_error error = { 0 };

    (void)state;
    endless[0].group = endless;
    assert_int_equal(iswi_option_table_check(endless, sizeof(isw_option_list), &error),
                     ISW_E_INVALID);
    assert_string_equal(error.message, "options are nested deeper than 32 levels; a group must "
                                       "not hold itself");
    error = (isw_error){ ISW_OK, "" };
    for (size_t i = 0; i < 299; i++) {
        snprintf(names[i], sizeof names[i], "x%zu", i);
        many[i] = (isw_option){ .name = names[i], .offset = i };
    }
    assert_int_equal(iswi_option_table_check(many, 300, &error), ISW_E_INVALID);
    assert_string_equal(error.message, "there are more than 256 options in one table, which has "
                                       "to end with { 0 }");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_table_that_keeps_the_rules_is_taken),
    cmocka_unit_test(a_name_is_lower_case_and_used_once),
    cmocka_unit_test(a_value_lies_within_its_struct_and_apart_from_others),
    cmocka_unit_test(a_default_can_be_read),
    cmocka_unit_test(a_row_has_what_its_type_needs),
    cmocka_unit_test(nested_tables_keep_the_same_rules),
    cmocka_unit_test(a_table_ends),
};

ISW_TEST_MAIN(tests)
