/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as messages, and back. */
#include "support/main.h"

#include "host/webhooks/request.h"

#include <stdio.h>
#include <string.h>

static isw_status pack(iswi_arena *arena, const isw_pair *items, size_t count, isw_bytes body,
                       iswi_delivery *out, isw_error *error)
{
    const isw_pairs headers = { items, count };

    *out = (iswi_delivery){ .content_type = isw_str_of(ISWI_REQUEST_TYPE) };
    return iswi_request_pack(&headers, body, arena, &out->body, error);
}

static void comes_back(iswi_arena *arena, const isw_pair *items, size_t count, isw_bytes body)
{
    isw_error error = { ISW_OK, "" };
    iswi_delivery message;
    isw_pairs headers;
    isw_bytes back;

    assert_int_equal(pack(arena, items, count, body, &message, &error), ISW_OK);
    assert_true(iswi_request_unpack(&message, arena, &headers, &back));
    assert_int_equal(headers.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(isw_str_equal(headers.items[i].name, items[i].name));
        assert_true(isw_str_equal(headers.items[i].value, items[i].value));
    }
    assert_int_equal(back.size, body.size);
    assert_true(!body.size || memcmp(back.data, body.data, body.size) == 0);
}

static void what_is_packed_comes_back(void **state)
{
    isw_pair many[ISWI_REQUEST_HEADERS_MAX];
    const isw_bytes bodies[] = { { "", 0 }, { "a", 1 }, { "\r\n\r\nx: y\r\n\0\xff", 12 } };
    iswi_arena arena;

    (void)state;
    iswi_arena_init(&arena, 256);
    for (size_t i = 0; i < ISWI_REQUEST_HEADERS_MAX; i++)
        many[i] = (isw_pair){ isw_str_of("x-kind"), isw_str_of(i % 2 ? "a: b; \"c\"" : "") };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        comes_back(&arena, many, 0, bodies[i]);
        comes_back(&arena, many, 2, bodies[i]);
        comes_back(&arena, many, ISWI_REQUEST_HEADERS_MAX, bodies[i]);
    }
    iswi_arena_fini(&arena);
}

static void what_cannot_be_a_header_is_refused_by_name(void **state)
{
    const struct {
        isw_pair header;
        const char *why;
    } wrong[] = {
        { { { "", 0 }, { "1", 1 } }, "\"\" cannot be the name" },
        { { { "a b", 3 }, { "1", 1 } }, "\"a b\" cannot be the name" },
        { { { "x-a", 3 }, { "1\r\nx-b: 2", 9 } }, "the header x-a has a control character" },
        { { { "Webhook-Id", 10 }, { "1", 1 } }, "webhook-id is the host's own" },
        { { { "Content-Length", 14 }, { "1", 1 } }, "content-length is the host's own" },
    };
    iswi_arena arena;

    (void)state;
    iswi_arena_init(&arena, 256);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        isw_error error = { ISW_OK, "" };
        iswi_delivery message;

        assert_int_equal(pack(&arena, &wrong[i].header, 1, (isw_bytes){ "", 0 }, &message, &error),
                         ISW_E_INVALID);
        assert_non_null(strstr(error.message, wrong[i].why));
    }
    iswi_arena_fini(&arena);
}

static void a_message_that_was_put_by_hand_is_its_body_alone(void **state)
{
    iswi_delivery message = { .body = { "x: y\r\n\r\nz", 9 },
                              .content_type = isw_str_of("text/plain") };
    iswi_arena arena;
    isw_pairs headers;
    isw_bytes body;

    (void)state;
    iswi_arena_init(&arena, 256);
    assert_true(iswi_request_unpack(&message, &arena, &headers, &body));
    assert_int_equal(headers.count, 1);
    assert_true(isw_str_equal(headers.items[0].value, message.content_type));
    assert_int_equal(body.size, 9);
    message.content_type = isw_str_of(NULL);
    assert_true(iswi_request_unpack(&message, &arena, &headers, &body));
    assert_int_equal(headers.count, 0);
    iswi_arena_fini(&arena);
}

/* By hand it may say anything. */
static void a_message_that_is_cut_is_read_as_far_as_it_goes(void **state)
{
    static const char text[] = "x-a: 1\r\nx-b: 2\r\n\r\nbody";
    iswi_arena arena;

    (void)state;
    iswi_arena_init(&arena, 256);
    for (size_t size = 0; size < sizeof text; size++) {
        iswi_delivery message = { .body = { text, size },
                                  .content_type = isw_str_of(ISWI_REQUEST_TYPE) };
        isw_pairs headers;
        isw_bytes body;

        assert_true(iswi_request_unpack(&message, &arena, &headers, &body));
        assert_true(headers.count <= 2 && body.size <= size);
    }
    iswi_arena_fini(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_packed_comes_back),
    cmocka_unit_test(what_cannot_be_a_header_is_refused_by_name),
    cmocka_unit_test(a_message_that_was_put_by_hand_is_its_body_alone),
    cmocka_unit_test(a_message_that_is_cut_is_read_as_far_as_it_goes),
};

ISW_TEST_MAIN(tests)
