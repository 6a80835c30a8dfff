/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of answers. */
#include "support/main.h"

#include "http1/answer.h"

#include <stdio.h>
#include <string.h>

typedef struct reading {
    iswi_arena arena;
    char bytes[512];
    iswi_http1_answer answer;
    const char *what;
} reading;

static iswi_http1_result read_text(reading *r, const char *text)
{
    iswi_arena_reset(&r->arena);
    snprintf(r->bytes, sizeof r->bytes, "%s", text);
    r->what = "";
    return iswi_http1_answer_read(r->bytes, strlen(text), &r->arena, &r->answer, &r->what);
}

static int setup(void **state)
{
    static reading r;

    iswi_arena_init(&r.arena, 8192);
    *state = &r;
    return 0;
}

static int teardown(void **state)
{
    iswi_arena_fini(&((reading *)*state)->arena);
    return 0;
}

static void a_head_says_its_status_its_fields_and_where_its_body_ends(void **state)
{
    reading *r = *state;
    const char *text = "HTTP/1.1 200 OK\r\nX-Thing:  a b \r\nContent-Length: 12\r\n\r\nbody";

    assert_int_equal(read_text(r, text), ISWI_HTTP1_DONE);
    assert_int_equal(r->answer.status, 200);
    assert_int_equal(r->answer.size, strlen(text) - 4);
    assert_int_equal(r->answer.body.framing, ISWI_HTTP1_LENGTH);
    assert_int_equal(r->answer.body.content_length, 12);
    assert_true(r->answer.keep_alive);
    assert_memory_equal(isw_pairs_find(&r->answer.fields, "x-thing")->data, "a b", 3);
    assert_int_equal(read_text(r, "HTTP/1.1 202\r\nTransfer-Encoding: chunked\r\n\r\n"),
                     ISWI_HTTP1_DONE);
    assert_int_equal(r->answer.body.framing, ISWI_HTTP1_CHUNKED);
    assert_int_equal(read_text(r, "HTTP/1.1 202 Fine\r\nContent-Length: 0\r\n\r\n"),
                     ISWI_HTTP1_DONE);
    assert_int_equal(r->answer.body.framing, ISWI_HTTP1_NO_BODY);
    assert_true(r->answer.keep_alive);
}

static void it_is_whole_at_its_last_byte_and_not_before(void **state)
{
    reading *r = *state;
    const char *text = "HTTP/1.1 202 Accepted\r\nConnection: close\r\n\r\n";
    char part[64];

    for (size_t size = 0; size < strlen(text); size++) {
        snprintf(part, sizeof part, "%.*s", (int)size, text);
        assert_int_equal(read_text(r, part), ISWI_HTTP1_MORE);
    }
    assert_int_equal(read_text(r, text), ISWI_HTTP1_DONE);
    assert_false(r->answer.keep_alive);
}

static void what_is_said_before_it_is_passed_over(void **state)
{
    reading *r = *state;

    assert_int_equal(read_text(r, "HTTP/1.1 100 Continue\r\n\r\n"), ISWI_HTTP1_MORE);
    assert_int_equal(read_text(r, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n"),
                     ISWI_HTTP1_DONE);
    assert_int_equal(r->answer.status, 204);
    assert_true(r->answer.keep_alive);
}

static void a_body_without_an_end_of_its_own_ends_the_connection(void **state)
{
    reading *r = *state;

    assert_int_equal(read_text(r, "HTTP/1.1 200 OK\r\n\r\n"), ISWI_HTTP1_DONE);
    assert_int_equal(r->answer.body.framing, ISWI_HTTP1_NO_BODY);
    assert_false(r->answer.keep_alive);
}

static void what_two_readers_could_read_in_two_ways_is_refused(void **state)
{
    static const char *const bad[] = {
        "HTTP/2 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n",
    };
    reading *r = *state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(read_text(r, bad[i]), ISWI_HTTP1_REFUSED);
        assert_true(*r->what);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_head_says_its_status_its_fields_and_where_its_body_ends,
                                    setup, teardown),
    cmocka_unit_test_setup_teardown(it_is_whole_at_its_last_byte_and_not_before, setup, teardown),
    cmocka_unit_test_setup_teardown(what_is_said_before_it_is_passed_over, setup, teardown),
    cmocka_unit_test_setup_teardown(a_body_without_an_end_of_its_own_ends_the_connection, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(what_two_readers_could_read_in_two_ways_is_refused, setup,
                                    teardown),
};

ISW_TEST_MAIN(tests)
