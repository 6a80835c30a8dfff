/* SPDX-License-Identifier: Apache-2.0 */
#include "config/support.h"

static void an_unknown_option_is_named_with_the_nearest(void **state)
{
    (void)state;
    refused("port: 1\ntiemout: 3s\n",
            "c.yaml:2:1: unknown option \"tiemout\" at the top level; did you mean \"timeout\"? "
            "allowed: name, verbose, port, count, shift, factor, level, timeout, size, secret, "
            "path, tags, hosts, places, limits, tls, servers, steps");
    refused("limits:\n  depht: 3\n",
            "c.yaml:2:3: unknown option \"depht\" in \"limits\"; did you mean \"depth\"? allowed: "
            "depth, ratio, words");
    refused("servers:\n  - {host: a}\n  - {host: b, prot: 2}\n",
            "c.yaml:3:15: unknown option \"prot\" in \"servers[]\"; did you mean \"port\"? "
            "allowed: host, port, steps");
    refused("steps:\n  - auth:\n      issuer: x\n      tls: {zzzzzzz: 1}\n",
            "c.yaml:4:13: unknown option \"zzzzzzz\" in \"steps.auth.tls\"; allowed: cert, verify");
    refused("steps: [{plain: {x: 1}}]",
            "c.yaml:1:18: unknown option \"x\" in \"steps.plain\"; none is known there");
}

static void what_a_message_shows_is_harmless_and_short(void **state)
{
    (void)state;
    refused("limits:\n  \"\\e[31mred\\n\": 3\n",
            "c.yaml:2:3: unknown option \"\\x1b[31mred\\n\" in \"limits\"; allowed: depth, ratio, "
            "words");
    refused("port: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa4\xc3\xa4",
            "c.yaml:1:7: \"port\" must be a whole number from 1 to 65535, not "
            "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\" (it is not a "
            "decimal number)");
}

static void the_shape_of_a_value_is_checked(void **state)
{
    (void)state;
    refused("port: [1]", "c.yaml:1:7: \"port\" must be a whole number from 1 to 65535, not a list");
    refused("name: {a: b}", "c.yaml:1:7: \"name\" must be a text, not a mapping");
    refused("limits: 3", "c.yaml:1:9: \"limits\" must be a mapping, not \"3\"");
    refused("limits: [3]", "c.yaml:1:9: \"limits\" must be a mapping, not a list");
    refused("hosts: a", "c.yaml:1:8: \"hosts\" must be a list of texts, not \"a\"");
    refused("places: {a: b}", "c.yaml:1:9: \"places\" must be a text or a list of texts, not a "
                              "mapping");
    refused("places: [[b]]", "c.yaml:1:10: an entry of \"places\" must be a text, not a list");
    refused("hosts: [a, [b]]", "c.yaml:1:12: an entry of \"hosts\" must be a text, not a list");
    refused("servers: {host: a}",
            "c.yaml:1:10: \"servers\" must be a list of mappings, not a mapping");
    refused("servers: [a]", "c.yaml:1:11: an entry of \"servers\" must be a mapping, not \"a\"");
    refused("servers:\n  -\n", "c.yaml:2:4: an entry of \"servers\" must be a mapping, not empty");
}

static void a_missing_option_is_reported_where_it_belongs(void **state)
{
    (void)state;
    refused("port: 1\ntls:\n  verify: false\n", "c.yaml:2:1: missing option \"cert\" in \"tls\"");
    refused("port: 1\ntls:\n", "c.yaml:2:1: missing option \"cert\" in \"tls\"");
    refused("servers:\n  - host: a\n  - port: 3\n",
            "c.yaml:3:5: missing option \"host\" in \"servers[]\"");
    refused("steps:\n  - auth\n", "c.yaml:2:5: missing option \"issuer\" in \"steps.auth\"");
    refused("steps:\n  - auth: {}\n", "c.yaml:2:5: missing option \"issuer\" in \"steps.auth\"");
}

static void a_value_must_be_there(void **state)
{
    (void)state;
    refused("name:\nport: 1\n", "c.yaml:1:1: \"name\" has no value; write \"\" for an empty text");
    refused("name: ~", "c.yaml:1:1: \"name\" has no value; write \"\" for an empty text");
    refused("port: null", "c.yaml:1:1: \"port\" has no value");
    refused("hosts: [a, ]\nport: ", "c.yaml:2:1: \"port\" has no value");
    refused("hosts:\n  - a\n  -\n",
            "c.yaml:3:4: \"hosts\" has no value; write \"\" for an empty text");
}

static void an_entry_of_a_named_list_is_one_known_name(void **state)
{
    (void)state;
    refused("steps:\n  - loging: {level: info}\n",
            "c.yaml:2:5: unknown name \"loging\" in \"steps\"; did you mean \"logging\"? allowed: "
            "logging, auth, plain");
    refused("steps:\n  - Auth\n", "c.yaml:2:5: unknown name \"Auth\" in \"steps\"; did you mean "
                                  "\"auth\"? allowed: logging, auth, plain");
    refused("steps:\n  - logging:\n    level: info\n",
            "c.yaml:3:5: an entry of \"steps\" has one name, but \"level\" follows \"logging\"; "
            "indent it further if it is an option, or begin a new entry with \"-\"");
    refused("steps:\n  - [logging]\n",
            "c.yaml:2:5: an entry of \"steps\" must be a name, with or without options, not a "
            "list");
    refused("steps:\n  - {}\n", "c.yaml:2:5: an entry of \"steps\" must be a name, with or without "
                                "options, not a mapping");
    refused("steps:\n  -\n", "c.yaml:2:4: an entry of \"steps\" must be a name, with or without "
                             "options, not empty");
    refused("steps:\n  - logging: info\n",
            "c.yaml:2:14: \"logging\" must be a mapping, not \"info\"");
    refused("steps: logging",
            "c.yaml:1:8: \"steps\" must be a list of names, each with or without options, not "
            "\"logging\"");
    refused("steps:\n  - logging: {level: inof}\n",
            "c.yaml:2:22: \"level\" must be one of debug, info, warn, not \"inof\"; did you mean "
            "\"info\"?");
    refused("servers: [{host: a, steps: [log]}]",
            "c.yaml:1:29: unknown name \"log\" in \"servers[].steps\"; allowed: logging, auth, "
            "plain");
}

static void what_secrets_and_aliases_blow_up_is_bounded(void **state)
{
    char *big = malloc(60001);
    char text[4096] = "steps:\n  - &a {auth: {issuer: i, key: env:ISW_T_BIG}}\n";

    (void)state;
    memset(big, 'x', 60000);
    big[60000] = '\0';
    setenv("ISW_T_BIG", big, 1);
    for (int i = 0; i < 400; i++)
        strcat(text, "  - *a\n");
    refused(text, "c.yaml:1:1: \"steps\" is too large");
    unsetenv("ISW_T_BIG");
    free(big);
}

static void a_table_without_rows_allows_nothing(void **state)
{
    iswi_config *config = opened("a: 1");
    isw_error error = { 0 };
    const void *out = NULL;

    (void)state;
    assert_int_equal(iswi_config_load(config, NULL, 0, &out, &error), ISW_E_CONFIG);
    assert_string_equal(error.message,
                        "dir/c.yaml:1:1: unknown option \"a\" at the top level; none is known "
                        "there");
    iswi_config_close(config);
    config = opened("{}");
    error.status = ISW_OK;
    assert_int_equal(iswi_config_load(config, NULL, 0, &out, &error), ISW_OK);
    assert_non_null(out);
    iswi_config_close(config);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_unknown_option_is_named_with_the_nearest),
    cmocka_unit_test(what_a_message_shows_is_harmless_and_short),
    cmocka_unit_test(the_shape_of_a_value_is_checked),
    cmocka_unit_test(a_missing_option_is_reported_where_it_belongs),
    cmocka_unit_test(a_value_must_be_there),
    cmocka_unit_test(an_entry_of_a_named_list_is_one_known_name),
    cmocka_unit_test(what_secrets_and_aliases_blow_up_is_bounded),
    cmocka_unit_test(a_table_without_rows_allows_nothing),
};

ISW_TEST_MAIN(tests)
