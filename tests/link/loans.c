/* SPDX-License-Identifier: Apache-2.0 */
/* The arena by itself, and large messages through a ring lane. */
#include "link/support.h"

#include "base/clock.h"
#include "link/loans.h"

#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KIB = 1024, MIB = 1024 * 1024, LARGE = 8 * MIB + 999 /* of no whole pages */ };

typedef struct sides {
    iswi_ring_memory host, worker;
    iswi_lender lender;     /* the host's */
    iswi_borrower borrower; /* the worker's */
    int fd;
} sides;

static void sides_open(sides *s)
{
    memset(s, 0, sizeof *s);
    assert_true(iswi_ring_memory_create(&s->host, &s->fd));
    assert_true(iswi_ring_memory_map(&s->worker, s->fd));
    s->lender.arena = s->host.down_arena;
    s->borrower.arena = s->worker.down_arena;
    atomic_init(&s->borrower.holders, 1); /* ours, which stays */
}

static void sides_close(sides *s)
{
    iswi_ring_memory_unmap(&s->host);
    iswi_ring_memory_unmap(&s->worker);
    close(s->fd);
}

static iswi_message *borrow(sides *s, const iswi_loan *loan)
{
    iswi_message *message = NULL;

    assert_int_equal(iswi_borrower_message(&s->borrower, loan, &message), ISW_OK);
    return message;
}

static void return_loan(sides *s, const iswi_loan *loan)
{
    atomic_store(&s->worker.down_arena.words->lent[loan->number], 0);
}

static void a_loan_is_seen_in_place_and_comes_back_with_its_release(void **state)
{
    iswi_message *message;
    iswi_loan loan;
    sides s;

    (void)state;
    sides_open(&s);
    memset(iswi_lender_take(&s.lender, 3 * MIB, 1, &loan), 7, 3 * MIB);
    message = borrow(&s, &loan);
    assert_int_equal(message->bytes.size, 3 * MIB);
    assert_ptr_equal(message->bytes.data, s.worker.down_arena.bytes + loan.offset);
    assert_int_equal(((const char *)message->bytes.data)[3 * MIB - 1], 7);
    assert_int_equal(iswi_lender_oldest_ns(&s.lender), 1);
    assert_ptr_equal(iswi_message_keep(message, &message->bytes), message);
    iswi_message_release(message);
    assert_int_equal(iswi_lender_oldest_ns(&s.lender), 1);
    iswi_message_release(message);
    assert_int_equal(iswi_lender_oldest_ns(&s.lender), 0);
    sides_close(&s);
}

static void one_that_does_not_trust_gets_a_copy(void **state)
{
    iswi_message *message;
    unsigned char *bytes;
    iswi_loan loan;
    sides s;

    (void)state;
    sides_open(&s);
    s.borrower.copies = true;
    bytes = iswi_lender_take(&s.lender, 64 * KIB, 1, &loan);
    memset(bytes, 1, 64 * KIB);
    message = borrow(&s, &loan);
    assert_int_equal(iswi_lender_oldest_ns(&s.lender), 0); /* back at once */
    memset(bytes, 2, 64 * KIB);
    assert_int_equal(*(const char *)message->bytes.data, 1);
    iswi_message_release(message);
    sides_close(&s);
}

static void loans_never_overlap_and_room_is_used_again(void **state)
{
    enum { ROUNDS = 20000 };
    static iswi_loan out[ISWI_LOANS];
    uint64_t seed = 88172645463325252u;
    unsigned count = 0;
    unsigned refused = 0;
    sides s;

    (void)state;
    sides_open(&s);
    for (unsigned round = 0; round < ROUNDS; round++) {
        iswi_loan loan;
        size_t size;

        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        size = 1 + seed % (seed & 1 ? 600 * KIB : 40 * KIB);
        if (count && seed >> 60 > 11) {
            unsigned at = (unsigned)(seed >> 32) % count;

            return_loan(&s, &out[at]);
            out[at] = out[--count];
        } else if (iswi_lender_take(&s.lender, size, 1, &loan)) {
            assert_true(loan.offset + loan.size <= ISWI_ARENA_BYTES);
            for (unsigned i = 0; i < count; i++)
                assert_true(loan.number != out[i].number &&
                            (loan.offset + loan.size <= out[i].offset ||
                             out[i].offset + out[i].size <= loan.offset));
            out[count++] = loan;
        } else {
            refused++;
        }
    }
    assert_true(refused > 0);
    while (count)
        return_loan(&s, &out[--count]);
    assert_non_null(iswi_lender_take(&s.lender, ISWI_ARENA_BYTES, 1, out));
    assert_int_equal(out->offset, 0);
    assert_null(iswi_lender_take(&s.lender, 1, 1, out));
    sides_close(&s);
}

static void a_loan_that_cannot_be_is_refused(void **state)
{
    static const iswi_loan wrong[] = {
        { 1, 0, ISWI_LOANS },
        { 1, 0, UINT32_MAX },
        { ISWI_ARENA_BYTES + 1, 0, 0 },
        { 1, ISWI_ARENA_BYTES, 0 },
        { 2, ISWI_ARENA_BYTES - 1, 0 },
        { UINT64_MAX, 1, 0 },
        { 1, UINT64_MAX, 0 },
        { UINT64_MAX - 10, 20, 0 },
    };
    iswi_message *message = NULL;
    sides s;

    (void)state;
    sides_open(&s);
    for (int copies = 0; copies < 2; copies++) {
        s.borrower.copies = copies;
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
            assert_int_equal(iswi_borrower_message(&s.borrower, &wrong[i], &message),
                             ISW_E_PROTOCOL);
    }
    assert_null(message);
    sides_close(&s);
}

static void what_is_held_cannot_be_lent_again(void **state)
{
    iswi_loan loan = { 100, 0, 5 };
    iswi_message *first;
    iswi_message *second = NULL;
    sides s;

    (void)state;
    sides_open(&s);
    first = borrow(&s, &loan);
    assert_int_equal(iswi_borrower_message(&s.borrower, &loan, &second), ISW_E_PROTOCOL);
    iswi_message_release(first);
    iswi_message_release(borrow(&s, &loan));
    sides_close(&s);
}

static void memory_goes_back_when_nothing_was_lent_for_a_while(void **state)
{
    const int64_t second = 1000000000;
    struct stat before;
    struct stat after;
    iswi_loan loan;
    sides s;

    (void)state;
    sides_open(&s);
    memset(iswi_lender_take(&s.lender, LARGE, second, &loan), 1, LARGE);
    fstat(s.fd, &before);
    assert_true(before.st_blocks >= 8 * MIB / 512);
    assert_false(iswi_lender_trim(&s.lender, 100 * second)); /* still lent */
    iswi_message_release(borrow(&s, &loan));
    assert_false(iswi_lender_trim(&s.lender, 102 * second)); /* too early */
    fstat(s.fd, &after);
    assert_int_equal(after.st_blocks, before.st_blocks);
    assert_true(iswi_lender_trim(&s.lender, 106 * second)); /* a part */
    while (iswi_lender_trim(&s.lender, 106 * second))
        continue;
    fstat(s.fd, &after);
    assert_true(after.st_blocks < MIB / 512);
    sides_close(&s);
}

static void lend_and_return(sides *s, size_t size, int64_t at_ns)
{
    iswi_loan loan;

    memset(iswi_lender_take(&s->lender, size, at_ns, &loan), 1, size);
    return_loan(s, &loan);
}

static void memory_of_a_burst_goes_back_while_less_is_lent_on(void **state)
{
    const int64_t second = 1000000000;
    struct stat info;
    sides s;

    (void)state;
    sides_open(&s);
    lend_and_return(&s, LARGE, second);
    lend_and_return(&s, 64 * KIB, 7 * second);
    iswi_lender_trim(&s.lender, 7 * second); /* the burst was lately */
    fstat(s.fd, &info);
    assert_true(info.st_blocks >= 8 * MIB / 512);
    lend_and_return(&s, 64 * KIB, 12 * second);
    while (iswi_lender_trim(&s.lender, 13 * second))
        continue;
    fstat(s.fd, &info);
    assert_true(info.st_blocks >= 64 * KIB / 512 && info.st_blocks < MIB / 512);
    sides_close(&s);
}

/* -- Through the lane; `a` is the host --------------------------------------------------------- */

static const lane *lane_named(const char *name)
{
    for (size_t i = 0; i < lane_count; i++)
        if (strcmp(lanes[i].name, name) == 0)
            return &lanes[i];
    return NULL;
}

static void a_worker_that_keeps_everything_still_gets_the_rest_in_order(void **state)
{
    enum { COUNT = 48 }; /* of 1 MiB: three times the arena */
    pair both;

    (void)state;
    pair_open(&both, lane_named("ring"));
    pthread_mutex_lock(&both.b.lock);
    both.b.keep = 1;
    pthread_mutex_unlock(&both.b.lock);
    assert_int_equal(end_send(&both.a, 0, 0, 10 * MIB), ISW_OK); /* held to the end */
    wait_for_frames(&both.b, 1);
    assert_non_null(both.b.kept->end);
    for (unsigned i = 1; i < COUNT; i++)
        assert_int_equal(end_send(&both.a, 0, i, i % 2 ? MIB : 100), ISW_OK);
    wait_for_frames(&both.b, COUNT);
    assert_true(iswi_link_oldest_loan_ns(both.a.link) > 0);
    iswi_message_release(both.b.kept);
    both.b.kept = NULL;
    while (iswi_link_oldest_loan_ns(both.a.link)) /* until its last event has returned, too */
        sched_yield();
    pair_close(&both);
}

static void wide_arenas_lend_what_the_narrow_ones_could_not(void **state)
{
    pair both;

    (void)state;
    pair_open(&both, lane_named("ring from the begin"));
    pthread_mutex_lock(&both.b.lock);
    both.b.keep = 1;
    pthread_mutex_unlock(&both.b.lock);
    assert_int_equal(end_send(&both.a, 0, 0, 40 * MIB), ISW_OK);
    wait_for_frames(&both.b, 1);
    assert_true(iswi_link_oldest_loan_ns(both.a.link) > 0);
    iswi_message_release(both.b.kept);
    both.b.kept = NULL;
    while (iswi_link_oldest_loan_ns(both.a.link)) /* until its event has returned, too */
        sched_yield();
    pair_close(&both);
}

static void the_memory_of_wide_arenas_is_checked_as_that_of_rings(void **state)
{
    iswi_ring_memory memory = { .base = NULL };
    int fd;

    (void)state;
    assert_true(iswi_ring_memory_create(&memory, &fd));
    assert_false(iswi_ring_memory_map_wide(&memory, fd)); /* of another size */
    close(fd);
    assert_true(iswi_ring_memory_widen(&memory, &fd));
    assert_int_equal(ftruncate(fd, 4096), -1);
    close(fd);
    fd = memfd_create("other", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, ISWI_WIDE_MEMORY), 0);
    assert_false(iswi_ring_memory_map_wide(&memory, fd)); /* not sealed */
    close(fd);
    iswi_ring_memory_unmap(&memory);
}

static void large_and_small_keep_their_order_both_ways(void **state)
{
    enum { COUNT = 300 };
    pair both;

    (void)state;
    pair_open(&both, lane_named("ring"));
    for (unsigned i = 0; i < COUNT; i++) {
        size_t size = i % 3 ? 50 : ISWI_LOAN_LEAST + 17 * i;

        assert_int_equal(end_send(&both.a, 0, i, size), ISW_OK);
        assert_int_equal(end_send(&both.b, 0, i, size), ISW_OK);
    }
    wait_for_frames(&both.a, COUNT);
    wait_for_frames(&both.b, COUNT);
    pair_close(&both);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_loan_is_seen_in_place_and_comes_back_with_its_release),
    cmocka_unit_test(one_that_does_not_trust_gets_a_copy),
    cmocka_unit_test(loans_never_overlap_and_room_is_used_again),
    cmocka_unit_test(a_loan_that_cannot_be_is_refused),
    cmocka_unit_test(what_is_held_cannot_be_lent_again),
    cmocka_unit_test(memory_goes_back_when_nothing_was_lent_for_a_while),
    cmocka_unit_test(memory_of_a_burst_goes_back_while_less_is_lent_on),
    cmocka_unit_test(a_worker_that_keeps_everything_still_gets_the_rest_in_order),
    cmocka_unit_test(wide_arenas_lend_what_the_narrow_ones_could_not),
    cmocka_unit_test(the_memory_of_wide_arenas_is_checked_as_that_of_rings),
    cmocka_unit_test(large_and_small_keep_their_order_both_ways),
};

ISW_TEST_MAIN(tests)
