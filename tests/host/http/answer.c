/* SPDX-License-Identifier: Apache-2.0 */
#include "support/http_front.h"

#include <sched.h>
#include <time.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- what a client gets ---- */

static void a_body_is_written_from_where_it_is(void **state)
{
    static char body[200000];
    front *f = *state;
    int fd = http_connect(f->url);
    isw_http answer = { .status = 200, .body = { body, sizeof body } };

    memset(body, 'b', sizeof body);
    assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    iswi_http_answer(front_take(f), &answer, front_count_release, f);
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.body_size, sizeof body);
    assert_memory_equal(f->reply.body, body, sizeof body);
    front_await_releases(f, 1);
    close(fd);
}

static void replies_without_a_body_have_none(void **state)
{
    static const int statuses[] = { 204, 304 };
    front *f = *state;
    int fd = http_connect(f->url);
    isw_http answer = { .body = { "body", 4 } };

    for (int i = 0; i < 2; i++) {
        answer.status = statuses[i];
        assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
        iswi_http_answer(front_take(f), &answer, front_count_release, f);
        http_read(fd, true, &f->reply);
        assert_int_equal(f->reply.status, statuses[i]);
    }
    answer.status = 200;
    assert_true(http_send(fd, "HEAD /api/orders/1 HTTP/1.1\r\nHost: a\r\n\r\n"
                              "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"));
    iswi_http_answer(front_take(f), &answer, front_count_release, f);
    http_read(fd, true, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_header(f, "Content-Length", "4");
    http_read(fd, false, &f->reply);
    assert_string_equal(f->reply.body, "1");
    front_await_releases(f, 3);
    close(fd);
}

static bool says(const front *f, const char *name)
{
    char value[64];

    return *http_header(&f->reply, name, value, sizeof value) != '\0';
}

static void a_304_says_no_wrong_length(void **state)
{
    isw_pair headers[] = { { { "content-type", 12 }, { "text/x", 6 } },
                           { { "vary", 4 }, { "Accept", 6 } },
                           { { "content-length", 14 }, { "123", 3 } } };
    isw_http answer = { .status = 304, .headers = { headers, 3 } };
    front *f = *state;
    int fd = http_connect(f->url);

    assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    iswi_http_answer(front_take(f), &answer, NULL, NULL);
    http_read(fd, true, &f->reply);
    assert_header(f, "Content-Length", "123");
    assert_header(f, "vary", "Accept");
    assert_false(says(f, "content-type"));
    answer.headers.count = 2;
    assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    iswi_http_answer(front_take(f), &answer, NULL, NULL);
    http_read(fd, true, &f->reply);
    assert_int_equal(f->reply.status, 304);
    assert_false(says(f, "Content-Length"));
    assert_false(says(f, "Transfer-Encoding"));
    assert_int_equal(f->reply.body_size, 0);
    close(fd);
}

static void a_head_may_say_the_length_of_a_body_that_it_lacks(void **state)
{
    const isw_pair length = { { "content-length", 14 }, { "123", 3 } };
    isw_http answer = { .status = 200, .headers = { &length, 1 } };
    front *f = *state;
    int fd = http_connect(f->url);

    assert_true(http_send(fd, "HEAD /api/orders/1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    iswi_http_answer(front_take(f), &answer, NULL, NULL);
    http_read(fd, true, &f->reply);
    assert_header(f, "Content-Length", "123");
    close(fd);
}

static void a_205_has_no_body(void **state)
{
    isw_http answer = { .status = 205, .body = { "body", 4 } };
    front *f = *state;
    int fd = http_connect(f->url);

    assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    iswi_http_answer(front_take(f), &answer, NULL, NULL);
    http_read(fd, false, &f->reply);
    assert_header(f, "Content-Length", "0");
    close(fd);
}

static void headers_that_would_break_the_reply_are_dropped(void **state)
{
    static const isw_pair headers[] = {
        { { "X-Good", 6 }, { "yes", 3 } },
        { { "Content-Type", 12 }, { "text/x", 6 } },
        { { "Set-Cookie", 10 }, { "a=1", 3 } },
        { { "Set-Cookie", 10 }, { "b=2", 3 } },
        { { "content-length", 14 }, { "99", 2 } },
        { { "Transfer-Encoding", 17 }, { "chunked", 7 } },
        { { "connection", 10 }, { "upgrade", 7 } },
        { { "Keep-Alive", 10 }, { "x", 1 } },
        { { "Upgrade", 7 }, { "h2c", 3 } },
        { { "TE", 2 }, { "x", 1 } },
        { { "Trailer", 7 }, { "x", 1 } },
        { { "X-Bad", 5 }, { "a\r\nX-Forged: 1", 14 } },
        { { "X-Bad", 5 }, { "a\nb", 3 } },
        { { "X-Bad", 5 }, { "a\0b", 3 } },
        { { "X-Bad\r\nX-Forged", 15 }, { "1", 1 } },
        { { "X-Bad:", 6 }, { "1", 1 } },
        { { "", 0 }, { "X-Bad", 5 } },
    };
    front *f = *state;
    int fd = http_connect(f->url);
    isw_http answer = { .headers = { headers, sizeof headers / sizeof headers[0] },
                        .body = { "body", 4 } };

    assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    iswi_http_answer(front_take(f), &answer, NULL, NULL);
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_string_equal(f->reply.body, "body");
    assert_header(f, "X-Good", "yes");
    assert_header(f, "Content-Type", "text/x");
    assert_header(f, "Content-Length", "4");
    assert_header(f, "Upgrade", "");
    assert_header(f, "Connection", "");
    assert_header(f, "Transfer-Encoding", "");
    assert_non_null(strstr(f->reply.head, "b=2"));
    assert_null(strstr(f->reply.head, "X-Bad"));
    assert_null(strstr(f->reply.head, "X-Forged"));
    close(fd);
}

static void a_problem_tells_what_its_status_calls_for(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);

    assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    iswi_http_answer_problem(front_take(f), 429, NULL, "say \"please\"\n", "0123");
    http_read(fd, false, &f->reply);
    assert_problem(
        f, 429,
        "{\"type\":\"about:blank\",\"title\":\"Too Many Requests\",\"status\":429,"
        "\"detail\":\"say \\\"please\\\"\\n\",\"instance\":\"urn:isoworker:invocation:0123\","
        "\"invocation_id\":\"0123\"}");
    assert_header(f, "Retry-After", "1");
    assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    iswi_http_answer_problem(front_take(f), 401, "Who are you?", NULL, NULL);
    http_read(fd, false, &f->reply);
    assert_problem(f, 401, "\"title\":\"Who are you?\",\"status\":401}");
    assert_header(f, "WWW-Authenticate", "Bearer");
    close(fd);
}

static void a_status_outside_the_final_ones_becomes_a_502(void **state)
{
    static const int statuses[] = { 100, 101, 199, 600, -1 };
    front *f = *state;
    int fd = http_connect(f->url);

    for (int i = 0; i < 5; i++) {
        assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
        iswi_http_answer(front_take(f), &(isw_http){ .status = statuses[i] }, front_count_release,
                         f);
        http_read(fd, false, &f->reply);
        assert_problem(f, 502, "outside 200 to 599");
    }
    front_await_releases(f, 5);
    close(fd);
}

/* ---- clients that leave ---- */

static void a_client_that_leaves_while_its_request_waits_is_no_loss(void **state)
{
    static const char body[] = "nobody reads this";
    front *f = *state;
    isw_http answer = { .body = { body, sizeof body - 1 } };
    struct linger reset = { .l_onoff = 1 };

    for (int i = 0; i < 2; i++) {
        iswi_http_request *request;
        int fd = http_connect(f->url);

        assert_true(http_send(fd, "PUT /api/orders/1 HTTP/1.1\r\nHost: a\r\n"
                                  "Content-Length: 2\r\n\r\nhi"));
        if (i)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        request = front_take(f);
        close(fd);
        assert_int_equal(iswi_http_in_flight(f->http), 1);
        assert_text(iswi_http_request_data(request)->url, "/api/orders/1");
        iswi_http_answer(request, &answer, front_count_release, f);
        front_await_releases(f, i + 1);
    }
    assert_int_equal(front_ask(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
}

/* An answer counts until its last byte is written, a moment after the client has read it. */
static void await_idle(front *f)
{
    time_t until = time(NULL) + 10;

    while (iswi_http_in_flight(f->http) && time(NULL) < until)
        sched_yield();
    assert_int_equal(iswi_http_in_flight(f->http), 0);
}

static void a_client_that_leaves_in_its_body_is_no_loss(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);

    assert_true(http_send(fd, "PUT /api/orders/1 HTTP/1.1\r\nHost: a\r\n"
                              "Content-Length: 20000\r\n\r\nhi"));
    close(fd);
    assert_int_equal(front_ask(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    await_idle(f);
}

static void a_client_that_stops_reading_is_cut(void **state)
{
    enum { SIZE = 32 * 1024 * 1024 };
    front *f = front_start((iswi_http_options){ .body_timeout_ms = 200, .idle_timeout_ms = 200 });
    char *body = calloc(1, SIZE);
    isw_http answer = { .body = { body, SIZE } };
    int fd = http_connect(f->url);

    (void)state;
    assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    iswi_http_answer(front_take(f), &answer, front_count_release, f);
    front_await_releases(f, 1);
    close(fd);
    front_stop(f);
    free(body);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_body_is_written_from_where_it_is, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(replies_without_a_body_have_none, front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(headers_that_would_break_the_reply_are_dropped, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_problem_tells_what_its_status_calls_for, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_304_says_no_wrong_length, front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(a_head_may_say_the_length_of_a_body_that_it_lacks, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_205_has_no_body, front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(a_status_outside_the_final_ones_becomes_a_502, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_client_that_leaves_while_its_request_waits_is_no_loss,
                                    front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(a_client_that_leaves_in_its_body_is_no_loss, front_setup,
                                    front_teardown),
    cmocka_unit_test(a_client_that_stops_reading_is_cut),
};

ISW_TEST_MAIN(tests)
