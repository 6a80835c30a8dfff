/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that no host could serve: a worker with them does not start. */
#include "worker/support.h"

#include "worker/registry/worker.h"
#include <isoworker/bind.h>

static isw_status answer(isw_context *ctx)
{
    (void)ctx;
    return ISW_OK;
}

#define HTTP(function, method, path)                                                        \
    { .name = (function), .trigger = ISW_HTTP((method), (path)), .handler = answer }

/* Hold what a worker with these functions is refused for to these lines; "" for nothing. */
static void told(const isw_function *functions, const char *lines)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    iswi_faults faults = { .count = 0 };
    isw_worker *worker = NULL;
    isw_error error = { 0 };
    isw_status status;

    options.config_text = "{}";
    assert_int_equal(isw_worker_create(&options, &worker, NULL), ISW_OK);
    for (; functions->name; functions++)
        assert_int_equal(isw_worker_add_function(worker, functions, NULL), ISW_OK);
    status = iswi_worker_configure(worker, &faults, &error);
    assert_string_equal(faults.count ? iswi_buffer_text(&faults.lines) : "", lines);
    assert_int_equal(status != ISW_OK, *lines != '\0');
    assert_int_equal(isw_worker_configure(worker, NULL), status);
    isw_worker_destroy(worker);
    iswi_faults_fini(&faults);
}

static void two_functions_on_one_route_are_both_named(void **state)
{
    static const isw_function same[] = { HTTP("a", "GET POST", "orders/{id}"),
                                         HTTP("b", "POST", "orders/{other}"),
                                         HTTP("c", "", "orders/{x?}"), HTTP("d", "PUT", "d"),
                                         { 0 } };

    (void)state;
    told(same, "functions a and b cannot both be served: routes \"GET POST orders/{id}\" and "
               "\"POST orders/{other}\" match the same requests; change the path or the methods of "
               "one of them\n"
               "functions a and c cannot both be served: routes \"GET POST orders/{id}\" and "
               "\"(any method) orders/{x?}\" match the same requests; change the path or the "
               "methods of one of them\n");
}

static void a_function_without_a_route_has_that_of_its_name(void **state)
{
    static const isw_function named[] = {
        { .name = "hello", .trigger = { .type = "http", .methods = "GET" }, .handler = answer },
        HTTP("other", "GET", "hello"),
        { 0 },
    };

    (void)state;
    told(named, "functions hello and other cannot both be served: routes \"GET hello\" and \"GET "
                "hello\" match the same requests; change the path or the methods of one of them\n");
}

static void a_route_of_events_is_one_of_those_of_http(void **state)
{
    static const isw_function both[] = {
        HTTP("read", "GET", "orders"),
        { .name = "events", .trigger = ISW_CLOUDEVENT("orders"), .handler = answer },
        HTTP("write", "POST", "orders"),
        { 0 },
    };

    (void)state;
    told(both, "functions events and write cannot both be served: routes \"POST orders\" and "
               "\"POST orders\" match the same requests; change the path or the methods of one of "
               "them\n");
}

static void routes_and_methods_that_are_none_are_all_told(void **state)
{
    static const isw_function bad[] = { HTTP("open", "GET", "x/{id"), HTTP("small", "get", "y"),
                                        HTTP("slash", "GET", "a//b"), HTTP("good", "GET", "good"),
                                        HTTP("slip", "POST GTE", "slip"), HTTP("none", " ,", "none"),
                                        HTTP("own", "FETCHALL", "own"), HTTP("dav", "MKCOL", "dav"),
                                        { 0 } };

    (void)state;
    told(bad, "function open cannot be served: route \"x/{id\": \"{id\" mixes a parameter with "
              "text; a parameter takes a whole segment, as in orders/{id}\n"
              "function small cannot be served: route \"y\": \"get\" is not a method; write "
              "methods in capitals, such as \"GET POST\"\n"
              "function slash cannot be served: route \"a//b\" has an empty segment; write single "
              "'/' between segments and none at the end\n"
              "function slip cannot be served: route \"slip\": \"GTE\" is no method of HTTP; did you "
              "mean \"GET\"? A function that names none gets requests of any\n"
              "function none cannot be served: route \"none\": \" ,\" names no method; leave it out "
              "for any\n"
              "function own cannot be served: route \"own\": \"FETCHALL\" is no method of HTTP; a "
              "function that names none gets requests of any\n");
}

static void what_would_hold_for_nothing_is_refused(void **state)
{
    static const isw_property other[] = { { "queue", "b" }, { 0 } };
    static const isw_property post[] = { { "methods", "POST" }, { 0 } };
    static const isw_property twice[] = { { "batch_size", "2" }, { "batch_size", "3" }, { 0 } };
    static const isw_property empty[] = { { "zone", NULL }, { 0 } };
    static const isw_binding same[] = { { "out", "queue", ISW_OUT, other },
                                        { "out", "log", ISW_OUT, NULL },
                                        { 0 } };
    static const isw_binding odd[] = { { "my out", "log", ISW_OUT, NULL }, { 0 } };
    static const isw_binding typeless[] = { { "out", NULL, ISW_OUT, NULL }, { 0 } };
    static const isw_binding turned[] = { { "out", "log", (isw_direction)7, NULL }, { 0 } };
    static const isw_binding doubled[] = { { "out", "queue", ISW_OUT, twice }, { 0 } };
    static const isw_function bad[] = {
        { .name = "a", .trigger = { "queue", NULL, NULL, "a", other }, .handler = answer },
        { .name = "b", .trigger = { "http", NULL, "GET", "b", post }, .handler = answer },
        { .name = "c", .trigger = { "queue", NULL, "GET", "c", NULL }, .handler = answer },
        { .name = "d", .trigger = { "warmup", NULL, NULL, "d", NULL }, .handler = answer },
        { .name = "e", .trigger = { "queue", NULL, NULL, "e", twice }, .handler = answer },
        { .name = "f", .trigger = { "timer", NULL, NULL, "@daily", empty }, .handler = answer },
        { .name = "g", .trigger = ISW_QUEUE("g"), .handler = answer, .bindings = same },
        { .name = "h", .trigger = ISW_QUEUE("h"), .handler = answer, .bindings = odd },
        { .name = "i", .trigger = ISW_QUEUE("i"), .handler = answer, .bindings = typeless },
        { .name = "j", .trigger = ISW_QUEUE("j"), .handler = answer, .bindings = turned },
        { .name = "k", .trigger = ISW_QUEUE("k"), .handler = answer, .bindings = doubled },
        { .name = "l", .trigger = ISW_QUEUE("l"), .handler = answer, .timeout_ms = UINT32_MAX },
        { 0 },
    };

    (void)state;
    told(bad, "function a says its queue twice, as \"a\" and by a property as \"b\"; leave one of them "
              "out\n"
              "function b says its methods twice, as \"GET\" and by a property as \"POST\"; leave one "
              "of them out\n"
              "function c has the methods \"GET\", which its trigger \"queue\" does not take; leave "
              "them out\n"
              "function d has the route \"d\", which its trigger \"warmup\" does not take; leave it "
              "out\n"
              "function e gives the property \"batch_size\" twice\n"
              "function f gives the property \"zone\" no value\n"
              "function g has two bindings named \"out\"\n"
              "function h has a binding \"my out\", which is no name for one: a letter or '_', then "
              "letters, digits, '_', '-' and '.', at most 127\n"
              "function i has the binding out without a type\n"
              "function j has the binding out with the direction 7; there are ISW_IN, ISW_OUT and "
              "ISW_INOUT\n"
              "function k gives the property \"batch_size\" twice, in its binding out\n"
              "function l has a timeout of 4294967295 ms, which is more than there can be; 0 is that of "
              "the host\n");
}

static void routes_that_differ_and_other_triggers_are_left_alone(void **state)
{
    static const isw_function good[] = {
        HTTP("a", "GET", "orders/{id}"),
        HTTP("b", "GET", "orders/new"),
        HTTP("c", "POST", "orders/{id}"),
        HTTP("d", "GET", "{*rest}"),
        { .name = "e", .trigger = { .type = "blob", .route = "x/{id", .methods = "get" },
          .handler = answer },
        { 0 },
    };

    (void)state;
    told(good, "");
}

static const isw_field impossible[] = {
    { .name = "quantity", .type = ISW_FIELD_INT, .min = 5, .max = 3 },
    { 0 },
};

static void tables_that_nothing_could_fit_are_refused(void **state)
{
    static const isw_function bad[] = {
        { .name = "take", .trigger = ISW_HTTP("POST", "orders"), .handler = answer,
          .body = impossible, .query = impossible },
        { 0 },
    };

    (void)state;
    told(bad, "function take: body.quantity: no value is at least 5 and at most 3\n"
              "function take: query.quantity: no value is at least 5 and at most 3\n");
}

static void all_that_a_program_registers_wrongly_is_told(void **state)
{
    static const isw_function bad[] = {
        HTTP("same", "GET", "a"), HTTP("same", "GET", "b"), HTTP("1st", "GET", "c"),
        { .name = "idle", .trigger = ISW_HTTP("GET", "d") }, HTTP("good", "GET", "e"), { 0 },
    };
    static const isw_app app = { .functions = bad };
    iswi_faults faults = { .count = 0 };
    isw_error error = { ISW_OK, "" };
    isw_worker *worker = NULL;

    (void)state;
    assert_int_equal(isw_worker_create(NULL, &worker, NULL), ISW_OK);
    assert_int_equal(iswi_worker_add_app(worker, &app, &faults, &error), ISW_E_CONFLICT);
    assert_string_equal(iswi_buffer_text(&faults.lines),
                        "there are two functions named \"same\"\n"
                        "\"1st\" is no name for a function: a letter, then letters, digits, '_' or "
                        "'-', at most 127\n"
                        "function idle has no handler\n");
    assert_string_equal(error.message, "there are two functions named \"same\"");
    isw_worker_destroy(worker);
    iswi_faults_fini(&faults);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(all_that_a_program_registers_wrongly_is_told),
    cmocka_unit_test(tables_that_nothing_could_fit_are_refused),
    cmocka_unit_test(two_functions_on_one_route_are_both_named),
    cmocka_unit_test(a_function_without_a_route_has_that_of_its_name),
    cmocka_unit_test(a_route_of_events_is_one_of_those_of_http),
    cmocka_unit_test(routes_and_methods_that_are_none_are_all_told),
    cmocka_unit_test(what_would_hold_for_nothing_is_refused),
    cmocka_unit_test(routes_that_differ_and_other_triggers_are_left_alone),
};

ISW_TEST_MAIN(tests)
