/* SPDX-License-Identifier: Apache-2.0 */
#include "support/http_front.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- load ---- */

typedef struct crowd {
    front *f;
    int good;
} crowd;

static void *ask_many(void *user)
{
    crowd *c = user;
    http_reply *reply = malloc(sizeof *reply);
    int fd = http_connect(c->f->url);

    for (int i = 0; i < 50; i++) {
        char text[128];
        char expected[16];

        snprintf(expected, sizeof expected, "%06d", i);
        snprintf(text, sizeof text,
                 "POST /api/hold/%d HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n%s", i,
                 expected);
        http_send(fd, text);
        http_read(fd, false, reply);
        c->good += reply->status == 200 && strcmp(reply->body, expected) == 0;
    }
    close(fd);
    free(reply);
    return NULL;
}

static void many_threads_of_the_front_share_one_answering_thread(void **state)
{
    enum { CLIENTS = 8 };
    front *f = front_start((iswi_http_options){ .threads = 4 });
    crowd crowds[CLIENTS];
    pthread_t threads[CLIENTS];

    (void)state;
    for (int i = 0; i < CLIENTS; i++) {
        crowds[i] = (crowd){ f, 0 };
        pthread_create(&threads[i], NULL, ask_many, &crowds[i]);
    }
    for (int i = 0; i < CLIENTS * 50; i++) {
        iswi_http_request *request = front_take(f);
        isw_http answer = { .body = iswi_http_request_data(request)->body };

        iswi_http_answer(request, &answer, NULL, NULL);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(crowds[i].good, 50);
    }
    front_stop(f);
}

static void connections_over_the_limit_get_503(void **state)
{
    front *f = front_start((iswi_http_options){ .connections = 2 });
    int first = http_connect(f->url);
    int second = http_connect(f->url);
    int third;

    (void)state;
    /* An answer on each shows that the front counts them. */
    assert_true(http_send(first, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_read(first, false, &f->reply);
    assert_true(http_send(second, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_read(second, false, &f->reply);
    third = http_connect(f->url);
    http_read(third, false, &f->reply);
    assert_int_equal(f->reply.status, 503);
    assert_header(f, "Retry-After", "1");
    close(first);
    close(second);
    close(third);
    front_stop(f);
}

static void one_address_cannot_take_all_connections(void **state)
{
    front *f = front_start((iswi_http_options){ .connections_per_ip = 1 });
    int first = http_connect(f->url);
    int second;

    (void)state;
    assert_true(http_send(first, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_read(first, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    second = http_connect(f->url);
    assert_true(http_closes(second));
    close(first);
    close(second);
    front_stop(f);
}

static void an_idle_front_sleeps(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);
    struct timespec before;
    struct timespec after;

    assert_true(http_send(fd, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_read(fd, false, &f->reply);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    poll(NULL, 0, 300);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    assert_in_range((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec, 0,
                    20000000);
    close(fd);
}

/* Longer than any of its limits. */
static void a_request_that_waits_for_its_function_is_not_timed_out(void **state)
{
    front *f = front_start((iswi_http_options){
        .header_timeout_ms = 500, .body_timeout_ms = 500, .idle_timeout_ms = 500 });
    int fd = http_connect(f->url);
    iswi_http_request *request;

    (void)state;
    assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    request = front_take(f);
    poll(NULL, 0, 1200);
    iswi_http_answer(request, &(isw_http){ .status = 200 }, NULL, NULL);
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    close(fd);
    front_stop(f);
}

/* ---- start and stop ---- */

/* One connection that was answered, and one whose request is what it returns. */
static iswi_http_request *have_two_there(front *f, int *busy, int *open)
{
    *busy = http_connect(f->url);
    *open = http_connect(f->url);
    assert_true(http_send(*open, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_read(*open, false, &f->reply);
    assert_true(http_send(*busy, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    return front_take(f);
}

static void a_quiesced_front_finishes_what_it_has(void **state)
{
    front *f = *state;
    int busy;
    int open;
    iswi_http_request *request = have_two_there(f, &busy, &open);

    iswi_http_quiesce(f->http);
    iswi_http_quiesce(f->http);
    assert_int_equal(http_connect(f->url), -1);
    assert_true(http_send(open, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_read(open, false, &f->reply);
    assert_problem(f, 503, "shutting down");
    assert_header(f, "Connection", "close");
    assert_true(http_closes(open));
    assert_int_equal(iswi_http_in_flight(f->http), 1);
    iswi_http_answer(request, &(isw_http){ .status = 200 }, NULL, NULL);
    http_read(busy, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_header(f, "Connection", "close");
    assert_true(http_closes(busy));
    close(busy);
    close(open);
}

static void a_front_that_is_left_serves_who_is_there_once_more(void **state)
{
    front *f = *state;
    int busy;
    int open;
    iswi_http_request *request = have_two_there(f, &busy, &open);

    assert_int_equal(iswi_http_connections(f->http), 2);
    iswi_http_leave(f->http);
    iswi_http_leave(f->http);
    assert_int_equal(http_connect(f->url), -1); /* no other host has its socket */
    assert_true(http_send(open, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_read(open, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_header(f, "Connection", "close");
    assert_true(http_closes(open));
    iswi_http_answer(request, &(isw_http){ .status = 200 }, NULL, NULL);
    http_read(busy, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_header(f, "Connection", "close");
    assert_true(http_closes(busy));
    while (iswi_http_connections(f->http)) /* of which nobody hears */
        poll(NULL, 0, 1);
    close(busy);
    close(open);
}

static void an_idle_connection_goes_on_with_another_front(void **state)
{
    static const char ask[] = "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n";
    front *f = *state;
    front *next = front_start((iswi_http_options){ .threads = 2 });
    iswi_legacy legacy = { NULL, 0, 0 };
    int idle = http_connect(f->url);
    int busy = http_connect(f->url);
    iswi_http_request *request;

    assert_true(http_send(idle, ask));
    http_read(idle, false, &f->reply);
    assert_true(http_send(busy, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    request = front_take(f);
    iswi_http_hand_on(f->http, &legacy);
    assert_int_equal(legacy.count, 1);
    assert_true(http_send(idle, ask)); /* while it is nobody's */
    iswi_http_adopt(next->http, &legacy);
    iswi_legacy_fini(&legacy);
    http_read(idle, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_true(http_send(idle, ask));
    http_read(idle, false, &f->reply);
    assert_int_equal(front_echoed(f), 1);
    assert_int_equal(front_echoed(next), 2);
    iswi_http_answer(request, &(isw_http){ .status = 200 }, NULL, NULL);
    http_read(busy, false, &f->reply);
    assert_header(f, "Connection", "close");
    close(idle);
    close(busy);
    front_stop(next);
}

static void a_front_that_is_shut_takes_nothing_before_it_is_opened(void **state)
{
    front *f = front_start((iswi_http_options){ .shut = true });
    int fd = http_connect(f->url); /* the kernel's queue has it */
    struct pollfd answer = { .fd = fd, .events = POLLIN };

    (void)state;
    assert_true(http_send(fd, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_int_equal(poll(&answer, 1, 100), 0);
    assert_int_equal(iswi_http_connections(f->http), 0);
    iswi_http_open(f->http);
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    close(fd);
    front_stop(f);
}

/* No request that comes while it goes is lost or answered twice. */
static void one_front_takes_the_place_of_another_at_its_socket(void **state)
{
    front *f = *state;
    iswi_legacy legacy = { NULL, 0, 0 };
    iswi_address address;
    front *next;

    assert_true(iswi_http_give(f->http, &legacy));
    assert_int_equal(legacy.count, 1);
    assert_int_equal(iswi_address_read(legacy.items[0].asked, "http.listen", &address, NULL),
                     ISW_OK);
    next = front_start((iswi_http_options){
        .listen = &address, .listen_count = 1, .legacy = &legacy, .shut = true });
    assert_string_equal(next->url, f->url);
    assert_int_equal(front_ask(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_int_equal(front_echoed(next), 0);
    iswi_http_open(next->http);
    iswi_http_leave(f->http);
    assert_int_equal(front_ask(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_int_equal(front_echoed(next), 1);
    front_stop(next);
    iswi_legacy_fini(&legacy);
}

typedef struct late {
    iswi_http_request *request;
    isw_http answer;
    front *f;
} late;

static void *answer_late(void *user)
{
    late *l = user;

    poll(NULL, 0, 50);
    iswi_http_answer(l->request, &l->answer, front_count_release, l->f);
    return NULL;
}

static void stopping_waits_for_answers_to_be_written(void **state)
{
    static char body[200000];
    front *f = front_start((iswi_http_options){ .threads = 2 });
    int fd = http_connect(f->url);
    http_reply *reply = malloc(sizeof *reply);
    late l = { .answer = { .body = { body, sizeof body } }, .f = f };
    pthread_t thread;

    (void)state;
    memset(body, 'x', sizeof body);
    assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    l.request = front_take(f);
    pthread_create(&thread, NULL, answer_late, &l);
    iswi_http_stop(f->http);
    http_read(fd, false, reply);
    assert_int_equal(reply->body_size, sizeof body);
    pthread_join(thread, NULL);
    assert_int_equal(f->releases, 1);
    iswi_routes_destroy(f->routes);
    free(f);
    free(reply);
    close(fd);
}

static void a_taken_port_is_a_conflict_that_names_its_owner(void **state)
{
    front *f = *state;
    const char *text = f->url + strlen("http://");
    iswi_address address;
    iswi_http *second = NULL;
    isw_error error = { 0 };
    char owner[32];

    assert_int_equal(iswi_address_read(text, "http.listen", &address, NULL), ISW_OK);
    assert_int_equal(iswi_http_start(&(iswi_http_options){ .listen = &address, .listen_count = 1 },
                                     f->routes, front_handle, f, &second, &error),
                     ISW_E_CONFLICT);
    assert_null(second);
    snprintf(owner, sizeof owner, "in use by process %d (", (int)getpid());
    assert_non_null(strstr(error.message, text));
    assert_non_null(strstr(error.message, owner));
    assert_non_null(strstr(error.message, "choose another http.listen"));
}

static void bad_addresses_and_prefixes_are_configuration_errors(void **state)
{
    static const char *const prefixes[] = { "a//b", "../x", "a b", "{x}", "a?b", "///" };
    front *f = *state;
    iswi_http *http = NULL;
    isw_error error = { 0 };
    iswi_address address;
    iswi_http_options options = { .listen = &address, .listen_count = 1 };

    assert_int_equal(iswi_address_read("198.51.100.7:0", "http.listen", &address, NULL), ISW_OK);
    assert_int_equal(iswi_http_start(&options, f->routes, front_handle, f, &http, &error),
                     ISW_E_CONFIG);
    assert_non_null(strstr(error.message, "http.listen"));
    assert_int_equal(iswi_address_read("127.0.0.1:0", "http.listen", &address, NULL), ISW_OK);
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        options.prefix = prefixes[i];
        assert_int_equal(iswi_http_start(&options, f->routes, front_handle, f, &http, NULL),
                         ISW_E_CONFIG);
    }
    assert_null(http);
}

static void the_front_listens_on_ipv6(void **state)
{
    iswi_address address;
    front *f;
    isw_str client;
    iswi_http_request *request;
    int fd;

    (void)state;
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd < 0)
        skip();
    close(fd);
    assert_int_equal(iswi_address_read("[::1]:0", "http.listen", &address, NULL), ISW_OK);
    f = front_start((iswi_http_options){ .listen = &address, .listen_count = 1 });
    assert_int_equal(strncmp(f->url, "http://[::1]:", 13), 0);
    fd = http_connect(f->url);
    assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    request = front_take(f);
    client = iswi_http_request_data(request)->client;
    assert_text(client, "::1");
    iswi_http_answer(request, &(isw_http){ .status = 200 }, NULL, NULL);
    close(fd);
    front_stop(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(many_threads_of_the_front_share_one_answering_thread),
    cmocka_unit_test(connections_over_the_limit_get_503),
    cmocka_unit_test(one_address_cannot_take_all_connections),
    cmocka_unit_test(a_request_that_waits_for_its_function_is_not_timed_out),
    cmocka_unit_test_setup_teardown(an_idle_front_sleeps, front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(a_front_that_is_left_serves_who_is_there_once_more,
                                    front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(an_idle_connection_goes_on_with_another_front, front_setup,
                                    front_teardown),
    cmocka_unit_test(a_front_that_is_shut_takes_nothing_before_it_is_opened),
    cmocka_unit_test_setup_teardown(one_front_takes_the_place_of_another_at_its_socket,
                                    front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(a_quiesced_front_finishes_what_it_has, front_setup,
                                    front_teardown),
    cmocka_unit_test(stopping_waits_for_answers_to_be_written),
    cmocka_unit_test_setup_teardown(a_taken_port_is_a_conflict_that_names_its_owner, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(bad_addresses_and_prefixes_are_configuration_errors,
                                    front_setup, front_teardown),
    cmocka_unit_test(the_front_listens_on_ipv6),
};

ISW_TEST_MAIN(tests)
