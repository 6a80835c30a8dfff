/* SPDX-License-Identifier: Apache-2.0 */
/* The circuit of a host: when it is left alone, and who tries it. */
#include "support/main.h"

#include "httpclient/internal.h"

enum { MS = 1000 };

static isw_http_client_options options = ISW_HTTP_CLIENT_OPTIONS_INIT;

/* Milliseconds that a try has to wait. */
static int64_t come(iswi_circuit *at, int64_t now_ms)
{
    iswi_visit visit = { .options = &options };

    iswi_circuit_come(at, &visit, now_ms * MS);
    return visit.wait_ms;
}

static void go(iswi_circuit *at, iswi_verdict verdict, int64_t now_ms)
{
    iswi_visit visit = { .options = &options, .verdict = verdict };

    iswi_circuit_go(at, &visit, now_ms * MS);
}

static void failures_in_a_row_open_it_for_a_time(void **state)
{
    iswi_circuit at = { .failures = 0 };

    (void)state;
    options.circuit_failures = 2;
    options.circuit_open_ms = 5000;
    go(&at, ISWI_WENT_WRONG, 100);
    go(&at, ISWI_WENT_WELL, 100);
    go(&at, ISWI_WENT_WRONG, 100);
    go(&at, ISWI_SAYS_NOTHING, 100);
    assert_int_equal(come(&at, 100), 0);
    go(&at, ISWI_WENT_WRONG, 100);
    assert_int_equal(come(&at, 100), 5000);
    assert_int_equal(come(&at, 5099), 1);
    assert_int_equal(come(&at, 5100), 0);
}

static void one_tries_it_and_what_comes_of_that_counts(void **state)
{
    iswi_circuit at = { .failures = 0 };

    (void)state;
    options.circuit_failures = 1;
    options.circuit_open_ms = 5000;
    go(&at, ISWI_WENT_WRONG, 100);
    assert_int_equal(come(&at, 6000), 0);
    assert_int_equal(come(&at, 6000), 1000);
    go(&at, ISWI_SAYS_NOTHING, 6100); /* it was cancelled: another one tries */
    assert_int_equal(come(&at, 6100), 0);
    go(&at, ISWI_WENT_WRONG, 6200);
    assert_int_equal(come(&at, 6200), 5000);
    assert_int_equal(come(&at, 11200), 0);
    go(&at, ISWI_WENT_WELL, 11300);
    assert_int_equal(come(&at, 11300), 0);
    assert_int_equal(come(&at, 11300), 0);
}

static void one_that_never_came_back_holds_nobody_up_for_good(void **state)
{
    iswi_circuit at = { .failures = 0 };

    (void)state;
    options.circuit_failures = 1;
    options.circuit_open_ms = 5000;
    options.timeout_ms = 30000;
    go(&at, ISWI_WENT_WRONG, 100);
    assert_int_equal(come(&at, 6000), 0);
    assert_int_equal(come(&at, 36999), 1000);
    assert_int_equal(come(&at, 37000), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(failures_in_a_row_open_it_for_a_time),
    cmocka_unit_test(one_tries_it_and_what_comes_of_that_counts),
    cmocka_unit_test(one_that_never_came_back_holds_nobody_up_for_good),
};

ISW_TEST_MAIN(tests)
