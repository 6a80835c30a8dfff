/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, MessagePack and structs as a handler uses them. */
#include "worker/support.h"

#include "worker/pair.h"

#include <isoworker/convert.h>

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
    cmocka_unit_test(a_query_is_read_into_a_struct),
    cmocka_unit_test(a_value_is_not_read_as_text),
    cmocka_unit_test(a_conversion_that_fails_is_the_invocations_failure),
};

ISW_TEST_MAIN(tests)
