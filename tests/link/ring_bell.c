/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that undoes what the host writes on the bell. The moment that matters is short: here the
 * host's own call to sleep is held up in it, by this program's syscall() in place of libc's. */
#include "link/support.h"

#include <dlfcn.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HELD_US = 50000, PATIENCE_S = 20 };

static sem_t about_to_sleep;
static atomic_bool stolen;

/* Before the first sleep without an end: the bell is rung meanwhile, and the ring is undone. */
static void steal_bell(long address, long seen)
{
    sem_post(&about_to_sleep);
    usleep(HELD_US); /* long enough for every ring of an end; nothing tells that none is missing */
    atomic_store((_Atomic uint32_t *)address, (uint32_t)seen);
}

long syscall(long number, ...)
{
    long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    long arguments[6];
    va_list list;

    va_start(list, number);
    for (int i = 0; i < 6; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_futex && (int)arguments[1] == FUTEX_WAIT && !arguments[3] &&
        !atomic_exchange(&stolen, true))
        steal_bell(arguments[0], arguments[2]);
    return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                arguments[5]);
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

static sem_t destroyed;

static void *destroy(void *link)
{
    iswi_link_destroy(link);
    sem_post(&destroyed);
    return NULL;
}

static void a_bell_that_is_undone_does_not_hold_up_the_end(void **state)
{
    iswi_ring_options host = { .is_host = true, .spin_us = 0 };
    unsigned closed = 0;
    iswi_link_events events = { .on_message = ignore_message,
                                .on_closed = count_closed,
                                .user = &closed };
    iswi_reactor *reactor = make_reactor(0);
    isw_error error = { 0 };
    struct timespec until;
    iswi_link *link;
    pthread_t thread;
    char folder[32];
    char url[64];
    int fd;

    (void)state;
    sem_init(&about_to_sleep, 0, 0);
    sem_init(&destroyed, 0, 0);
    make_folder(folder);
    snprintf(url, sizeof url, "ipc://%s/s", folder);
    assert_true(iswi_ring_memory_create(&host.memory, &fd));
    close(fd);
    assert_int_equal(iswi_ring_lane_serve(reactor, make_bell(), url, &host, &events, &link, &error),
                     ISW_OK);
    iswi_link_upgrade(link, 0);
    sem_wait(&about_to_sleep);
    assert_int_equal(pthread_create(&thread, NULL, destroy, link), 0);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    assert_int_equal(sem_timedwait(&destroyed, &until), 0);
    pthread_join(thread, NULL);
    iswi_reactor_stop(reactor);
    assert_int_equal(closed, 1);
    assert_int_equal(rmdir(folder), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_bell_that_is_undone_does_not_hold_up_the_end),
};

ISW_TEST_MAIN(tests)
