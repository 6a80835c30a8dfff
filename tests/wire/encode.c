/* SPDX-License-Identifier: Apache-2.0 */
/* What encode refuses: all that decode would refuse, with the buffer left as it was. And frames
 * back to back. */
#include "wire/support.h"

#include "wire/table.h"

#include <stdio.h>
#include <stdlib.h>

/* Encode behind other bytes; on failure they alone are there, and the next frame still fits. */
static isw_status try_encode(const iswi_frame *frame, isw_error *error)
{
    static const iswi_frame goodbye = { .kind = ISWI_GOODBYE };
    iswi_buffer out = { 0 };
    isw_status status;

    *error = (isw_error){ .status = ISW_OK };
    assert_true(iswi_buffer_append(&out, "abc", 3));
    status = iswi_frame_encode(frame, &out, error);
    assert_memory_equal(out.data, "abc", 3);
    if (status != ISW_OK) {
        assert_int_equal(out.size, 3);
        assert_false(out.failed);
        assert_int_equal(iswi_frame_encode(&goodbye, &out, NULL), ISW_OK);
        assert_memory_equal(out.data, "abc\x93\x14\x00\x80", 7);
    } else {
        size_t used;

        assert_int_equal(decode_once(out.data + 3, out.size - 3, &used, NULL), ISW_OK);
        assert_int_equal(used, out.size - 3);
    }
    iswi_buffer_fini(&out);
    return status;
}

#define ASSERT_ENCODED(frame) assert_int_equal(try_encode(frame, &(isw_error){ 0 }), ISW_OK)

/* Refused as the sender's error, which names `member`. */
static void assert_invalid(const iswi_frame *frame, const char *member)
{
    isw_error error;

    assert_int_equal(try_encode(frame, &error), ISW_E_INVALID);
    if (strncmp(error.message, member, strlen(member)) != 0)
        fail_msg("%s does not begin with %s", error.message, member);
}

static isw_str letters(size_t size)
{
    static char text[ISWI_TEXT_MAX + 1];

    assert_true(size <= sizeof text);
    memset(text, 'a', sizeof text);
    return (isw_str){ text, size };
}

/* A frame whose members are all in order, as the start of those with one that is not. */
static iswi_frame least_of(uint64_t kind)
{
    static const char proof[ISWI_TOKEN_BYTES];
    iswi_frame frame = { .kind = kind, .id = 1 };

    if (kind == ISWI_WORKER_HELLO)
        frame.as.worker_hello.token = (isw_bytes){ proof, sizeof proof };
    if (kind == ISWI_HOST_HELLO)
        frame.as.host_hello.proof = (isw_bytes){ proof, sizeof proof };
    return frame;
}

static void try_texts(iswi_frame *frame, const iswi_table *table, void *value)
{
    for (size_t i = 0; i < table->count; i++) {
        const iswi_field *field = &table->fields[i];
        isw_str *text = (isw_str *)(void *)((char *)value + field->offset);
        char member[128];

        snprintf(member, sizeof member, "%s.%s: ", iswi_kind_name(frame->kind), field->name);
        if (field->type == ISWI_FIELD_STRUCT)
            try_texts(frame, field->table, text);
        if (field->type != ISWI_FIELD_STR)
            continue;
        *text = letters(field->limit);
        ASSERT_ENCODED(frame);
        *text = letters(field->limit + 1);
        assert_invalid(frame, member);
        *text = (isw_str){ "ab\xff", 3 };
        assert_invalid(frame, member);
        *text = (isw_str){ NULL, 0 };
    }
}

static void text_that_decode_would_refuse_is_not_encoded(void **state)
{
    (void)state;
    for (uint64_t kind = ISWI_WORKER_HELLO; kind <= ISWI_KIND_LAST; kind++) {
        iswi_frame frame = least_of(kind);

        ASSERT_ENCODED(&frame);
        try_texts(&frame, iswi_table_of_kind(kind), &frame.as);
    }
}

static void text_within_structures_is_checked_too(void **state)
{
    isw_http http = { .method = letters(128) };
    isw_model model = { .source = letters(1025) };
    iswi_wire_binding binding = { .type = letters(128) };
    iswi_wire_function function = { .bindings = { &binding, 1 } };
    iswi_frame frame = { .kind = ISWI_INVOKE };

    (void)state;
    frame.as.invoke.trigger = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = &http };
    assert_invalid(&frame, "invoke.method: ");
    http.method.size = 127;
    ASSERT_ENCODED(&frame);
    frame.as.invoke.trigger = (isw_value){ .type = ISW_VALUE_MODEL, .as.model = &model };
    assert_invalid(&frame, "invoke.source: ");
    frame = (iswi_frame){ .kind = ISWI_METADATA };
    frame.as.metadata.functions.items = &function;
    frame.as.metadata.functions.count = 1;
    assert_invalid(&frame, "metadata.type: ");
    binding.type.size = 127;
    ASSERT_ENCODED(&frame);
}

static void a_token_of_another_size_is_not_encoded(void **state)
{
    iswi_frame frame = least_of(ISWI_WORKER_HELLO);

    (void)state;
    ASSERT_ENCODED(&frame);
    frame.as.worker_hello.token.size = 31;
    assert_invalid(&frame, "worker_hello.token: ");
    frame.as.worker_hello.token = (isw_bytes){ NULL, 0 };
    assert_invalid(&frame, "worker_hello.token: ");
}

static void an_http_status_of_four_digits_is_not_encoded(void **state)
{
    isw_http http = { .status = 999 };
    iswi_frame frame = { .kind = ISWI_RESPONSE };

    (void)state;
    frame.as.response.result = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = &http };
    ASSERT_ENCODED(&frame);
    http.status = 1000;
    assert_invalid(&frame, "response.status: ");
    http.status = -1;
    assert_invalid(&frame, "response.status: ");
}

static void lists_that_decode_would_refuse_are_not_encoded(void **state)
{
    isw_pair *pairs = calloc(ISWI_LIST_MAX + 1, sizeof *pairs);
    isw_named_value *named = calloc(ISWI_PAIRS_MAX + 1, sizeof *named);
    iswi_wire_function *functions = calloc(ISWI_LIST_MAX + 1, sizeof *functions);
    iswi_frame frame = { .kind = ISWI_RELOAD };

    (void)state;
    frame.as.reload.environment = (isw_pairs){ pairs, ISWI_PAIRS_MAX };
    ASSERT_ENCODED(&frame);
    frame.as.reload.environment.count++;
    assert_invalid(&frame, "reload.environment: ");
    frame = (iswi_frame){ .kind = ISWI_RESPONSE };
    frame.as.response.outputs = (isw_map){ named, ISWI_PAIRS_MAX };
    ASSERT_ENCODED(&frame);
    frame.as.response.outputs.count++;
    assert_invalid(&frame, "response.outputs: ");
    frame = (iswi_frame){ .kind = ISWI_METADATA };
    frame.as.metadata.functions.items = functions;
    frame.as.metadata.functions.count = ISWI_LIST_MAX;
    ASSERT_ENCODED(&frame);
    frame.as.metadata.functions.count++;
    assert_invalid(&frame, "metadata.functions: ");
    frame.as.metadata.functions.count = 1;
    functions->chain = (iswi_strs){ (const isw_str *)(void *)pairs, ISWI_LIST_MAX };
    ASSERT_ENCODED(&frame);
    functions->chain.count++;
    assert_invalid(&frame, "metadata.chain: ");
    free(functions);
    free(named);
    free(pairs);
}

static void pairs_and_names_that_are_not_utf8_are_not_encoded(void **state)
{
    isw_pair pair = { .name = isw_str_of("n"), .value = { "\x80", 1 } };
    isw_named_value named = { .name = { "\xc3", 1 } };
    iswi_frame frame = { .kind = ISWI_RESPONSE };

    (void)state;
    frame.as.response.trace_attributes = (isw_pairs){ &pair, 1 };
    assert_invalid(&frame, "response.trace_attributes: ");
    pair = (isw_pair){ .name = { "\x80", 1 } };
    assert_invalid(&frame, "response.trace_attributes: ");
    frame.as.response.trace_attributes.count = 0;
    frame.as.response.outputs = (isw_map){ &named, 1 };
    assert_invalid(&frame, "response.outputs: ");
    named = (isw_named_value){ .value = isw_value_json("\xff") };
    assert_invalid(&frame, "response.outputs: ");
}

static isw_value array_of(const isw_value *items, size_t count)
{
    isw_value array = { .type = ISW_VALUE_ARRAY };

    array.as.array.items = items;
    array.as.array.count = count;
    return array;
}

static void data_that_decode_would_refuse_is_not_encoded(void **state)
{
    isw_value items[2] = { isw_value_int(1), isw_value_string("x") };
    isw_http http = { .status = 200 };
    iswi_frame frame = { .kind = ISWI_RESPONSE };
    isw_value *result = &frame.as.response.result;

    (void)state;
    *result = array_of(items, 1);
    ASSERT_ENCODED(&frame);
    *result = array_of(items, 2); /* of two types */
    ASSERT_ENCODED(&frame);
    items[1] = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = &http };
    ASSERT_ENCODED(&frame);
    items[0] = isw_value_string("\xff");
    assert_invalid(&frame, "response.result: ");
    items[0].type = (isw_value_type)11;
    assert_invalid(&frame, "response.result: ");
    result->type = (isw_value_type)11;
    assert_invalid(&frame, "response.result: ");
    result->type = (isw_value_type)-1;
    assert_invalid(&frame, "response.result: ");
}

/* `levels` arrays and maps, by turns, within each other. */
static isw_value nested(isw_value *values, isw_named_value *members, unsigned levels)
{
    isw_value inner = isw_value_none();

    for (unsigned i = 0; i < levels; i++) {
        values[i] = inner;
        members[i] = isw_named("m", inner);
        inner = i % 2 ? isw_value_map(&members[i], 1) : isw_value_array(&values[i], 1);
    }
    return inner;
}

static void values_nested_deeper_than_the_limit_are_not_encoded(void **state)
{
    isw_value values[ISWI_VALUE_MAX_DEPTH + 1];
    isw_named_value members[ISWI_VALUE_MAX_DEPTH + 1];
    iswi_frame frame = { .kind = ISWI_RESPONSE };

    (void)state;
    frame.as.response.result = nested(values, members, ISWI_VALUE_MAX_DEPTH);
    ASSERT_ENCODED(&frame);
    frame.as.response.result = nested(values, members, ISWI_VALUE_MAX_DEPTH + 1);
    assert_invalid(&frame, "response.result: ");
}

static void an_array_longer_than_its_limit_is_not_encoded(void **state)
{
    isw_value *items = calloc(ISWI_LIST_MAX + 1, sizeof *items);
    iswi_frame frame = { .kind = ISWI_RESPONSE };

    (void)state;
    assert_non_null(items);
    for (size_t i = 0; i <= ISWI_LIST_MAX; i++)
        items[i] = isw_value_bool(true);
    frame.as.response.result = array_of(items, ISWI_LIST_MAX);
    ASSERT_ENCODED(&frame);
    frame.as.response.result.as.array.count++;
    assert_invalid(&frame, "response.result: ");
    free(items);
}

static void kinds_that_are_not_ours_are_not_encoded(void **state)
{
    static const uint64_t kinds[] = { 0, ISWI_KIND_LAST + 1, 63, 64, UINT64_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        assert_invalid(&(iswi_frame){ .kind = kinds[i] }, "frame of unknown kind");
}

static void a_frame_larger_than_a_message_is_not_encoded(void **state)
{
    static const size_t overhead = 3 + 2 + 2 + 5; /* head, map and key, data and type, bin 32 */
    unsigned char *body = calloc(1, ISWI_MESSAGE_MAX_BYTES + 1);
    iswi_frame frame = { .kind = ISWI_RESPONSE, .id = 1 };
    isw_error error;

    (void)state;
    assert_non_null(body);
    frame.as.response.result = isw_value_bytes(body, ISWI_MESSAGE_MAX_BYTES - overhead);
    ASSERT_ENCODED(&frame);
    frame.as.response.result.as.bytes.size++;
    assert_int_equal(try_encode(&frame, &error), ISW_E_TOO_LARGE);
    frame.as.response.result = isw_value_bytes(body, ISWI_MESSAGE_MAX_BYTES + 1);
    assert_int_equal(try_encode(&frame, &error), ISW_E_TOO_LARGE);
    assert_string_equal(error.message, "response.result: 67108865 bytes are more than 67108864");
    free(body);
}

static void a_buffer_that_had_failed_stays_marked(void **state)
{
    static const iswi_frame goodbye = { .kind = ISWI_GOODBYE };
    iswi_buffer out = { .failed = true };

    (void)state;
    assert_int_equal(iswi_frame_encode(&goodbye, &out, NULL), ISW_E_NO_MEMORY);
    assert_true(out.failed);
    assert_int_equal(out.size, 0);
    iswi_buffer_fini(&out);
}

static void frames_back_to_back_come_out_one_by_one(void **state)
{
    static const char *const names[] = { "invoke_http", "cancel", "credit", "metadata_request",
                                         "goodbye" };
    enum { COUNT = sizeof names / sizeof names[0] };
    iswi_buffer message = { 0 };
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        sample frame = golden(names[i]);

        assert_true(iswi_buffer_append(&message, frame.bytes, frame.size));
        sample_fini(&frame);
    }
    for (size_t i = 0; i < COUNT; i++) {
        sample frame = golden(names[i]);
        uint64_t kind, id;
        size_t used, peeked;

        assert_int_equal(decode_once(message.data + at, message.size - at, &used, NULL), ISW_OK);
        assert_int_equal(iswi_frame_peek(message.data + at, message.size - at, &kind, &id, &peeked,
                                         NULL), ISW_OK);
        assert_int_equal(used, frame.size);
        assert_int_equal(peeked, frame.size);
        at += used;
        sample_fini(&frame);
    }
    assert_int_equal(at, message.size);
    iswi_buffer_fini(&message);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(text_that_decode_would_refuse_is_not_encoded),
    cmocka_unit_test(text_within_structures_is_checked_too),
    cmocka_unit_test(a_token_of_another_size_is_not_encoded),
    cmocka_unit_test(an_http_status_of_four_digits_is_not_encoded),
    cmocka_unit_test(lists_that_decode_would_refuse_are_not_encoded),
    cmocka_unit_test(pairs_and_names_that_are_not_utf8_are_not_encoded),
    cmocka_unit_test(data_that_decode_would_refuse_is_not_encoded),
    cmocka_unit_test(values_nested_deeper_than_the_limit_are_not_encoded),
    cmocka_unit_test(an_array_longer_than_its_limit_is_not_encoded),
    cmocka_unit_test(kinds_that_are_not_ours_are_not_encoded),
    cmocka_unit_test(a_frame_larger_than_a_message_is_not_encoded),
    cmocka_unit_test(a_buffer_that_had_failed_stays_marked),
    cmocka_unit_test(frames_back_to_back_come_out_one_by_one),
};

ISW_TEST_MAIN(tests)
