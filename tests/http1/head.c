/* SPDX-License-Identifier: Apache-2.0 */
#include "http1/transcript.h"
#include "support/main.h"
#include "support/memory.h"

#include "http1/head.h"

#include <stdio.h>
#include <stdlib.h>

/* -- One head ---------------------------------------------------------------------------------- */

typedef struct reading {
    iswi_arena arena;
    iswi_http1_head head;
    char bytes[64 * 1024];
    size_t size;
    iswi_http1_result result;
} reading;

static int set_up(void **state)
{
    reading *r = calloc(1, sizeof *r);

    if (!r)
        return -1;
    iswi_arena_init(&r->arena, 2048);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    reading *r = *state;

    iswi_arena_fini(&r->arena);
    free(r);
    return 0;
}

static void read_bytes(reading *r, const char *bytes, size_t size)
{
    iswi_arena_reset(&r->arena);
    iswi_http1_head_begin(&r->head, &r->arena, 0);
    assert_true(size <= sizeof r->bytes);
    memcpy(r->bytes, bytes, size);
    r->size = size;
    r->result = iswi_http1_head_read(&r->head, r->bytes, size);
}

static void read_text(reading *r, const char *text)
{
    read_bytes(r, text, strlen(text));
}

static const iswi_http1_head *taken(reading *r, const char *text)
{
    read_text(r, text);
    if (r->result != ISWI_HTTP1_DONE)
        fail_msg("%s is not taken: %s", text,
                 r->head.refusal.what ? r->head.refusal.what : "more is awaited");
    return &r->head;
}

/* The fields behind "POST / HTTP/1.1" and a Host. */
static const iswi_http1_head *taken_with(reading *r, const char *fields)
{
    char text[512];

    snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    return taken(r, text);
}

static void assert_text(isw_str text, const char *wanted)
{
    if (!isw_str_equal(text, isw_str_of(wanted)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)text.size, text.data, wanted);
}

/* The bytes are refused as soon as they are there, and not one before that. */
static void assert_refused(reading *r, const char *bytes, size_t size, int status,
                           const char *sentence)
{
    read_bytes(r, bytes, size - 1);
    if (r->result != ISWI_HTTP1_MORE)
        fail_msg("%s: refused too early: %s", bytes, r->head.refusal.what);
    memcpy(r->bytes + size - 1, bytes + size - 1, 1);
    r->result = iswi_http1_head_read(&r->head, r->bytes, size);
    if (r->result != ISWI_HTTP1_REFUSED || r->head.refusal.status != status)
        fail_msg("%s: %d is not %d", bytes, r->head.refusal.status, status);
    assert_string_equal(iswi_http1_refusal_text(&r->head.refusal, &r->arena), sentence);
}

typedef struct wrong {
    const char *text; /* up to the byte that makes it wrong */
    int status;
    const char *sentence;
} wrong;

static void assert_all_refused(reading *r, const char *before, const wrong *list, size_t count)
{
    char text[512];

    for (size_t i = 0; i < count; i++) {
        int size = snprintf(text, sizeof text, "%s%s", before, list[i].text);

        assert_refused(r, text, (size_t)size, list[i].status, list[i].sentence);
    }
}

#define ASSERT_ALL_REFUSED(r, before, list)                                                        \
    assert_all_refused(r, before, list, sizeof(list) / sizeof(list)[0])

/* -- What is read ------------------------------------------------------------------------------ */

static void a_request_is_read_with_its_fields(void **state)
{
    reading *r = *state;
    const iswi_http1_head *head = taken(r, "GET /api/hello?x=%20 HTTP/1.1\r\nHOST: a:80\r\n"
                                           "X-Y: \t z  z \t\r\nEmpty:\r\nX-y:2\r\n\r\nrest");

    assert_int_equal(head->size, strlen(r->bytes) - 4);
    assert_text(head->method, "GET");
    assert_text(head->target, "/api/hello?x=%20");
    assert_text(head->url, "/api/hello?x=%20");
    assert_text(head->authority, "a:80");
    assert_int_equal(head->form, ISWI_HTTP1_ORIGIN);
    assert_int_equal(head->framing, ISWI_HTTP1_NO_BODY);
    assert_int_equal(head->minor, 1);
    assert_true(head->keep_alive);
    assert_int_equal(head->fields.count, 4);
    assert_text(head->fields.items[0].name, "host");
    assert_text(head->fields.items[1].name, "x-y");
    assert_text(head->fields.items[1].value, "z  z");
    assert_text(head->fields.items[2].value, "");
    assert_text(head->fields.items[3].name, "x-y");
    assert_text(head->fields.items[3].value, "2");
}

static void it_does_not_matter_how_the_bytes_come(void **state)
{
    static const char bytes[] =
        "\r\nPOST /a HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 2\r\n\r\nhi"
        "GET http://b?c HTTP/1.1\r\nHost: a\r\nCookie: \xfc\xc3\xbc\r\n\r\n"
        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2;a=\"b\"\r\nhi\r\n0\r\nT: u\r\n\r\n"
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nX y\r\n";
    iswi_buffer whole = { 0 };

    (void)state;
    transcribe(bytes, sizeof bytes - 1, sizeof bytes, &whole);
    assert_non_null(strstr(iswi_buffer_text(&whole), "(line 3, byte 2)"));
    for (size_t piece = 1; piece < sizeof bytes; piece++) {
        iswi_buffer cut = { 0 };

        transcribe(bytes, sizeof bytes - 1, piece, &cut);
        assert_string_equal(iswi_buffer_text(&cut), iswi_buffer_text(&whole));
        iswi_buffer_fini(&cut);
    }
    iswi_buffer_fini(&whole);
}

static void an_empty_line_or_two_before_a_request_are_skipped(void **state)
{
    reading *r = *state;

    read_text(r, "\r\n");
    assert_int_equal(r->result, ISWI_HTTP1_MORE);
    assert_false(iswi_http1_head_has_begun(&r->head));
    read_text(r, "\r\nG");
    assert_true(iswi_http1_head_has_begun(&r->head));
    assert_text(taken(r, "\r\n\r\nGET / HTTP/1.0\r\n\r\n")->method, "GET");
    assert_int_equal(r->head.size, r->size);
    assert_refused(r, "\r\n\r\n\r", 5, 400,
                   "A carriage return has no line feed behind it (line 3, byte 1).");
}

static void values_that_are_not_utf_8_are_taken_as_latin_1(void **state)
{
    const iswi_http1_head *head =
        taken_with(*state, "Cookie: a=\xfc; b=\xc3\xbc\r\nX: \xc3\xbc\r\nY: z\r\n");

    assert_text(head->fields.items[1].value, "a=\xc3\xbc; b=\xc3\xbc");
    assert_text(head->fields.items[2].value, "\xc3\xbc");
    assert_text(head->fields.items[3].value, "z");
}

static void a_target_may_have_a_host_which_then_counts(void **state)
{
    reading *r = *state;
    const iswi_http1_head *head = taken(r, "GET HTTP://[::1]:8/b?c HTTP/1.1\r\nHost: a\r\n\r\n");

    assert_int_equal(head->form, ISWI_HTTP1_ABSOLUTE);
    assert_text(head->target, "HTTP://[::1]:8/b?c");
    assert_text(head->url, "/b?c");
    assert_text(head->authority, "[::1]:8");
    assert_text(head->fields.items[0].value, "[::1]:8");
    assert_text(taken(r, "GET https://b HTTP/1.1\r\nHost: b\r\n\r\n")->url, "/");
    assert_text(taken(r, "GET http://b/ HTTP/1.1\r\nHost: b\r\n\r\n")->url, "/");
    assert_text(taken(r, "GET http://b?c=d HTTP/1.1\r\nHost:\r\n\r\n")->url, "/?c=d");
    assert_text(r->head.authority, "b");
    assert_text(taken(r, "GET http://b/c HTTP/1.0\r\n\r\n")->authority, "b");
    assert_int_equal(r->head.fields.count, 0);
}

static void options_may_be_asked_of_the_server_as_a_whole(void **state)
{
    reading *r = *state;
    const iswi_http1_head *head = taken(r, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");

    assert_int_equal(head->form, ISWI_HTTP1_ASTERISK);
    assert_text(head->url, "*");
    head = taken(r, "OPTIONS http://b:8 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(head->form, ISWI_HTTP1_ASTERISK);
    assert_text(head->url, "*");
    assert_text(head->authority, "b:8");
    head = taken(r, "OPTIONS http://b:8/ HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(head->form, ISWI_HTTP1_ABSOLUTE);
    assert_text(head->url, "/");
}

static void a_connection_goes_on_as_its_version_and_its_options_say(void **state)
{
    static const struct {
        const char *version;
        const char *options;
        bool keep;
    } cases[] = {
        { "1", "", true },
        { "1", "Connection: close\r\n", false },
        { "1", "Connection: x , CLOSE,keep-alive\r\n", false },
        { "1", "Connection: x\r\nConnection: close \r\n", false },
        { "1", "Connection: closed\r\n", true },
        { "0", "", false },
        { "0", "Connection: Keep-Alive\r\n", true },
        { "0", "Connection: keep-alive, close\r\n", false },
    };
    char text[256];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, "GET / HTTP/1.%s\r\nHost: a\r\n%s\r\n", cases[i].version,
                 cases[i].options);
        assert_int_equal(taken(*state, text)->keep_alive, cases[i].keep);
        assert_int_equal(((reading *)*state)->head.minor, cases[i].version[0] - '0');
    }
}

static void the_framing_of_a_body_is_read(void **state)
{
    reading *r = *state;

    assert_int_equal(taken_with(r, "Content-Length: 12\r\n")->framing, ISWI_HTTP1_LENGTH);
    assert_int_equal(r->head.content_length, 12);
    assert_int_equal(taken_with(r, "Content-Length:\t0012 \t\r\n")->content_length, 12);
    assert_int_equal(taken_with(r, "Content-Length: 0\r\n")->framing, ISWI_HTTP1_NO_BODY);
    assert_true(taken_with(r, "Content-Length: 999999999999999999\r\n")->content_length ==
                INT64_C(999999999999999999));
    assert_int_equal(taken_with(r, "Transfer-Encoding: Chunked \r\n")->framing, ISWI_HTTP1_CHUNKED);
    assert_int_equal(taken_with(r, "")->framing, ISWI_HTTP1_NO_BODY);
}

static void a_continue_is_awaited_where_a_body_follows(void **state)
{
    reading *r = *state;

    assert_true(taken_with(r, "Expect: 100-Continue\r\nContent-Length: 1\r\n")->expects_continue);
    assert_false(taken_with(r, "Expect: 100-continue\r\n")->expects_continue);
    assert_false(
        taken(r, "POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\n")->expects_continue);
    assert_refused(r, "PUT / HTTP/1.1\r\nExpect: 100-continue, x\r\n", 41, 417,
                   "Something other than 100-continue is expected (line 2, byte 9).");
}

static void an_upgrade_is_asked_for_by_two_fields(void **state)
{
    reading *r = *state;

    assert_text(taken_with(r, "Connection: x, Upgrade\r\nUpgrade: websocket\r\n")->upgrade,
                "websocket");
    assert_text(taken_with(r, "Upgrade: websocket\r\n")->upgrade, "");
    assert_text(taken_with(r, "Connection: upgrade\r\n")->upgrade, "");
    assert_text(taken(r, "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")->upgrade,
                "");
}

/* -- What is not ------------------------------------------------------------------------------- */

static void a_request_line_is_refused_at_its_first_wrong_byte(void **state)
{
    static const wrong list[] = {
        { " ", 400, "The method is not a token with one space behind it (line 1, byte 1)." },
        { "\n", 400, "A line ends with a line feed without its carriage return (line 1, byte 1)." },
        { "G(", 400, "The method is not a token with one space behind it (line 1, byte 2)." },
        { "G\t", 400, "The method is not a token with one space behind it (line 1, byte 2)." },
        { "CONNECT ", 501, "The method CONNECT is for proxies (line 1, byte 1)." },
        { "GET  ", 400,
          "The request target begins with neither '/' nor http:// (line 1, byte 5)." },
        { "GET ?", 400,
          "The request target begins with neither '/' nor http:// (line 1, byte 5)." },
        { "GET *", 400, "The request target * is for OPTIONS alone (line 1, byte 5)." },
        { "OPTIONS *x ", 400,
          "Something stands behind * in the request target (line 1, byte 10)." },
        { "GET a:80 ", 400,
          "The request target begins with neither '/' nor http:// (line 1, byte 5)." },
        { "GET ftp://a/ ", 400,
          "The request target begins with neither '/' nor http:// (line 1, byte 5)." },
        { "GET http:/a ", 400,
          "The request target begins with neither '/' nor http:// (line 1, byte 5)." },
        { "GET http:// ", 400,
          "The host in the request target is not a host and a port (line 1, byte 12)." },
        { "GET https:///a ", 400,
          "The host in the request target is not a host and a port (line 1, byte 13)." },
        { "GET http://u@a/ ", 400,
          "The host in the request target is not a host and a port (line 1, byte 12)." },
        { "GET /#", 400,
          "The request target holds a character that must be percent-encoded (line 1, byte 6)." },
        { "GET /\xc3", 400,
          "The request target holds a character that must be percent-encoded (line 1, byte 6)." },
        { "GET /\t", 400,
          "The request target holds a character that must be percent-encoded (line 1, byte 6)." },
        { "GET /%4 ", 400,
          "The request target has a '%' without two hexadecimal digits (line 1, byte 5)." },
        { "GET /\r", 400, "The request line has no version (line 1, byte 6)." },
        { "GET /  ", 400,
          "The request line does not end with a version such as HTTP/1.1 (line 1, byte 7)." },
        { "GET / h", 400,
          "The request line does not end with a version such as HTTP/1.1 (line 1, byte 7)." },
        { "GET / HTTP/11", 400,
          "The request line does not end with a version such as HTTP/1.1 (line 1, byte 13)." },
        { "GET / HTTP/1.2", 505,
          "The protocol version is neither HTTP/1.1 nor HTTP/1.0 (line 1, byte 7)." },
        { "GET / HTTP/2.0", 505,
          "The protocol version is neither HTTP/1.1 nor HTTP/1.0 (line 1, byte 7)." },
        { "GET / HTTP/0.9", 505,
          "The protocol version is neither HTTP/1.1 nor HTTP/1.0 (line 1, byte 7)." },
        { "GET / HTTP/1.1 ", 400,
          "Something stands behind the version in the request line (line 1, byte 15)." },
        { "GET / HTTP/1.10", 400,
          "Something stands behind the version in the request line (line 1, byte 15)." },
        { "GET / HTTP/1.1\n", 400,
          "A line ends with a line feed without its carriage return (line 1, byte 15)." },
        { "GET / HTTP/1.1\rH", 400,
          "A carriage return has no line feed behind it (line 1, byte 15)." },
    };

    ASSERT_ALL_REFUSED(*state, "", list);
    assert_refused(*state, "GE\0", 3, 400, "There is a NUL in the head (line 1, byte 3).");
    assert_refused(*state, "GET /\0", 6, 400, "There is a NUL in the head (line 1, byte 6).");
}

static void a_field_is_refused_at_its_first_wrong_byte(void **state)
{
    static const wrong list[] = {
        { " ", 400, "A line of the head is folded, or begins with white space (line 2, byte 1)." },
        { ":", 400,
          "The name of a header field is not a token with a colon behind it (line 2, byte 1)." },
        { "A ", 400,
          "The name of a header field is not a token with a colon behind it (line 2, byte 2)." },
        { "A\t", 400,
          "The name of a header field is not a token with a colon behind it (line 2, byte 2)." },
        { "A\xc3", 400,
          "The name of a header field is not a token with a colon behind it (line 2, byte 2)." },
        { "no\r", 400, "A carriage return has no line feed behind it (line 2, byte 3)." },
        { "\n", 400, "A line ends with a line feed without its carriage return (line 2, byte 1)." },
        { "\r\r", 400, "A carriage return has no line feed behind it (line 2, byte 1)." },
        { "A: b\n", 400,
          "A line ends with a line feed without its carriage return (line 2, byte 5)." },
        { "A: b\rc", 400, "A carriage return has no line feed behind it (line 2, byte 5)." },
        { "A: b\r\r", 400, "A carriage return has no line feed behind it (line 2, byte 5)." },
        { "A:\n", 400,
          "A line ends with a line feed without its carriage return (line 2, byte 3)." },
        { "A: \x01", 400, "A header field holds a control character (line 2, byte 4)." },
        { "A: 123456789\x7f", 400, "A header field holds a control character (line 2, byte 13)." },
        { "A: b\r\n\t", 400,
          "A line of the head is folded, or begins with white space (line 3, byte 1)." },
    };

    ASSERT_ALL_REFUSED(*state, "GET / HTTP/1.1\r\n", list);
    assert_refused(*state, "GET / HTTP/1.1\r\nA: b\0", 21, 400,
                   "There is a NUL in the head (line 2, byte 5).");
    assert_refused(*state, "GET / HTTP/1.1\r\nA\0", 18, 400,
                   "There is a NUL in the head (line 2, byte 2).");
}

static void there_is_one_host_and_it_is_one(void **state)
{
    static const wrong list[] = {
        { "\r\n", 400, "There is no Host field." },
        { "Host: a\r\nX: y\r\nhOST: a\r\n", 400,
          "There is more than one Host field (line 4, byte 7)." },
        { "Host:\r\nHost: a\r\n", 400, "There is more than one Host field (line 3, byte 7)." },
        { "Host: a:80:90\r\n", 400, "The Host field is not a host and a port (line 2, byte 7)." },
        { "Host: [::1\r\n", 400, "The Host field is not a host and a port (line 2, byte 7)." },
        { "Host: a b\r\n", 400, "The Host field is not a host and a port (line 2, byte 7)." },
        { "Host: \xc3\xbc\r\n", 400, "The Host field is not a host and a port (line 2, byte 7)." },
    };
    reading *r = *state;

    ASSERT_ALL_REFUSED(r, "GET / HTTP/1.1\r\n", list);
    assert_all_refused(r, "GET / HTTP/1.0\r\n", list + 1, sizeof list / sizeof list[0] - 1);
    assert_text(taken(r, "GET / HTTP/1.1\r\nHost:\r\n\r\n")->authority, "");
    assert_text(taken(r, "GET / HTTP/1.0\r\n\r\n")->authority, "");
}

static void lengths_and_codings_that_two_might_read_otherwise_are_refused(void **state)
{
    static const wrong list[] = {
        { "Content-Length: 2\r\nContent-Length: 2\r\n", 400,
          "There is more than one Content-Length field (line 3, byte 17)." },
        { "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", 400,
          "There is a Content-Length beside the Transfer-Encoding (line 3, byte 20)." },
        { "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", 400,
          "There is a Content-Length beside the Transfer-Encoding (line 3, byte 17)." },
        { "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400,
          "There is more than one Transfer-Encoding field (line 3, byte 20)." },
        { "Content-Length:\r\n", 400,
          "The Content-Length is not a number of bytes (line 2, byte 16)." },
        { "Content-Length: 2, 2\r\n", 400,
          "The Content-Length is not a number of bytes (line 2, byte 18)." },
        { "Content-Length: +2\r\n", 400,
          "The Content-Length is not a number of bytes (line 2, byte 17)." },
        { "Content-Length: 2 2\r\n", 400,
          "The Content-Length is not a number of bytes (line 2, byte 18)." },
        { "Content-Length: 0x2\r\n", 400,
          "The Content-Length is not a number of bytes (line 2, byte 18)." },
        { "Content-Length: 1000000000000000000\r\n", 400,
          "The Content-Length has more than 18 digits (line 2, byte 17)." },
        { "Transfer-Encoding:\r\n", 400,
          "The Transfer-Encoding is not a list of codings (line 2, byte 19)." },
        { "Transfer-Encoding: , chunked\r\n", 400,
          "The Transfer-Encoding is not a list of codings (line 2, byte 20)." },
        { "Transfer-Encoding: chunked,\r\n", 400,
          "The Transfer-Encoding is not a list of codings (line 2, byte 20)." },
        { "Transfer-Encoding: \"chunked\"\r\n", 400,
          "The Transfer-Encoding is not a list of codings (line 2, byte 20)." },
        { "Transfer-Encoding: chunked\tx\r\n", 400,
          "The coding chunked has no parameters (line 2, byte 20)." },
        { "Transfer-Encoding: chunked, chunked\r\n", 400,
          "The Transfer-Encoding has chunked before its end (line 2, byte 20)." },
        { "Transfer-Encoding: chunked, gzip\r\n", 400,
          "The Transfer-Encoding has chunked before its end (line 2, byte 20)." },
        { "Transfer-Encoding: chunked;q=1\r\n", 400,
          "The coding chunked has no parameters (line 2, byte 20)." },
        { "Transfer-Encoding: gzip\r\n", 501,
          "The Transfer-Encoding has codings other than chunked (line 2, byte 20)." },
        { "Transfer-Encoding: gzip;q=\"1\", chunked\r\n", 501,
          "The Transfer-Encoding has codings other than chunked (line 2, byte 20)." },
        { "Transfer-Encoding: xchunked\r\n", 501,
          "The Transfer-Encoding has codings other than chunked (line 2, byte 20)." },
        { "Transfer-Encoding: identity\r\n", 501,
          "The Transfer-Encoding has codings other than chunked (line 2, byte 20)." },
    };
    static const wrong old[] = {
        { "Transfer-Encoding: chunked\r\n", 400,
          "HTTP/1.0 has no Transfer-Encoding (line 2, byte 20)." },
    };

    ASSERT_ALL_REFUSED(*state, "POST / HTTP/1.1\r\n", list);
    ASSERT_ALL_REFUSED(*state, "POST / HTTP/1.0\r\n", old);
}

static void a_head_has_a_limit_and_so_have_its_fields(void **state)
{
    static const char begin[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    static char text[ISWI_HTTP1_HEAD_BYTES + 16];
    size_t most = ISWI_HTTP1_HEAD_BYTES - (sizeof begin - 1) - 4;
    size_t size = 0;
    reading *r = *state;

    memset(text, 'x', sizeof text);
    memcpy(text, begin, sizeof begin - 1);
    memcpy(text + sizeof begin - 1 + most, "\r\n\r\n", 5);
    taken(r, text);
    memcpy(text + sizeof begin - 1 + most, "x\r\n\r\n", 6);
    assert_refused(r, text, ISWI_HTTP1_HEAD_BYTES, 431,
                   "The request line and the header fields are too large.");
    memset(text + 5, 'x', sizeof text - 5);
    assert_refused(r, text, ISWI_HTTP1_HEAD_BYTES, 414, "The request line is too long.");
    size = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < ISWI_HTTP1_FIELDS_MAX; i++, size += 5)
        memcpy(text + size, "a:b\r\n", 6);
    memcpy(text + size, "a:", 3);
    assert_refused(r, text, size + 2, 431, "There are too many header fields (line 514, byte 1).");
}

static void without_memory_it_is_503(void **state)
{
    static const char text[] = "GET http://a?b HTTP/1.1\r\nHost: a\r\nX: \xfc\r\n\r\n";
    iswi_http1_result result = ISWI_HTTP1_REFUSED;
    reading *r = *state;

    for (size_t fail_at = 1; result == ISWI_HTTP1_REFUSED; fail_at++) {
        counter count;
        iswi_arena arena;
        iswi_http1_head head;

        counter_init(&count, fail_at);
        iswi_arena_init(&arena, 1);
        iswi_http1_head_begin(&head, &arena, 0);
        memcpy(r->bytes, text, sizeof text);
        result = iswi_http1_head_read(&head, r->bytes, sizeof text - 1);
        iswi_arena_fini(&arena);
        counter_fini(&count);
        if (result == ISWI_HTTP1_REFUSED)
            assert_int_equal(head.refusal.status, 503);
        else
            assert_true(fail_at > 3);
    }
    assert_int_equal(result, ISWI_HTTP1_DONE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_request_is_read_with_its_fields, set_up, tear_down),
    cmocka_unit_test_setup_teardown(it_does_not_matter_how_the_bytes_come, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_empty_line_or_two_before_a_request_are_skipped, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(values_that_are_not_utf_8_are_taken_as_latin_1, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_target_may_have_a_host_which_then_counts, set_up, tear_down),
    cmocka_unit_test_setup_teardown(options_may_be_asked_of_the_server_as_a_whole, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_connection_goes_on_as_its_version_and_its_options_say, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(the_framing_of_a_body_is_read, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_continue_is_awaited_where_a_body_follows, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_upgrade_is_asked_for_by_two_fields, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_request_line_is_refused_at_its_first_wrong_byte, set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(a_field_is_refused_at_its_first_wrong_byte, set_up, tear_down),
    cmocka_unit_test_setup_teardown(there_is_one_host_and_it_is_one, set_up, tear_down),
    cmocka_unit_test_setup_teardown(lengths_and_codings_that_two_might_read_otherwise_are_refused,
                                    set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_head_has_a_limit_and_so_have_its_fields, set_up, tear_down),
    cmocka_unit_test_setup_teardown(without_memory_it_is_503, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
