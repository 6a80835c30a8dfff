/* SPDX-License-Identifier: Apache-2.0 */
/* Bells, and what the other side does at the moment when they are rung. It is short: this program's
 * syscall() in place of libc's looks at it, or holds it up. */
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

/* Of the ring to a worker whose thread sleeps; both rings lie in one page. */
static _Atomic(iswi_ring_words *) slept_on;
static atomic_int host_sleeps = -1; /* what the ring to the host said when the worker was woken */

static iswi_ring_words *words_around(long bell)
{
    return (iswi_ring_words *)(bell - (long)offsetof(iswi_ring_words, bell));
}

static const iswi_ring_words *other_ring(const iswi_ring_words *down)
{
    return (const iswi_ring_words *)((const char *)down + ISWI_RING_PAGE / 2);
}

/* Wakes by the thread of this reactor. */
static _Atomic(iswi_reactor *) watched;
static atomic_int wakes;

static void note(long operation, long address)
{
    const iswi_reactor *reactor = atomic_load(&watched);

    if (operation == FUTEX_WAKE && reactor && iswi_reactor_is_own(reactor))
        atomic_fetch_add(&wakes, 1);
    if (operation == FUTEX_WAIT)
        atomic_store(&slept_on, words_around(address));
    else if (operation == FUTEX_WAKE)
        atomic_store(&host_sleeps, (int)atomic_load(&other_ring(words_around(address))->sleeps));
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
    if (number == SYS_futex)
        note(arguments[1], arguments[0]);
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

static const lane *begun_ring(void)
{
    size_t i = 0;

    while (i < lane_count && strcmp(lanes[i].name, "ring from the begin") != 0)
        i++;
    assert_true(i < lane_count);
    return &lanes[i];
}

/* Until both sides have said that they sleep. */
static void await_sleep(void)
{
    const iswi_ring_words *down;

    while (!(down = atomic_load(&slept_on)) || !atomic_load(&down->sleeps) ||
           !atomic_load(&other_ring(down)->sleeps))
        usleep(1000);
}

static void send_one(void *both)
{
    assert_int_equal(end_send(&((pair *)both)->a, 0, 0, sizeof(header)), ISW_OK);
}

/* An answer may be there before the call that wakes the worker returns: the kernel may give it the
 * core of the host's thread. */
static void a_host_that_sends_is_awake_before_it_wakes_the_worker(void **state)
{
    pair both;

    (void)state;
    atomic_store(&stolen, true); /* nothing is held up */
    atomic_store(&slept_on, NULL);
    pair_open(&both, begun_ring());
    await_sleep();
    atomic_store(&host_sleeps, -1);
    iswi_reactor_call(both.reactor, send_one, &both);
    assert_int_equal(atomic_load(&host_sleeps), 0);
    wait_for_frames(&both.b, 1);
    pair_close(&both);
}

/* -- Calls that come at once ------------------------------------------------------------------- */

enum { SENDS_MOST = 20 };

/* So many tasks that send a frame each, and one behind them. */
typedef struct sends {
    iswi_task tasks[SENDS_MOST];
    iswi_task last;
    unsigned count;
    pair both;
    int wakes_before_last;
} sends;

static sends at_once;

static void run_send(iswi_task *task)
{
    assert_int_equal(end_send(&at_once.both.a, 0, (unsigned)(task - at_once.tasks),
                              sizeof(header)), ISW_OK);
}

static void run_last(iswi_task *task)
{
    (void)task;
    at_once.wakes_before_last = atomic_load(&wakes);
}

static void defer_all(void *user)
{
    (void)user;
    for (unsigned i = 0; i < at_once.count; i++) {
        at_once.tasks[i].run = run_send;
        iswi_reactor_defer(at_once.both.reactor, &at_once.tasks[i]);
    }
    at_once.last.run = run_last;
    iswi_reactor_defer(at_once.both.reactor, &at_once.last);
}

/* To a worker that sleeps. Returns how often it was woken when all is over. */
static int send_at_once(unsigned count)
{
    int all;

    atomic_store(&stolen, true);
    atomic_store(&slept_on, NULL);
    at_once = (sends){ .count = count };
    pair_open(&at_once.both, begun_ring());
    await_sleep();
    atomic_store(&wakes, 0);
    atomic_store(&watched, at_once.both.reactor);
    iswi_reactor_call(at_once.both.reactor, defer_all, NULL);
    wait_for_frames(&at_once.both.b, count);
    all = atomic_load(&wakes);
    atomic_store(&watched, NULL);
    pair_close(&at_once.both);
    return all;
}

static void calls_that_come_at_once_are_rung_for_together(void **state)
{
    (void)state;
    assert_int_equal(send_at_once(4), 1);
    assert_int_equal(at_once.wakes_before_last, 0);
}

static void of_many_the_first_do_not_wait_for_the_last(void **state)
{
    (void)state;
    assert_true(send_at_once(SENDS_MOST) >= 1);
    assert_true(at_once.wakes_before_last >= 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_bell_that_is_undone_does_not_hold_up_the_end),
    cmocka_unit_test(a_host_that_sends_is_awake_before_it_wakes_the_worker),
    cmocka_unit_test(calls_that_come_at_once_are_rung_for_together),
    cmocka_unit_test(of_many_the_first_do_not_wait_for_the_last),
};

ISW_TEST_MAIN(tests)
