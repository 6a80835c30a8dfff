/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of values, which nothing of what they were made from may reach. */
#include "support/arena.h"

#include "value/copy.h"
#include "value/typed.h"

static const char all[] =
    "{\"array\":[{\"string\":\"a\"},{\"json\":\"{}\"},{\"bytes\":\"AP8=\"},{\"int\":-7},"
    "{\"double\":1.5},{\"bool\":true},{\"none\":null},{\"map\":{\"k\":{\"string\":\"v\"}}},"
    "{\"http\":{\"method\":\"PUT\",\"url\":\"/a\",\"client\":\"::1\",\"status\":201,"
    "\"headers\":[[\"h\",\"1\"]],\"query\":[[\"q\",\"2\"]],\"params\":[[\"p\",\"3\"]],"
    "\"body\":{\"string\":\"hi\"}}}]}";

static const char *text_of(const isw_value *value)
{
    isw_error error = { 0 };
    isw_value typed;
    isw_str json;

    assert_int_equal(iswi_typed_encode(&arena, value, &typed), ISW_OK);
    assert_int_equal(iswi_json_write(&arena, &typed, &json, &error), ISW_OK);
    return iswi_arena_strndup(&arena, json.data, json.size);
}

static void a_copy_lives_longer_than_what_it_was_made_from(void **state)
{
    isw_error error = { 0 };
    isw_value parsed;
    isw_value value;
    isw_value copy;
    iswi_arena before;

    (void)state;
    iswi_arena_init(&before, 64); /* each piece in a block of its own, which valgrind and ASan see */
    assert_int_equal(iswi_json_parse(&before, isw_str_of(all), &parsed, &error), ISW_OK);
    assert_int_equal(iswi_typed_decode(&before, &parsed, "v", &value, &error), ISW_OK);
    assert_true(iswi_value_copy(&arena, &value, &copy));
    iswi_arena_fini(&before);
    assert_string_equal(text_of(&copy), all);
}

static void a_model_is_copied_with_its_content(void **state)
{
    char content[] = "content";
    char source[] = "source";
    const isw_model model = { isw_str_of("1"), isw_str_of(source), isw_str_of("text/plain"),
                              { content, sizeof content - 1 } };
    const isw_value value = { .type = ISW_VALUE_MODEL, .as.model = &model };
    isw_value copy;

    (void)state;
    assert_true(iswi_value_copy(&arena, &value, &copy));
    content[0] = source[0] = 'x';
    assert_string_equal(copy.as.model->source.data, "source");
    assert_memory_equal(copy.as.model->content.data, "content", 7);
    assert_int_equal(copy.as.model->content.size, 7);
}

static void texts_end_with_a_nul_also_where_there_is_none(void **state)
{
    isw_str copy;

    (void)state;
    assert_true(iswi_str_copy(&arena, (isw_str){ "abc", 2 }, &copy));
    assert_string_equal(copy.data, "ab");
    assert_true(iswi_str_copy(&arena, (isw_str){ NULL, 0 }, &copy));
    assert_string_equal(copy.data, "");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_copy_lives_longer_than_what_it_was_made_from, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_model_is_copied_with_its_content, set_up, tear_down),
    cmocka_unit_test_setup_teardown(texts_end_with_a_nul_also_where_there_is_none, set_up,
                                    tear_down),
};

ISW_TEST_MAIN(tests)
