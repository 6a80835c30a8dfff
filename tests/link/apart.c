/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of which a part lies apart, through a ring lane: `b`, the worker, sends, and `a`, the
 * host, passes on what lies where the worker can write. */
#include "link/support.h"

#include "base/clock.h"
#include "link/sp.h"

#include <sched.h>
#include <string.h>

enum { KIB = 1024, MIB = 1024 * 1024, BODY = 64 * KIB };

static unsigned char body[9 * MIB];

static const lane *ring_lane(void)
{
    for (size_t i = 0; i < lane_count; i++)
        if (strcmp(lanes[i].name, "ring") == 0)
            return &lanes[i];
    return NULL;
}

/* A frame of the tests' header, which takes the part for its rest. */
static isw_status send_apart(end *from, unsigned sequence, size_t part)
{
    header head = { .size = (uint32_t)(sizeof head + part), .sequence = sequence };
    isw_bytes pieces[] = { { &head, sizeof head }, { body, part } };

    return from->link->ops->send_apart(from->link, pieces, 2, 1);
}

static void keep_next(end *one)
{
    pthread_mutex_lock(&one->lock);
    iswi_message_release(one->kept);
    one->kept = NULL;
    one->keep = 1;
    pthread_mutex_unlock(&one->lock);
}

static void assert_lent(const pair *both, bool is)
{
    assert_int_equal(iswi_link_oldest_loan_ns(both->b.link) != 0, is);
}

static void await_return(const pair *both)
{
    while (iswi_link_oldest_loan_ns(both->b.link)) /* until its last event has returned, too */
        sched_yield();
}

static void the_part_stays_where_the_worker_put_it_until_it_is_released(void **state)
{
    iswi_message *kept;
    pair both;

    (void)state;
    pair_open(&both, ring_lane());
    keep_next(&both.a);
    memset(body, 7, BODY);
    assert_int_equal(send_apart(&both.b, 0, BODY), ISW_OK);
    wait_for_frames(&both.a, 1);
    kept = both.a.kept;
    assert_int_equal(kept->bytes.size, sizeof(header));
    assert_int_equal(iswi_message_apart(kept).size, BODY);
    assert_memory_equal(iswi_message_apart(kept).data, body, BODY);
    assert_lent(&both, true);
    assert_int_equal(iswi_message_own_apart(kept), ISW_OK);
    await_return(&both);
    assert_memory_equal(iswi_message_apart(kept).data, body, BODY);
    assert_int_equal(send_apart(&both.b, 1, BODY), ISW_OK); /* nobody keeps it */
    wait_for_frames(&both.a, 2);
    await_return(&both);
    pair_close(&both);
}

static void a_part_outlives_the_link_that_brought_it(void **state)
{
    iswi_message *kept;
    pair both;

    (void)state;
    pair_open(&both, ring_lane());
    keep_next(&both.a);
    memset(body, 9, BODY);
    assert_int_equal(send_apart(&both.b, 0, BODY), ISW_OK);
    wait_for_frames(&both.a, 1);
    kept = both.a.kept;
    both.a.kept = NULL;
    assert_lent(&both, true);
    end_destroy(&both.b);
    end_destroy(&both.a);
    assert_memory_equal(iswi_message_apart(kept).data, body, BODY);
    iswi_message_release(kept);
    pair_close(&both);
}

/* A host whose own callers are slow leaves its worker room to answer others. */
static void a_host_that_holds_half_of_the_arena_copies_what_more_comes(void **state)
{
    iswi_message *held;
    pair both;

    (void)state;
    pair_open(&both, ring_lane());
    keep_next(&both.a);
    assert_int_equal(send_apart(&both.b, 0, 5 * MIB), ISW_OK);
    wait_for_frames(&both.a, 1);
    held = both.a.kept;
    both.a.kept = NULL;
    keep_next(&both.a);
    assert_int_equal(send_apart(&both.b, 1, 4 * MIB), ISW_OK);
    wait_for_frames(&both.a, 2);
    assert_int_equal(iswi_message_apart(both.a.kept).size, 4 * MIB);
    iswi_message_release(held);
    await_return(&both); /* the second one is our own */
    pair_close(&both);
}

static void what_finds_no_room_apart_comes_whole_and_in_order(void **state)
{
    enum { COUNT = 6 };
    pair both;

    (void)state;
    pair_open(&both, ring_lane());
    end_set(&both.a, &both.a.reads_not, true);
    for (unsigned i = 0; i < COUNT; i++) /* some three times the arena */
        assert_int_equal(i % 2 ? send_apart(&both.b, i, 9 * MIB)
                               : end_send(&both.b, 0, i, 9 * MIB), ISW_OK);
    end_set(&both.a, &both.a.reads_not, false);
    wait_for_frames(&both.a, COUNT);
    pair_close(&both);
}

/* -- The bytes of the ring by themselves ------------------------------------------------------- */

typedef struct reading {
    iswi_sp_reader reader;
    iswi_borrower borrower;
    iswi_loan_words words;
    unsigned taken;
} reading;

static void reading_init(reading *r, bool takes_apart)
{
    *r = (reading){ .reader = { .borrower = &r->borrower, .greeted = true,
                                .takes_apart = takes_apart },
                    .borrower = { .copies = true } };
    r->borrower.arena = (iswi_arena_memory){ &r->words, body, ISWI_ARENA_BYTES, ISWI_LOANS };
    atomic_init(&r->borrower.holders, 1); /* ours, which stays */
}

static void take(void *user, iswi_message *message)
{
    reading *r = user;

    r->taken++;
    assert_non_null(message->apart);
}

static isw_status deliver(reading *r, const iswi_loan *loan, size_t rest, size_t there)
{
    unsigned char record[ISWI_SP_APART_BYTES];
    size_t size;
    void *at;

    iswi_sp_apart_record(loan, rest, record);
    assert_int_equal(iswi_sp_reader_space(&r->reader, &at, &size), ISW_OK);
    memcpy(at, record, sizeof record);
    memset((char *)at + sizeof record, 0, there);
    return iswi_sp_reader_deliver(&r->reader, sizeof record + there, take, r);
}

static void a_record_that_cannot_be_is_refused(void **state)
{
    static const struct {
        iswi_loan loan;
        size_t rest;
    } wrong[] = {
        { { BODY, 0, ISWI_LOANS }, 10 },
        { { ISWI_ARENA_BYTES + 1, 0, 0 }, 10 },
        { { BODY, ISWI_ARENA_BYTES - BODY + 1, 0 }, 10 },
        { { UINT64_MAX, 1, 0 }, 10 },
        { { BODY, UINT64_MAX, 0 }, 10 },
        { { BODY, 0, 0 }, ISWI_SP_APART_REST_MOST + 1 },
        { { BODY, 0, 0 }, SIZE_MAX },
        { { 100, 0, 0 }, 100 }, /* what lies apart is the longer one */
        { { 0, 0, 0 }, 0 },
    };
    const iswi_loan right = { BODY, 64, 3 };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        reading r;

        reading_init(&r, true);
        assert_int_equal(deliver(&r, &wrong[i].loan, wrong[i].rest, 10), ISW_E_PROTOCOL);
        assert_int_equal(r.taken, 0);
        iswi_sp_reader_fini(&r.reader);
    }
    for (int agreed = 0; agreed < 2; agreed++) {
        reading r;

        reading_init(&r, agreed);
        assert_int_equal(deliver(&r, &right, 10, 10), agreed ? ISW_OK : ISW_E_PROTOCOL);
        assert_int_equal(r.taken, agreed);
        iswi_sp_reader_fini(&r.reader);
    }
}

static void a_record_that_comes_byte_by_byte_is_one_message(void **state)
{
    unsigned char bytes[ISWI_SP_APART_BYTES + 20] = { 0 };
    const iswi_loan loan = { BODY, 64, 3 };
    reading r;

    (void)state;
    reading_init(&r, true);
    iswi_sp_apart_record(&loan, 20, bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        size_t size;
        void *at;

        assert_int_equal(r.taken, 0);
        assert_int_equal(iswi_sp_reader_space(&r.reader, &at, &size), ISW_OK);
        *(unsigned char *)at = bytes[i];
        assert_int_equal(iswi_sp_reader_deliver(&r.reader, 1, take, &r), ISW_OK);
    }
    assert_int_equal(r.taken, 1);
    iswi_sp_reader_fini(&r.reader);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_part_stays_where_the_worker_put_it_until_it_is_released),
    cmocka_unit_test(a_part_outlives_the_link_that_brought_it),
    cmocka_unit_test(a_host_that_holds_half_of_the_arena_copies_what_more_comes),
    cmocka_unit_test(what_finds_no_room_apart_comes_whole_and_in_order),
    cmocka_unit_test(a_record_that_cannot_be_is_refused),
    cmocka_unit_test(a_record_that_comes_byte_by_byte_is_one_message),
};

ISW_TEST_MAIN(tests)
