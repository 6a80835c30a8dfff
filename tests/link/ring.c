/* SPDX-License-Identifier: Apache-2.0 */
/* The ring by itself, and a host whose worker writes whatever it likes into the shared memory. */
#include "link/support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct two_sides {
    iswi_ring_memory host, worker;
    int fd;
} two_sides;

static void sides_open(two_sides *sides)
{
    assert_true(iswi_ring_memory_create(&sides->host, &sides->fd));
    assert_true(iswi_ring_memory_map(&sides->worker, sides->fd));
}

static void sides_close(two_sides *sides)
{
    iswi_ring_memory_unmap(&sides->host);
    iswi_ring_memory_unmap(&sides->worker);
    close(sides->fd);
}

static void bytes_come_out_as_they_went_in_also_over_the_edge(void **state)
{
    unsigned char in[7001];
    unsigned char out[7001];
    bool cramped = false;
    bool broken = false;
    two_sides sides;

    (void)state;
    sides_open(&sides);
    for (unsigned round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof in; i++)
            in[i] = (unsigned char)(round * 31 + i);
        assert_int_equal(iswi_ring_write(&sides.host.down, in, sizeof in, &broken), sizeof in);
        assert_int_equal(iswi_ring_read(&sides.worker.down, out, sizeof out, &cramped, &broken),
                         0); /* not published */
        iswi_ring_publish(&sides.host.down);
        assert_int_equal(iswi_ring_read(&sides.worker.down, out, sizeof out, &cramped, &broken),
                         sizeof out);
        assert_memory_equal(in, out, sizeof in);
    }
    assert_false(broken || cramped);
    sides_close(&sides);
}

static void a_full_ring_takes_what_fits_and_tells_when_there_is_room(void **state)
{
    static unsigned char block[ISWI_RING_BYTES + 100];
    bool cramped = false;
    bool broken = false;
    two_sides sides;

    (void)state;
    sides_open(&sides);
    assert_int_equal(iswi_ring_write(&sides.host.down, block, sizeof block, &broken),
                     ISWI_RING_BYTES);
    iswi_ring_publish(&sides.host.down);
    assert_int_equal(iswi_ring_room(&sides.host.down, &broken), 0);
    assert_false(iswi_ring_await_room(&sides.host.down, 1, &broken));
    assert_int_equal(iswi_ring_read(&sides.worker.down, block, 10, &cramped, &broken), 10);
    assert_true(cramped);
    assert_int_equal(iswi_ring_room(&sides.host.down, &broken), 10);
    assert_true(iswi_ring_await_room(&sides.host.down, 1, &broken));
    assert_false(broken);
    sides_close(&sides);
}

static void a_position_that_cannot_be_is_broken_and_never_followed(void **state)
{
    /* As a tail more than the ring holds, as a head more than was ever written. */
    static const uint64_t lies[] = { ISWI_RING_BYTES + 1, (uint64_t)1 << 32, UINT64_MAX / 2 };
    unsigned char out[64];

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        bool cramped = false;
        bool broken = false;
        two_sides sides;

        sides_open(&sides);
        atomic_store(&sides.worker.up.words->tail, lies[i]);
        assert_int_equal(iswi_ring_read(&sides.host.up, out, sizeof out, &cramped, &broken), 0);
        assert_true(broken);
        broken = false;
        atomic_store(&sides.worker.down.words->head, lies[i]);
        assert_int_equal(iswi_ring_write(&sides.host.down, out, sizeof out, &broken), 0);
        assert_true(broken);
        broken = false;
        assert_int_equal(iswi_ring_room(&sides.host.down, &broken), 0);
        assert_true(broken);
        sides_close(&sides);
    }
}

static void the_memory_cannot_be_shrunk_or_grown(void **state)
{
    two_sides sides;

    (void)state;
    sides_open(&sides);
    assert_int_equal(ftruncate(sides.fd, 4096), -1);
    assert_int_equal(ftruncate(sides.fd, 2 * ISWI_RING_MEMORY), -1);
    sides_close(&sides);
}

static void a_memory_that_is_none_of_ours_is_not_mapped(void **state)
{
    int fd = memfd_create("other", MFD_CLOEXEC);
    iswi_ring_memory memory = { 0 };

    (void)state;
    assert_int_equal(ftruncate(fd, ISWI_RING_MEMORY), 0);
    assert_false(iswi_ring_memory_map(&memory, fd)); /* not sealed: it could shrink under us */
    assert_int_equal(errno, EINVAL);
    close(fd);
    assert_false(iswi_ring_memory_map(&memory, fd));
}

/* A generator of its own, so that a run can be repeated. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void scribble(iswi_ring_memory *memory, uint64_t *seed)
{
    unsigned char *bytes = memory->base;

    for (int i = 0; i < 200; i++) {
        uint64_t random = next_random(seed);
        bool words = random % 3 == 0;
        size_t at = words ? random / 3 % ISWI_RING_PAGE : random / 3 % ISWI_RING_MEMORY;

        bytes[at] = (unsigned char)(random >> 56);
    }
    iswi_ring_wake_always(&memory->up);
}

static void ignore_message(void *user, iswi_message *message)
{
    (void)user;
    (void)message;
}

static void count_closed(void *user)
{
    ++*(unsigned *)user; /* read once the link is destroyed */
}

/* A host's end whose rings the test can write as the worker. */
typedef struct hostile {
    iswi_reactor *reactor;
    iswi_link *link;
    iswi_ring_memory worker;
    unsigned closed;
    char folder[32];
} hostile;

static void hostile_open(hostile *h)
{
    iswi_ring_options host = { .is_host = true, .spin_us = -1 };
    iswi_link_events events = { .on_message = ignore_message,
                                .on_closed = count_closed,
                                .user = &h->closed };
    isw_error error = { 0 };
    char url[64];
    int fd;

    memset(h, 0, sizeof *h);
    h->reactor = make_reactor(-1);
    make_folder(h->folder);
    snprintf(url, sizeof url, "ipc://%s/s", h->folder);
    assert_true(iswi_ring_memory_create(&host.memory, &fd));
    assert_true(iswi_ring_memory_map(&h->worker, fd));
    close(fd);
    assert_int_equal(iswi_ring_lane_serve(h->reactor, make_bell(), url, &host, &events, &h->link,
                                          &error), ISW_OK);
    iswi_link_upgrade(h->link, 0);
}

static void hostile_close(hostile *h)
{
    iswi_link_destroy(h->link);
    iswi_reactor_stop(h->reactor);
    assert_int_equal(h->closed, 1);
    iswi_ring_memory_unmap(&h->worker);
    assert_int_equal(rmdir(h->folder), 0);
}

static void a_worker_that_scribbles_ends_its_own_link_and_no_more(void **state)
{
    uint64_t seed = 88172645463325252u;

    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        hostile h;

        hostile_open(&h);
        for (int i = 0; i < 20; i++) {
            scribble(&h.worker, &seed);
            iswi_link_send(h.link, "0123456789", 10);
        }
        hostile_close(&h);
    }
}

static void marks_tell_which_invocations_were_begun(void **state)
{
    const uint64_t last = ISWI_RING_MARKS - 1;
    iswi_ring_memory host;
    iswi_ring_memory worker;
    int fd;

    (void)state;
    assert_true(iswi_ring_memory_create(&host, &fd));
    assert_true(iswi_ring_memory_map(&worker, fd));
    close(fd);
    for (uint64_t number = 0; number <= last; number++)
        assert_false(iswi_ring_is_marked(&host, 1u << 16 | number));
    iswi_ring_mark(&worker, 1u << 16 | last);
    assert_true(iswi_ring_is_marked(&host, 1u << 16 | last));
    assert_false(iswi_ring_is_marked(&host, 2u << 16 | last));
    assert_false(iswi_ring_is_marked(&host, 1u << 16 | (last - 1)));
    /* What has no mark counts as begun, and leaves all else as it was. */
    iswi_ring_mark(&worker, UINT64_MAX);
    assert_true(iswi_ring_is_marked(&host, 1u << 16 | (last + 1)));
    assert_true(iswi_ring_is_marked(&host, 5u << 16 | 0xffff));
    assert_int_equal(atomic_load(&host.down_arena.words->lent[0]), 0);
    iswi_ring_memory_unmap(&worker);
    iswi_ring_memory_unmap(&host);
}

static void a_head_that_cannot_be_ends_the_link(void **state)
{
    isw_status status = ISW_OK;
    hostile h;

    (void)state;
    hostile_open(&h);
    atomic_store(&h.worker.down.words->head, 1);
    for (unsigned i = 0; i < 10000 && status != ISW_E_CLOSED; i++) {
        status = iswi_link_send(h.link, "0123456789", 10);
        usleep(1000); /* the lane's threads hear of it */
    }
    assert_int_equal(status, ISW_E_CLOSED);
    hostile_close(&h);
}

static void open_awake(pair *both)
{
    open_ring_on_socket(both, 20 * 1000000);
}

static void do_nothing(void *user)
{
    (void)user;
}

/* It rings no bell, so what it writes is read by the thread that comes with the upgrade. */
static void a_worker_that_spoke_on_the_socket_is_not_read_by_the_reactor(void **state)
{
    const lane on_socket = { "ring, still on the socket", open_awake, false };
    pair both;

    (void)state;
    pair_open(&both, &on_socket);
    assert_int_equal(end_send(&both.b, 0, 0, sizeof(header)), ISW_OK);
    wait_for_frames(&both.a, 1);
    iswi_link_upgrade(both.b.link, 0);
    assert_int_equal(end_send(&both.b, 0, 1, sizeof(header)), ISW_OK);
    iswi_reactor_call(both.reactor, do_nothing, NULL); /* it looked at its sources before */
    assert_int_equal(end_frames(&both.a), 1);
    iswi_link_upgrade(both.a.link, 0);
    wait_for_frames(&both.a, 2);
    pair_close(&both);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_worker_that_spoke_on_the_socket_is_not_read_by_the_reactor),
    cmocka_unit_test(a_head_that_cannot_be_ends_the_link),
    cmocka_unit_test(bytes_come_out_as_they_went_in_also_over_the_edge),
    cmocka_unit_test(a_full_ring_takes_what_fits_and_tells_when_there_is_room),
    cmocka_unit_test(a_position_that_cannot_be_is_broken_and_never_followed),
    cmocka_unit_test(marks_tell_which_invocations_were_begun),
    cmocka_unit_test(the_memory_cannot_be_shrunk_or_grown),
    cmocka_unit_test(a_memory_that_is_none_of_ours_is_not_mapped),
    cmocka_unit_test(a_worker_that_scribbles_ends_its_own_link_and_no_more),
};

ISW_TEST_MAIN(tests)
