/* SPDX-License-Identifier: Apache-2.0 */
/* The side of a front: what is found by no route. */
#include "support/http_front.h"

#include "url/routes.h"

#include <stdio.h>

/* Functions that it has: what is posted to /told. */
static void *find(void *user, const isw_http *request, isw_str path)
{
    bool is = isw_str_equal(request->method, isw_str_of("POST")) &&
              isw_str_equal(path, isw_str_of("/told"));

    return is ? user : NULL;
}

static void handle(void *user, void *target, iswi_http_request *request)
{
    const isw_http *data = iswi_http_request_data(request);
    isw_http answer = { .status = 201, .body = data->body };

    assert_ptr_equal(user, target);
    iswi_http_answer(request, &answer, NULL, NULL);
}

static int words;
static const iswi_http_side beside = { .find = find, .handle = handle, .user = &words };
static const iswi_http_side before = { .find = find,
                                       .handle = handle,
                                       .user = &words,
                                       .first = true };

static int ask(front *f, const char *path)
{
    char text[256];

    snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
             "4\r\nbody\r\n0\r\n\r\n", path);
    front_ask(f, text);
    return f->reply.status;
}

static void it_has_what_is_outside_of_the_prefix(void **state)
{
    front *f = front_start((iswi_http_options){ .side = &beside });

    (void)state;
    assert_int_equal(ask(f, "/told"), 201);
    assert_string_equal(f->reply.body, "body");
    assert_int_equal(ask(f, "/api/echo"), 200);
    assert_int_equal(ask(f, "/other"), 404);
    front_ask(f, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(f->reply.status, 200);
    front_stop(f);
}

static bool streams(void *user, void *target)
{
    (void)user;
    (void)target;
    return true;
}

static void its_bodies_come_whole(void **state)
{
    front *f = front_start((iswi_http_options){ .side = &beside, .streams = streams });

    (void)state;
    assert_int_equal(ask(f, "/told"), 201);
    assert_string_equal(f->reply.body, "body");
    front_stop(f);
}

/* A client of functions can choose any path below the prefix. */
static void no_path_below_the_prefix_is_asked_about(void **state)
{
    front *f = front_start((iswi_http_options){ .side = &beside, .prefix = "" });
    front *other = front_start((iswi_http_options){ .side = &before, .prefix = "" });

    (void)state;
    assert_int_equal(ask(f, "/told"), 404);
    assert_int_equal(ask(other, "/told"), 201);
    front_stop(f);
    front_stop(other);
}

static void first_it_takes_what_has_a_route(void **state)
{
    front *f = front_start((iswi_http_options){ .side = &before, .prefix = "" });
    isw_error error = { ISW_OK, "" };
    iswi_routes *same = iswi_routes_create();

    (void)state;
    assert_int_equal(iswi_routes_add(same, NULL, "told", f, &error), ISW_OK);
    iswi_http_set_routes(f->http, same);
    assert_int_equal(ask(f, "/told"), 201);
    assert_int_equal(front_echoed(f), 0);
    front_stop(f);
    iswi_routes_destroy(same);
}

static void what_may_come_yet_is_waited_for(void **state)
{
    front *f = front_start((iswi_http_options){ .side = &beside, .early_limit = 1,
                                                .early_wait_ms = 1 });

    (void)state;
    iswi_http_expect_more(f->http, true, true);
    assert_int_equal(ask(f, "/other"), 503);
    assert_problem(f, 503, "of this name");
    iswi_http_expect_more(f->http, false, false);
    assert_int_equal(ask(f, "/other"), 404);
    front_stop(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(it_has_what_is_outside_of_the_prefix),
    cmocka_unit_test(its_bodies_come_whole),
    cmocka_unit_test(no_path_below_the_prefix_is_asked_about),
    cmocka_unit_test(first_it_takes_what_has_a_route),
    cmocka_unit_test(what_may_come_yet_is_waited_for),
};

ISW_TEST_MAIN(tests)
