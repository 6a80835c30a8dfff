/* SPDX-License-Identifier: Apache-2.0 */
#include "support/main.h"

#include "base/clock.h"
#include "reactor/reactor.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PATIENCE_S = 20, POSTERS = 4, POSTS = 5000, HOPS = 2000 };

static iswi_reactor *start(int64_t spin_us)
{
    iswi_reactor_options options = { .name = "test", .spin_us = spin_us };
    iswi_reactor *reactor = NULL;

    assert_int_equal(iswi_reactor_start(&options, &reactor, NULL), ISW_OK);
    return reactor;
}

static void wait_for(sem_t *done)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    assert_int_equal(sem_timedwait(done, &until), 0);
}

/* -- Tasks ------------------------------------------------------------------------------------- */

typedef struct numbered {
    iswi_task task;
    iswi_reactor *reactor;
    unsigned poster, number;
} numbered;

static unsigned next_of[POSTERS];
static bool in_order;
static atomic_uint ran;

static void note(iswi_task *task)
{
    numbered *one = (numbered *)task;

    in_order = in_order && next_of[one->poster]++ == one->number &&
               iswi_reactor_is_own(one->reactor);
    atomic_fetch_add(&ran, 1);
}

static numbered posts[POSTERS][POSTS];

static void *post_all(void *user)
{
    numbered *own = user;

    for (unsigned i = 0; i < POSTS; i++)
        iswi_reactor_post(own[i].reactor, &own[i].task);
    return NULL;
}

static void every_task_runs_once_in_the_order_of_its_thread(void **state)
{
    iswi_reactor *reactor = start(-1);
    pthread_t threads[POSTERS];

    (void)state;
    in_order = true;
    for (unsigned p = 0; p < POSTERS; p++) {
        for (unsigned i = 0; i < POSTS; i++)
            posts[p][i] = (numbered){ { .run = note }, reactor, p, i };
        assert_int_equal(pthread_create(&threads[p], NULL, post_all, posts[p]), 0);
    }
    for (unsigned p = 0; p < POSTERS; p++)
        pthread_join(threads[p], NULL);
    iswi_reactor_stop(reactor); /* runs what still waits */
    assert_true(in_order);
    assert_int_equal(atomic_load(&ran), POSTERS * POSTS);
}

static void set(void *user)
{
    *(bool *)user = true;
}

static void a_call_returns_when_it_was_run(void **state)
{
    iswi_reactor *reactor = start(0);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        bool called = false;

        iswi_reactor_call(reactor, set, &called);
        assert_true(called);
    }
    assert_false(iswi_reactor_is_own(reactor));
    iswi_reactor_stop(reactor);
}

/* -- One that goes on ------------------------------------------------------------------------- */

typedef struct long_one {
    iswi_task task;
    iswi_watch watch;
    iswi_reactor *reactor;
    unsigned parts;
    bool seen; /* what was ready since its first part */
    sem_t done;
} long_one;

static void see(iswi_watch *watch, uint32_t events)
{
    (void)events;
    ((long_one *)((char *)watch - offsetof(long_one, watch)))->seen = true;
}

static void go_on(iswi_task *task)
{
    long_one *self = (long_one *)task;

    if (self->parts++ == 0) {
        self->watch = (iswi_watch){ eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), see };
        iswi_watch_begin(self->reactor, &self->watch, EPOLLIN | EPOLLET);
    }
    if (self->seen || self->parts > 1000) {
        iswi_watch_end(self->reactor, &self->watch);
        sem_post(&self->done);
        return;
    }
    iswi_reactor_defer(self->reactor, task);
    iswi_reactor_yield(self->reactor);
}

static void between_the_parts_of_what_takes_long_descriptors_are_looked_at(void **state)
{
    static long_one self;

    (void)state;
    self = (long_one){ .task = { .run = go_on }, .reactor = start(0) };
    sem_init(&self.done, 0, 0);
    iswi_reactor_post(self.reactor, &self.task);
    wait_for(&self.done);
    assert_in_range(self.parts, 2, 3);
    iswi_reactor_stop(self.reactor);
    close(self.watch.fd);
}

/* -- Descriptors and times --------------------------------------------------------------------- */

typedef struct pair {
    iswi_watch a, b;
    iswi_timer timer;
    iswi_reactor *reactor;
    int calls;
    int64_t due_ns;
    sem_t done;
} pair;

static pair both;

static void end_the_other(iswi_watch *watch, uint32_t events)
{
    assert_true(events & EPOLLIN);
    both.calls++;
    iswi_watch_end(both.reactor, watch == &both.a ? &both.b : &both.a);
    iswi_watch_end(both.reactor, watch);
    sem_post(&both.done);
}

static void watch_both(void *user)
{
    (void)user;
    assert_true(iswi_watch_begin(both.reactor, &both.a, EPOLLIN));
    assert_true(iswi_watch_begin(both.reactor, &both.b, EPOLLIN));
}

static void nothing(void *user)
{
    (void)user;
}

static void a_watch_that_ended_is_not_called_for_what_was_seen_before(void **state)
{
    (void)state;
    both.reactor = start(0);
    sem_init(&both.done, 0, 0);
    both.a = (iswi_watch){ eventfd(1, EFD_CLOEXEC), end_the_other };
    both.b = (iswi_watch){ eventfd(1, EFD_CLOEXEC), end_the_other };
    iswi_reactor_call(both.reactor, watch_both, NULL);
    wait_for(&both.done);
    iswi_reactor_call(both.reactor, nothing, NULL);
    assert_int_equal(both.calls, 1);
    iswi_reactor_stop(both.reactor);
    close(both.a.fd);
    close(both.b.fd);
}

static void on_due(iswi_timer *timer)
{
    both.due_ns = iswi_now_ns();
    both.calls += timer == &both.timer;
    sem_post(&both.done);
}

static void set_in_20_ms(void *user)
{
    both.timer.due = on_due;
    iswi_reactor_set_timer(both.reactor, &both.timer, *(int64_t *)user);
}

static void a_timer_comes_once_and_not_early(void **state)
{
    int64_t at_ns = iswi_now_ns() + 20000000;

    (void)state;
    both.reactor = start(0);
    both.calls = 0;
    sem_init(&both.done, 0, 0);
    iswi_reactor_call(both.reactor, set_in_20_ms, &at_ns);
    wait_for(&both.done);
    assert_true(both.due_ns >= at_ns);
    iswi_reactor_stop(both.reactor);
    assert_int_equal(both.calls, 1);
}

/* -- Sources ----------------------------------------------------------------------------------- */

/* A counter in place of a ring: one side counts up, the source follows. */
typedef struct counter {
    iswi_source source;
    atomic_uint written, taken;
    atomic_bool armed;
    atomic_uint rung;
    sem_t took;
} counter;

static bool counter_ready(const iswi_source *source)
{
    const counter *self = (const counter *)source;

    return atomic_load(&self->written) != atomic_load(&self->taken);
}

static void counter_turn(iswi_source *source)
{
    counter *self = (counter *)source;

    atomic_store(&self->taken, atomic_load(&self->written));
    sem_post(&self->took);
}

static void counter_arm(iswi_source *source, bool armed)
{
    atomic_store(&((counter *)source)->armed, armed);
}

static void write_one(counter *self)
{
    uint64_t one = 1;

    atomic_fetch_add(&self->written, 1);
    if (!atomic_exchange(&self->armed, false))
        return;
    atomic_fetch_add(&self->rung, 1);
    assert_int_equal(write(self->source.bell, &one, sizeof one), sizeof one);
}

static void begin(void *user)
{
    iswi_source *source = user;

    assert_true(iswi_source_begin(source->reactor, source));
}

static void end(void *user)
{
    iswi_source_end(user);
}

static void expect_and_write(void *user)
{
    iswi_source_expect(user);
    write_one(user);
}

static void run_counter(int64_t spin_us)
{
    static counter self;

    self = (counter){ .source = { .ready = counter_ready,
                                  .turn = counter_turn,
                                  .arm = counter_arm,
                                  .bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                  .reactor = start(spin_us) } };
    sem_init(&self.took, 0, 0);
    iswi_reactor_call(self.source.reactor, begin, &self);
    for (unsigned i = 1; i <= HOPS; i++) {
        write_one(&self);
        while (atomic_load(&self.taken) != i)
            wait_for(&self.took);
    }
    iswi_reactor_call(self.source.reactor, end, &self);
    iswi_reactor_stop(self.source.reactor);
    close(self.source.bell);
}

static void a_source_is_turned_to_whether_its_thread_sleeps_or_not(void **state)
{
    (void)state;
    run_counter(0);
    run_counter(-1);
}

static void what_is_expected_rings_no_bell(void **state)
{
    static counter self;
    unsigned before;

    (void)state;
    self = (counter){ .source = { .ready = counter_ready,
                                  .turn = counter_turn,
                                  .arm = counter_arm,
                                  .bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                  .reactor = start(0) } };
    sem_init(&self.took, 0, 0);
    iswi_reactor_call(self.source.reactor, begin, &self);
    while (!atomic_load(&self.armed))
        usleep(1000);
    before = atomic_load(&self.rung);
    iswi_reactor_call(self.source.reactor, expect_and_write, &self);
    wait_for(&self.took);
    assert_int_equal(atomic_load(&self.rung), before);
    iswi_reactor_call(self.source.reactor, end, &self);
    iswi_reactor_stop(self.source.reactor);
    close(self.source.bell);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_task_runs_once_in_the_order_of_its_thread),
    cmocka_unit_test(a_call_returns_when_it_was_run),
    cmocka_unit_test(between_the_parts_of_what_takes_long_descriptors_are_looked_at),
    cmocka_unit_test(a_watch_that_ended_is_not_called_for_what_was_seen_before),
    cmocka_unit_test(a_timer_comes_once_and_not_early),
    cmocka_unit_test(a_source_is_turned_to_whether_its_thread_sleeps_or_not),
    cmocka_unit_test(what_is_expected_rings_no_bell),
};

ISW_TEST_MAIN(tests)
