/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are led once more, since what they were for is there no more. */
#include "support/http_front.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMES_MOST = 25 };

static const char held[] = "PUT /api/hold/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
static const isw_http fine = { .status = 200, .body = { "fine", 4 } };

/* A front with a request that is held, and routes by which its path leads to "echo". */
typedef struct stage {
    front *f;
    iswi_routes *others;
    int fd;
    iswi_http_request *request;
} stage;

static stage begin(iswi_http_options options)
{
    stage s = { front_start(options), iswi_routes_create(), -1, NULL };
    isw_error error = { ISW_OK, "" };

    assert_int_equal(iswi_routes_add(s.others, NULL, "hold/{*rest}", s.f, &error), ISW_OK);
    s.fd = http_connect(s.f->url);
    assert_true(http_send(s.fd, held));
    s.request = front_take(s.f);
    return s;
}

static void end(stage *s)
{
    close(s->fd);
    front_stop(s->f);
    iswi_routes_destroy(s->others);
}

static void await_early(const front *f, size_t count)
{
    for (int i = 0; i < 10000 && iswi_http_early(f->http) != count; i++)
        poll(NULL, 0, 1);
    assert_int_equal(iswi_http_early(f->http), count);
}

static void its_path_leads_elsewhere_now_with_its_body(void **state)
{
    stage s = begin((iswi_http_options){ .threads = 2 });

    (void)state;
    iswi_http_set_routes(s.f->http, s.others);
    iswi_http_again(s.request);
    http_read(s.fd, false, &s.f->reply);
    assert_int_equal(s.f->reply.status, 200);
    assert_string_equal(s.f->reply.body, "body");
    assert_true(http_send(s.fd, held)); /* the connection goes on */
    http_read(s.fd, false, &s.f->reply);
    assert_int_equal(s.f->reply.status, 200);
    end(&s);
}

static void its_path_leads_nowhere_now(void **state)
{
    stage s = begin((iswi_http_options){ .threads = 1 });
    iswi_routes *none = iswi_routes_create();

    (void)state;
    iswi_http_set_routes(s.f->http, none);
    iswi_http_again(s.request);
    http_read(s.fd, false, &s.f->reply);
    assert_int_equal(s.f->reply.status, 404);
    end(&s);
    iswi_routes_destroy(none);
}

static void where_nothing_is_other_it_comes_once_more_but_not_for_ever(void **state)
{
    stage s = begin((iswi_http_options){ .threads = 1 });

    (void)state;
    iswi_http_again(s.request);
    iswi_http_answer(front_take(s.f), &fine, NULL, NULL);
    http_read(s.fd, false, &s.f->reply);
    assert_int_equal(s.f->reply.status, 200);
    assert_true(http_send(s.fd, held));
    for (int i = 0; i <= TIMES_MOST; i++)
        iswi_http_again(front_take(s.f));
    http_read(s.fd, false, &s.f->reply);
    assert_problem(s.f, 503, "is another now");
    end(&s);
}

static void it_waits_for_functions_that_are_not_known_yet(void **state)
{
    stage s = begin((iswi_http_options){ .early_limit = 1, .early_wait_ms = 60000 });
    iswi_routes *none = iswi_routes_create();

    (void)state;
    iswi_http_expect_more(s.f->http, true, true);
    iswi_http_set_routes(s.f->http, none);
    iswi_http_again(s.request);
    await_early(s.f, 1);
    iswi_http_set_routes(s.f->http, s.others);
    http_read(s.fd, false, &s.f->reply);
    assert_int_equal(s.f->reply.status, 200);
    assert_true(http_send(s.fd, "GET /api/nobody HTTP/1.1\r\nHost: a\r\n\r\n"));
    await_early(s.f, 1);
    end(&s); /* which answers it */
    iswi_routes_destroy(none);
}

static void a_client_that_leaves_meanwhile_is_not_waited_for(void **state)
{
    const struct linger at_once = { 1, 0 };
    stage s = begin((iswi_http_options){ .early_limit = 1, .early_wait_ms = 60000 });
    iswi_routes *none = iswi_routes_create();

    (void)state;
    iswi_http_expect_more(s.f->http, true, true);
    iswi_http_set_routes(s.f->http, none);
    iswi_http_again(s.request);
    await_early(s.f, 1);
    setsockopt(s.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(s.fd);
    await_early(s.f, 0);
    assert_int_equal(iswi_http_in_flight(s.f->http), 0);
    s.fd = http_connect(s.f->url);
    end(&s);
    iswi_routes_destroy(none);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(its_path_leads_elsewhere_now_with_its_body),
    cmocka_unit_test(its_path_leads_nowhere_now),
    cmocka_unit_test(where_nothing_is_other_it_comes_once_more_but_not_for_ever),
    cmocka_unit_test(it_waits_for_functions_that_are_not_known_yet),
    cmocka_unit_test(a_client_that_leaves_meanwhile_is_not_waited_for),
};

ISW_TEST_MAIN(tests)
