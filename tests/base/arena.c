/* SPDX-License-Identifier: Apache-2.0 */
#include "support/memory.h"

#include "base/arena.h"
#include "base/buffer.h"

static void a_warm_arena_takes_no_memory(void **state)
{
    counter count;
    iswi_arena arena;
    size_t warm;

    (void)state;
    counter_init(&count, 0);
    iswi_arena_init(&arena, 1024);
    for (int i = 0; i < 2; i++) {
        assert_non_null(iswi_arena_alloc(&arena, 100));
        assert_non_null(iswi_arena_alloc(&arena, 5000));
        iswi_arena_reset(&arena);
    }
    assert_int_equal(count.live, 1);
    warm = count.calls;
    for (int i = 0; i < 100; i++) {
        assert_non_null(iswi_arena_alloc(&arena, 900));
        assert_non_null(iswi_arena_alloc(&arena, 4000));
        iswi_arena_reset(&arena);
    }
    assert_int_equal(count.calls, warm);
    assert_non_null(iswi_arena_alloc(&arena, 1024 * 1024)); /* too much to be kept */
    iswi_arena_reset(&arena);
    assert_int_equal(count.live, 1);
    iswi_arena_fini(&arena);
    counter_fini(&count);
}

static void arena_memory_is_aligned_and_apart(void **state)
{
    iswi_arena arena;
    char *before;
    char *after;

    (void)state;
    iswi_arena_init(&arena, 256);
    before = iswi_arena_strndup(&arena, "abc", 3);
    after = iswi_arena_printf(&arena, "%d-%s", 42, "x");
    assert_string_equal(before, "abc");
    assert_string_equal(after, "42-x");
    assert_int_equal((uintptr_t)after % sizeof(void *), 0);
    assert_null(iswi_arena_alloc(&arena, SIZE_MAX - 8));
    iswi_arena_fini(&arena);
}

static void a_buffer_that_ran_out_of_memory_stays_marked(void **state)
{
    counter count;
    iswi_buffer buffer = { 0 };
    char big[600] = { 0 };

    (void)state;
    counter_init(&count, 2);
    assert_true(iswi_buffer_append(&buffer, "x", 1));
    assert_false(iswi_buffer_append(&buffer, big, sizeof big));
    assert_false(iswi_buffer_append(&buffer, "y", 1));
    assert_null(iswi_buffer_text(&buffer));
    iswi_buffer_fini(&buffer);
    counter_fini(&count);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_warm_arena_takes_no_memory),
    cmocka_unit_test(arena_memory_is_aligned_and_apart),
    cmocka_unit_test(a_buffer_that_ran_out_of_memory_stays_marked),
};

ISW_TEST_MAIN(tests)
