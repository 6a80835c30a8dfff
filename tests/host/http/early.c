/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that come before the function is known that they are for. */
#include "support/http_front.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char hold[] = "GET /api/hold/1 HTTP/1.1\r\nHost: a\r\n\r\n";
static const isw_http fine = { .status = 200, .body = { "fine", 4 } };

/* One that knows no function so far. */
static front *start(size_t limit, int64_t wait_ms)
{
    front *f = front_start((iswi_http_options){ .early_limit = limit, .early_wait_ms = wait_ms });

    iswi_http_set_routes(f->http, NULL);
    iswi_http_expect_more(f->http, true, true);
    return f;
}

static int ask(const front *f, const char *text)
{
    int fd = http_connect(f->url);

    assert_true(http_send(fd, text));
    return fd;
}

static void await_early(const front *f, size_t count)
{
    for (int i = 0; i < 10000 && iswi_http_early(f->http) != count; i++)
        poll(NULL, 0, 1);
    assert_int_equal(iswi_http_early(f->http), count);
}

static void expect_full(front *f)
{
    assert_int_equal(front_ask(f, hold), 503);
    assert_problem(f, 503, "not ready yet");
}

static void answer_next(front *f, int fd)
{
    iswi_http_answer(front_take(f), &fine, NULL, NULL);
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    close(fd);
}

static void they_wait_and_are_routed_in_their_order(void **state)
{
    front *f = start(2, 60000);
    int first = ask(f, hold);
    int second = ask(f, "PUT /api/orders/2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    iswi_http_request *request;

    (void)state;
    await_early(f, 2);
    expect_full(f);
    iswi_http_set_routes(f->http, f->routes);
    iswi_http_expect_more(f->http, false, false);
    answer_next(f, first);
    assert_true(http_send(second, "dy"));
    request = front_take(f);
    assert_int_equal(iswi_http_request_data(request)->body.size, 4);
    iswi_http_answer(request, &fine, NULL, NULL);
    http_read(second, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_true(http_send(second, hold)); /* it goes on like any other connection */
    answer_next(f, second);
    front_stop(f);
}

static void those_that_are_known_do_not_wait_for_others(void **state)
{
    front *f = start(1, 60000);
    int other = ask(f, "GET /api/other HTTP/1.1\r\nHost: a\r\n\r\n");

    (void)state;
    await_early(f, 1);
    expect_full(f);
    iswi_http_set_routes(f->http, f->routes);
    assert_int_equal(front_ask(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_int_equal(front_ask(f, "GET /api/another HTTP/1.1\r\nHost: a\r\n\r\n"), 503);
    iswi_http_expect_more(f->http, false, false);
    http_read(other, false, &f->reply);
    assert_int_equal(f->reply.status, 404);
    close(other);
    front_stop(f);
}

static void who_waits_too_long_or_in_vain_gets_503(void **state)
{
    front *f = start(4, 20);
    int first = ask(f, hold);

    (void)state;
    http_read(first, false, &f->reply);
    assert_problem(f, 503, "not ready yet");
    close(first);
    front_stop(f);
    f = start(4, 60000);
    first = ask(f, hold);
    await_early(f, 1);
    iswi_http_expect_more(f->http, true, false); /* its worker was given up */
    http_read(first, false, &f->reply);
    assert_problem(f, 503, "not ready yet");
    close(first);
    front_stop(f);
}

static void a_client_that_leaves_makes_room(void **state)
{
    front *f = start(1, 60000);
    struct linger at_once = { 1, 0 };

    (void)state;
    for (int i = 0; i < 20; i++) {
        int fd = ask(f, hold);

        await_early(f, 1);
        expect_full(f);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(fd);
        await_early(f, 0);
        fd = ask(f, hold);
        await_early(f, 1);
        iswi_http_set_routes(f->http, f->routes);
        answer_next(f, fd);
        iswi_http_set_routes(f->http, NULL);
    }
    front_stop(f);
}

static void a_drain_and_a_stop_answer_them(void **state)
{
    front *f = start(1, 60000);
    int fd = ask(f, hold);

    (void)state;
    await_early(f, 1);
    iswi_http_hold(f->http, true);
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 503);
    close(fd);
    iswi_http_hold(f->http, false);
    fd = ask(f, hold);
    await_early(f, 1);
    front_stop(f);
    close(fd);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(they_wait_and_are_routed_in_their_order),
    cmocka_unit_test(those_that_are_known_do_not_wait_for_others),
    cmocka_unit_test(who_waits_too_long_or_in_vain_gets_503),
    cmocka_unit_test(a_client_that_leaves_makes_room),
    cmocka_unit_test(a_drain_and_a_stop_answer_them),
};

ISW_TEST_MAIN(tests)
