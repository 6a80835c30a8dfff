/* SPDX-License-Identifier: Apache-2.0 */
/* Which way frames take: through the ring, or on loan, also of those that had to wait. */
#include "support/main.h"

#include "base/alloc.h"
#include "link/ring_writer.h"
#include "link/sp.h"

#include <string.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, LARGE = 10 * MIB };

typedef struct way {
    iswi_ring_memory memory;
    iswi_ring_writer writer; /* the host's */
    iswi_ring in;            /* the same ring, as its reader has it */
    iswi_sp_reader reader;
    iswi_borrower borrower;
    unsigned messages, lent;
    iswi_message *kept; /* the first that was lent */
} way;

static void way_open(way *w)
{
    int fd;

    *w = (way){ .messages = 0 };
    assert_true(iswi_ring_memory_create(&w->memory, &fd));
    close(fd);
    w->writer.ring = &w->memory.down;
    w->writer.lender.arena = w->borrower.arena = w->memory.down_arena;
    w->in = w->memory.down;
    atomic_init(&w->borrower.holders, 1); /* ours, which stays */
    w->reader = (iswi_sp_reader){ .greeted = true, .borrower = &w->borrower };
}

static void way_close(way *w)
{
    iswi_ring_writer_fini(&w->writer);
    iswi_sp_reader_fini(&w->reader);
    iswi_ring_memory_unmap(&w->memory);
}

static void take(void *user, iswi_message *message)
{
    way *w = user;
    bool lent = (const unsigned char *)message->bytes.data >= w->memory.down_arena.bytes &&
                (const unsigned char *)message->bytes.data <
                    w->memory.down_arena.bytes + w->memory.down_arena.size;

    w->messages++;
    w->lent += lent;
    if (lent && !w->kept)
        w->kept = iswi_message_keep(message, &message->bytes);
}

/* Read all that comes. */
static void read_all(way *w)
{
    bool cramped = false;
    bool broken = false;
    size_t got;

    do {
        size_t room;
        void *at;

        assert_int_equal(iswi_sp_reader_space(&w->reader, &at, &room), ISW_OK);
        got = iswi_ring_read(&w->in, at, room, &cramped, &broken);
        assert_int_equal(iswi_sp_reader_deliver(&w->reader, got, take, w), ISW_OK);
        iswi_ring_writer_flush(&w->writer);
    } while (got);
    assert_false(broken);
}

static void what_waited_is_lent_where_there_is_room_by_then(void **state)
{
    static unsigned char bytes[LARGE];
    const isw_bytes piece = { bytes, LARGE };
    way w;

    (void)state;
    way_open(&w);
    assert_int_equal(iswi_ring_writer_send(&w.writer, &piece, 1), ISW_OK); /* takes the arena */
    assert_int_equal(iswi_ring_writer_send(&w.writer, &piece, 1), ISW_OK); /* piece by piece */
    assert_int_equal(iswi_ring_writer_send(&w.writer, &piece, 1), ISW_OK); /* waits for that */
    assert_true(iswi_ring_writer_waits(&w.writer));
    while (!w.kept) {
        void *at;
        size_t room;
        bool unused = false;

        assert_int_equal(iswi_sp_reader_space(&w.reader, &at, &room), ISW_OK);
        assert_int_equal(iswi_sp_reader_deliver(
                             &w.reader, iswi_ring_read(&w.in, at, room, &unused, &unused), take,
                             &w),
                         ISW_OK);
    }
    iswi_message_release(w.kept);
    read_all(&w);
    assert_false(iswi_ring_writer_waits(&w.writer));
    assert_int_equal(w.messages, 3);
    assert_int_equal(w.lent, 2);
    way_close(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_waited_is_lent_where_there_is_room_by_then),
};

ISW_TEST_MAIN(tests)
