/* SPDX-License-Identifier: Apache-2.0 */
/* What all connections together may hold, and how much of a thread's time one may have. */
#include "support/http_front.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY = 90000, LARGE = 8 * 1024 * 1024, MODEST = 1024 * 1024, ROUNDS = 50 };

static const char bytes[LARGE];

/* Send a request with a body of BODY bytes to `path`, with a length or in chunks. */
static int post(front *f, const char *path, bool chunked)
{
    int fd = http_connect(f->url);
    char head[200];

    if (chunked)
        snprintf(head, sizeof head, "POST /api/%s HTTP/1.1\r\nHost: a\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n%x\r\n", path, BODY);
    else
        snprintf(head, sizeof head, "POST /api/%s HTTP/1.1\r\nHost: a\r\n"
                 "Content-Length: %d\r\n\r\n", path, BODY);
    assert_true(http_send(fd, head));
    http_send_bytes(fd, bytes, BODY); /* a part may be refused already */
    if (chunked)
        http_send(fd, "\r\n0\r\n\r\n");
    return fd;
}

static void read_status(front *f, int fd, int status)
{
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, status);
    close(fd);
}

/* The body of one request that waits takes what there is. */
static void bodies_of_all_requests_have_a_bound(void **state)
{
    front *f = front_start((iswi_http_options){ .body_memory_bytes = 150000 });

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        const bool chunked = i % 2;
        int fd = post(f, "hold/it", chunked);
        iswi_http_request *request = front_take(f);

        assert_int_equal(iswi_http_request_data(request)->body.size, BODY);
        read_status(f, post(f, "echo", false), 503);
        assert_problem(f, 503, "There is no memory for the body now.");
        assert_header(f, "Retry-After", "1");
        read_status(f, post(f, "echo", true), 503);
        assert_int_equal(iswi_http_bodies_refused(f->http), 2 * i + 2);
        assert_int_equal(front_ask(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\n"
                                   "Content-Length: 3\r\n\r\nabc"), 200);
        iswi_http_answer(request, &(isw_http){ .status = 200 }, NULL, NULL);
        read_status(f, fd, 200);
    }
    front_stop(f);
}

static void what_broke_off_is_counted_no_more(void **state)
{
    front *f = front_start((iswi_http_options){ .body_memory_bytes = 150000 });

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        int fd = http_connect(f->url);

        assert_true(http_send(fd, "POST /api/echo HTTP/1.1\r\nHost: a\r\n"
                              "Content-Length: 90001\r\n\r\n"));
        assert_true(http_send_bytes(fd, bytes, BODY));
        shutdown(fd, SHUT_WR);
        assert_true(http_closes(fd));
        close(fd);
    }
    read_status(f, post(f, "echo", true), 200);
    front_stop(f);
}

static void one_body_alone_always_has_room(void **state)
{
    front *f = front_start((iswi_http_options){ .body_memory_bytes = 1 });

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        read_status(f, post(f, "echo", i % 2), 200);
        assert_int_equal(f->reply.body_size, BODY);
    }
    front_stop(f);
}

/* -- Answers ----------------------------------------------------------------------------------- */

/* The length of what comes until the connection is closed, or `most` came. */
static size_t read_on(int fd, size_t most)
{
    static char room[65536];
    size_t size = 0;
    ssize_t got = 1;

    while (got > 0 && size < most) {
        got = recv(fd, room, sizeof room, 0);
        size += got > 0 ? (size_t)got : 0;
    }
    return size;
}

static void answer_large(front *f, size_t size)
{
    isw_http answer = { .body = { bytes, size } };

    iswi_http_answer(front_take(f), &answer, front_count_release, f);
}

static int ask_to_hold(front *f)
{
    int fd = http_connect(f->url);

    assert_true(http_send(fd, "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    return fd;
}

static void the_answer_that_has_waited_longest_makes_room_for_others(void **state)
{
    enum { CLIENTS = 5 };
    front *f = front_start((iswi_http_options){ .answer_memory_bytes = 1024 });
    int fds[CLIENTS];

    (void)state;
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = ask_to_hold(f);
        answer_large(f, LARGE);
        front_await_releases(f, i); /* all but this one */
    }
    assert_int_equal(iswi_http_answers_cut(f->http), CLIENTS - 1);
    for (int i = 0; i < CLIENTS - 1; i++)
        assert_in_range(read_on(fds[i], SIZE_MAX), 0, LARGE - 1);
    assert_in_range(read_on(fds[CLIENTS - 1], LARGE), LARGE, LARGE + 1000);
    for (int i = 0; i < CLIENTS; i++)
        close(fds[i]);
    front_stop(f);
}

static void answers_that_are_taken_are_not_cut(void **state)
{
    front *f = front_start((iswi_http_options){ .answer_memory_bytes = 1024 });

    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        int fd = ask_to_hold(f);

        answer_large(f, LARGE);
        assert_in_range(read_on(fd, LARGE), LARGE, LARGE + 1000);
        close(fd);
    }
    assert_int_equal(iswi_http_answers_cut(f->http), 0);
    front_stop(f);
}

/* -- Turns ------------------------------------------------------------------------------------- */

/* A reactor that stands still while something is arranged. */
typedef struct stop {
    iswi_task task;
    sem_t stands, goes_on;
} stop;

static void stand_still(iswi_task *task)
{
    stop *s = (stop *)task;

    sem_post(&s->stands);
    while (sem_wait(&s->goes_on) != 0)
        ;
}

typedef struct released {
    front *f;
    int echoed_before;
    sem_t is;
} released;

static void on_release(void *user)
{
    released *r = user;

    r->echoed_before = front_echoed(r->f);
    sem_post(&r->is);
}

/* Its client's socket takes all of it at once. */
static void a_large_answer_lets_others_have_their_turn(void **state)
{
    const iswi_reactor_options how = { .name = "front" };
    iswi_reactor *reactor;
    released told = { 0 };
    stop s = { .task.run = stand_still };
    int large;
    int small;
    front *f;
    iswi_http_request *held;

    (void)state;
    sem_init(&s.stands, 0, 0);
    sem_init(&s.goes_on, 0, 0);
    sem_init(&told.is, 0, 0);
    assert_int_equal(iswi_reactor_start(&how, &reactor, NULL), ISW_OK);
    f = told.f = front_start((iswi_http_options){ .reactors = &reactor, .threads = 1 });
    small = http_connect(f->url);
    assert_true(http_send(small, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_read(small, false, &f->reply);
    large = ask_to_hold(f);
    held = front_take(f);
    iswi_reactor_post(reactor, &s.task);
    sem_wait(&s.stands);
    assert_true(http_send(small, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    iswi_http_answer(held, &(isw_http){ .body = { bytes, MODEST } }, on_release, &told);
    sem_post(&s.goes_on);
    http_read(small, false, &f->reply);
    sem_wait(&told.is);
    assert_int_equal(told.echoed_before, 2);
    assert_in_range(read_on(large, MODEST), MODEST, MODEST + 1000);
    close(large);
    close(small);
    front_stop(f);
    iswi_reactor_stop(reactor);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(bodies_of_all_requests_have_a_bound),
    cmocka_unit_test(what_broke_off_is_counted_no_more),
    cmocka_unit_test(one_body_alone_always_has_room),
    cmocka_unit_test(the_answer_that_has_waited_longest_makes_room_for_others),
    cmocka_unit_test(answers_that_are_taken_are_not_cut),
    cmocka_unit_test(a_large_answer_lets_others_have_their_turn),
};

ISW_TEST_MAIN(tests)
