/* SPDX-License-Identifier: Apache-2.0 */
/* Raw bytes against the front: what must be refused, what must not, and how long one may dawdle. */
#include "support/http_front.h"

#include "base/clock.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LIMIT_MS = 300,          /* short, for those who are to be cut */
    CUT_LEAST_MS = 250,      /* clocks are not the same */
    CUT_MOST_MS = 10 * 1000, /* on a busy machine; without a limit nobody is cut */
    LENIENT_LIMIT_MS = 1500  /* for one who must not be cut */
};

static front *start_with(unsigned limit_ms)
{
    return front_start((iswi_http_options){
        .header_timeout_ms = limit_ms, .body_timeout_ms = limit_ms, .idle_timeout_ms = limit_ms });
}

static int start_impatient(void **state)
{
    *state = start_with(LIMIT_MS);
    return 0;
}

static int start_lenient(void **state)
{
    *state = start_with(LENIENT_LIMIT_MS);
    return 0;
}

/* The bytes get one answer, a problem of `status`, and a closed connection; and no function sees
 * them. */
static void assert_refused_with(front *f, int status, const char *bytes, size_t size)
{
    int fd = http_connect(f->url);
    char more;

    assert_true(http_send_bytes(fd, bytes, size));
    http_read(fd, false, &f->reply);
    if (f->reply.status != status)
        fail_msg("%d for: %s", f->reply.status, bytes);
    assert_problem(f, status, "\"type\":\"about:blank\"");
    assert_header(f, "Connection", "close");
    assert_int_equal(recv(fd, &more, 1, 0), 0);
    close(fd);
    assert_int_equal(front_echoed(f), 0);
}

static void assert_refused_bytes(front *f, const char *bytes, size_t size)
{
    assert_refused_with(f, 400, bytes, size);
}

static void assert_refused(front *f, const char *text)
{
    assert_refused_bytes(f, text, strlen(text));
}

static void assert_refused_as(front *f, int status, const char *text)
{
    assert_refused_with(f, status, text, strlen(text));
}

static void assert_accepted(front *f, const char *text, const char *body)
{
    assert_int_equal(http_roundtrip(f->url, text, &f->reply), 200);
    assert_string_equal(f->reply.body, body);
}

static void plain_requests_pass(void **state)
{
    front *f = *state;

    assert_accepted(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n", "");
    assert_accepted(f, "GET /api/echo HTTP/1.0\r\n\r\n", "");
    assert_accepted(f, "GET /api/echo HTTP/1.1\r\nHost: [::1]:80\r\nX:\r\nY: \t z \t\r\n\r\n", "");
    assert_accepted(f, "POST /api/echo?a=b&c HTTP/1.1\r\nhOST:a\r\nContent-Length: 2\r\n\r\nhi",
                    "hi");
    assert_accepted(f,
                    "POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                    "2\r\nhi\r\n1;x=y\r\n!\r\n0\r\nTrailer: t\r\n\r\n",
                    "hi!");
    /* White space is no part of a value. */
    assert_accepted(f,
                    "POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked \r\n\r\n"
                    "1\r\nx\r\n0\r\n\r\n",
                    "x");
    assert_accepted(f,
                    "POST /api/echo HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=\"d\"\r\nCookie: e\r\n"
                    "Content-Length: 0\r\n\r\n",
                    "");
}

static void smuggling_by_two_lengths_is_refused(void **state)
{
    front *f = *state;

    assert_refused(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                      "Content-Length: 3\r\n\r\nhi!");
    assert_refused(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
                      "content-length: 2\r\n\r\nhi");
    assert_refused(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\nhi");
}

static void smuggling_by_length_and_encoding_is_refused(void **state)
{
    front *f = *state;

    assert_refused(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_refused(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                      "Content-Length: 4\r\n\r\n0\r\n\r\n");
}

static void any_encoding_but_chunked_is_refused(void **state)
{
    static const struct {
        const char *coding;
        int status; /* 501 for what there may be elsewhere (RFC 9112, section 6.1) */
    } encodings[] = {
        { "gzip", 501 },        { "chunked, chunked", 400 }, { "gzip, chunked", 501 },
        { "identity", 501 },    { "chunked;q=1", 400 },      { "xchunked", 501 },
        { "\"chunked\"", 400 }, { "", 400 },                 { "chunked\tx", 400 },
    };
    char text[256];
    front *f = *state;

    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        snprintf(text, sizeof text,
                 "POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: %s\r\n\r\n0\r\n\r\n",
                 encodings[i].coding);
        assert_refused_as(f, encodings[i].status, text);
    }
    assert_refused(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_refused(f, "POST /api/echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

static void lengths_that_are_no_numbers_are_refused(void **state)
{
    static const char *const lengths[] = { "-1",  "+2",  "0x2", "2a", "2 2",
                                           "1e1", "2.0", "2, ", ",",  "\"2\"" };
    char text[256];
    front *f = *state;

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        snprintf(text, sizeof text,
                 "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\nhi", lengths[i]);
        assert_refused(f, text);
    }
}

static void a_length_that_overflows_is_refused(void **state)
{
    front *f = *state;

    assert_refused(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\n"
                      "Content-Length: 99999999999999999999\r\n\r\nhi");
    assert_refused(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\n"
                      "Content-Length: 9999999999999999999\r\n\r\nhi");
}

static void a_missing_or_double_host_is_refused(void **state)
{
    front *f = *state;

    assert_refused(f, "GET /api/echo HTTP/1.1\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: b\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a/b\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a, b\r\n\r\n");
}

static void bare_line_feeds_are_refused_wherever_they_are(void **state)
{
    front *f = *state;

    assert_refused(f, "GET /api/echo HTTP/1.1\nHost: a\r\nX: y\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\nX: y\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX: y\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX: y\r\n\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\nHost: a\nX: y\n\n");
    assert_refused(f, "GET /api/echo HTTP/1.0\n\n");
    assert_refused(f, "GET /api/echo HTTP/1.0\r\n\n");
}

static void the_second_request_of_a_connection_is_read_as_strictly(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);

    assert_true(http_send(fd, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
                              "GET /api/echo HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"
                              "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 400);
    assert_true(http_closes(fd));
    close(fd);
    assert_int_equal(front_echoed(f), 1);
}

static void folded_lines_are_refused(void **state)
{
    front *f = *state;

    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz: 1\r\nB: c\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\n Host: a\r\n\r\n");
    assert_refused(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"
                      "0\r\n\r\n");
}

static void names_that_are_no_tokens_are_refused(void **state)
{
    front *f = *state;

    assert_refused(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length : 2\r\n\r\nhi");
    assert_refused(f, "POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX(y): z\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX\xc3\xa9: z\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n");
}

static void control_characters_are_refused(void **state)
{
    static const char nul_in_value[] = "GET /api/echo HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n";
    static const char nul_in_name[] = "GET /api/echo HTTP/1.1\r\nHost: a\r\nX\0Y: z\r\n\r\n";
    static const char nul_in_target[] = "GET /api/echo\0y HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char nul_in_method[] = "GE\0T /api/echo HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char nul_line[] = "GET /api/echo HTTP/1.1\r\nHost: a\r\n\0X: y\r\n\r\n";
    front *f = *state;

    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX: y\rZ: 1\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX: y\r\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1\r\nHost: \xff\r\n\r\n");
    assert_refused_bytes(f, nul_in_value, sizeof nul_in_value - 1);
    assert_refused_bytes(f, nul_in_name, sizeof nul_in_name - 1);
    assert_refused_bytes(f, nul_in_target, sizeof nul_in_target - 1);
    assert_refused_bytes(f, nul_in_method, sizeof nul_in_method - 1);
    assert_refused_bytes(f, nul_line, sizeof nul_line - 1);
}

static void request_lines_with_stray_parts_are_refused(void **state)
{
    front *f = *state;

    assert_refused(f, "GET  /api/echo HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/echo  HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/echo y HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/echo HTTP/1.1 \r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/echo\r\nHost: a\r\n\r\n");
    assert_refused(f, "G(T /api/echo HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused_as(f, 505, "GET /api/echo HTTP/1.2\r\nHost: a\r\n\r\n");
    assert_refused_as(f, 505, "GET /api/echo HTTP/2.0\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/echo http/1.1\r\nHost: a\r\n\r\n");
}

static void a_target_in_absolute_form_is_that_path_of_that_host(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);
    iswi_http_request *request;
    const isw_http *data;

    assert_true(http_send(fd, "GET http://b:81/api/hold/x?y=1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    request = front_take(f);
    data = iswi_http_request_data(request);
    assert_text(data->url, "/api/hold/x?y=1");
    assert_text(*isw_pairs_find(&data->headers, "host"), "b:81");
    assert_int_equal(data->query.count, 1);
    iswi_http_answer(request, &(isw_http){ .status = 200 }, NULL, NULL);
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    close(fd);
}

static void the_server_as_a_whole_has_options(void **state)
{
    front *f = *state;

    assert_int_equal(front_ask(f, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 204);
    assert_refused(f, "GET * HTTP/1.1\r\nHost: a\r\n\r\n");
}

static void targets_that_are_no_paths_are_refused(void **state)
{
    front *f = *state;

    assert_refused_as(f, 501, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET api/x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/echo#y HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/%zz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/echo% HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/echo?a=%4 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/echo?a=%ff HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(f, "GET /api/echo?a%00=1 HTTP/1.1\r\nHost: a\r\n\r\n");
}

static void a_head_of_any_shape_in_one_piece_or_many_reads_the_same(void **state)
{
    static const char text[] = "POST /api/echo?q=1 HTTP/1.1\r\nHost: a\r\nX: y\r\n"
                               "Content-Length: 2\r\n\r\nhi";
    front *f = *state;

    for (size_t cut = 1; cut < sizeof text - 1; cut += 3) {
        int fd = http_connect(f->url);

        assert_true(http_send_bytes(fd, text, cut));
        assert_true(http_send(fd, text + cut));
        http_read(fd, false, &f->reply);
        assert_int_equal(f->reply.status, 200);
        assert_string_equal(f->reply.body, "hi");
        close(fd);
    }
}

/* A browser sends what a neighbour has set, too. */
static void a_field_that_is_not_utf_8_is_taken(void **state)
{
    front *f = *state;

    assert_accepted(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nCookie: a=\xfc; b=1\r\n\r\n", "");
    assert_accepted(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nUser-Agent: \xff\x80\r\n\r\n", "");
}

/* The status of a request whose field `name` has `size` bytes, in cookies of `each`. */
static int status_of_large(front *f, const char *name, size_t size, size_t each)
{
    static char text[48 * 1024];
    int at = snprintf(text, sizeof text, "GET /api/echo HTTP/1.1\r\nHost: a\r\n%s: ", name);

    for (size_t i = 0; i < size; i++)
        text[at + i] = i % each == each - 1 ? ';' : i % each == 1 ? '=' : 'c';
    snprintf(text + at + size, sizeof text - (size_t)at - size, "\r\n\r\n");
    http_roundtrip(f->url, text, &f->reply);
    return f->reply.status;
}

static void a_cookie_may_be_as_long_as_any_field(void **state)
{
    front *f = *state;

    assert_int_equal(status_of_large(f, "X", 16000, 16001), 200);
    assert_int_equal(status_of_large(f, "Cookie", 7968, 8000), 200);
    assert_int_equal(status_of_large(f, "Cookie", 16000, 16001), 200);
    assert_int_equal(status_of_large(f, "Cookie", 16000, 200), 200);
    assert_int_equal(status_of_large(f, "Cookie", 16000, 88), 200); /* 180 of them: Chrome's most */
    assert_int_equal(status_of_large(f, "X", 16384, 16385), 431);
    assert_int_equal(status_of_large(f, "Cookie", 16384, 16385), 431);
}

static void a_head_beyond_the_memory_limit_gets_431(void **state)
{
    static char text[40 * 1024];
    front *f = *state;
    int fd = http_connect(f->url);
    int size = snprintf(text, sizeof text, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX: ");

    memset(text + size, 'x', sizeof text - 1 - (size_t)size);
    http_send(fd, text);
    http_read(fd, false, &f->reply);
    assert_problem(f, 431, "too large");
    assert_true(http_closes(fd));
    close(fd);
    assert_int_equal(front_echoed(f), 0);
}

/* Send one byte of `text` every 20 ms until the peer closes. Returns how long that took in ms;
 * one that is never cut ends later than it may be. */
static int64_t drip(int fd, const char *text)
{
    int64_t begin = iswi_now_ns();
    char bytes[1024]; /* why it is cut */

    while (iswi_now_ns() - begin < 2 * CUT_MOST_MS * INT64_C(1000000)) {
        if (!http_send_bytes(fd, text, 1))
            break;
        text += text[1] != '\0';
        usleep(20000);
        if (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) == 0)
            break;
    }
    return (iswi_now_ns() - begin) / 1000000;
}

static void a_dripped_head_is_cut_at_its_deadline(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);
    int64_t took =
        drip(fd, "GET /api/echo HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");

    assert_in_range(took, CUT_LEAST_MS, CUT_MOST_MS);
    assert_int_equal(front_echoed(f), 0);
    close(fd);
}

static void a_dripped_body_is_cut_at_its_deadline(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);
    int64_t took;

    assert_true(
        http_send(fd, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"));
    took = drip(fd, "x");
    assert_in_range(took, CUT_LEAST_MS, CUT_MOST_MS);
    assert_int_equal(front_echoed(f), 0);
    close(fd);
}

static void a_silent_connection_is_cut(void **state)
{
    front *f = *state;
    int64_t begin = iswi_now_ns();
    int fd = http_connect(f->url);

    assert_true(http_closes(fd));
    assert_in_range((iswi_now_ns() - begin) / 1000000, CUT_LEAST_MS, CUT_MOST_MS);
    close(fd);
}

static void an_idle_connection_is_cut_without_a_word(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);
    int64_t begin;
    char byte;

    assert_true(http_send(fd, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    begin = iswi_now_ns();
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    assert_in_range((iswi_now_ns() - begin) / 1000000, CUT_LEAST_MS, CUT_MOST_MS);
    close(fd);
}

/* The time for a head begins with its first byte. */
static void the_next_head_of_a_connection_has_its_own_deadline(void **state)
{
    front *f = *state;
    int fd = http_connect(f->url);

    assert_true(http_send(fd, "GET /api/echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    usleep(LENIENT_LIMIT_MS * 1000 * 3 / 5);
    assert_true(http_send(fd, "GET /api/echo HTTP/1.1\r\n"));
    usleep(LENIENT_LIMIT_MS * 1000 * 3 / 5); /* later than an idle connection would be cut */
    assert_true(http_send(fd, "Host: a\r\n\r\n"));
    http_read(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    close(fd);
}

static void a_request_that_is_not_whole_in_time_gets_408(void **state)
{
    front *f = *state;

    assert_refused_as(f, 408, "GET /api/echo HTTP/1.1\r\nHost: a\r\n");
    assert_refused_as(f, 408, "POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhi");
    assert_refused_as(f, 408, "POST /api/echo HTTP/1.1\r\nHost: a\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
}

static void a_websocket_is_refused_and_other_upgrades_are_passed_by(void **state)
{
    front *f = *state;

    assert_refused_as(f, 501, "GET /api/echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                              "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    assert_accepted(f, "GET /api/echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                       "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n", "");
}

static void a_line_feed_alone_ends_no_line_of_a_chunk(void **state)
{
    static const char *const bodies[] = { "2\nhi\r\n0\r\n\r\n", "2\r\nhi\n0\r\n\r\n",
                                          "2\r\nhi\r\n0\n\r\n", "2\r\nhi\r\n0\r\n\n",
                                          "2;\nhi\r\n0\r\n\r\n" };
    front *f = *state;
    char text[256];

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        snprintf(text, sizeof text,
                 "POST /api/echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%s",
                 bodies[i]);
        assert_refused(f, text);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(plain_requests_pass, front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(smuggling_by_two_lengths_is_refused, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(smuggling_by_length_and_encoding_is_refused, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(any_encoding_but_chunked_is_refused, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(lengths_that_are_no_numbers_are_refused, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_length_that_overflows_is_refused, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_missing_or_double_host_is_refused, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(bare_line_feeds_are_refused_wherever_they_are, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(the_second_request_of_a_connection_is_read_as_strictly,
                                    front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(folded_lines_are_refused, front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(names_that_are_no_tokens_are_refused, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(control_characters_are_refused, front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(request_lines_with_stray_parts_are_refused, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(targets_that_are_no_paths_are_refused, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_head_of_any_shape_in_one_piece_or_many_reads_the_same,
                                    front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(a_field_that_is_not_utf_8_is_taken, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_cookie_may_be_as_long_as_any_field, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_head_beyond_the_memory_limit_gets_431, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_dripped_head_is_cut_at_its_deadline, start_impatient,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_dripped_body_is_cut_at_its_deadline, start_impatient,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_silent_connection_is_cut, start_impatient, front_teardown),
    cmocka_unit_test_setup_teardown(an_idle_connection_is_cut_without_a_word, start_impatient,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(the_next_head_of_a_connection_has_its_own_deadline,
                                    start_lenient, front_teardown),
    cmocka_unit_test_setup_teardown(a_request_that_is_not_whole_in_time_gets_408, start_impatient,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_websocket_is_refused_and_other_upgrades_are_passed_by,
                                    front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(a_line_feed_alone_ends_no_line_of_a_chunk, front_setup,
                                    front_teardown),
    cmocka_unit_test_setup_teardown(a_target_in_absolute_form_is_that_path_of_that_host,
                                    front_setup, front_teardown),
    cmocka_unit_test_setup_teardown(the_server_as_a_whole_has_options, front_setup, front_teardown),
};

ISW_TEST_MAIN(tests)
