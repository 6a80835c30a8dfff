/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, MessagePack and structs as a handler uses them. */
#include "worker/support.h"

#include <isoworker/bind.h>
#include <isoworker/convert.h>

typedef struct pair {
    const char *name;
    int64_t count;
} pair;

static const isw_field pair_fields[] = {
    { ISW_FIELD(STRING, pair, name), .required = true },
    { ISW_FIELD(INT, pair, count), .min = 1, .max = 9 },
    { 0 },
};

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

static isw_status binds_its_query(isw_context *ctx)
{
    isw_status status;
    pair p;

    status = isw_bind_pairs(ctx, &isw_http_request(ctx)->query, "query", pair_fields, &p);
    return status == ISW_OK ? isw_http_reply(ctx, 200, NULL, "%s %d", p.name, (int)p.count)
                            : status;
}

static void a_query_is_read_into_a_struct(void **state)
{
    const isw_pair query[] = { { isw_str_of("count"), isw_str_of("3") },
                               { isw_str_of("name"), isw_str_of("pen") } };
    isw_http request = { .method = isw_str_of("GET"), .query = { query, 2 } };
    run r;

    (void)state;
    run_http(&r, binds_its_query, NULL, &request);
    assert_reply(&r, 200, "pen 3");
    run_fini(&r);
    request.query.count = 1;
    run_http(&r, binds_its_query, NULL, &request);
    assert_string_equal(r.result.failure.message, "query.name: is required");
    run_fini(&r);
}

static isw_status binds_a_value(isw_context *ctx)
{
    const isw_named_value members[] = { isw_named("name", isw_value_text(isw_str_of("ink"))),
                                        isw_named("count", isw_value_string("2")) };
    isw_value value = isw_value_map(members, 2);
    pair p;

    return isw_bind(ctx, &value, "", pair_fields, &p);
}

static void a_value_is_not_read_as_text(void **state)
{
    run r;

    (void)state;
    run_function(&r, binds_a_value, NULL, NULL);
    assert_string_equal(r.result.failure.message, "count: expected integer, found string \"2\"");
    run_fini(&r);
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

static isw_status parses_and_writes(isw_context *ctx)
{
    isw_value value;
    isw_bytes packed;
    isw_str text;

    assert_int_equal(isw_json_parse(ctx, isw_str_of("[1,{\"a\":\"b\"}]"), &value), ISW_OK);
    assert_int_equal(isw_msgpack_write(ctx, &value, &packed), ISW_OK);
    assert_int_equal(isw_msgpack_parse(ctx, packed, &value), ISW_OK);
    assert_int_equal(isw_json_write(ctx, &value, &text), ISW_OK);
    assert_string_equal(text.data, "[1,{\"a\":\"b\"}]");
    return isw_json_parse(ctx, isw_str_of("[1,"), &value);
}

static void a_conversion_that_fails_is_the_invocations_failure(void **state)
{
    run r;

    (void)state;
    run_function(&r, parses_and_writes, NULL, NULL);
    assert_int_equal(r.result.failure.status, ISW_E_INVALID);
    assert_string_equal(r.result.failure.message,
                        "line 1, column 3: ']' expected near end of file");
    run_fini(&r);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_body_is_read_by_its_type),
    cmocka_unit_test(a_body_that_does_not_fit_is_a_failure),
    cmocka_unit_test(a_query_is_read_into_a_struct),
    cmocka_unit_test(a_value_is_not_read_as_text),
    cmocka_unit_test(other_triggers_bring_text_bytes_or_maps),
    cmocka_unit_test(a_conversion_that_fails_is_the_invocations_failure),
};

ISW_TEST_MAIN(tests)
