/* SPDX-License-Identifier: Apache-2.0 */
/* What a trigger brought as a struct, by its type, and a reply made of one. */
#include "worker/support.h"

#include "worker/pair.h"

static isw_status binds(isw_context *ctx)
{
    isw_status status;
    pair p;

    status = isw_bind_payload(ctx, "pair", pair_fields, &p);
    return status == ISW_OK ? isw_http_reply_struct(ctx, 201, pair_fields, &p) : status;
}

static void assert_answered(const char *type, const char *body, size_t size, const char *expected)
{
    isw_pair header = { isw_str_of("content-type"), isw_str_of(type) };
    isw_http request = { .method = isw_str_of("POST"), .headers = { &header, type ? 1 : 0 },
                         .body = { body, size } };
    run r;

    run_http(&r, binds, NULL, &request);
    if (r.result.outcome == ISW_OUTCOME_SUCCESS)
        assert_reply(&r, 201, expected);
    else
        assert_string_equal(r.result.failure.message, expected);
    run_fini(&r);
}

static void assert_text(const char *type, const char *body, const char *expected)
{
    assert_answered(type, body, strlen(body), expected);
}

static void a_body_is_read_by_its_type(void **state)
{
    static const char packed[] = "\x82\xa4name\xa3pen\xa5" "count\x02";

    (void)state;
    assert_text("application/json; charset=utf-8", "{\"name\":\"pen\",\"count\":2}",
                "{\"name\":\"pen\",\"count\":2}");
    assert_text("application/vnd.shop+json", "{\"name\":\"pen\",\"count\":2}",
                "{\"name\":\"pen\",\"count\":2}");
    assert_text("application/x-www-form-urlencoded", "name=a+pen&count=2",
                "{\"name\":\"a pen\",\"count\":2}");
    assert_answered("application/msgpack", packed, sizeof packed - 1,
                    "{\"name\":\"pen\",\"count\":2}");
}

static void a_body_that_does_not_fit_is_a_failure(void **state)
{
    (void)state;
    assert_text("application/json", "{\"name\":1}", "pair.name: expected string, found integer 1");
    assert_text("application/json", "{",
                "pair: line 1, column 1: string or '}' expected near end of file");
    assert_text("application/x-www-form-urlencoded", "name=pen&count=12",
                "pair.count: 12 is more than 9");
    assert_text("application/x-www-form-urlencoded", "name=%zz",
                "the form is malformed at byte 5: % is not followed by two hexadecimal digits");
    assert_text("application/msgpack", "\xc1", "MessagePack: cut short or malformed (at byte 1)");
    assert_text("text/csv", "pen,2", "a body of type text/csv cannot be read into a struct");
    assert_text(NULL, "{}", "the body has no content type");
}

static isw_status binds_a_message(isw_context *ctx)
{
    isw_value value;
    isw_status status;
    pair p;

    status = isw_bind_payload(ctx, "", pair_fields, &p);
    if (status == ISW_OK)
        status = isw_unbind(ctx, pair_fields, &p, &value);
    return status == ISW_OK ? isw_context_set_result(ctx, &value) : status;
}

static void other_triggers_bring_text_bytes_or_maps(void **state)
{
    static const char packed[] = "\x81\xa4name\xa3pen";
    const isw_named_value member = isw_named("name", isw_value_string("pen"));
    const isw_value inputs[] = { isw_value_string("{\"name\":\"pen\"}"),
                                 isw_value_json("{\"name\":\"pen\"}"),
                                 isw_value_bytes(packed, sizeof packed - 1),
                                 isw_value_map(&member, 1) };

    (void)state;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        run r;

        run_function(&r, binds_a_message, NULL, &inputs[i]);
        assert_string_equal(isw_value_get(&r.result.result, "name")->as.string.data, "pen");
        run_fini(&r);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_body_is_read_by_its_type),
    cmocka_unit_test(a_body_that_does_not_fit_is_a_failure),
    cmocka_unit_test(other_triggers_bring_text_bytes_or_maps),
};

ISW_TEST_MAIN(tests)
