/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol Buffers by tables: both ways, and what is no message. */
#include "support/main.h"

#include "host/azure/messages.h"

#include <stdlib.h>
#include <string.h>

static void write(const iswi_rpc_message *message, iswi_buffer *out)
{
    iswi_proto_write(&iswi_rpc_message_table, message, out);
    assert_false(out->failed);
    assert_int_equal(out->size, iswi_proto_size(&iswi_rpc_message_table, message));
}

static isw_status read(isw_bytes bytes, iswi_arena *arena, iswi_rpc_message *out, isw_error *error)
{
    return iswi_proto_read(&iswi_rpc_message_table, bytes, arena, out, error);
}

/* An invocation with something of all kinds. */
static void make(iswi_buffer *out)
{
    const isw_str texts[] = { isw_str_of("a"), isw_str_of(""), isw_str_of("ü") };
    const iswi_proto_list list = { texts, 3 };
    const iswi_rpc_data values[] = {
        { .which = ISWI_RPC_STRING, .as.string = { "", 0 } },
        { .which = ISWI_RPC_INT, .as.integer = INT64_MIN },
        { .which = ISWI_RPC_DOUBLE, .as.real = -0.5 },
        { .which = ISWI_RPC_STRING_LIST, .as.list = &list },
    };
    const iswi_rpc_named inputs[] = {
        { isw_str_of("text"), 2, &values[0] },
        { isw_str_of("number"), 2, &values[1] },
        { isw_str_of("real"), 2, &values[2] },
        { isw_str_of("list"), 2, &values[3] },
    };
    const iswi_rpc_retry retry = { .count = -1, .max = 300 };
    const iswi_rpc_invoke invoke = { .invocation_id = isw_str_of("id"),
                                     .function_id = isw_str_of("f"),
                                     .inputs = { inputs, 4 },
                                     .metadata = { inputs, 1 },
                                     .retry = &retry };

    write(&(iswi_rpc_message){ .request_id = isw_str_of("r"),
                               .which = ISWI_RPC_INVOKE,
                               .as.invoke = &invoke },
          out);
}

static void what_is_written_is_read(void **state)
{
    iswi_buffer bytes = { 0 };
    iswi_rpc_message message;
    iswi_arena arena;
    const iswi_rpc_invoke *invoke;
    const iswi_rpc_named *inputs;
    const isw_str *texts;

    (void)state;
    make(&bytes);
    iswi_arena_init(&arena, 256);
    assert_int_equal(read((isw_bytes){ bytes.data, bytes.size }, &arena, &message, NULL), ISW_OK);
    assert_int_equal(message.which, ISWI_RPC_INVOKE);
    invoke = message.as.invoke;
    inputs = invoke->inputs.items;
    assert_int_equal(invoke->inputs.count, 4);
    assert_int_equal(inputs[0].data->which, ISWI_RPC_STRING);
    assert_int_equal(inputs[0].data->as.string.size, 0);
    assert_true(inputs[1].data->as.integer == INT64_MIN);
    assert_true(inputs[2].data->as.real == -0.5);
    texts = inputs[3].data->as.list->items;
    assert_int_equal(inputs[3].data->as.list->count, 3);
    assert_true(isw_str_equal(texts[1], isw_str_of("")));
    assert_true(isw_str_equal(texts[2], isw_str_of("ü")));
    assert_int_equal(invoke->metadata.count, 1);
    assert_int_equal(invoke->retry->count, -1);
    assert_int_equal(invoke->retry->max, 300);
    iswi_arena_fini(&arena);
    iswi_buffer_fini(&bytes);
}

/* Whatever is cut off is refused, or is a message that ends there; nothing is read behind it. */
static void each_cut_is_seen(void **state)
{
    iswi_buffer bytes = { 0 };
    size_t refused = 0;

    (void)state;
    make(&bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        unsigned char *copy = malloc(size + !size); /* so that its end is guarded */
        isw_error error = { ISW_OK, "" };
        iswi_rpc_message message;
        iswi_arena arena;

        assert_non_null(copy);
        memcpy(copy, bytes.data, size);
        iswi_arena_init(&arena, 256);
        if (read((isw_bytes){ copy, size }, &arena, &message, &error) != ISW_OK) {
            assert_int_equal(error.status, ISW_E_PROTOCOL);
            refused++;
        }
        iswi_arena_fini(&arena);
        free(copy);
    }
    assert_true(refused > bytes.size / 2);
    iswi_buffer_fini(&bytes);
}

static void expect(const char *bytes, size_t size, const char *why)
{
    isw_error error = { ISW_OK, "" };
    iswi_rpc_message message;
    iswi_arena arena;

    iswi_arena_init(&arena, 256);
    assert_int_equal(read((isw_bytes){ bytes, size }, &arena, &message, &error),
                     why ? ISW_E_PROTOCOL : ISW_OK);
    if (why)
        assert_non_null(strstr(error.message, why));
    iswi_arena_fini(&arena);
}

static void what_is_not_known_is_skipped_and_what_is_wrong_refused(void **state)
{
    (void)state;
    expect("\xfa\x07\x02hi\x08\x01", 5, NULL);        /* field 127 */
    expect("\x0a\x01\xff", 3, "request_id: text");    /* UTF-8 */
    expect("\x08\x01", 2, "request_id: is of another type");
    expect("\x0a\x05hi", 4, "cut off");
    expect("\x02\x00", 2, "cut off");                 /* field 0 */
    expect("\x0b", 1, "cut off");                     /* a group */
    expect("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, "cut off");
    expect("", 0, NULL);
}

static void numbers_come_alone_or_together(void **state)
{
    /* invoke_done.return_value.collection_sint64 of 1, -1, alone and in a pack. */
    static const char alone[] = "\x2a\x08\x22\x06\x5a\x04\x08\x02\x08\x01";
    static const char pack[] = "\x2a\x08\x22\x06\x5a\x04\x0a\x02\x02\x01";
    const char *const both[] = { alone, pack };

    (void)state;
    for (int i = 0; i < 2; i++) {
        iswi_rpc_message message;
        iswi_arena arena;
        const iswi_proto_list *list;

        iswi_arena_init(&arena, 256);
        assert_int_equal(read((isw_bytes){ both[i], sizeof alone - 1 }, &arena, &message, NULL),
                         ISW_OK);
        list = message.as.invoke_done->returned->as.list;
        assert_int_equal(list->count, 2);
        assert_true(((const int64_t *)list->items)[0] == 1);
        assert_true(((const int64_t *)list->items)[1] == -1);
        iswi_arena_fini(&arena);
    }
}

static void the_id_of_a_message_that_is_cut_off_is_found(void **state)
{
    iswi_buffer bytes = { 0 };
    isw_bytes id;

    (void)state;
    make(&bytes);
    id = iswi_proto_peek(iswi_proto_peek((isw_bytes){ bytes.data, 12 }, ISWI_RPC_INVOKE), 1);
    assert_int_equal(id.size, 2);
    assert_memory_equal(id.data, "id", 2);
    assert_int_equal(iswi_proto_peek((isw_bytes){ bytes.data, bytes.size }, 99).size, 0);
    iswi_buffer_fini(&bytes);
}

/* http.body.http.body ... : what is nested says so before the stack is full. */
static void messages_in_messages_have_an_end(void **state)
{
    unsigned char bytes[128];
    size_t at = sizeof bytes;

    (void)state;
    for (unsigned depth = 0; at > 8; depth++) {
        const size_t size = sizeof bytes - at;

        bytes[--at] = (unsigned char)size;
        bytes[--at] = depth % 2 ? 0x2a : 0x22; /* TypedData.http, RpcHttp.body */
    }
    /* invoke_done.return_value of it */
    bytes[at - 2] = 0x22;
    bytes[at - 1] = (unsigned char)(sizeof bytes - at);
    at -= 2;
    bytes[at - 2] = 0x2a;
    bytes[at - 1] = (unsigned char)(sizeof bytes - at);
    at -= 2;
    expect((const char *)bytes + at, sizeof bytes - at, "too many");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_written_is_read),
    cmocka_unit_test(each_cut_is_seen),
    cmocka_unit_test(what_is_not_known_is_skipped_and_what_is_wrong_refused),
    cmocka_unit_test(messages_in_messages_have_an_end),
    cmocka_unit_test(numbers_come_alone_or_together),
    cmocka_unit_test(the_id_of_a_message_that_is_cut_off_is_found),
};

ISW_TEST_MAIN(tests)
