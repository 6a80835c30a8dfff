/* SPDX-License-Identifier: Apache-2.0 */
/* Values with their types to JSON and back, and what is no such value. */
#include "support/arena.h"

#include "value/typed.h"

#include <math.h>

static const char *json_of(const isw_value *value)
{
    isw_error error = { 0 };
    isw_value typed;
    isw_str json;

    assert_int_equal(iswi_typed_encode(&arena, value, &typed), ISW_OK);
    if (iswi_json_write(&arena, &typed, &json, &error) != ISW_OK)
        fail_msg("%s", error.message);
    return iswi_arena_strndup(&arena, json.data, json.size);
}

static isw_status decode(const char *json, isw_value *out, isw_error *error)
{
    isw_value value;

    assert_int_equal(iswi_json_parse(&arena, isw_str_of(json), &value, error), ISW_OK);
    return iswi_typed_decode(&arena, &value, "v", out, error);
}

/* `json`, read and written again, is the same. */
static isw_value there_and_back(const char *json)
{
    isw_error error = { 0 };
    isw_value value;

    if (decode(json, &value, &error) != ISW_OK)
        fail_msg("%s: %s", json, error.message);
    assert_string_equal(json_of(&value), json);
    return value;
}

static void every_type_goes_there_and_back(void **state)
{
    static const char *const all[] = {
        "{\"string\":\"a \\\"b\\\"\"}", "{\"json\":\"{\\\"a\\\":1}\"}", "{\"json\":\"no json\"}",
        "{\"int\":-7}", "{\"double\":1.5}", "{\"bool\":true}", "{\"none\":null}",
        "{\"bytes\":\"\"}", "{\"bytes\":\"AA==\"}", "{\"bytes\":\"AAH/\"}", "{\"bytes\":\"+/8=\"}",
        "{\"array\":[]}", "{\"array\":[{\"int\":1},{\"array\":[{\"string\":\"x\"}]}]}",
        "{\"map\":{\"a\":{\"int\":1},\"b\":{\"none\":null}}}",
        "{\"http\":{\"method\":\"GET\",\"url\":\"/a?b=1\",\"client\":\"::1\",\"status\":200,"
        "\"headers\":[[\"a\",\"1\"],[\"a\",\"2\"]],\"query\":[[\"b\",\"1\"]],"
        "\"params\":[[\"id\",\"7\"]],\"body\":{\"string\":\"hi\"}}}",
        "{\"http\":{\"headers\":[],\"body\":{\"bytes\":\"/w==\"}}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        there_and_back(all[i]);
    assert_int_equal(there_and_back("{\"json\":\"1\"}").type, ISW_VALUE_JSON);
    assert_int_equal(there_and_back("{\"http\":{\"headers\":[],\"body\":{\"bytes\":\"AP8=\"}}}")
                         .as.http->body.size, 2);
}

static void a_number_that_json_lacks_becomes_nothing(void **state)
{
    isw_value nan = isw_value_double((double)NAN);
    isw_value back;
    isw_error error = { 0 };

    (void)state;
    assert_string_equal(json_of(&nan), "{\"double\":null}");
    assert_int_equal(decode("{\"double\":null}", &back, &error), ISW_OK);
    assert_true(isnan(back.as.real));
}

static void what_is_none_is_refused_by_its_path(void **state)
{
    static const char *const bad[][2] = {
        { "7", "v: expected an object with one member, the value's type" },
        { "{}", "v: expected an object with one member, the value's type" },
        { "{\"int\":1,\"bool\":true}", "v: expected an object with one member, the value's type" },
        { "{\"float\":1}", "v: expected string, json, bytes, int, double, bool, none, http, array "
                           "or map" },
        { "{\"int\":\"1\"}", "v: expected int" },
        { "{\"bytes\":\"a*\"}", "v: expected base64" },
        { "{\"bytes\":7}", "v: expected text" },
        { "{\"array\":[{\"int\":1},{\"int\":true}]}", "v[1]: expected int" },
        { "{\"map\":{\"a\":{\"map\":{\"b\":7}}}}",
          "v.a.b: expected an object with one member, the value's type" },
        { "{\"http\":{\"status\":1000}}", "v.status: expected an HTTP status" },
        { "{\"http\":{\"headers\":[[\"a\"]]}}", "v.headers: expected a list of pairs of texts" },
        { "{\"http\":{\"headers\":7}}", "v.headers: expected a list of pairs" },
        { "{\"http\":{\"body\":{\"int\":7}}}", "v.body: expected a string or bytes" },
        { "{\"http\":[]}", "v: expected an object" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        isw_error error = { 0 };
        isw_value value;

        assert_int_equal(decode(bad[i][0], &value, &error), ISW_E_INVALID);
        assert_string_equal(error.message, bad[i][1]);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(every_type_goes_there_and_back, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_number_that_json_lacks_becomes_nothing, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_is_none_is_refused_by_its_path, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
