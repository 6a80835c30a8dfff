/* SPDX-License-Identifier: Apache-2.0 */
#include "config/support.h"

#include <locale.h>

static const char full[] = "name: \"q\\\"uote\\\\ \\u2028 \\x07\"\n"
                           "verbose: true\n"
                           "port: \"65535\"\n"
                           "count: 9223372036854775807\n"
                           "shift: -9223372036854775808\n"
                           "factor: -1.25e-3\n"
                           "level: warn\n"
                           "timeout: 250ms\n"
                           "size: 1GiB\n"
                           "hosts: [x, \"\", '~', 010]\n"
                           "limits: {words: [w]}\n"
                           "tls: {cert: c.pem}\n"
                           "servers:\n"
                           "  - host: one\n"
                           "  - {host: two, port: 81, steps: [plain, auth: {issuer: i}]}\n"
                           "steps:\n"
                           "  - logging\n"
                           "  - auth: {issuer: me, tls: {cert: /c, verify: false}}\n"
                           "  - logging: {level: debug, fields: [a, b]}\n"
                           "  - plain:\n";

static void what_is_left_out_has_its_default(void **state)
{
    iswi_config *config = opened("{}");
    const sample *s = loaded(config);

    (void)state;
    assert_string_equal(s->name, "unnamed");
    assert_false(s->verbose);
    assert_int_equal(s->port, 8080);
    assert_true(s->factor > 1.49 && s->factor < 1.51);
    assert_int_equal(s->level, 1);
    assert_int_equal(s->timeout_ms, 10000);
    assert_int_equal(s->size_bytes, 65536);
    assert_int_equal(s->tags.count, 2);
    assert_string_equal(s->tags.items[1], "b");
    assert_int_equal(s->limits.depth, 4);
    assert_true(s->limits.ratio > 0.49 && s->limits.ratio < 0.51);
    iswi_config_close(config);
}

static void what_is_optional_and_left_out_is_zero(void **state)
{
    iswi_config *config = opened("{}");
    const sample *s = loaded(config);

    (void)state;
    assert_int_equal(s->count, 0);
    assert_null(s->secret);
    assert_null(s->path);
    assert_int_equal(s->hosts.count, 0);
    assert_null(s->hosts.items);
    assert_null(s->tls.cert);
    assert_false(s->tls.verify);
    assert_int_equal(s->servers.count, 0);
    assert_int_equal(s->steps.count, 0);
    iswi_config_close(config);
}

static void scalars_arrive_as_they_were_written(void **state)
{
    iswi_config *config = opened(full);
    const sample *s = loaded(config);

    (void)state;
    assert_string_equal(s->name, "q\"uote\\ \xe2\x80\xa8 \x07");
    assert_true(s->verbose);
    assert_int_equal(s->port, 65535);
    assert_true(s->count == INT64_MAX);
    assert_true(s->shift == INT64_MIN);
    assert_true(s->factor == -1.25e-3);
    assert_int_equal(s->level, 2);
    assert_int_equal(s->timeout_ms, 250);
    assert_int_equal(s->size_bytes, 1 << 30);
    assert_int_equal(s->hosts.count, 4);
    assert_string_equal(s->hosts.items[1], "");
    assert_string_equal(s->hosts.items[2], "~");
    assert_string_equal(s->hosts.items[3], "010");
    iswi_config_close(config);
}

static void groups_lie_in_the_struct(void **state)
{
    iswi_config *config = opened(full);
    const sample *s = loaded(config);
    const sample_server *servers = s->servers.items;

    (void)state;
    assert_int_equal(s->limits.depth, 4);
    assert_string_equal(s->limits.words.items[0], "w");
    assert_string_equal(s->tls.cert, "dir/c.pem");
    assert_true(s->tls.verify);
    assert_int_equal(s->servers.count, 2);
    assert_string_equal(servers[0].host, "one");
    assert_int_equal(servers[0].port, 80);
    assert_string_equal(servers[1].host, "two");
    assert_int_equal(servers[1].port, 81);
    assert_int_equal(servers[1].steps.count, 2);
    assert_string_equal(((const sample_auth *)servers[1].steps.items[1].options)->issuer, "i");
    iswi_config_close(config);
}

static void a_named_list_keeps_order_and_places(void **state)
{
    iswi_config *config = opened(full);
    const sample *s = loaded(config);
    const iswi_named_entry *steps = s->steps.items;
    const sample_logging *logging = steps[2].options;
    const sample_auth *auth = steps[1].options;

    (void)state;
    assert_int_equal(s->steps.count, 4);
    assert_ptr_equal(steps[0].row, &sample_steps_table[0]);
    assert_ptr_equal(steps[1].row, &sample_steps_table[1]);
    assert_ptr_equal(steps[3].row, &sample_steps_table[2]);
    assert_int_equal(((const sample_logging *)steps[0].options)->level, 1);
    assert_int_equal(logging->level, 0);
    assert_int_equal(logging->fields.count, 2);
    assert_string_equal(auth->issuer, "me");
    assert_false(auth->tls.verify);
    assert_string_equal(iswi_config_where(config, steps[0].node), "dir/c.yaml:17:5");
    assert_string_equal(iswi_config_where(config, steps[3].node), "dir/c.yaml:20:5");
    assert_string_equal(iswi_node_find(steps[2].node, "level")->text, "debug");
    iswi_config_close(config);
}

static void one_text_is_a_list_of_it(void **state)
{
    static const char *const one[] = { "{}", "places: here", "places: [here]", "places:\n- here" };
    iswi_config *config;
    const sample *s;

    (void)state;
    for (size_t i = 0; i < sizeof one / sizeof one[0]; i++) {
        config = opened(one[i]);
        s = loaded(config);
        assert_int_equal(s->places.count, 1);
        assert_string_equal(s->places.items[0], "here");
        iswi_config_close(config);
    }
    config = opened("places: [here, 'th, ere', 0660]");
    s = loaded(config);
    assert_int_equal(s->places.count, 3);
    assert_string_equal(s->places.items[1], "th, ere");
    assert_string_equal(s->places.items[2], "0660");
    iswi_config_close(config);
}

static void empty_groups_and_lists_are_given_as_such(void **state)
{
    iswi_config *config = opened("limits:\nhosts:\nservers: ~\nsteps: []\ntags: []\n");
    const sample *s = loaded(config);

    (void)state;
    assert_int_equal(s->limits.depth, 4);
    assert_int_equal(s->hosts.count + s->servers.count + s->steps.count + s->tags.count, 0);
    iswi_config_close(config);
}

static void an_alias_loads_like_its_original(void **state)
{
    iswi_config *config = opened("tls: &t {cert: a}\nhosts: &h [x]\ntags: *h\n"
                                 "steps: [auth: {issuer: i, tls: *t}]\n");
    const sample *s = loaded(config);

    (void)state;
    assert_string_equal(s->tags.items[0], "x");
    assert_string_equal(((const sample_auth *)s->steps.items[0].options)->tls.cert, "dir/a");
    iswi_config_close(config);
}

static void a_document_is_loaded_several_times(void **state)
{
    static const isw_option other[] = {
        { .name = "steps", .type = ISWI_OPTION_NAMED_LIST, .group = sample_steps_table },
        { 0 },
    };
    iswi_config *config = opened("steps: [auth: {issuer: i}]\n");
    const void *second = NULL;
    const void *refused_one = NULL;
    isw_error error = { 0 };
    const sample *first = loaded(config);

    (void)state;
    assert_int_equal(iswi_config_load(config, other, sizeof(iswi_named_list), &second, &error),
                     ISW_OK);
    assert_int_equal(iswi_config_load(config, NULL, 0, &refused_one, &error), ISW_E_CONFIG);
    assert_null(refused_one);
    assert_ptr_not_equal(first->steps.items, ((const iswi_named_list *)second)->items);
    assert_string_equal(((const sample_auth *)first->steps.items[0].options)->issuer, "i");
    iswi_config_close(config);
}

static void a_decimal_comma_of_the_locale_changes_nothing(void **state)
{
    iswi_config *config;

    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
        skip();
    config = opened("factor: 2.25");
    assert_true(loaded(config)->factor == 2.25);
    iswi_config_close(config);
    setlocale(LC_NUMERIC, "C");
}

static void closing_nothing_is_allowed(void **state)
{
    (void)state;
    iswi_config_close(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_left_out_has_its_default),
    cmocka_unit_test(what_is_optional_and_left_out_is_zero),
    cmocka_unit_test(scalars_arrive_as_they_were_written),
    cmocka_unit_test(groups_lie_in_the_struct),
    cmocka_unit_test(a_named_list_keeps_order_and_places),
    cmocka_unit_test(one_text_is_a_list_of_it),
    cmocka_unit_test(empty_groups_and_lists_are_given_as_such),
    cmocka_unit_test(an_alias_loads_like_its_original),
    cmocka_unit_test(a_document_is_loaded_several_times),
    cmocka_unit_test(a_decimal_comma_of_the_locale_changes_nothing),
    cmocka_unit_test(closing_nothing_is_allowed),
};

ISW_TEST_MAIN(tests)
