/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "base/base64.h"

#include <string.h>

/* RFC 4648, section 10. */
static const char *const vectors[][2] = {
    { "", "" },         { "f", "Zg==" },         { "fo", "Zm8=" },         { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
};

static void the_vectors_of_the_rfc_hold_both_ways(void **state)
{
    iswi_arena arena;

    (void)state;
    iswi_arena_init(&arena, 256);
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const char *plain = vectors[i][0];
        iswi_buffer text = { 0 };
        isw_bytes back;

        iswi_base64_append(&text, (isw_bytes){ plain, strlen(plain) });
        assert_string_equal(iswi_buffer_text(&text), vectors[i][1]);
        assert_int_equal(iswi_base64_read(&arena, isw_str_of(vectors[i][1]), &back), ISW_OK);
        assert_int_equal(back.size, strlen(plain));
        assert_memory_equal(back.data, plain, back.size);
        iswi_buffer_fini(&text);
    }
    iswi_arena_fini(&arena);
}

static void what_is_no_base64_is_refused(void **state)
{
    isw_bytes bytes = { NULL, 7 };
    iswi_arena arena;

    (void)state;
    iswi_arena_init(&arena, 256);
    assert_int_equal(iswi_base64_read(&arena, isw_str_of("Zm9v!"), &bytes), ISW_E_INVALID);
    assert_int_equal(bytes.size, 7);
    iswi_arena_fini(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_vectors_of_the_rfc_hold_both_ways),
    cmocka_unit_test(what_is_no_base64_is_refused),
};

ISW_TEST_MAIN(tests)
