/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions and ranges, as RFC 9110 has them in sections 13 and 14. */
#include "support/main.h"

#include "worker/http/conditions.h"

#include <stdio.h>

#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

static iswi_representation there;

static int set_up(void **state)
{
    (void)state;
    there = (iswi_representation){ .etag = { "\"ab,c\"", 6 },
                                   .modified_s = 784111777,
                                   .now_s = 784111800,
                                   .size = 1000 };
    return 0;
}

/* -- Ranges ------------------------------------------------------------------------------------ */

/* "NONE", "UNSATISFIABLE", or "first+size". */
static void assert_range(const char *value, uint64_t size, const char *expected)
{
    iswi_range range = { 0, 0 };
    char text[64] = "NONE";
    iswi_range_result result = iswi_range_read(isw_str_of(value), size, &range);

    if (result == ISWI_RANGE_ONE)
        snprintf(text, sizeof text, "%llu+%llu", (unsigned long long)range.first,
                 (unsigned long long)range.size);
    else if (result == ISWI_RANGE_UNSATISFIABLE)
        snprintf(text, sizeof text, "UNSATISFIABLE");
    if (strcmp(text, expected) != 0)
        fail_msg("\"%s\" of %llu is %s, not %s", value, (unsigned long long)size, text, expected);
}

static void a_range_is_cut_to_what_there_is(void **state)
{
    (void)state;
    assert_range("bytes=0-0", 1000, "0+1");
    assert_range("bytes=0-499", 1000, "0+500");
    assert_range("bytes=500-", 1000, "500+500");
    assert_range("bytes=999-1000000", 1000, "999+1");
    assert_range("bytes=-1", 1000, "999+1");
    assert_range("bytes=-1000000", 1000, "0+1000");
    assert_range("Bytes = 1-2 ", 1000, "1+2");
    assert_range("bytes=0-99999999999999999999999999", 1000, "0+1000");
    assert_range("bytes=-99999999999999999999999999", 1000, "0+1000");
    assert_range("bytes=0-", UINT64_MAX, "0+18446744073709551615");
}

static void a_range_beyond_the_end_cannot_be_satisfied(void **state)
{
    (void)state;
    assert_range("bytes=1000-", 1000, "UNSATISFIABLE");
    assert_range("bytes=99999999999999999999999999-", 1000, "UNSATISFIABLE");
    assert_range("bytes=-0", 1000, "UNSATISFIABLE");
    assert_range("bytes=0-", 0, "UNSATISFIABLE");
    assert_range("bytes=-5", 0, "NONE");
}

static void what_is_no_single_range_of_bytes_is_ignored(void **state)
{
    static const char *const bad[] = {
        "", "bytes", "bytes=", "bytes=-", "bytes=1", "bytes=a-b", "bytes=1-b", "bytes=2-1",
        "bytes=+1-2", "bytes=1--2", "bytes=--1", "bytes=0x1-2", "bytes=1-2-3", "lines=1-2",
        "=1-2", "bytes=1-2,5-6", "bytes=0-0,-1", "bytes 1-2", "bytes=1 2-3", "bytes=-1 2",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_range(bad[i], 1000, "NONE");
}

/* -- Conditions -------------------------------------------------------------------------------- */

/* Headers in pairs of name and value, up to a NULL. */
static int judge_as(const char *method, const char *const *texts, iswi_range *range)
{
    isw_pair headers[8];
    isw_http request = { .method = isw_str_of(method), .headers = { headers, 0 } };

    for (; texts[0]; texts += 2)
        headers[request.headers.count++] = (isw_pair){ isw_str_of(texts[0]), isw_str_of(texts[1]) };
    return iswi_http_judge(&request, &there, range);
}

static int judge(const char *const *texts)
{
    iswi_range range;

    return judge_as("GET", texts, &range);
}

#define JUDGE(...) judge((const char *const[]){ __VA_ARGS__, NULL })
#define JUDGE_AS(method, range, ...) \
    judge_as(method, (const char *const[]){ __VA_ARGS__, NULL }, range)

static void none_match_compares_weakly(void **state)
{
    (void)state;
    assert_int_equal(JUDGE("if-none-match", "\"ab,c\""), 304);
    assert_int_equal(JUDGE("if-none-match", "W/\"ab,c\""), 304);
    assert_int_equal(JUDGE("if-none-match", "*"), 304);
    assert_int_equal(JUDGE("if-none-match", "\"x\",, W/\"y\" , \"ab,c\""), 304);
    assert_int_equal(JUDGE("if-none-match", "\"x\"", "if-none-match", "\"ab,c\""), 304);
    assert_int_equal(JUDGE("if-none-match", "\"AB,C\""), 200);
    assert_int_equal(JUDGE("if-none-match", "ab,c"), 200);
    assert_int_equal(JUDGE("if-none-match", "w/\"ab,c\""), 200);
    assert_int_equal(JUDGE("if-none-match", "\"ab,c"), 200);
    assert_int_equal(JUDGE("if-none-match", ""), 200);
}

static void match_compares_strongly(void **state)
{
    (void)state;
    assert_int_equal(JUDGE("if-match", "\"x\", \"ab,c\""), 200);
    assert_int_equal(JUDGE("if-match", "*"), 200);
    assert_int_equal(JUDGE("if-match", "W/\"ab,c\""), 412);
    assert_int_equal(JUDGE("if-match", "\"x\""), 412);
    assert_int_equal(JUDGE("if-match", "garbage"), 412);
}

static void dates_compare_to_the_second(void **state)
{
    (void)state;
    assert_int_equal(JUDGE("if-modified-since", MODIFIED), 304);
    assert_int_equal(JUDGE("if-modified-since", AFTER), 304);
    assert_int_equal(JUDGE("if-modified-since", BEFORE), 200);
    assert_int_equal(JUDGE("if-modified-since", "yesterday"), 200);
    assert_int_equal(JUDGE("if-unmodified-since", MODIFIED), 200);
    assert_int_equal(JUDGE("if-unmodified-since", BEFORE), 412);
    assert_int_equal(JUDGE("if-unmodified-since", "yesterday"), 200);
}

static void a_tag_goes_before_a_date_and_412_before_304(void **state)
{
    (void)state;
    assert_int_equal(JUDGE("if-none-match", "\"x\"", "if-modified-since", AFTER), 200);
    assert_int_equal(JUDGE("if-match", "\"ab,c\"", "if-unmodified-since", BEFORE), 200);
    assert_int_equal(JUDGE("if-none-match", "\"ab,c\"", "if-match", "\"x\""), 412);
    assert_int_equal(JUDGE("if-none-match", "\"ab,c\"", "range", "bytes=0-0"), 304);
    assert_int_equal(JUDGE("if-match", "\"x\"", "range", "bytes=5000-"), 412);
}

static void a_range_counts_for_get_alone(void **state)
{
    iswi_range range;

    (void)state;
    assert_int_equal(JUDGE_AS("GET", &range, "range", "bytes=10-19"), 206);
    assert_int_equal(range.first, 10);
    assert_int_equal(range.size, 10);
    assert_int_equal(JUDGE_AS("HEAD", &range, "range", "bytes=10-19"), 200);
    assert_int_equal(range.first, 0);
    assert_int_equal(range.size, 1000);
    assert_int_equal(JUDGE("range", "bytes=1000-"), 416);
    assert_int_equal(JUDGE("range", "bytes=0-1", "range", "bytes=2-3"), 200);
}

static void other_methods_have_no_conditions(void **state)
{
    iswi_range range;

    (void)state;
    assert_int_equal(JUDGE_AS("HEAD", &range, "if-none-match", "*"), 304);
    assert_int_equal(JUDGE_AS("POST", &range, "if-none-match", "*"), 200);
    assert_int_equal(JUDGE_AS("POST", &range, "if-match", "\"x\""), 200);
    assert_int_equal(JUDGE_AS("get", &range, "range", "bytes=0-0"), 200);
}

static void if_range_wants_the_very_same(void **state)
{
    (void)state;
    assert_int_equal(JUDGE("range", "bytes=0-0", "if-range", "\"ab,c\""), 206);
    assert_int_equal(JUDGE("range", "bytes=0-0", "if-range", "W/\"ab,c\""), 200);
    assert_int_equal(JUDGE("range", "bytes=0-0", "if-range", "\"x\""), 200);
    assert_int_equal(JUDGE("range", "bytes=0-0", "if-range", "\"ab,c\", \"x\""), 200);
    assert_int_equal(JUDGE("range", "bytes=5000-", "if-range", "\"x\""), 200);
    assert_int_equal(JUDGE("range", "bytes=0-0", "if-range", MODIFIED), 206);
    assert_int_equal(JUDGE("range", "bytes=0-0", "if-range", AFTER), 200);
    assert_int_equal(JUDGE("range", "bytes=0-0", "if-range", "*"), 200);
    there.now_s = there.modified_s; /* it may change again within this second */
    assert_int_equal(JUDGE("range", "bytes=0-0", "if-range", MODIFIED), 200);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_range_is_cut_to_what_there_is),
    cmocka_unit_test(a_range_beyond_the_end_cannot_be_satisfied),
    cmocka_unit_test(what_is_no_single_range_of_bytes_is_ignored),
    cmocka_unit_test_setup_teardown(none_match_compares_weakly, set_up, NULL),
    cmocka_unit_test_setup_teardown(match_compares_strongly, set_up, NULL),
    cmocka_unit_test_setup_teardown(dates_compare_to_the_second, set_up, NULL),
    cmocka_unit_test_setup_teardown(a_tag_goes_before_a_date_and_412_before_304, set_up, NULL),
    cmocka_unit_test_setup_teardown(a_range_counts_for_get_alone, set_up, NULL),
    cmocka_unit_test_setup_teardown(other_methods_have_no_conditions, set_up, NULL),
    cmocka_unit_test_setup_teardown(if_range_wants_the_very_same, set_up, NULL),
};

ISW_TEST_MAIN(tests)
