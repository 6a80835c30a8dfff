/* SPDX-License-Identifier: Apache-2.0 */
#include "config/support.h"

static void expands_to(const char *value, const char *expected)
{
    char text[512];
    iswi_config *config;

    snprintf(text, sizeof text, "name: '%s'", value);
    config = opened(text);
    assert_string_equal(iswi_node_find(iswi_config_root(config), "name")->text, expected);
    iswi_config_close(config);
}

static int set_variables(void **state)
{
    (void)state;
    setenv("ISW_T_HOST", "example.org", 1);
    setenv("ISW_T_EMPTY", "", 1);
    setenv("ISW_T_NESTED", "${ISW_T_HOST} $$", 1);
    setenv("ISW_T_LATIN", "caf\xe9", 1);
    setenv("ISW_T_YAML", "x: [1, 2", 1);
    unsetenv("ISW_T_UNSET");
    return 0;
}

static void variables_are_replaced(void **state)
{
    (void)state;
    expands_to("${ISW_T_HOST}", "example.org");
    expands_to("http://${ISW_T_HOST}:${ISW_T_UNSET:-80}/", "http://example.org:80/");
    expands_to("${ISW_T_EMPTY}", "");
    expands_to("${ISW_T_EMPTY:-x}", "x");
    expands_to("${ISW_T_UNSET:-}", "");
    expands_to("${ISW_T_UNSET:-a:-b $x}", "a:-b $x");
}

static void other_dollars_stay(void **state)
{
    (void)state;
    expands_to("$$", "$");
    expands_to("$${ISW_T_HOST}", "${ISW_T_HOST}");
    expands_to("$", "$");
    expands_to("5$ $x $(y)", "5$ $x $(y)");
    expands_to("$$$", "$$");
}

static void what_a_variable_brings_in_is_only_text(void **state)
{
    (void)state;
    expands_to("${ISW_T_NESTED}", "${ISW_T_HOST} $$");
    expands_to("${ISW_T_YAML}", "x: [1, 2");
}

static void keys_are_left_alone(void **state)
{
    (void)state;
    refused("${ISW_T_HOST}: 1",
            "c.yaml:1:1: unknown option \"${ISW_T_HOST}\" at the top level; allowed: name, "
            "verbose, port, count, shift, factor, level, timeout, size, secret, path, tags, hosts, "
            "places, limits, tls, servers, steps");
}

static void an_unset_variable_is_refused_with_a_remedy(void **state)
{
    (void)state;
    refused("port: 1\nname: a ${ISW_T_UNSET} b",
            "c.yaml:2:7: environment variable \"ISW_T_UNSET\" is not set; set it, or give a "
            "default: ${ISW_T_UNSET:-value}");
}

static void malformed_references_are_refused(void **state)
{
    static const char *const wrong[] = { "${}",     "${1A}",  "${A B}", "${A:x}",
                                         "${A:=x}", "${A-x}", "${:-x}" };
    char text[64];

    (void)state;
    refused("name: ${ISW_T_HOST",
            "c.yaml:1:7: \"${\" without \"}\"; write \"$$\" for a plain \"$\"");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, "name: '%s'", wrong[i]);
        refused(text, "c.yaml:1:7: \"${\" must be followed by the name of an environment variable "
                      "and \"}\" or \":-\"; write \"$$\" for a plain \"$\"");
    }
    refused("name: '${ISW_T_UNSET:-${ISW_T_HOST}}'",
            "c.yaml:1:7: the default of \"${ISW_T_UNSET:-...}\" cannot hold another \"${\"");
    refused("name: ${ISW_T_LATIN}",
            "c.yaml:1:7: environment variable \"ISW_T_LATIN\" is not UTF-8 text");
}

static void expansion_is_bounded(void **state)
{
    char *big = malloc(40001);

    (void)state;
    memset(big, 'x', 40000);
    big[40000] = '\0';
    setenv("ISW_T_BIG", big, 1);
    refused("name: ${ISW_T_BIG}${ISW_T_BIG}",
            "c.yaml:1:7: the value expands to more than 65536 bytes");
    refused("hosts: [&b '${ISW_T_BIG}', *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b,"
            " *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b, *b]",
            "c.yaml:1:128: more than 1048576 bytes with variables and aliases followed");
    free(big);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(variables_are_replaced, set_variables, NULL),
    cmocka_unit_test_setup_teardown(other_dollars_stay, set_variables, NULL),
    cmocka_unit_test_setup_teardown(what_a_variable_brings_in_is_only_text, set_variables, NULL),
    cmocka_unit_test_setup_teardown(keys_are_left_alone, set_variables, NULL),
    cmocka_unit_test_setup_teardown(an_unset_variable_is_refused_with_a_remedy, set_variables,
                                    NULL),
    cmocka_unit_test_setup_teardown(malformed_references_are_refused, set_variables, NULL),
    cmocka_unit_test_setup_teardown(expansion_is_bounded, set_variables, NULL),
};

ISW_TEST_MAIN(tests)
