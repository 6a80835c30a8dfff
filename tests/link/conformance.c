/* SPDX-License-Identifier: Apache-2.0 */
/* What link.h promises, held against every lane of support.c; each case runs once a lane. */
#include "link/support.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SMALL = 24, MIB = 1024 * 1024 };

#define FOR_EACH_LANE(kind) for (const lane *kind = lanes; kind < lanes + lane_count; kind++)

static void small_frames_of_two_threads_arrive_whole_and_in_order(void **state)
{
    enum { EACH = 5000 };

    (void)state;
    FOR_EACH_LANE(kind) {
        sending jobs[SENDERS];
        pair both;

        pair_open(&both, kind);
        for (unsigned i = 0; i < SENDERS; i++)
            sending_start(&jobs[i], &both.a, i, EACH, SMALL + i);
        for (unsigned i = 0; i < SENDERS; i++)
            sending_join(&jobs[i]);
        wait_for_frames(&both.b, SENDERS * EACH);
        assert_int_equal(both.b.expected[0], EACH);
        assert_int_equal(both.b.expected[1], EACH);
        pair_close(&both);
    }
}

static void frames_travel_both_ways_at_once(void **state)
{
    enum { EACH = 2000 };

    (void)state;
    FOR_EACH_LANE(kind) {
        sending there;
        sending back;
        pair both;

        pair_open(&both, kind);
        sending_start(&there, &both.a, 0, EACH, 512);
        sending_start(&back, &both.b, 1, EACH, 512);
        sending_join(&there);
        sending_join(&back);
        wait_for_frames(&both.b, EACH);
        wait_for_frames(&both.a, EACH);
        pair_close(&both);
    }
}

static void a_frame_of_20_mib_arrives_whole(void **state)
{
    (void)state;
    FOR_EACH_LANE(kind) {
        pair both;

        pair_open(&both, kind);
        end_keep(&both.b, 1);
        assert_int_equal(end_send(&both.a, 0, 0, 20 * MIB), ISW_OK);
        wait_for_frames(&both.b, 1);
        assert_int_equal(both.b.kept->bytes.size, 20 * MIB);
        pair_close(&both);
    }
}

static void frames_that_wait_travel_together(void **state)
{
    enum { BEFORE = 140, COUNT = 1000 }; /* more than any lane has room for, and behind them */

    (void)state;
    FOR_EACH_LANE(kind) {
        pair both;

        if (!kind->gathers)
            continue;
        pair_open(&both, kind);
        end_set(&both.b, &both.b.reads_not, true);
        for (unsigned i = 0; i < BEFORE; i++)
            assert_int_equal(end_send(&both.a, 0, i, ISWI_LINK_BATCH_BYTES), ISW_OK);
        for (unsigned i = 0; i < COUNT; i++)
            assert_int_equal(end_send(&both.a, 0, BEFORE + i, SMALL), ISW_OK);
        assert_true(iswi_link_backlog(both.a.link) >= COUNT * SMALL);
        end_set(&both.b, &both.b.reads_not, false);
        wait_for_frames(&both.b, BEFORE + COUNT);
        assert_true(both.b.messages < BEFORE + COUNT / 2);
        pair_close(&both);
    }
}

static void a_message_of_several_frames_stays_below_its_limit(void **state)
{
    enum { COUNT = 100 };

    (void)state;
    FOR_EACH_LANE(kind) {
        pair both;

        pair_open(&both, kind);
        end_set(&both.b, &both.b.reads_not, true);
        for (unsigned i = 0; i < COUNT; i++)
            assert_int_equal(end_send(&both.a, 0, i, ISWI_LINK_BATCH_BYTES / 10), ISW_OK);
        end_set(&both.b, &both.b.reads_not, false);
        wait_for_frames(&both.b, COUNT);
        assert_true(both.b.messages >= COUNT / 10);
        pair_close(&both);
    }
}

static void the_backlog_counts_what_waits(void **state)
{
    enum { COUNT = 140 }; /* more than any lane has room for */

    (void)state;
    FOR_EACH_LANE(kind) {
        pair both;

        pair_open(&both, kind);
        end_set(&both.b, &both.b.reads_not, true);
        for (unsigned i = 0; i < COUNT; i++)
            assert_int_equal(end_send(&both.a, 0, i, MIB), ISW_OK);
        assert_true(iswi_link_backlog(both.a.link) >= MIB);
        end_set(&both.b, &both.b.reads_not, false);
        wait_for_frames(&both.b, COUNT);
        assert_int_equal(iswi_link_backlog(both.a.link), 0);
        pair_close(&both);
    }
}

static void what_exceeds_the_backlog_is_refused_unread(void **state)
{
    size_t size = (size_t)ISWI_LINK_BACKLOG_BYTES + 1;
    void *never_read = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                            0);

    (void)state;
    assert_ptr_not_equal(never_read, MAP_FAILED);
    FOR_EACH_LANE(kind) {
        pair both;

        pair_open(&both, kind);
        assert_int_equal(iswi_link_send(both.a.link, never_read, size), ISW_E_BUSY);
        assert_int_equal(end_send(&both.a, 0, 0, SMALL), ISW_OK);
        wait_for_frames(&both.b, 1);
        pair_close(&both);
    }
    munmap(never_read, size);
}

static void the_end_is_told_once_and_after_the_last_message(void **state)
{
    (void)state;
    FOR_EACH_LANE(kind) {
        pair both;

        pair_open(&both, kind);
        for (unsigned i = 0; i < 100; i++)
            assert_int_equal(end_send(&both.a, 0, i, SMALL), ISW_OK);
        wait_for_message(&both.b);
        iswi_link_close(both.a.link);
        iswi_link_close(both.a.link);
        wait_for_closed(&both.b);
        wait_for_closed(&both.a);
        pair_close(&both);
    }
}

static void what_arrived_before_the_end_is_delivered(void **state)
{
    (void)state;
    FOR_EACH_LANE(kind) {
        pair both;

        pair_open(&both, kind);
        end_set(&both.b, &both.b.reads_not, true);
        assert_int_equal(end_send(&both.a, 0, 0, SMALL), ISW_OK);
        wait_for_message(&both.b);
        iswi_link_close(both.a.link);
        wait_for_closed(&both.a);
        assert_int_equal(end_closed(&both.b), 0);
        end_set(&both.b, &both.b.reads_not, false);
        wait_for_closed(&both.b);
        assert_int_equal(both.b.frames, 1);
        pair_close(&both);
    }
}

static void a_link_may_be_closed_from_its_event(void **state)
{
    (void)state;
    FOR_EACH_LANE(kind) {
        pair both;

        pair_open(&both, kind);
        end_set(&both.b, &both.b.closes_on_message, true);
        assert_int_equal(end_send(&both.a, 0, 0, SMALL), ISW_OK);
        wait_for_closed(&both.b);
        wait_for_closed(&both.a);
        pair_close(&both);
    }
}

static void a_link_is_destroyed_while_events_are_pending(void **state)
{
    (void)state;
    FOR_EACH_LANE(kind) {
        for (unsigned round = 0; round < 20; round++) {
            sending job;
            pair both;

            pair_open(&both, kind);
            sending_start(&job, &both.a, 0, 50, SMALL);
            end_destroy(&both.b); /* while the other end sends to it */
            pthread_join(job.thread, NULL);
            pair_close(&both);
        }
    }
}

static void a_closed_link_takes_no_frame(void **state)
{
    (void)state;
    FOR_EACH_LANE(kind) {
        pair both;

        pair_open(&both, kind);
        assert_int_equal(end_send(&both.b, 0, 0, SMALL), ISW_OK);
        wait_for_frames(&both.a, 1);
        iswi_link_close(both.a.link);
        assert_int_equal(end_send(&both.a, 0, 0, SMALL), ISW_E_CLOSED);
        wait_for_closed(&both.b);
        assert_int_equal(end_send(&both.b, 0, 1, SMALL), ISW_E_CLOSED);
        end_destroy(&both.a);
        assert_int_equal(end_send(&both.b, 0, 1, SMALL), ISW_E_CLOSED);
        assert_int_equal(iswi_link_backlog(both.b.link), 0);
        pair_close(&both);
    }
}

static void a_kept_message_outlives_its_event(void **state)
{
    (void)state;
    FOR_EACH_LANE(kind) {
        header head;
        pair both;

        pair_open(&both, kind);
        end_keep(&both.b, 1);
        assert_int_equal(end_send(&both.a, 1, 0, SMALL), ISW_OK);
        wait_for_frames(&both.b, 1);
        assert_int_equal(end_send(&both.a, 1, 1, SMALL), ISW_OK);
        wait_for_frames(&both.b, 2);
        memcpy(&head, both.b.kept->bytes.data, sizeof head);
        assert_int_equal(head.size, SMALL);
        assert_int_equal(head.sender, 1);
        assert_int_equal(head.sequence, 0);
        pair_close(&both);
    }
}

static void the_peer_is_known_by_user_and_process(void **state)
{
    (void)state;
    FOR_EACH_LANE(kind) {
        iswi_peer peer;
        pair both;

        pair_open(&both, kind);
        assert_int_equal(end_send(&both.b, 0, 0, SMALL), ISW_OK);
        wait_for_frames(&both.a, 1);
        peer = iswi_link_peer(both.a.link);
        assert_int_equal(peer.uid, geteuid());
        assert_int_equal(peer.pid, getpid());
        pair_close(&both);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(small_frames_of_two_threads_arrive_whole_and_in_order),
    cmocka_unit_test(frames_travel_both_ways_at_once),
    cmocka_unit_test(a_frame_of_20_mib_arrives_whole),
    cmocka_unit_test(frames_that_wait_travel_together),
    cmocka_unit_test(a_message_of_several_frames_stays_below_its_limit),
    cmocka_unit_test(the_backlog_counts_what_waits),
    cmocka_unit_test(what_exceeds_the_backlog_is_refused_unread),
    cmocka_unit_test(the_end_is_told_once_and_after_the_last_message),
    cmocka_unit_test(what_arrived_before_the_end_is_delivered),
    cmocka_unit_test(a_link_may_be_closed_from_its_event),
    cmocka_unit_test(a_link_is_destroyed_while_events_are_pending),
    cmocka_unit_test(a_closed_link_takes_no_frame),
    cmocka_unit_test(a_kept_message_outlives_its_event),
    cmocka_unit_test(the_peer_is_known_by_user_and_process),
};

ISW_TEST_MAIN(tests)
