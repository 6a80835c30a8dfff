/* SPDX-License-Identifier: Apache-2.0 */
/* What is compressed, what is read, and what is refused. */
#include "middleware/conformance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

extern const isw_middleware isw_middleware_compress;

enum { LONG = 20000 };

static char text[LONG + 1]; /* that compresses well */

static const char *type = "text/plain; charset=utf-8";
static int status = 200;

static isw_status sends(isw_context *ctx)
{
    isw_http_set_header(ctx, "accept-ranges", "bytes");
    isw_http_set_header(ctx, "etag", "\"v1\"");
    return isw_http_reply_bytes(ctx, status, type, text, LONG);
}

static isw_status sends_encoded(isw_context *ctx)
{
    isw_http_set_header(ctx, "content-encoding", "br");
    return isw_http_reply_bytes(ctx, 200, "text/plain", text, LONG);
}

static isw_status streams(isw_context *ctx)
{
    isw_http_begin(ctx, 200, "text/plain");
    return isw_http_write(ctx, text, LONG);
}

static const char *length = "20000";

/* As isw_http_reply_file has it. */
static isw_status file(isw_context *ctx)
{
    isw_http_set_header(ctx, "etag", "\"v1\"");
    if (!isw_http_header(ctx, "if-none-match"))
        return isw_http_reply_bytes(ctx, 200, "text/plain", text, (size_t)atoi(length));
    isw_http_set_header(ctx, "content-length", length);
    return isw_http_reply(ctx, 304, "text/plain", "%s", "");
}

static isw_status bare(isw_context *ctx)
{
    isw_http_set_header(ctx, "etag", "\"v1\"");
    return isw_http_reply(ctx, 304, NULL, "%s", "");
}

static isw_status small(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "small");
}

static isw_value given; /* that is no reply yet */
static const char *header_set;

static isw_status gives_result(isw_context *ctx)
{
    if (header_set)
        isw_http_set_header(ctx, "content-type", header_set);
    return isw_context_set_result(ctx, &given);
}

/* A reply that was made by hand, besides a header that was set. */
static isw_status by_hand(isw_context *ctx)
{
    static const isw_pair pairs[] = { { { "content-type", 12 }, { "text/csv", 8 } },
                                      { { "x-made", 6 }, { "by hand", 7 } } };
    const isw_http made = { .status = 201, .headers = { pairs, 2 }, .body = { text, LONG } };
    isw_http *kept = isw_context_alloc(ctx, sizeof *kept);
    isw_value value = { .type = ISW_VALUE_HTTP, .as.http = kept };

    *kept = made;
    isw_http_set_header(ctx, "x-set", "before");
    return isw_context_set_result(ctx, &value);
}

/* Body and headers as the function sees them. */
static isw_status echoes(isw_context *ctx)
{
    isw_bytes body = isw_http_body(ctx);

    isw_http_set_header(ctx, "x-encoding", isw_http_header(ctx, "content-encoding") ? "yes" : "no");
    return isw_http_reply_bytes(ctx, 200, "application/octet-stream", body.data, body.size);
}

static isw_status reads_form(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, NULL, "%s", isw_form_field(ctx, "name"));
}

static const isw_function functions[] = {
    { .name = "sends", .trigger = ISW_HTTP("GET", NULL), .handler = sends },
    { .name = "encoded", .trigger = ISW_HTTP("GET", NULL), .handler = sends_encoded },
    { .name = "streams", .trigger = ISW_HTTP("GET", NULL), .handler = streams },
    { .name = "file", .trigger = ISW_HTTP("GET", NULL), .handler = file },
    { .name = "bare", .trigger = ISW_HTTP("GET", NULL), .handler = bare },
    { .name = "result", .trigger = ISW_HTTP("GET", NULL), .handler = gives_result },
    { .name = "hand", .trigger = ISW_HTTP("GET", NULL), .handler = by_hand },
    { .name = "small", .trigger = ISW_HTTP("GET", NULL), .handler = small },
    { .name = "echoes", .trigger = ISW_HTTP("POST", NULL), .handler = echoes },
    { .name = "form", .trigger = ISW_HTTP("POST", NULL), .handler = reads_form },
    { .name = "upload", .trigger = ISW_HTTP("POST", NULL), .handler = echoes, .streams = true },
    { 0 },
};

static isw_test *begin(const char *yaml)
{
    for (int i = 0; i < LONG; i++)
        text[i] = (char)('a' + i % 17);
    type = "text/plain; charset=utf-8";
    status = 200;
    return test_of(functions, yaml);
}

static const char *header(const isw_test_result *result, const char *name)
{
    const char *value = isw_test_reply_header(result, name);

    return value ? value : "-";
}

static const isw_test_result *get(isw_test *test, const char *accept, const char *url)
{
    if (accept)
        isw_test_header(test, "Accept-Encoding", accept);
    return isw_test_http(test, "GET", url);
}

/* gzip or zlib to plain. Returns the size. */
static size_t inflated(const char *data, size_t size, char *out, size_t room)
{
    z_stream z = { .next_in = (unsigned char *)data, .avail_in = (unsigned)size,
                   .next_out = (unsigned char *)out, .avail_out = (unsigned)room };

    assert_int_equal(inflateInit2(&z, 15 + 32), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    inflateEnd(&z);
    return z.total_out;
}

static size_t deflated(const void *data, size_t size, int window, unsigned char *out, size_t room)
{
    z_stream z = { .next_in = (unsigned char *)data, .avail_in = (unsigned)size,
                   .next_out = out, .avail_out = (unsigned)room };

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

/* -- Answers ----------------------------------------------------------------------------------- */

static void answers_are_gzip_for_those_who_take_it(void **state)
{
    isw_test *test = begin("middleware: [compress]\n");
    const isw_test_result *result = get(test, "br, gzip;q=0.5", "/sends");
    char plain[LONG + 1];

    (void)state;
    assert_string_equal(header(result, "content-encoding"), "gzip");
    assert_string_equal(header(result, "content-type"), "text/plain; charset=utf-8");
    assert_string_equal(header(result, "vary"), "Accept-Encoding");
    assert_string_equal(header(result, "etag"), "W/\"v1\"");
    assert_string_equal(header(result, "accept-ranges"), "-"); /* they were of the plain one */
    assert_true(result->body_size < 1000);
    assert_int_equal(inflated(result->body, result->body_size, plain, sizeof plain), LONG);
    assert_memory_equal(plain, text, LONG);
    isw_test_destroy(test);
}

static void others_get_it_plain_and_are_told_that_it_varies(void **state)
{
    static const char *const accepts[] = { NULL, "", "br", "gzip;q=0", "gzip; q=0.0", "xgzip" };
    isw_test *test = begin("middleware: [compress]\n");

    (void)state;
    for (size_t i = 0; i < sizeof accepts / sizeof accepts[0]; i++) {
        const isw_test_result *result = get(test, accepts[i], "/sends");

        assert_string_equal(header(result, "content-encoding"), "-");
        assert_string_equal(header(result, "vary"), "Accept-Encoding");
        assert_string_equal(header(result, "etag"), "\"v1\"");
        assert_string_equal(header(result, "accept-ranges"), "bytes");
        assert_int_equal(result->body_size, LONG);
    }
    isw_test_destroy(test);
}

static void what_would_not_gain_is_left(void **state)
{
    isw_test *test = begin("middleware: [compress]\n");

    (void)state;
    assert_string_equal(header(get(test, "gzip", "/small"), "content-encoding"), "-");
    assert_string_equal(header(get(test, "gzip", "/encoded"), "content-encoding"), "br");
    assert_string_equal(header(get(test, "gzip", "/streams"), "content-encoding"), "-");
    status = 206;
    assert_string_equal(header(get(test, "gzip", "/sends"), "content-encoding"), "-");
    status = 200;
    type = "image/png";
    assert_string_equal(header(get(test, "gzip", "/sends"), "vary"), "-");
    type = "application/jsonish";
    assert_string_equal(header(get(test, "gzip", "/sends"), "content-encoding"), "-");
    type = "application/json";
    assert_string_equal(header(get(test, "gzip", "/sends"), "content-encoding"), "gzip");
    srand(7);
    for (int i = 0; i < LONG; i++)
        text[i] = (char)(1 + rand() % 255);
    assert_string_equal(header(get(test, "gzip", "/sends"), "content-encoding"), "-");
    isw_test_destroy(test);
}

/* -- Requests ---------------------------------------------------------------------------------- */

static const isw_test_result *post(isw_test *test, const char *url, const char *encoding,
                                   const void *body, size_t size)
{
    isw_test_body(test, "application/x-www-form-urlencoded", body, size);
    isw_test_header(test, "Content-Encoding", encoding);
    return isw_test_http(test, "POST", url);
}

static void bodies_are_plain_for_the_function(void **state)
{
    isw_test *test = begin("middleware: [error_handling, compress]\n");
    unsigned char packed[LONG];
    const isw_test_result *result =
        post(test, "/echoes", "gzip", packed, deflated(text, LONG, 15 + 16, packed, LONG));

    (void)state;
    assert_int_equal(result->body_size, LONG);
    assert_memory_equal(result->body, text, LONG);
    assert_string_equal(header(result, "x-encoding"), "no");
    result = post(test, "/echoes", "Deflate", packed, deflated("zlib", 4, 15, packed, LONG));
    assert_string_equal(result->body, "zlib");
    assert_string_equal(post(test, "/form", "gzip", packed,
                             deflated("name=Ada", 8, 15 + 16, packed, LONG))->body, "Ada");
    assert_string_equal(post(test, "/echoes", "identity", "plain", 5)->body, "plain");
    isw_test_destroy(test);
}

static void members_and_streams_without_a_head_are_read(void **state)
{
    static unsigned char packed[LONG];
    isw_test *test = begin("middleware: [compress]\n");
    size_t size = deflated("one ", 4, 15 + 16, packed, LONG);
    const isw_test_result *result;

    (void)state;
    size += deflated("", 0, 15 + 16, packed + size, LONG - size);
    size += deflated("two", 3, 15 + 16, packed + size, LONG - size);
    assert_string_equal(post(test, "/echoes", "gzip", packed, size)->body, "one two");
    assert_string_equal(post(test, "/echoes", "x-gzip", packed, size)->body, "one two");
    assert_int_equal(post(test, "/echoes", "gzip", packed, size - 3)->http_status, 400);
    memcpy(packed + size, "more", 4);
    assert_int_equal(post(test, "/echoes", "gzip", packed, size + 4)->http_status, 400);
    size = deflated("raw", 3, -15, packed, LONG);
    result = post(test, "/echoes", "deflate", packed, size);
    assert_string_equal(result->body, "raw");
    assert_int_equal(post(test, "/echoes", "gzip", packed, size)->http_status, 400);
    isw_test_header(test, "Content-Encoding", "gzip");
    assert_int_equal(post(test, "/echoes", "gzip", packed, size)->http_status, 415);
    isw_test_destroy(test);
}

static void members_are_one_body_to_the_limit(void **state)
{
    static unsigned char packed[LONG];
    static char zeros[3000];
    isw_test *test = begin("middleware: [compress: {max_inflated: 5000}]\n");
    size_t size = deflated(zeros, sizeof zeros, 15 + 16, packed, LONG);

    (void)state;
    assert_int_equal(post(test, "/echoes", "gzip", packed, size)->http_status, 200);
    memcpy(packed + size, packed, size);
    assert_int_equal(post(test, "/echoes", "gzip", packed, 2 * size)->http_status, 413);
    isw_test_destroy(test);
}

static void a_304_says_what_its_200_would(void **state)
{
    isw_test *test = begin("middleware: [compress: {min_size: 1000}]\n");
    const isw_test_result *result;
    char etag[64];
    static const struct {
        const char *accept, *length;
    } cases[] = { { "gzip", "20000" }, { "gzip", "999" }, { "identity", "20000" } };

    (void)state;
    for (int i = 0; i < 3; i++) {
        length = cases[i].length;
        strcpy(etag, header(get(test, cases[i].accept, "/file"), "etag"));
        assert_string_equal(etag, i == 0 ? "W/\"v1\"" : "\"v1\"");
        isw_test_header(test, "If-None-Match", etag);
        result = get(test, cases[i].accept, "/file");
        assert_int_equal(result->http_status, 304);
        assert_string_equal(header(result, "etag"), etag);
        assert_string_equal(header(result, "vary"), "Accept-Encoding");
        assert_string_equal(header(result, "content-length"), i == 0 ? "-" : cases[i].length);
    }
    isw_test_header(test, "If-None-Match", "W/\"v1\"");
    assert_string_equal(header(get(test, "gzip", "/bare"), "etag"), "W/\"v1\"");
    isw_test_header(test, "If-None-Match", "\"v1\"");
    result = get(test, "gzip", "/bare");
    assert_string_equal(header(result, "etag"), "\"v1\"");
    assert_string_equal(header(result, "vary"), "Accept-Encoding");
    isw_test_destroy(test);
}

static void a_bomb_is_refused(void **state)
{
    isw_test *test = begin("middleware: [error_handling: {expose_details: true}, "
                           "compress: {max_inflated: 1MiB}]\n");
    enum { MANY = 4 << 20 };
    char *zeros = calloc(1, MANY);
    unsigned char packed[LONG];
    const isw_test_result *result;

    (void)state;
    result = post(test, "/echoes", "gzip", packed, deflated(zeros, MANY, 15 + 16, packed, LONG));
    assert_int_equal(result->http_status, 413);
    assert_string_equal(result->failure->message, "the plain body exceeds 819600 bytes");
    isw_test_destroy(test);
    test = begin("middleware: [error_handling, compress: {max_inflated: 1MiB, max_ratio: 2000}]\n");
    result = post(test, "/echoes", "gzip", packed, deflated(zeros, MANY, 15 + 16, packed, LONG));
    assert_string_equal(result->failure->message, "the plain body exceeds 1048576 bytes");
    result = post(test, "/echoes", "gzip", packed, deflated(zeros, 1 << 20, 15 + 16, packed, LONG));
    assert_int_equal(result->body_size, 1 << 20);
    isw_test_destroy(test);
    free(zeros);
}

static void what_is_not_as_it_says_is_refused(void **state)
{
    isw_test *test = begin("middleware: [error_handling, compress]\n");
    unsigned char packed[LONG];
    size_t size = deflated(text, LONG, 15 + 16, packed, LONG);

    (void)state;
    assert_int_equal(post(test, "/echoes", "gzip", "plain", 5)->http_status, 400);
    assert_int_equal(post(test, "/echoes", "gzip", "", 0)->http_status, 400);
    assert_int_equal(post(test, "/echoes", "gzip", packed, size - 1)->http_status, 400);
    packed[size] = 'x';
    assert_int_equal(post(test, "/echoes", "gzip", packed, size + 1)->http_status, 400);
    isw_test_destroy(test);
}

static void another_encoding_is_415_with_what_is_taken(void **state)
{
    isw_test *test = begin("middleware: [compress]\n");
    const isw_test_result *result = post(test, "/echoes", "br", "x", 1);

    (void)state;
    assert_int_equal(result->http_status, 415);
    assert_string_equal(header(result, "accept-encoding"), "gzip, deflate");
    assert_int_equal(post(test, "/upload", "gzip", "x", 1)->http_status, 415);
    isw_test_destroy(test);
}

#define REPLAYS "middleware: [error_handling, compress, idempotency: {methods: [GET]}]\n"

static const isw_test_result *get_with_key(isw_test *test, const char *key, const char *url)
{
    isw_test_header(test, "Idempotency-Key", key);
    return get(test, "gzip", url);
}

static void a_result_is_compressed_like_the_reply_that_becomes_of_it(void **state)
{
    isw_test *test = begin(REPLAYS); /* which makes the text */
    const isw_value values[] = { isw_value_string(text), isw_value_json("[1]"),
                                 isw_value_bytes(text, LONG), isw_value_string(text) };
    static const char *const types[] = { NULL, NULL, "text/csv", "text/csv" };
    static const char *const keys[] = { "a", "b", "c", "d" };
    const char *encoding;
    size_t size;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        given = values[i];
        header_set = types[i];
        encoding = i == 1 ? "-" : "gzip";
        size = get_with_key(test, keys[i], "/result")->body_size;
        for (int again = 0; again < 2; again++) {
            const isw_test_result *got = get_with_key(test, again ? keys[i] : "other", "/result");

            assert_string_equal(header(got, "vary"), "Accept-Encoding");
            assert_string_equal(header(got, "content-encoding"), encoding);
            assert_string_equal(header(got, "idempotency-replayed"), again ? "true" : "-");
            assert_int_equal(got->body_size, size);
        }
        isw_test_destroy(test);
        test = begin(REPLAYS);
    }
    isw_test_destroy(test);
}

static void a_reply_made_by_hand_keeps_its_headers(void **state)
{
    isw_test *test = begin(REPLAYS);

    (void)state;
    for (int again = 0; again < 2; again++) {
        const isw_test_result *got = get_with_key(test, "k", "/hand");

        assert_int_equal(got->http_status, 201);
        assert_string_equal(header(got, "content-encoding"), "gzip");
        assert_string_equal(header(got, "content-type"), "text/csv");
        assert_string_equal(header(got, "x-made"), "by hand");
        assert_string_equal(header(got, "x-set"), "before");
        assert_string_equal(header(got, "idempotency-replayed"), again ? "true" : "-");
    }
    isw_test_destroy(test);
}

static const isw_pair headers[] = { { { "accept-encoding", 15 }, { "gzip", 4 } },
                                    { { NULL, 0 }, { NULL, 0 } } };

const conforming subject = { .middleware = &isw_middleware_compress, .name = "compress",
                             .options = "{}", .other_options = "{level: 1}", .headers = headers };

static const struct CMUnitTest tests[] = {
    MIDDLEWARE_CONFORMANCE,
    cmocka_unit_test(answers_are_gzip_for_those_who_take_it),
    cmocka_unit_test(others_get_it_plain_and_are_told_that_it_varies),
    cmocka_unit_test(what_would_not_gain_is_left),
    cmocka_unit_test(bodies_are_plain_for_the_function),
    cmocka_unit_test(members_and_streams_without_a_head_are_read),
    cmocka_unit_test(members_are_one_body_to_the_limit),
    cmocka_unit_test(a_304_says_what_its_200_would),
    cmocka_unit_test(a_result_is_compressed_like_the_reply_that_becomes_of_it),
    cmocka_unit_test(a_reply_made_by_hand_keeps_its_headers),
    cmocka_unit_test(a_bomb_is_refused),
    cmocka_unit_test(what_is_not_as_it_says_is_refused),
    cmocka_unit_test(another_encoding_is_415_with_what_is_taken),
};

ISW_TEST_MAIN(tests)
