/* SPDX-License-Identifier: Apache-2.0 */
#include "support/http_front.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void assert_pair(const isw_pairs *pairs, size_t at, const char *name, const char *value)
{
    assert_true(at < pairs->count);
    assert_text(pairs->items[at].name, name);
    assert_text(pairs->items[at].value, value);
}

/* ---- what a handler gets ---- */

static void a_request_arrives_whole(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);
    iswi_http_request *request;
    const isw_http *data;

    assert_true(http_send(fd, "PUT /api/orders/J%C3%BCrgen%201?a=x%20y&b=1+2&&c&a= HTTP/1.1\r\n"
                              "Host: here\r\nX-Twice:  one \r\nContent-Length: 5\r\n"
                              "x-twice: two\r\n\r\nhello"));
    request = front_take(f);
    data = iswi_http_request_data(request);
    assert_text(data->method, "PUT");
    assert_text(data->url, "/api/orders/J%C3%BCrgen%201?a=x%20y&b=1+2&&c&a=");
    assert_int_equal(data->headers.count, 5);
    assert_pair(&data->headers, 0, "host", "here");
    assert_pair(&data->headers, 1, "x-twice", "one");
    assert_pair(&data->headers, 2, "content-length", "5");
    assert_pair(&data->headers, 3, "x-twice", "two");
    assert_text(data->headers.items[4].name, "x-request-id"); /* which it did not send */
    assert_true(isw_str_equal(data->headers.items[4].value, iswi_http_request_id(request)));
    assert_int_equal(data->query.count, 4);
    assert_pair(&data->query, 0, "a", "x y");
    assert_pair(&data->query, 1, "b", "1 2");
    assert_pair(&data->query, 2, "c", "");
    assert_pair(&data->query, 3, "a", "");
    assert_int_equal(data->params.count, 1);
    assert_pair(&data->params, 0, "id", "J\xc3\xbcrgen 1");
    assert_text((isw_str){ data->body.data, data->body.size }, "hello");
    assert_text(data->client, "127.0.0.1");
    iswi_http_answer(request, &(isw_http){ .status = 201 }, NULL, NULL);
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 201);
    close(fd);
}

static void a_large_body_arrives_in_either_framing(void **state)
{
    static char body[FRONT_BODY_LIMIT + 1];
    front *f = *state;
    int fd = http_connect(f->url);
    char head[128];

    for (size_t i = 0; i < FRONT_BODY_LIMIT; i++)
        body[i] = (char)('a' + i % 26);
    snprintf(head, sizeof head, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
             FRONT_BODY_LIMIT);
    assert_true(http_send(fd, head) && http_send(fd, body));
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_string_equal(f->reply.body, body);
    assert_true(http_send(fd, "POST /api/echo HTTP/1.1\r\nHost: a\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n"));
    snprintf(head, sizeof head, "%x\r\n", FRONT_BODY_LIMIT);
    assert_true(http_send(fd, head) && http_send(fd, body) && http_send(fd, "\r\n0\r\n\r\n"));
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_string_equal(f->reply.body, body);
    close(fd);
}

static void a_body_over_the_limit_is_refused_by_its_length(void **state)
{
    front *f = *state;

    front_ask(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n");
    assert_problem(f, 413, "over the limit");
    front_ask(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                 "Content-Length: 999999999999999999\r\n\r\n");
    assert_problem(f, 413, "over the limit");
}

static void a_chunked_body_is_refused_once_it_passes_the_limit(void **state)
{
    static char chunk[FRONT_BODY_LIMIT + 16];
    front *f = *state;
    int fd = http_connect(f->url);

    memset(chunk, 'x', sizeof chunk - 1);
    assert_true(http_send(fd, "POST /api/echo HTTP/1.1\r\nHost: a\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n10000000\r\n"));
    assert_true(http_send(fd, chunk));
    http_read(fd, false, &f->reply);
    assert_problem(f, 413, "over the limit");
    http_send(fd, chunk);
    assert_true(http_closes(fd));
    close(fd);
}

static void a_client_that_expects_100_gets_it(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);
    char line[26] = "";

    assert_true(http_send(fd, "POST /api/echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                              "Content-Length: 2\r\n\r\n"));
    assert_int_equal(recv(fd, line, 25, MSG_WAITALL), 25);
    assert_string_equal(line, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_true(http_send(fd, "hi"));
    http_read(fd, false, &f->reply);
    assert_string_equal(f->reply.body, "hi");
    close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);

    assert_true(http_send(fd, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"
                              "GET /api/nowhere HTTP/1.1\r\nHost: a\r\n\r\n"
                              "PUT /api/orders/2 HTTP/1.1\r\nHost: a\r\n\r\n"
                              "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n3"));
    http_read(fd, false, &f->reply);
    assert_string_equal(f->reply.body, "1");
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 404);
    iswi_http_answer(front_take(f), &(isw_http){ .status = 202 }, NULL, NULL);
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 202);
    http_read(fd, false, &f->reply);
    assert_string_equal(f->reply.body, "3");
    close(fd);
}

/* ---- what is answered without a function ---- */

static void unknown_paths_get_a_404_problem(void **state)
{
    static const char *const paths[] = { "/api/nowhere", "/api",        "/orders/1",  "/apix/echo",
                                         "/API/echo",    "/%61pi/echo", "//api/echo", "/api//echo",
                                         "/api/echo/",   "/healthz/",   "/index.html" };
    char text[128];
    front *f = *state;

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
        front_ask(f, text);
        assert_problem(f, 404, "\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404");
    }
}

static void a_wrong_method_gets_405_and_the_right_ones(void **state)
{
    front *f = *state;

    front_ask(f, "DELETE /api/orders/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_problem(f, 405, "does not take this method");
    assert_header(f, "Allow", "GET, HEAD, PUT");
    front_ask(f, "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    assert_problem(f, 404, "no function");
}

static void hidden_structure_in_a_path_gets_400(void **state)
{
    front *f = *state;

    front_ask(f, "GET /api/hold/%2e%2e/x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_problem(f, 400, "'..'");
    front_ask(f, "GET /api/hold/a%2fb HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_problem(f, 400, "encoded '/'");
}

static void people_and_probes_get_an_answer(void **state)
{
    front *f = *state;

    assert_int_equal(front_ask(f, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_string_equal(f->reply.body, "isoworker is running\n");
    assert_int_equal(front_ask(f, "GET /healthz?x HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_string_equal(f->reply.body, "ok\n");
}

static void without_a_prefix_routes_begin_at_the_root(void **state)
{
    front *f = front_start((iswi_http_options){ .prefix = "" });

    (void)state;
    assert_int_equal(front_ask(f, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_int_equal(front_ask(f, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_int_equal(front_ask(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"), 404);
    front_stop(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_request_arrives_whole, front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(a_large_body_arrives_in_either_framing, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_body_over_the_limit_is_refused_by_its_length, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_chunked_body_is_refused_once_it_passes_the_limit, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_client_that_expects_100_gets_it, front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(pipelined_requests_are_answered_in_order, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(unknown_paths_get_a_404_problem, front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(a_wrong_method_gets_405_and_the_right_ones, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(hidden_structure_in_a_path_gets_400, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(people_and_probes_get_an_answer, front_setup, front_teardown),
    cmocka_unit_test(without_a_prefix_routes_begin_at_the_root),
};

ISW_TEST_MAIN(tests)
