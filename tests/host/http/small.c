/* SPDX-License-Identifier: Apache-2.0 */
/* Small memory that is kept for the next one, within a bound. */
#include "support/main.h"

#include "host/http/small.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

enum { MANY = 2 * (512 * 1024 / 64), LARGE = 4096 };

/* What is kept of so many bytes. */
static size_t kept(size_t bytes)
{
    return ISWI_HTTP_SMALL_KEEPS ? bytes : 0;
}

static void small_of_every_size_is_all_there_and_aligned(void **state)
{
    iswi_http_small small = { 0 };
    void *taken[LARGE];

    (void)state;
    for (size_t size = 0; size < LARGE; size++) {
        taken[size] = iswi_http_small_take(&small, size);
        assert_non_null(taken[size]);
        assert_int_equal((uintptr_t)taken[size] % alignof(max_align_t), 0);
        memset(taken[size], (int)size & 0xff, size);
    }
    for (size_t size = 0; size < LARGE; size++) {
        for (size_t at = 0; at < size; at++)
            assert_int_equal(((unsigned char *)taken[size])[at], size & 0xff);
        iswi_http_small_give(&small, taken[size]);
    }
    iswi_http_small_fini(&small);
}

static void small_is_kept_for_the_next_of_its_class_alone(void **state)
{
    iswi_http_small small = { 0 };
    void *one = iswi_http_small_take(&small, 60);
    void *other;

    (void)state;
    iswi_http_small_give(&small, one);
    assert_int_equal(small.bytes, kept(64));
    other = iswi_http_small_take(&small, 65);
    assert_int_equal(small.bytes, kept(64));
    iswi_http_small_give(&small, other);
    other = iswi_http_small_take(&small, 1);
    if (ISWI_HTTP_SMALL_KEEPS)
        assert_ptr_equal(other, one);
    assert_int_equal(small.bytes, kept(128));
    iswi_http_small_give(&small, other);
    iswi_http_small_fini(&small);
    assert_int_equal(small.bytes, 0);
}

static void small_that_is_large_is_not_kept(void **state)
{
    iswi_http_small small = { 0 };

    (void)state;
    iswi_http_small_give(&small, iswi_http_small_take(&small, 1025));
    assert_int_equal(small.bytes, 0);
    iswi_http_small_give(&small, NULL);
    assert_null(iswi_http_small_take(&small, SIZE_MAX));
}

static void small_grows_with_what_is_in_it(void **state)
{
    static const size_t sizes[] = { 64, 65, 1024, 1025, 5000, 10 };
    iswi_http_small small = { 0 };
    char *memory = iswi_http_small_take_again(&small, NULL, 10);

    (void)state;
    memcpy(memory, "0123456789", 10);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memory = iswi_http_small_take_again(&small, memory, sizes[i]);
        assert_memory_equal(memory, "0123456789", 10);
        memset(memory + 10, 'x', sizes[i] - 10);
    }
    assert_null(iswi_http_small_take_again(&small, memory, SIZE_MAX));
    assert_memory_equal(memory, "0123456789", 10);
    iswi_http_small_give(&small, memory);
    iswi_http_small_fini(&small);
}

static void small_has_a_bound(void **state)
{
    static void *taken[MANY];
    iswi_http_small small = { 0 };

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        taken[i] = iswi_http_small_take(&small, 64);
    for (size_t i = 0; i < MANY; i++)
        iswi_http_small_give(&small, taken[i]);
    assert_int_equal(small.bytes, ISWI_HTTP_SMALL_BYTES);
    iswi_http_small_fini(&small);
}

static void small_goes_back_after_a_rest(void **state)
{
    iswi_http_small small = { 0 };

    (void)state;
    iswi_http_small_give(&small, iswi_http_small_take(&small, 64));
    assert_int_equal(iswi_http_small_trim(&small), ISWI_HTTP_SMALL_KEEPS);
    assert_int_equal(small.bytes, kept(64));
    assert_false(iswi_http_small_trim(&small));
    assert_int_equal(small.bytes, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(small_of_every_size_is_all_there_and_aligned),
    cmocka_unit_test(small_is_kept_for_the_next_of_its_class_alone),
    cmocka_unit_test(small_that_is_large_is_not_kept),
    cmocka_unit_test(small_grows_with_what_is_in_it),
    cmocka_unit_test(small_has_a_bound),
    cmocka_unit_test(small_goes_back_after_a_rest),
};

ISW_TEST_MAIN(tests)
