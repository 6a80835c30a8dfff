/* SPDX-License-Identifier: Apache-2.0 */
/* Events from one mode to the other, and what is none. */
#include "support/main.h"

#include "host/cloudevents/event.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    iswi_arena *arena = calloc(1, sizeof *arena);

    iswi_arena_init(arena, 1024);
    *state = arena;
    return 0;
}

static int teardown(void **state)
{
    iswi_arena_fini(*state);
    free(*state);
    return 0;
}

static isw_status read_json(iswi_arena *arena, const char *json, iswi_event *event,
                            isw_error *error)
{
    isw_value map;

    assert_int_equal(iswi_json_parse(arena, isw_str_of(json), &map, error), ISW_OK);
    return iswi_event_of_map(&map, arena, event, error);
}

static void assert_text(isw_str text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

static const char *const EVENTS[] = {
    "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}",
    "{\"specversion\":\"1.0\",\"id\":\"\xc3\xa9 % \\\"\",\"source\":\"urn:x:y?z#1\",\"type\":\"t\","
    "\"time\":\"2026-01-31T23:59:60.123456789-00:30\",\"subject\":\"\xf0\x9f\x98\x80\",\"a1\":\"~!@#$\","
    "\"datacontenttype\":\"text/plain\",\"data\":\"hello\"}",
    "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
    "\"datacontenttype\":\"application/json\",\"data\":{\"a\":[1,null,\"b\"]}}",
    "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\","
    "\"datacontenttype\":\"image/png\",\"data_base64\":\"AP8=\"}",
};

static void an_event_is_the_same_in_both_modes(void **state)
{
    for (size_t i = 0; i < sizeof EVENTS / sizeof EVENTS[0]; i++) {
        isw_error error = { ISW_OK, "" };
        isw_http request = { .status = 0 };
        iswi_event event, back;
        isw_bytes json;

        assert_int_equal(read_json(*state, EVENTS[i], &event, &error), ISW_OK);
        assert_true(iswi_event_to_headers(&event, *state, &request.headers));
        request.body = event.data;
        assert_int_equal(iswi_event_of_headers(&request, *state, &back, &error), ISW_OK);
        assert_int_equal(iswi_event_to_json(&back, *state, &json, &error), ISW_OK);
        /* content-type comes where it is among the headers */
        assert_int_equal(back.count, event.count);
        for (size_t j = 0; j < event.count; j++) {
            const isw_named_value *one = &event.attributes[j];
            char name[32];

            snprintf(name, sizeof name, "%.*s", (int)one->name.size, one->name.data);
            assert_true(isw_str_equal(iswi_event_text(&back, name), one->value.as.string));
        }
        assert_int_equal(read_json(*state, iswi_arena_strndup(*state, json.data, json.size), &back,
                                   &error), ISW_OK);
        assert_int_equal(back.data.size, event.data.size);
        assert_true(!event.data.size ||
                    memcmp(back.data.data, event.data.data, event.data.size) == 0);
    }
}

static void headers_are_encoded_as_the_binding_says(void **state)
{
    isw_error error = { ISW_OK, "" };
    iswi_event event;
    isw_pairs headers;

    assert_int_equal(read_json(*state, EVENTS[1], &event, &error), ISW_OK);
    assert_true(iswi_event_to_headers(&event, *state, &headers));
    assert_text(*isw_pairs_find(&headers, "ce-id"), "%C3%A9%20%25%20%22");
    assert_text(*isw_pairs_find(&headers, "ce-source"), "urn:x:y?z#1");
    assert_text(*isw_pairs_find(&headers, "ce-subject"), "%F0%9F%98%80");
    assert_text(*isw_pairs_find(&headers, "ce-a1"), "~!@#$");
    assert_text(*isw_pairs_find(&headers, "content-type"), "text/plain");
    assert_null(isw_pairs_find(&headers, "ce-datacontenttype"));
}

static void a_quoted_header_is_its_content(void **state)
{
    const isw_pair items[] = { { isw_str_of("ce-specversion"), isw_str_of("1.0") },
                               { isw_str_of("ce-id"), isw_str_of("\"a b\"") },
                               { isw_str_of("ce-source"), isw_str_of("/s") },
                               { isw_str_of("ce-type"), isw_str_of("t") },
                               { isw_str_of("ce-datacontenttype"), isw_str_of("x") } };
    const isw_http request = { .headers = { items, sizeof items / sizeof items[0] } };
    isw_error error = { ISW_OK, "" };
    iswi_event event;

    assert_int_equal(iswi_event_of_headers(&request, *state, &event, &error), ISW_OK);
    assert_text(iswi_event_text(&event, "id"), "a b");
    assert_int_equal(event.count, 4);
}

static void no_more_attributes_come_than_there_is_room_for(void **state)
{
    const isw_value value = isw_value_string("x");
    isw_error error = { ISW_OK, "" };
    iswi_event event;
    char name[8];

    assert_true(iswi_event_init(&event, *state));
    for (int i = 0; i < ISWI_EVENT_ATTRIBUTES_MAX; i++) {
        snprintf(name, sizeof name, "a%d", i);
        assert_int_equal(iswi_event_add(&event, isw_str_of(iswi_arena_printf(*state, "%s", name)),
                                        &value, &error), ISW_OK);
    }
    assert_int_equal(iswi_event_add(&event, isw_str_of("b"), &value, &error), ISW_E_INVALID);
    assert_int_equal(event.count, ISWI_EVENT_ATTRIBUTES_MAX);
}

static void an_attribute_cannot_be_called_data_or_come_twice(void **state)
{
    const isw_value value = isw_value_string("x");
    isw_error error = { ISW_OK, "" };
    iswi_event event;

    assert_true(iswi_event_init(&event, *state));
    assert_int_equal(iswi_event_add(&event, isw_str_of("data"), &value, &error), ISW_E_INVALID);
    assert_int_equal(iswi_event_add(&event, isw_str_of("id"), &value, &error), ISW_OK);
    error = (isw_error){ ISW_OK, "" };
    assert_int_equal(iswi_event_add(&event, isw_str_of("id"), &value, &error), ISW_E_INVALID);
    assert_string_equal(error.message, "id is there twice");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(an_event_is_the_same_in_both_modes, setup, teardown),
    cmocka_unit_test_setup_teardown(headers_are_encoded_as_the_binding_says, setup, teardown),
    cmocka_unit_test_setup_teardown(a_quoted_header_is_its_content, setup, teardown),
    cmocka_unit_test_setup_teardown(no_more_attributes_come_than_there_is_room_for, setup, teardown),
    cmocka_unit_test_setup_teardown(an_attribute_cannot_be_called_data_or_come_twice, setup, teardown),
};

ISW_TEST_MAIN(tests)
