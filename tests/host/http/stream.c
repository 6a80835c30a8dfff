/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies piece by piece through the front, and clients that leave. */
#include "support/http_front.h"

#include "wire/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the front told, in order of arrival. */
typedef struct told {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t uploaded;
    bool whole, broken;
    size_t taken;
    int left;
    unsigned busy; /* so many pieces are refused first */
    char text[64]; /* the beginning of what was uploaded */
} told;

static told heard;
static front *f;

static bool streams(void *user, void *target)
{
    (void)user;
    return target == NULL; /* all but "echo" */
}

static isw_status on_upload(void *user, iswi_http_request *request, isw_bytes bytes, bool end,
                            bool broken)
{
    isw_status status = ISW_OK;

    (void)user;
    (void)request;
    pthread_mutex_lock(&heard.lock);
    if (heard.busy) {
        heard.busy--;
        status = ISW_E_BUSY;
    } else {
        if (heard.uploaded + bytes.size < sizeof heard.text && bytes.size)
            memcpy(heard.text + heard.uploaded, bytes.data, bytes.size);
        heard.uploaded += bytes.size;
        heard.whole = heard.whole || end;
        heard.broken = heard.broken || broken;
    }
    pthread_cond_broadcast(&heard.changed);
    pthread_mutex_unlock(&heard.lock);
    return status;
}

static void on_taken(void *user, iswi_http_request *request, size_t bytes)
{
    (void)user;
    (void)request;
    pthread_mutex_lock(&heard.lock);
    heard.taken += bytes;
    pthread_cond_broadcast(&heard.changed);
    pthread_mutex_unlock(&heard.lock);
}

static void on_left(void *user, iswi_http_request *request)
{
    (void)user;
    assert_non_null(iswi_http_request_data(request)->method.data); /* it is alive */
    pthread_mutex_lock(&heard.lock);
    heard.left++;
    pthread_cond_broadcast(&heard.changed);
    pthread_mutex_unlock(&heard.lock);
}

#define AWAIT(condition)                                                                \
    do {                                                                                \
        struct timespec until;                                                          \
        clock_gettime(CLOCK_REALTIME, &until);                                          \
        until.tv_sec += 10;                                                             \
        pthread_mutex_lock(&heard.lock);                                                \
        while (!(condition))                                                            \
            assert_int_equal(pthread_cond_timedwait(&heard.changed, &heard.lock, &until), 0); \
        pthread_mutex_unlock(&heard.lock);                                              \
    } while (0)

static int set_up(void **state)
{
    (void)state;
    memset(&heard, 0, sizeof heard);
    pthread_mutex_init(&heard.lock, NULL);
    pthread_cond_init(&heard.changed, NULL);
    f = front_start((iswi_http_options){ .threads = 1,
                                         .streams = streams,
                                         .upload = on_upload,
                                         .taken = on_taken,
                                         .left = on_left });
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    front_stop(f);
    pthread_cond_destroy(&heard.changed);
    pthread_mutex_destroy(&heard.lock);
    return 0;
}

static int begin_request(const char *head)
{
    int fd = http_connect(f->url);

    assert_true(fd >= 0);
    assert_true(http_send(fd, head));
    return fd;
}

/* The next request; its body may come for a window. */
static iswi_http_request *take(void)
{
    iswi_http_request *request = front_take(f);

    iswi_http_widen(request, ISWI_WINDOW_BYTES);
    return request;
}

static const isw_http fine = { .status = 200, .body = { "fine", 4 } };

static void answer_fine(iswi_http_request *request)
{
    iswi_http_answer(request, &fine, NULL, NULL);
}

static void assert_fine(int fd)
{
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_string_equal(f->reply.body, "fine");
    close(fd);
}

/* -- From the client --------------------------------------------------------------------------- */

static void a_request_is_handed_over_before_its_body(void **state)
{
    int fd = begin_request("PUT /api/hold/a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    iswi_http_request *request = take();

    (void)state;
    assert_int_equal(iswi_http_request_data(request)->body.size, 0);
    assert_true(http_send(fd, "12345"));
    AWAIT(heard.uploaded == 5);
    assert_false(heard.whole);
    assert_true(http_send(fd, "67890"));
    AWAIT(heard.whole);
    assert_string_equal(heard.text, "1234567890");
    answer_fine(request);
    assert_fine(fd);
    assert_int_equal(heard.left, 0);
}

static void assert_is_asked(int fd)
{
    char line[26] = "";

    assert_int_equal(recv(fd, line, 25, MSG_WAITALL), 25);
    assert_string_equal(line, "HTTP/1.1 100 Continue\r\n\r\n");
}

static const char holding_back[] = "PUT /api/hold/a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                                   "Expect: 100-continue\r\n\r\n";

static void a_body_that_is_held_back_is_asked_for_when_it_is_wanted(void **state)
{
    int fd = begin_request(holding_back);
    iswi_http_request *request = front_take(f);
    char byte;

    (void)state;
    iswi_http_widen(request, ISWI_WINDOW_BYTES);
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    iswi_http_want_body(request);
    assert_is_asked(fd);
    assert_true(http_send(fd, "hi"));
    AWAIT(heard.whole);
    answer_fine(request);
    assert_fine(fd);
}

static void a_body_that_is_held_back_is_asked_for_after_a_while(void **state)
{
    int fd = begin_request(holding_back);
    iswi_http_request *request = front_take(f);

    (void)state;
    iswi_http_widen(request, ISWI_WINDOW_BYTES);
    assert_is_asked(fd);
    assert_true(http_send(fd, "hi"));
    AWAIT(heard.whole);
    answer_fine(request);
    assert_fine(fd);
}

static void a_body_that_is_held_back_is_not_asked_for_behind_an_answer(void **state)
{
    int fd = begin_request(holding_back);
    iswi_http_request *request = front_take(f);

    (void)state;
    answer_fine(request);
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_null(strstr(f->reply.head, "100 Continue"));
    assert_header(f, "Connection", "close");
    assert_true(http_closes(fd));
    close(fd);
}

static void chunks_of_a_client_are_a_body_too(void **state)
{
    int fd = begin_request("PUT /api/hold/a HTTP/1.1\r\nHost: a\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    iswi_http_request *request = take();

    (void)state;
    AWAIT(heard.uploaded == 3);
    assert_true(http_send(fd, "2\r\nde\r\n0\r\n\r\n"));
    AWAIT(heard.whole);
    assert_string_equal(heard.text, "abcde");
    answer_fine(request);
    assert_fine(fd);
}

static void a_body_waits_for_its_window(void **state)
{
    enum { SIZE = ISWI_WINDOW_BYTES + 100000 };
    char *body = calloc(1, SIZE);
    char head[128];
    iswi_http_request *request;
    int fd;

    (void)state;
    snprintf(head, sizeof head, "PUT /api/hold/a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
             SIZE);
    fd = begin_request(head);
    request = take();
    assert_true(http_send_bytes(fd, body, SIZE));
    AWAIT(heard.uploaded == ISWI_WINDOW_BYTES);
    /* The front serves others meanwhile, and takes no more of this. */
    assert_int_equal(front_ask(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                                  "Connection: close\r\n\r\nhi"), 200);
    assert_int_equal(heard.uploaded, ISWI_WINDOW_BYTES);
    iswi_http_widen(request, 50000);
    AWAIT(heard.uploaded == ISWI_WINDOW_BYTES + 50000);
    assert_false(heard.whole);
    iswi_http_widen(request, 60000);
    AWAIT(heard.whole);
    assert_int_equal(heard.uploaded, SIZE);
    answer_fine(request);
    assert_fine(fd);
    free(body);
}

static void a_body_waits_until_it_is_asked_for(void **state)
{
    int fd = begin_request("PUT /api/hold/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345");
    iswi_http_request *request = front_take(f);

    (void)state;
    assert_int_equal(front_ask(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                                  "Connection: close\r\n\r\nhi"), 200);
    assert_int_equal(heard.uploaded, 0);
    iswi_http_widen(request, ISWI_WINDOW_BYTES);
    AWAIT(heard.whole);
    assert_string_equal(heard.text, "12345");
    answer_fine(request);
    assert_fine(fd);
}

/* All has come from the client, so that nothing but the window brings the rest. */
static void the_rest_of_a_piece_waits_for_the_window_alone(void **state)
{
    enum { BEFORE = ISWI_WINDOW_BYTES - 100, LAST = 1000 };
    char *body = calloc(1, BEFORE);
    char head[128];
    iswi_http_request *request;
    int fd;

    (void)state;
    snprintf(head, sizeof head, "PUT /api/hold/a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
             BEFORE + LAST);
    fd = begin_request(head);
    request = take();
    assert_int_equal(send(fd, body, BEFORE, 0), BEFORE);
    AWAIT(heard.uploaded == BEFORE);
    assert_int_equal(send(fd, body, LAST, 0), LAST);
    AWAIT(heard.uploaded == ISWI_WINDOW_BYTES);
    iswi_http_widen(request, LAST);
    AWAIT(heard.whole);
    assert_int_equal(heard.uploaded, BEFORE + LAST);
    answer_fine(request);
    assert_fine(fd);
    free(body);
}

static void a_piece_that_is_not_taken_is_offered_again(void **state)
{
    iswi_http_request *request;
    int fd;

    (void)state;
    heard.busy = 3;
    fd = begin_request("PUT /api/hold/a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    request = take();
    AWAIT(heard.whole);
    assert_string_equal(heard.text, "hi");
    answer_fine(request);
    assert_fine(fd);
}

static void a_body_that_breaks_off_is_told(void **state)
{
    int fd = begin_request("PUT /api/hold/a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123");
    iswi_http_request *request = take();

    (void)state;
    AWAIT(heard.uploaded == 3);
    close(fd);
    AWAIT(heard.broken && heard.left == 1);
    assert_false(heard.whole);
    answer_fine(request); /* to nobody */
}

static void an_early_answer_drops_the_rest_of_the_body(void **state)
{
    enum { SIZE = 2 * ISWI_WINDOW_BYTES };
    char *body = calloc(1, SIZE);
    char head[128];
    int fd;

    (void)state;
    snprintf(head, sizeof head, "PUT /api/hold/a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n",
             SIZE);
    fd = begin_request(head);
    answer_fine(front_take(f));
    assert_true(http_send_bytes(fd, body, SIZE));
    assert_fine(fd);
    free(body);
}

/* -- To the client ----------------------------------------------------------------------------- */

static const char get[] = "GET /api/hold/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/* All that comes until the connection ends. */
static size_t read_all(int fd, char *out, size_t most)
{
    size_t size = 0;
    ssize_t got;

    while (size < most - 1 && (got = recv(fd, out + size, most - 1 - size, 0)) > 0)
        size += (size_t)got;
    out[size] = '\0';
    close(fd);
    return size;
}

static void begin(iswi_http_request *request, const char *length)
{
    const isw_pair headers[] = { { isw_str_of("x-kind"), isw_str_of("stream") },
                                 { isw_str_of("content-length"), isw_str_of(length) } };
    const isw_http head = { .status = 203, .headers = { headers, length ? 2 : 1 } };

    assert_false(iswi_http_has_begun(request));
    assert_int_equal(iswi_http_begin(request, &head), ISW_OK);
    assert_true(iswi_http_has_begun(request));
    assert_int_equal(iswi_http_begin(request, &head), ISW_E_CONFLICT);
}

static void more(iswi_http_request *request, const char *text)
{
    assert_int_equal(iswi_http_continue(request, (isw_bytes){ text, strlen(text) }), ISW_OK);
}

static void an_answer_goes_out_piece_by_piece(void **state)
{
    int fd = begin_request(get);
    iswi_http_request *request = take();
    char all[1024];

    (void)state;
    begin(request, NULL);
    more(request, "one ");
    http_read(fd, true, &f->reply); /* the head is there before the end is */
    assert_int_equal(f->reply.status, 203);
    assert_header(f, "x-kind", "stream");
    assert_header(f, "Transfer-Encoding", "chunked");
    more(request, "two");
    iswi_http_end(request, true);
    read_all(fd, all, sizeof all);
    assert_non_null(strstr(all, "one "));
    assert_non_null(strstr(all, "two"));
    assert_non_null(strstr(all, "\r\n0\r\n\r\n"));
}

static void an_answer_whose_length_is_known_has_it(void **state)
{
    int fd = begin_request(get);
    iswi_http_request *request = take();

    (void)state;
    begin(request, "7");
    more(request, "one ");
    more(request, "two");
    iswi_http_end(request, true);
    http_read(fd, false, &f->reply);
    assert_header(f, "Content-Length", "7");
    assert_string_equal(f->reply.body, "one two");
    close(fd);
}

static void an_answer_that_is_cut_has_no_end(void **state)
{
    int fd = begin_request(get);
    iswi_http_request *request = take();
    char all[1024];

    (void)state;
    begin(request, NULL);
    more(request, "one ");
    iswi_http_end(request, false);
    read_all(fd, all, sizeof all);
    assert_null(strstr(all, "\r\n0\r\n"));
}

static void an_answer_waits_for_its_client(void **state)
{
    static char piece[ISWI_WINDOW_BYTES];
    int fd = begin_request(get);
    iswi_http_request *request = take();
    char *all = malloc(3 * ISWI_WINDOW_BYTES);

    (void)state;
    begin(request, NULL);
    memset(piece, 'x', sizeof piece);
    assert_int_equal(iswi_http_continue(request, (isw_bytes){ piece, sizeof piece }), ISW_OK);
    http_read(fd, true, &f->reply);
    AWAIT(heard.taken > 0); /* the system's buffers have taken some */
    assert_int_equal(iswi_http_continue(request, (isw_bytes){ piece, heard.taken + 1 }),
                     ISW_E_TOO_LARGE);
    assert_int_equal(iswi_http_continue(request, (isw_bytes){ piece, heard.taken }), ISW_OK);
    iswi_http_end(request, true);
    assert_true(read_all(fd, all, 3 * ISWI_WINDOW_BYTES) > ISWI_WINDOW_BYTES);
    free(all);
}

static void what_cannot_begin_is_refused(void **state)
{
    int fd = begin_request(get);
    iswi_http_request *request = take();

    (void)state;
    assert_int_equal(iswi_http_continue(request, (isw_bytes){ "x", 1 }), ISW_E_CONFLICT);
    assert_int_equal(iswi_http_begin(request, &(isw_http){ .status = 99 }), ISW_E_INVALID);
    assert_int_equal(iswi_http_begin(request, &(isw_http){ .status = 204 }), ISW_E_INVALID);
    answer_fine(request);
    assert_fine(fd);
}

static void an_upload_may_be_answered_by_a_stream(void **state)
{
    int fd = begin_request("PUT /api/hold/a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                           "Connection: close\r\n\r\n12");
    iswi_http_request *request = take();
    char all[1024];

    (void)state;
    AWAIT(heard.uploaded == 2);
    begin(request, NULL);
    more(request, "early");
    assert_true(http_send(fd, "34"));
    AWAIT(heard.whole);
    iswi_http_end(request, true);
    read_all(fd, all, sizeof all);
    assert_non_null(strstr(all, "early"));
    assert_non_null(strstr(all, "\r\n0\r\n\r\n"));
}

/* -- Clients that leave ------------------------------------------------------------------------ */

static void a_client_that_leaves_while_its_request_rests_is_noticed(void **state)
{
    int fd = begin_request("GET /api/hold/a HTTP/1.1\r\nHost: a\r\n\r\n");
    iswi_http_request *request = take();

    (void)state;
    usleep(20000); /* longer than it stays awake for an answer */
    pthread_mutex_lock(&heard.lock);
    assert_int_equal(heard.left, 0);
    pthread_mutex_unlock(&heard.lock);
    close(fd);
    AWAIT(heard.left == 1);
    answer_fine(request);
}

static void a_client_that_leaves_at_once_is_noticed(void **state)
{
    int fd = begin_request("GET /api/hold/a HTTP/1.1\r\nHost: a\r\n\r\n");
    iswi_http_request *request = take();

    (void)state;
    close(fd);
    AWAIT(heard.left >= 1);
    answer_fine(request);
}

static void a_client_that_closes_its_half_still_gets_the_answer(void **state)
{
    int fd = begin_request(get);
    iswi_http_request *request = take();

    (void)state;
    usleep(20000);
    shutdown(fd, SHUT_WR);
    AWAIT(heard.left == 1);
    answer_fine(request);
    assert_fine(fd);
}

static void a_client_that_leaves_a_stream_is_noticed(void **state)
{
    int fd = begin_request(get);
    iswi_http_request *request = take();

    (void)state;
    begin(request, NULL);
    more(request, "one ");
    http_read(fd, true, &f->reply);
    close(fd);
    AWAIT(heard.left >= 1);
    iswi_http_end(request, false);
}

/* -- OPTIONS ----------------------------------------------------------------------------------- */

static void options_are_told_where_no_function_answers_them(void **state)
{
    (void)state;
    assert_int_equal(front_ask(f, "OPTIONS /api/orders/7 HTTP/1.1\r\nHost: a\r\n\r\n"), 204);
    assert_header(f, "Allow", "GET, HEAD, PUT, OPTIONS");
    assert_int_equal(front_ask(f, "OPTIONS /api/nowhere HTTP/1.1\r\nHost: a\r\n\r\n"), 404);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_request_is_handed_over_before_its_body, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_body_that_is_held_back_is_asked_for_when_it_is_wanted, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_body_that_is_held_back_is_asked_for_after_a_while, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_body_that_is_held_back_is_not_asked_for_behind_an_answer,
                                    set_up, tear_down),
    cmocka_unit_test_setup_teardown(chunks_of_a_client_are_a_body_too, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_body_waits_for_its_window, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_body_waits_until_it_is_asked_for, set_up, tear_down),
    cmocka_unit_test_setup_teardown(the_rest_of_a_piece_waits_for_the_window_alone, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_piece_that_is_not_taken_is_offered_again, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_body_that_breaks_off_is_told, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_early_answer_drops_the_rest_of_the_body, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_answer_goes_out_piece_by_piece, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_answer_whose_length_is_known_has_it, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_answer_that_is_cut_has_no_end, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_answer_waits_for_its_client, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_cannot_begin_is_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_upload_may_be_answered_by_a_stream, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_client_that_leaves_while_its_request_rests_is_noticed, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_client_that_leaves_at_once_is_noticed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_client_that_closes_its_half_still_gets_the_answer, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_client_that_leaves_a_stream_is_noticed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(options_are_told_where_no_function_answers_them, set_up,
                                    tear_down),
};

ISW_TEST_MAIN(tests)
