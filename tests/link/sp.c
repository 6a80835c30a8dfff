/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as they arrive, and the messages that they become. */
#include "support/main.h"

#include "link/sp.h"

#include <string.h>

enum { KIB = 1024 };

typedef struct taken {
    unsigned messages, views;
    size_t bytes;
} taken;

static void take(void *user, iswi_message *message)
{
    taken *t = user;

    t->messages++;
    t->views += message->end == NULL;
    t->bytes += message->bytes.size;
}

/* Put a message there, so many bytes at a time. */
static void put(iswi_sp_reader *reader, size_t message, size_t step, taken *t)
{
    static unsigned char bytes[512 * KIB];
    size_t whole = ISWI_SP_HEAD_BYTES + message;

    iswi_sp_head(message, bytes);
    for (size_t at = 0; at < whole;) {
        size_t room;
        void *space;

        assert_int_equal(iswi_sp_reader_space(reader, &space, &room), ISW_OK);
        if (room > step)
            room = step;
        if (room > whole - at)
            room = whole - at;
        memcpy(space, bytes + at, room);
        at += room;
        assert_int_equal(iswi_sp_reader_deliver(reader, room, take, t), ISW_OK);
    }
}

static void a_message_that_the_chunk_holds_lies_in_it(void **state)
{
    static const size_t chunks[] = { 0, ISWI_SP_SOCKET_CHUNK_BYTES };

    (void)state;
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        iswi_sp_reader reader = { .greeted = true, .chunk_bytes = chunks[i] };
        taken t = { 0 };

        put(&reader, 60 * KIB, 10 * KIB, &t);
        assert_int_equal(t.views, 1);
        put(&reader, 100 * KIB, 10 * KIB, &t);
        assert_int_equal(t.views, chunks[i] ? 2 : 1);
        put(&reader, 300 * KIB, 10 * KIB, &t);
        assert_int_equal(t.views, chunks[i] ? 2 : 1);
        assert_int_equal(t.messages, 3);
        assert_int_equal(t.bytes, 460 * KIB);
        iswi_sp_reader_fini(&reader);
    }
}

static void messages_of_one_read_come_one_by_one(void **state)
{
    iswi_sp_reader reader = { .greeted = true };
    unsigned char head[ISWI_SP_HEAD_BYTES];
    taken t = { 0 };
    size_t room;
    void *space;

    (void)state;
    iswi_sp_head(3, head);
    assert_int_equal(iswi_sp_reader_space(&reader, &space, &room), ISW_OK);
    for (int i = 0; i < 100; i++)
        memcpy((char *)space + (size_t)i * (sizeof head + 3), head, sizeof head);
    assert_int_equal(iswi_sp_reader_deliver(&reader, 100 * (sizeof head + 3), take, &t), ISW_OK);
    assert_int_equal(t.messages, 100);
    assert_int_equal(t.bytes, 300);
    iswi_sp_reader_fini(&reader);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_message_that_the_chunk_holds_lies_in_it),
    cmocka_unit_test(messages_of_one_read_come_one_by_one),
};

ISW_TEST_MAIN(tests)
