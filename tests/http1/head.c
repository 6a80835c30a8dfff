/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "http1/head.h"

#include <stdlib.h>

typedef struct reading {
    iswi_arena arena;
    iswi_http1_head head;
    char bytes[64 * 1024];
    size_t size;
} reading;

static int set_up(void **state)
{
    reading *r = calloc(1, sizeof *r);

    if (!r)
        return -1;
    iswi_arena_init(&r->arena, 2048);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    reading *r = *state;

    iswi_arena_fini(&r->arena);
    free(r);
    return 0;
}

static iswi_http1_result read_bytes(reading *r, const char *bytes, size_t size)
{
    iswi_arena_reset(&r->arena);
    iswi_http1_head_begin(&r->head, &r->arena, 0);
    assert_true(size <= sizeof r->bytes);
    memcpy(r->bytes, bytes, size);
    r->size = size;
    return iswi_http1_head_read(&r->head, r->bytes, size);
}

static void assert_text(isw_str text, const char *wanted)
{
    if (!isw_str_equal(text, isw_str_of(wanted)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)text.size, text.data, wanted);
}

static void a_plain_request_is_read(void **state)
{
    reading *r = *state;

    assert_int_equal(
        read_bytes(r, "GET /api/hello?x=1 HTTP/1.1\r\nHost: a:80\r\nX-Y: \t z \t\r\n\r\nrest", 59),
        ISWI_HTTP1_DONE);
    assert_text(r->head.method, "GET");
    assert_text(r->head.url, "/api/hello?x=1");
    assert_text(r->head.authority, "a:80");
    assert_int_equal(r->head.fields.count, 2);
    assert_text(r->head.fields.items[1].name, "x-y");
    assert_text(r->head.fields.items[1].value, "z");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_plain_request_is_read, set_up, tear_down),
};

ISW_TEST_MAIN(tests)
