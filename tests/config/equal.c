/* SPDX-License-Identifier: Apache-2.0 */
/* Two documents that say the same, and such as differ in one option. */
#include "config/support.h"

enum { SERVER_ROWS = 2, MOST_ROWS = 32 };

static bool same(const char *a, const char *b)
{
    isw_option server_rows[SERVER_ROWS + 1] = { sample_server_table[0], sample_server_table[1] };
    isw_option rows[MOST_ROWS] = { { .name = NULL } };
    iswi_config *first = opened(a);
    iswi_config *second = opened(b);
    bool equal;

    for (size_t i = 0; sample_table[i].type != ISWI_OPTION_NAMED_LIST; i++) {
        rows[i] = sample_table[i];
        if (rows[i].type == ISW_OPTION_GROUP_LIST)
            rows[i].group = server_rows;
    }
    equal = iswi_config_equal(rows, loaded(first), loaded(second));
    iswi_config_close(second);
    iswi_config_close(first);
    return equal;
}

static void what_says_the_same_in_other_words_is_equal(void **state)
{
    (void)state;
    assert_true(same("{}", "{}"));
    assert_true(same("{}", "{port: 8080, tags: [a, b], factor: 1.5, verbose: false}"));
    assert_true(same("{timeout: 1s, size: 1KiB}", "{size: 1024, timeout: 1000ms}"));
    assert_true(same("{limits: {depth: 4}}", "{limits: }"));
    assert_true(same("{servers: [{host: a, port: 80}]}", "{servers: [{host: a}]}"));
}

static void each_type_can_differ(void **state)
{
    static const char *const others[] = {
        "{name: n}", "{verbose: true}", "{port: 1}", "{factor: 2.5}", "{level: warn}",
        "{timeout: 1s}", "{size: 1}", "{secret: 'env:HOME'}", "{path: p}", "{tags: [a]}",
        "{tags: [a, c]}", "{hosts: [x]}", "{places: [here, y]}", "{limits: {ratio: 0.25}}",
        "{limits: {words: [w]}}", "{tls: {cert: c}}", "{servers: [{host: a}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(same("{}", others[i]));
        assert_true(same(others[i], others[i]));
    }
    assert_false(same("{servers: [{host: a}]}", "{servers: [{host: b}]}"));
    assert_false(same("{servers: [{host: a}]}", "{servers: [{host: a}, {host: a}]}"));
}

static const sample *with_secret(iswi_config *config, const char *value)
{
    setenv("ISW_TEST_EQUAL", value, 1);
    return loaded(config);
}

static void a_secret_is_compared_by_what_it_is(void **state)
{
    iswi_config *config = opened("{secret: 'env:ISW_TEST_EQUAL'}");
    const sample *one = with_secret(config, "one");
    const sample *two = with_secret(config, "two");
    isw_option rows[2] = { { .name = NULL } };

    (void)state;
    for (size_t i = 0; sample_table[i].name; i++)
        if (sample_table[i].type == ISW_OPTION_SECRET)
            rows[0] = sample_table[i];
    assert_false(iswi_config_equal(rows, one, two));
    assert_true(iswi_config_equal(rows, one, with_secret(config, "one")));
    iswi_config_close(config);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_says_the_same_in_other_words_is_equal),
    cmocka_unit_test(each_type_can_differ),
    cmocka_unit_test(a_secret_is_compared_by_what_it_is),
};

ISW_TEST_MAIN(tests)
