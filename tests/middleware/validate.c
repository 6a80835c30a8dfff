/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused before the function runs, and what its caller reads. */
#include "middleware/conformance.h"

#include <stddef.h>
#include <string.h>

typedef struct line {
    const char *item;
    int64_t quantity;
} line;

typedef struct order {
    const char *customer;
    double discount;
    isw_bytes note;
    const line *lines;
    size_t line_count;
    line gift;
} order;

typedef struct page {
    int64_t size;
    bool total;
} page;

static const isw_field line_fields[] = {
    { ISW_FIELD(STRING, line, item), .required = true },
    { ISW_FIELD(INT, line, quantity), .default_value = "1", .min = 1, .max = 99 },
    { 0 },
};
static const isw_field gift_fields[] = {
    { ISW_FIELD(STRING, line, item) },
    { 0 },
};
static const isw_field order_fields[] = {
    { ISW_FIELD(STRING, order, customer), .required = true, .min = 1, .max = 10 },
    { ISW_FIELD(DOUBLE, order, discount) },
    { ISW_FIELD(BYTES, order, note) },
    { ISW_FIELD_LIST(STRUCT, order, lines, line_count), .fields = line_fields,
      .item_size = sizeof(line) },
    { ISW_FIELD(STRUCT, order, gift), .fields = gift_fields },
    { 0 },
};
static const isw_field page_fields[] = {
    { ISW_FIELD(INT, page, size), .default_value = "10", .min = 1, .max = 100 },
    { ISW_FIELD(BOOL, page, total) },
    { 0 },
};

static int runs;

static isw_status takes(isw_context *ctx)
{
    runs++;
    return isw_http_request(ctx) ? isw_http_reply(ctx, 200, NULL, "taken") : ISW_OK;
}

static const isw_function functions[] = {
    { .name = "orders", .trigger = ISW_HTTP("POST", NULL), .handler = takes,
      .body = order_fields },
    { .name = "pages", .trigger = ISW_HTTP("GET", NULL), .handler = takes, .query = page_fields },
    { .name = "any", .trigger = ISW_HTTP("POST", NULL), .handler = takes },
    { .name = "job", .trigger = ISW_TRIGGER("queue", NULL), .handler = takes,
      .body = order_fields },
    { 0 },
};

static isw_test *begin(const char *yaml)
{
    runs = 0;
    return test_of(functions, yaml);
}

static const isw_test_result *post(isw_test *test, const char *url, const char *type,
                                   const char *body)
{
    isw_test_body(test, type, body, strlen(body));
    return isw_test_http(test, "POST", url);
}

static void assert_refused(const isw_test_result *result, int status, const char *detail)
{
    assert_int_equal(result->http_status, status);
    assert_string_equal(isw_test_reply_header(result, "content-type"), "application/problem+json");
    if (!strstr(result->body, detail))
        fail_msg("%s is not in %s", detail, result->body);
    assert_int_equal(result->outcome, ISW_OUTCOME_FAILED);
    assert_int_equal(runs, 0);
}

static void a_body_that_fits_passes(void **state)
{
    isw_test *test = begin("middleware: [error_handling, validate]\n");

    (void)state;
    assert_string_equal(
        post(test, "/orders", "application/json",
             "{\"customer\":\"Ada\",\"lines\":[{\"item\":\"tea\"}],\"note\":\"aGk=\","
             "\"gift\":{\"item\":\"cup\"}}")
            ->body,
        "taken");
    assert_string_equal(post(test, "/orders", "application/x-www-form-urlencoded",
                             "customer=Ada")->body, "taken");
    assert_int_equal(runs, 2);
    isw_test_destroy(test);
}

static void a_body_that_does_not_is_refused_by_its_path(void **state)
{
    isw_test *test = begin("middleware: [error_handling, validate]\n");

    (void)state;
    assert_refused(post(test, "/orders", "application/json",
                        "{\"customer\":\"Ada\",\"lines\":[{\"item\":\"tea\"},{\"item\":\"x\","
                        "\"quantity\":\"two\"}]}"),
                   400, "\"detail\":\"body.lines[1].quantity: expected integer, found string");
    assert_refused(post(test, "/orders", "application/json", "{}"), 400, "body.customer: ");
    assert_refused(post(test, "/orders", "application/json", "{"), 400, "\"detail\":\"");
    assert_refused(post(test, "/orders", "text/plain", "{}"), 400, "\"detail\":\"");
    assert_refused(post(test, "/orders", "application/x-www-form-urlencoded",
                        "customer=Ada&gift=cup"), 400, "body.gift: expected ");
    isw_test_destroy(test);
}

static void a_query_is_checked_by_its_table(void **state)
{
    isw_test *test = begin("middleware: [error_handling, validate]\n");

    (void)state;
    assert_refused(isw_test_http(test, "GET", "/pages?size=101"), 400, "query.size: ");
    assert_refused(isw_test_http(test, "GET", "/pages?total=perhaps"), 400, "query.total: ");
    assert_int_equal(isw_test_http(test, "GET", "/pages")->http_status, 200);
    assert_int_equal(isw_test_http(test, "GET", "/pages?size=100&total=true")->http_status, 200);
    isw_test_destroy(test);
}

static void what_holds_for_all_requests_stands_in_the_yaml(void **state)
{
    isw_test *test = begin("middleware:\n"
                           "  - error_handling\n"
                           "  - validate:\n"
                           "      headers: [x-client]\n"
                           "      content_types: [application/json, text/csv]\n"
                           "      max_body: 10\n");

    (void)state;
    assert_refused(post(test, "/any", "application/json", "{}"), 400,
                   "\"detail\":\"the header x-client is missing\"");
    isw_test_header(test, "X-Client", "1");
    assert_refused(post(test, "/any", "application/xml", "<a/>"), 415,
                   "\"detail\":\"a body of the type application/xml is not taken\"");
    isw_test_header(test, "X-Client", "1");
    assert_refused(post(test, "/any", "application/json", "[1,2,3,4,5,6]"), 413,
                   "\"detail\":\"the body has 13 bytes, at most 10 are taken\"");
    isw_test_header(test, "X-Client", "1");
    assert_int_equal(post(test, "/any", "Text/CSV; charset=utf-8", "1,2,3,4,5\n")->http_status,
                     200);
    isw_test_header(test, "X-Client", "1");
    assert_int_equal(post(test, "/any", NULL, "")->http_status, 200);
    isw_test_destroy(test);
}

static void other_triggers_are_checked_too(void **state)
{
    isw_test *test = begin("middleware: [validate]\n");
    const isw_test_result *result;
    isw_value good = isw_value_json("{\"customer\":\"Ada\"}");
    isw_value bad = isw_value_json("{\"customer\":7}");

    (void)state;
    assert_int_equal(isw_test_invoke(test, "job", &good)->outcome, ISW_OUTCOME_SUCCESS);
    result = isw_test_invoke(test, "job", &bad);
    assert_int_equal(result->failure->status, ISW_E_INVALID);
    assert_non_null(strstr(result->failure->message, "body.customer: "));
    assert_int_equal(runs, 1);
    isw_test_destroy(test);
}

static const isw_pair headers[] = { { { "x-client", 8 }, { "1", 1 } },
                                    { { NULL, 0 }, { NULL, 0 } } };

const conforming subject = { .name = "validate", .options = "{}",
                             .other_options = "{headers: [x-client], max_body: 1KiB}",
                             .headers = headers };

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test(a_body_that_fits_passes),
    cmocka_unit_test(a_body_that_does_not_is_refused_by_its_path),
    cmocka_unit_test(a_query_is_checked_by_its_table),
    cmocka_unit_test(what_holds_for_all_requests_stands_in_the_yaml),
    cmocka_unit_test(other_triggers_are_checked_too),
};

ISW_TEST_MAIN(tests)
