/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of answers, as the load of the bench reads them. */
#include "support/main.h"

#include "bench/http/answer.h"

#include <string.h>

static bool read_text(const char *text, iswi_bench_answer *answer)
{
    *answer = (iswi_bench_answer){ 0 };
    return iswi_bench_answer_read(answer, text, strlen(text));
}

static void a_head_says_where_the_answer_ends(void **state)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nX: 1\r\ncontent-length: 14\r\n\r\nHello";
    iswi_bench_answer answer;

    (void)state;
    assert_true(read_text(text, &answer));
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body, 14);
    assert_int_equal(answer.head, strlen(text) - 5);
    assert_false(answer.closes);
}

static void names_have_any_case(void **state)
{
    iswi_bench_answer answer;

    (void)state;
    assert_true(read_text("HTTP/1.1 503 X\r\nConnection: Close\r\nCONTENT-Length: 0\r\n\r\n",
                          &answer));
    assert_int_equal(answer.status, 503);
    assert_int_equal(answer.body, 0);
    assert_true(answer.closes);
}

static void a_head_that_is_not_whole_needs_more(void **state)
{
    iswi_bench_answer answer;

    (void)state;
    assert_true(read_text("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n", &answer));
    assert_int_equal(answer.head, 0);
}

static void an_answer_without_a_length_is_wrong(void **state)
{
    iswi_bench_answer answer;

    (void)state;
    assert_false(read_text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &answer));
    assert_false(read_text("SSH-2.0-something\r\nContent-Length: 1\r\n\r\n", &answer));
}

static void a_body_is_no_part_of_the_head(void **state)
{
    iswi_bench_answer answer;

    (void)state;
    assert_false(read_text("HTTP/1.1 200 OK\r\n\r\nx\r\nContent-Length: 3\r\n\r\n", &answer));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_head_says_where_the_answer_ends),
    cmocka_unit_test(names_have_any_case),
    cmocka_unit_test(a_head_that_is_not_whole_needs_more),
    cmocka_unit_test(an_answer_without_a_length_is_wrong),
    cmocka_unit_test(a_body_is_no_part_of_the_head),
};

ISW_TEST_MAIN(tests)
