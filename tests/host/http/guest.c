/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that come by no socket. */
#include "support/http_front.h"

#include "host/http/guest.h"
#include "reactor/reactor.h"

#include <stdio.h>
#include <stdlib.h>

enum { TAKEN_MAX = 5 }; /* of a piece, so that there is a rest */

typedef struct visit {
    front *front;
    iswi_reactor *reactor;
    iswi_reactor *reactors[1];
    iswi_http_guest_request given;
    iswi_http_guest *guest;
    char text[256]; /* of what came: the status, pieces, the end */
} visit;

static void append(visit *v, const char *format, const char *bytes, size_t size)
{
    size_t at = strlen(v->text);

    snprintf(v->text + at, sizeof v->text - at, format, (int)size, bytes);
}

static void on_answer(void *user, const iswi_http_guest_reply *reply)
{
    visit *v = user;
    char status[16];

    snprintf(status, sizeof status, "%u", reply->status);
    append(v, "%.*s ", status, strlen(status));
    append(v, "%.*s", reply->body.data, reply->body.size);
}

static size_t on_piece(void *user, isw_bytes piece)
{
    size_t taken = piece.size < TAKEN_MAX ? piece.size : TAKEN_MAX;

    append(user, "[%.*s]", piece.data, taken);
    return taken;
}

static void on_end(void *user, bool complete)
{
    append(user, "%.*s", complete ? " end" : " cut", 4);
}

static const iswi_http_guest_events events = { on_answer, on_piece, on_end };

static int setup(void **state)
{
    visit *v = calloc(1, sizeof *v);
    const iswi_reactor_options how = { .name = "guests" };
    isw_error error = { ISW_OK, "" };

    assert_int_equal(iswi_reactor_start(&how, &v->reactor, &error), ISW_OK);
    v->reactors[0] = v->reactor;
    v->front = front_start((iswi_http_options){ .threads = 1,
                                                .reactors = v->reactors,
                                                .indoors = true,
                                                .early_limit = 1,
                                                .early_wait_ms = 60000 });
    v->given.client = isw_str_of("203.0.113.9");
    v->given.data.method = isw_str_of("PUT");
    v->given.data.body = (isw_bytes){ "hello world", 11 };
    *state = v;
    return 0;
}

static int teardown(void **state)
{
    visit *v = *state;

    front_stop(v->front);
    iswi_reactor_stop(v->reactor);
    free(v);
    return 0;
}

static void begin(void *user)
{
    visit *v = user;

    v->guest = iswi_http_guest_begin(v->front->http, &v->given, &events, v);
}

static void go_on(void *user)
{
    iswi_http_guest_go_on(((visit *)user)->guest);
}

static void leave(void *user)
{
    iswi_http_guest_leave(((visit *)user)->guest);
}

/* What is on its way to the reactor has come. */
static void nothing(void *user)
{
    (void)user;
}

static void come(visit *v, const char *url)
{
    v->given.data.url = isw_str_of(url);
    iswi_reactor_call(v->reactor, begin, v);
}

static void one_is_answered_as_a_client_is(void **state)
{
    visit *v = *state;

    come(v, "/api/echo");
    assert_string_equal(v->text, "200 hello world");
    assert_null(v->guest);
    assert_null(iswi_http_url(v->front->http, 0));
    assert_int_equal(iswi_http_answers(v->front->http, 200), 1);
}

static void what_has_no_function_is_a_problem(void **state)
{
    visit *v = *state;

    come(v, "/api/nothing");
    assert_non_null(strstr(v->text, "There is no function at this path."));
}

static void what_is_no_request_is_refused(void **state)
{
    const isw_pair broken = { isw_str_of("x-a"), isw_str_of("1\r\nx-b: 2") };
    visit *v = *state;

    come(v, "api/echo");
    assert_non_null(strstr(v->text, "400 "));
    *v->text = '\0';
    v->given.data.headers = (isw_pairs){ &broken, 1 };
    come(v, "/api/echo");
    assert_non_null(strstr(v->text, "holds a control character"));
    assert_int_equal(front_echoed(v->front), 0);
}

static void a_body_above_the_limit_is_refused(void **state)
{
    visit *v = *state;

    v->given.data.body.size = FRONT_BODY_LIMIT + 1;
    come(v, "/api/echo");
    assert_non_null(strstr(v->text, "413 "));
}

static void its_function_is_told_who_sent_it(void **state)
{
    const isw_named_value known = isw_named("origin", isw_value_string("elsewhere"));
    visit *v = *state;
    iswi_http_request *request;
    const isw_http *data;
    isw_map metadata;

    v->given.tls = true;
    v->given.deadline_ns = 12345;
    v->given.metadata = (isw_map){ &known, 1 };
    come(v, "/api/hold/1?q=a%20b");
    request = front_take(v->front);
    data = iswi_http_request_data(request);
    assert_text(data->client, "203.0.113.9");
    assert_text(isw_pairs_find(&data->query, "q")[0], "a b");
    assert_int_equal(iswi_http_request_deadline(request), 12345);
    metadata = iswi_http_request_metadata(request);
    assert_int_equal(metadata.count, 2);
    assert_text(metadata.items[0].name, "scheme");
    assert_text(metadata.items[1].name, "origin");
    iswi_http_answer(request, &(isw_http){ .status = 204 }, NULL, NULL);
    iswi_reactor_call(v->reactor, nothing, NULL);
    assert_string_equal(v->text, "204 ");
}

static void an_answer_in_pieces_comes_as_it_is_taken(void **state)
{
    visit *v = *state;
    iswi_http_request *request;

    come(v, "/api/hold/1");
    request = front_take(v->front);
    assert_int_equal(iswi_http_begin(request, &(isw_http){ .status = 200 }), ISW_OK);
    assert_int_equal(iswi_http_continue(request, (isw_bytes){ "eightish", 8 }), ISW_OK);
    iswi_reactor_call(v->reactor, nothing, NULL);
    iswi_reactor_call(v->reactor, nothing, NULL);
    assert_string_equal(v->text, "200 [eight]");
    iswi_reactor_call(v->reactor, go_on, v);
    assert_string_equal(v->text, "200 [eight][ish]");
    iswi_http_end(request, true);
    iswi_reactor_call(v->reactor, nothing, NULL);
    assert_string_equal(v->text, "200 [eight][ish] end");
}

static void one_that_leaves_hears_nothing_more(void **state)
{
    visit *v = *state;
    iswi_http_request *request;

    come(v, "/api/hold/1");
    request = front_take(v->front);
    iswi_reactor_call(v->reactor, leave, v);
    iswi_http_answer(request, &(isw_http){ .status = 200 }, NULL, NULL);
    iswi_reactor_call(v->reactor, nothing, NULL);
    assert_string_equal(v->text, "");
}

static void one_waits_until_its_function_is_known(void **state)
{
    visit *v = *state;

    iswi_http_set_routes(v->front->http, NULL);
    iswi_http_expect_more(v->front->http, true, true);
    come(v, "/api/echo");
    assert_int_equal(iswi_http_early(v->front->http), 1);
    assert_string_equal(v->text, "");
    iswi_http_set_routes(v->front->http, v->front->routes);
    iswi_reactor_call(v->reactor, nothing, NULL);
    assert_string_equal(v->text, "200 hello world");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(one_is_answered_as_a_client_is, setup, teardown),
    cmocka_unit_test_setup_teardown(what_has_no_function_is_a_problem, setup, teardown),
    cmocka_unit_test_setup_teardown(what_is_no_request_is_refused, setup, teardown),
    cmocka_unit_test_setup_teardown(a_body_above_the_limit_is_refused, setup, teardown),
    cmocka_unit_test_setup_teardown(its_function_is_told_who_sent_it, setup, teardown),
    cmocka_unit_test_setup_teardown(an_answer_in_pieces_comes_as_it_is_taken, setup, teardown),
    cmocka_unit_test_setup_teardown(one_that_leaves_hears_nothing_more, setup, teardown),
    cmocka_unit_test_setup_teardown(one_waits_until_its_function_is_known, setup, teardown),
};

ISW_TEST_MAIN(tests)
