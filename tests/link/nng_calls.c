/* SPDX-License-Identifier: Apache-2.0 */
/* What comes of it when nng is not what, or not where, it should be. */
#include "support/main.h"

#include "link/nng_calls.h"

#include <string.h>

static void nng_is_found_by_its_name(void **state)
{
    isw_error error = { ISW_OK, "" };
    iswi_nng_calls calls;
    (void)state;
    assert_int_equal(iswi_nng_load(ISWI_NNG_LIBRARY, &calls, &error), ISW_OK);
    assert_string_equal(calls.strerror(NNG_ETIMEDOUT), "Timed out");
}

static void refuses(const char *library, const char *why)
{
    isw_error error = { ISW_OK, "" };
    iswi_nng_calls calls = { 0 };

    assert_int_equal(iswi_nng_load(library, &calls, &error), ISW_E_UNAVAILABLE);
    assert_non_null(strstr(error.message, why));
    assert_non_null(strstr(error.message, "apt-get install libnng1"));
    assert_null(calls.stream_send);
}

static void a_library_that_is_missing_is_named(void **state)
{
    (void)state;
    refuses("libnng.so.0", "libnng.so.0: cannot open shared object file");
}

static void a_library_that_lacks_a_call_is_refused(void **state)
{
    (void)state;
    refuses("libm.so.6", "nng_aio_alloc");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nng_is_found_by_its_name),
    cmocka_unit_test(a_library_that_is_missing_is_named),
    cmocka_unit_test(a_library_that_lacks_a_call_is_refused),
};

ISW_TEST_MAIN(tests)
