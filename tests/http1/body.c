/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "http1/body.h"

#include <stdio.h>

typedef struct reading {
    iswi_http1_body body;
    iswi_http1_result result;
    char taken[256]; /* the payload */
    size_t taken_size;
    size_t used;
} reading;

static void begin(reading *r, iswi_http1_framing framing, int64_t length, int64_t limit)
{
    iswi_http1_head head = { .framing = framing, .content_length = length };

    *r = (reading){ .result = ISWI_HTTP1_MORE };
    iswi_http1_body_begin(&r->body, &head, limit);
}

/* Read until nothing is left, or the body ends. */
static void give(reading *r, const char *bytes, size_t size)
{
    do {
        isw_bytes piece;
        size_t used;

        r->result = iswi_http1_body_read(&r->body, bytes, size, &used, &piece);
        assert_true(used <= size && r->taken_size + piece.size < sizeof r->taken);
        if (piece.size) {
            assert_true((const char *)piece.data >= bytes &&
                        (const char *)piece.data + piece.size == bytes + used);
            memcpy(r->taken + r->taken_size, piece.data, piece.size);
        }
        r->taken_size += piece.size;
        r->used += used;
        bytes += used;
        size -= used;
    } while (r->result == ISWI_HTTP1_MORE && size);
}

static void assert_taken(const reading *r, const char *wanted)
{
    assert_int_equal(r->taken_size, strlen(wanted));
    assert_memory_equal(r->taken, wanted, r->taken_size);
}

static void read_chunks(reading *r, const char *text)
{
    begin(r, ISWI_HTTP1_CHUNKED, 0, INT64_MAX);
    give(r, text, strlen(text));
}

static void a_body_with_a_length_ends_there(void **state)
{
    reading r;

    (void)state;
    begin(&r, ISWI_HTTP1_LENGTH, 3, 3);
    give(&r, "", 0);
    assert_int_equal(r.result, ISWI_HTTP1_MORE);
    give(&r, "ab", 2);
    assert_int_equal(r.result, ISWI_HTTP1_MORE);
    assert_int_equal(r.body.left, 1);
    give(&r, "cGET /", 6);
    assert_int_equal(r.result, ISWI_HTTP1_DONE);
    assert_int_equal(r.used, 3);
    assert_taken(&r, "abc");
    begin(&r, ISWI_HTTP1_NO_BODY, 0, 0);
    give(&r, "GET /", 5);
    assert_int_equal(r.result, ISWI_HTTP1_DONE);
    assert_int_equal(r.used, 0);
}

static void chunks_are_read_however_their_bytes_come(void **state)
{
    static const char text[] = "2\r\nhi\r\n0A;a;b=c; d = \"e\\\"\\x;\xfc\" ;f\r\n0123456789\r\n"
                               "1 ;a\r\n!\r\n000\r\nTrailer: t\r\nX:\r\nConten: u\r\n\r\n";
    const size_t size = sizeof text - 1;

    (void)state;
    for (size_t piece = 1; piece <= size + 4; piece++) {
        char all[sizeof text + 4];
        reading r;

        memcpy(all, text, size);
        memcpy(all + size, "GET ", 4);
        begin(&r, ISWI_HTTP1_CHUNKED, 0, 13);
        for (size_t at = 0; r.result == ISWI_HTTP1_MORE; at += piece)
            give(&r, all + at, size + 4 - at < piece ? size + 4 - at : piece);
        assert_int_equal(r.result, ISWI_HTTP1_DONE);
        assert_int_equal(r.used, size);
        assert_int_equal(r.body.payload, 13);
        assert_taken(&r, "hi0123456789!");
    }
}

/* The text is refused at its last byte. */
static void assert_refused(const char *text, int status, const char *what)
{
    size_t size = strlen(text);
    reading r;

    begin(&r, ISWI_HTTP1_CHUNKED, 0, INT64_MAX);
    give(&r, text, size - 1);
    if (r.result != ISWI_HTTP1_MORE)
        fail_msg("%s: %d too early: %s", text, r.result, r.body.refusal.what);
    give(&r, text + size - 1, 1);
    if (r.result != ISWI_HTTP1_REFUSED)
        fail_msg("%s is not refused", text);
    assert_int_equal(r.body.refusal.status, status);
    assert_string_equal(r.body.refusal.what, what);
    assert_int_equal(r.body.refusal.byte, size);
}

static void chunks_are_refused_at_their_first_wrong_byte(void **state)
{
    static const char feed[] = "A line ends with a line feed without its carriage return";
    static const char carriage[] = "A carriage return has no line feed behind it";
    static const char number[] = "The size of a chunk is not a hexadecimal number";
    static const char extension[] = "A chunk's extension is not ;name or ;name=value";
    static const char longer[] = "The payload of a chunk is longer than its size says";
    static const char *const cases[][2] = {
        { "\r", number },
        { " ", number },
        { "+", number },
        { "-", number },
        { "g", number },
        { ";", number },
        { "0x", number },
        { "2,", number },
        { "\n", feed },
        { "2\n", feed },
        { "2;\n", feed },
        { "2;a\n", feed },
        { "2;a=b\n", feed },
        { "2;a=\"b\"\n", feed },
        { "2;a=\"b\n", feed },
        { "2;a=\"\\\n", feed },
        { "2 \n", feed },
        { "2\rx", carriage },
        { "2\r\r", carriage },
        { "2 \r", extension },
        { "2;\r", extension },
        { "2; \r", extension },
        { "2;=", extension },
        { "2;a=\r", extension },
        { "2;a=;", extension },
        { "2;a \r", extension },
        { "2;a b", extension },
        { "2;a=b c", extension },
        { "2;\"", extension },
        { "2;a=\"b\"c", extension },
        { "2;a=b=", extension },
        { "2;a\x01", extension },
        { "2\r\nhi!", longer },
        { "2\r\nhi\n", feed },
        { "2\r\nhi\r0", carriage },
        { "2\r\nhi2", longer },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(cases[i][0], 400, cases[i][1]);
    assert_refused("2;a=\"\x7f", 400, "A chunk's extension holds a control character");
}

static void trailers_are_read_as_strictly(void **state)
{
    static const char name[] = "The name of a trailer field is not a token with a colon behind it";
    static const char misplaced[] = "A trailer field belongs into the head";

    (void)state;
    assert_refused("0\r\n ", 400, name);
    assert_refused("0\r\n:", 400, name);
    assert_refused("0\r\nA ", 400, name);
    assert_refused("0\r\nA\r", 400, name);
    assert_refused("0\r\nA: b\r\n ", 400, name);
    assert_refused("0\r\nA: \x01", 400, "A trailer field holds a control character");
    assert_refused("0\r\n\n", 400, "A line ends with a line feed without its carriage return");
    assert_refused("0\r\nA: b\n", 400, "A line ends with a line feed without its carriage return");
    assert_refused("0\r\nA: b\r\r", 400, "A carriage return has no line feed behind it");
    assert_refused("0\r\n\rG", 400, "A carriage return has no line feed behind it");
    assert_refused("0\r\nX: y\r\ncontent-LENGTH:", 400, misplaced);
    assert_refused("0\r\nTransfer-Encoding:", 400, misplaced);
    assert_refused("0\r\nHost:", 400, misplaced);
}

static void what_is_beyond_the_limit_is_refused_when_it_is_announced(void **state)
{
    reading r;

    (void)state;
    begin(&r, ISWI_HTTP1_LENGTH, 4, 3);
    give(&r, "", 0);
    assert_int_equal(r.result, ISWI_HTTP1_REFUSED);
    assert_int_equal(r.body.refusal.status, 413);
    begin(&r, ISWI_HTTP1_CHUNKED, 0, 0x20);
    give(&r, "1f\r\n0123456789012345678901234567890\r\n2", 39);
    assert_int_equal(r.result, ISWI_HTTP1_REFUSED);
    assert_int_equal(r.body.refusal.status, 413);
    assert_int_equal(r.taken_size, 31);
}

static void sizes_extensions_and_trailers_have_limits(void **state)
{
    static char text[ISWI_HTTP1_TRAILER_BYTES + 64];
    reading r;

    (void)state;
    read_chunks(&r, "0000000000000002\r\nhi\r\n0\r\n\r\n");
    assert_int_equal(r.result, ISWI_HTTP1_DONE);
    assert_refused("00000000000000002", 400, "The size of a chunk has too many digits");
    assert_refused("8000000000000000", 400, "The size of a chunk has too many digits");

    snprintf(text, sizeof text, "1;%0*d", ISWI_HTTP1_SPARE_BYTES + 1, 0);
    assert_refused(text, 400, "The chunks have more extensions than payload");
    snprintf(text, sizeof text, "2\r\nhi\r\n1;%0*d", ISWI_HTTP1_SPARE_BYTES + 3, 0);
    assert_refused(text, 400, "The chunks have more extensions than payload");

    snprintf(text, sizeof text, "0\r\nA:%0*d", ISWI_HTTP1_TRAILER_BYTES - 1, 0);
    assert_refused(text, 431, "The trailer fields are too large");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_body_with_a_length_ends_there),
    cmocka_unit_test(chunks_are_read_however_their_bytes_come),
    cmocka_unit_test(chunks_are_refused_at_their_first_wrong_byte),
    cmocka_unit_test(trailers_are_read_as_strictly),
    cmocka_unit_test(what_is_beyond_the_limit_is_refused_when_it_is_announced),
    cmocka_unit_test(sizes_extensions_and_trailers_have_limits),
};

ISW_TEST_MAIN(tests)
