/* SPDX-License-Identifier: Apache-2.0 */
/* The protocols of the bench's bare server, without a socket. */
#include "support/main.h"

#include "bench/http/server.h"

#include <stdlib.h>
#include <string.h>

/* What a protocol answers to the first `have` bytes, both parts as one text; "" when none. */
static char *ask(iswi_bench_protocol protocol, const char *in, size_t have, size_t *taken,
                 size_t *size)
{
    iswi_bench_reply reply = { 0 };
    char *text;

    *taken = protocol(in, have, &reply);
    *size = *taken && *taken != ISWI_BENCH_WRONG ? reply.first_size + reply.second_size : 0;
    text = calloc(1, *size + 1);
    assert_non_null(text);
    if (*size) {
        memcpy(text, reply.first, reply.first_size);
        if (reply.second_size)
            memcpy(text + reply.first_size, reply.second, reply.second_size);
    }
    free(reply.first);
    return text;
}

/* -- HTTP -------------------------------------------------------------------------------------- */

static void http_get_is_greeted(void **state)
{
    static const char in[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET";
    size_t taken, size;
    char *text = ask(iswi_bench_speak_http, in, strlen(in), &taken, &size);

    (void)state;
    assert_int_equal(taken, strlen(in) - 3);
    assert_non_null(strstr(text, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(text, "Content-Length: 14\r\n\r\nHello, World!\n"));
    free(text);
}

static void http_post_gets_back_what_it_sent(void **state)
{
    static const char in[] = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\0\0";
    size_t taken, size;
    char *text = ask(iswi_bench_speak_http, in, sizeof in, &taken, &size);

    (void)state;
    assert_int_equal(taken, sizeof in);
    assert_non_null(strstr(text, "Content-Length: 3\r\n\r\n"));
    assert_memory_equal(text + size - 3, "\0\0\0", 3);
    free(text);
    free(ask(iswi_bench_speak_http, in, sizeof in - 1, &taken, &size));
    assert_int_equal(taken, 0); /* its last byte is not there */
}

/* -- FastCGI ----------------------------------------------------------------------------------- */

/* BEGIN_REQUEST as responder of a connection that is kept; then parameters, which are empty. */
#define BEGIN "\1\1\0\7\0\10\0\0" "\0\1\1\0\0\0\0\0" "\1\4\0\7\0\0\0\0"

static void fastcgi_get_is_greeted(void **state)
{
    static const char in[] = BEGIN "\1\5\0\7\0\0\0"; /* and the zero that ends a string */
    static const char end[] = "\1\6\0\7\0\0\0\0" "\1\3\0\7\0\10\0\0" "\0\0\0\0\0\0\0";
    size_t taken, size;
    char *text = ask(iswi_bench_speak_fastcgi, in, sizeof in, &taken, &size);

    (void)state;
    assert_int_equal(taken, sizeof in);
    assert_memory_equal(text, "\1\6\0\7", 4); /* STDOUT of request 7 */
    assert_int_equal((unsigned char)text[5] + 8 + sizeof end, size);
    assert_memory_equal(text + size - sizeof end - 14, "Hello, World!\n", 14);
    assert_memory_equal(text + size - sizeof end, end, sizeof end);
    free(text);
}

static void fastcgi_post_gets_back_what_it_sent(void **state)
{
    static const char in[] = BEGIN "\1\5\0\7\0\2\6\0" "\0\0" "padded" "\1\5\0\7\0\0\0";
    static const char body[] = "\1\6\0\7\0\2\0\0" "\0\0" "\1\6\0\7\0\0\0";
    size_t taken, size;
    char *text = ask(iswi_bench_speak_fastcgi, in, sizeof in, &taken, &size);

    (void)state;
    assert_int_equal(taken, sizeof in);
    assert_non_null(strstr(text + 8, "Content-Length: 2\r\n\r\n"));
    assert_memory_equal(text + size - 16 - sizeof body, body, sizeof body);
    free(text);
    free(ask(iswi_bench_speak_fastcgi, in, sizeof in - 1, &taken, &size));
    assert_int_equal(taken, 0);
}

static void fastcgi_on_a_connection_that_ends_is_refused(void **state)
{
    static const char in[] = "\1\1\0\7\0\10\0\0" "\0\1\0\0\0\0\0";
    size_t taken, size;

    (void)state;
    free(ask(iswi_bench_speak_fastcgi, in, sizeof in, &taken, &size));
    assert_true(taken == ISWI_BENCH_WRONG);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(http_get_is_greeted),
    cmocka_unit_test(http_post_gets_back_what_it_sent),
    cmocka_unit_test(fastcgi_get_is_greeted),
    cmocka_unit_test(fastcgi_post_gets_back_what_it_sent),
    cmocka_unit_test(fastcgi_on_a_connection_that_ends_is_refused),
};

ISW_TEST_MAIN(tests)
