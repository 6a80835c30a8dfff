/* SPDX-License-Identifier: Apache-2.0 */
#include "support/http_front.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32 };

static const char hold[] = "GET /api/hold HTTP/1.1\r\nHost: a\r\n\r\n";
static const isw_http fine = { .status = 200, .body = { "fine", 4 } };

static void sleep_us(long us)
{
    nanosleep(&(struct timespec){ 0, us * 1000 }, NULL);
}

static void ask_batch(front *f, int fds[BATCH], iswi_http_request *requests[BATCH])
{
    for (int i = 0; i < BATCH; i++) {
        char text[80];

        fds[i] = http_connect(f->url);
        snprintf(text, sizeof text, "GET /api/hold/%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
        assert_true(http_send(fds[i], text));
        requests[i] = front_take(f); /* one by one, so that the two stay in step */
    }
}

static void read_batch(front *f, int fds[BATCH])
{
    for (int i = 0; i < BATCH; i++) {
        char expected[16];

        snprintf(expected, sizeof expected, "%d", i);
        http_read(fds[i], false, &f->reply);
        assert_int_equal(f->reply.status, 200);
        assert_string_equal(f->reply.body, expected);
        close(fds[i]);
    }
}

static void answer_one(front *f, iswi_http_request *request)
{
    const isw_http *data = iswi_http_request_data(request);
    static char texts[BATCH][8];
    isw_str id = data->params.items[0].value;
    int number = 0;

    for (size_t i = 0; i < id.size; i++)
        number = number * 10 + (id.data[i] - '0');

    snprintf(texts[number], sizeof texts[number], "%d", number % BATCH);
    iswi_http_answer(request, &(isw_http){ .body = { texts[number], strlen(texts[number]) } },
                     front_count_release, f);
}

/* ---- batches ---- */

static void answers_that_come_together_reach_each_their_client(void **state)
{
    front *f = *state;
    int fds[BATCH];
    iswi_http_request *requests[BATCH];

    for (int round = 0; round < 10; round++) {
        ask_batch(f, fds, requests);
        if (round % 2)
            sleep_us(8000); /* now all of them rest */
        for (int i = BATCH; i-- > 0;)
            answer_one(f, requests[i]);
        read_batch(f, fds);
        front_await_releases(f, (round + 1) * BATCH);
    }
}

typedef struct answerer {
    front *f;
    iswi_http_request **requests;
} answerer;

static void *answer_all(void *user)
{
    answerer *a = user;

    for (int i = 0; i < BATCH; i++)
        answer_one(a->f, a->requests[i]);
    return NULL;
}

/* Half of the batch rests, half does not when the stop comes. */
static void a_stop_amid_a_batch_answers_each_once(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        front *f = front_start((iswi_http_options){ .threads = threads });
        int fds[BATCH];
        iswi_http_request *requests[BATCH];
        answerer a = { f, requests };
        pthread_t thread;

        ask_batch(f, fds, requests);
        pthread_create(&thread, NULL, answer_all, &a);
        iswi_http_stop(f->http);
        pthread_join(thread, NULL);
        assert_int_equal(f->releases, BATCH);
        read_batch(f, fds);
        iswi_routes_destroy(f->routes);
        free(f);
    }
}

/* ---- between awake and at rest ---- */

static void an_answer_finds_its_connection_at_any_moment(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);

    for (int i = 0; i < 120; i++) {
        iswi_http_request *request;

        assert_true(http_send(fd, hold));
        request = front_take(f);
        sleep_us(i < 20 ? i * 10 : 4600 + i * 5);
        iswi_http_answer(request, &fine, front_count_release, f);
        http_read(fd, false, &f->reply);
        assert_int_equal(f->reply.status, 200);
        front_await_releases(f, i + 1);
    }
    assert_int_equal(iswi_http_in_flight(f->http), 0);
    close(fd);
}

static void a_waiting_request_costs_no_processor_time(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);
    iswi_http_request *request;
    struct timespec before;
    struct timespec after;

    assert_true(http_send(fd, hold));
    request = front_take(f);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    poll(NULL, 0, 300);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    assert_in_range((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec, 0,
                    20000000);
    iswi_http_answer(request, &fine, NULL, NULL);
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    close(fd);
}

/* ---- beside others ---- */

static void others_are_served_while_a_request_waits(void **state)
{
    front *f = *state;
    int waiting = http_connect(f->url);
    int other = http_connect(f->url);
    int halfway = http_connect(f->url);

    /* The third one's body is under way all the time. */
    assert_true(http_send(halfway, "POST /api/echo HTTP/1.1\r\nHost: a\r\n"
                                   "Content-Length: 2\r\n\r\n1"));
    for (int i = 0; i < 20; i++) {
        iswi_http_request *request;

        assert_true(http_send(waiting, hold));
        request = front_take(f);
        assert_true(http_send(other, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
        http_read(other, false, &f->reply);
        assert_int_equal(f->reply.status, 200);
        if (i == 10) {
            assert_true(http_send(halfway, "2"));
            http_read(halfway, false, &f->reply);
            assert_string_equal(f->reply.body, "12");
        }
        iswi_http_answer(request, &fine, NULL, NULL);
        http_read(waiting, false, &f->reply);
        assert_string_equal(f->reply.body, "fine");
    }
    close(waiting);
    close(other);
    close(halfway);
}

static void a_client_that_resets_while_it_waits_leaves_nothing_behind(void **state)
{
    front *f = *state;
    struct linger at_once = { 1, 0 };

    for (int i = 0; i < 60; i++) {
        int fd = http_connect(f->url);
        iswi_http_request *request;

        assert_true(http_send(fd, hold));
        request = front_take(f);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(fd);
        sleep_us(i % 20 * 20 + (i >= 40 ? 6000 : 0));
        iswi_http_answer(request, &fine, front_count_release, f);
        front_await_releases(f, i + 1);
    }
    assert_int_equal(front_ask(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(answers_that_come_together_reach_each_their_client,
                                    front_setup, front_teardown),
    cmocka_unit_test(a_stop_amid_a_batch_answers_each_once),
    cmocka_unit_test_setup_teardown(an_answer_finds_its_connection_at_any_moment, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_waiting_request_costs_no_processor_time, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(others_are_served_while_a_request_waits, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_client_that_resets_while_it_waits_leaves_nothing_behind,
                                    front_setup, front_teardown),
};

ISW_TEST_MAIN(tests)
