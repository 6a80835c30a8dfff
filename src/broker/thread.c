/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of a broker: a turn whenever something came, is due, or may be tried again, and asleep
 * until then. Nothing ticks. */
#include "base/clock.h"
#include "base/thread.h"
#include "broker/internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { BELL, CLOCK, PLACE, WAITED_ON };

/* So long nothing comes before there is time to tidy up. */
enum { REST_AFTER_MS = 50 };

/* -- Why it stays awake ------------------------------------------------------------------------ */

static bool has_untried_claim(const iswi_broker *broker)
{
    const iswi_broker_op *op = broker->waiting.first;

    while (op && op->tried)
        op = op->next;
    return op != NULL;
}

/* Something is to be tried again. */
static bool wants_retry(const iswi_broker *broker)
{
    return broker->place.retry_ns && !broker->place.barred &&
           (!broker->place.self || broker->again.first || has_untried_claim(broker));
}

/* Nothing keeps it from the next turn. */
static bool has_more(iswi_broker *broker)
{
    return broker->place.self && !broker->place.retry_ns &&
           (broker->todo.first || broker->again.first || broker->due_ms <= iswi_broker_now_us(broker) / 1000 ||
            has_untried_claim(broker) || (broker->all_claims && broker->waiting.first));
}

/* -- Sleep ------------------------------------------------------------------------------------- */

/* By the wall clock, and woken when that is set to another time. */
static void arm_clock(iswi_broker *broker)
{
    struct itimerspec at = { { 0 }, { 0 } };

    if (broker->armed_ms == broker->due_ms)
        return;
    if (broker->due_ms != INT64_MAX) {
        const int64_t ahead_us = iswi_broker_now_us(broker) - iswi_wall_us();
        const int64_t wall_us = broker->due_ms * 1000 - ahead_us;

        at.it_value.tv_sec = wall_us > 0 ? wall_us / 1000000 : 0;
        at.it_value.tv_nsec = wall_us > 0 ? wall_us % 1000000 * 1000 + 1 : 1; /* 0 would disarm it */
    }
    timerfd_settime(broker->clock, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL);
    broker->armed_ms = broker->due_ms;
}

static int timeout_ms(const iswi_broker *broker)
{
    int64_t left_ms;

    if (!wants_retry(broker))
        return broker->rested ? -1 : REST_AFTER_MS;
    left_ms = (broker->place.retry_ns - iswi_now_ns() + 999999) / 1000000;
    return left_ms < 0 ? 0 : (int)left_ms;
}

/* True: something came in the meantime. */
static bool fall_asleep(iswi_broker *broker)
{
    bool came;

    pthread_mutex_lock(&broker->lock);
    came = broker->inbox.first || broker->recalls || broker->ending;
    broker->asleep = !came;
    pthread_mutex_unlock(&broker->lock);
    return came;
}

static void wake_up(iswi_broker *broker)
{
    pthread_mutex_lock(&broker->lock);
    broker->asleep = false;
    pthread_mutex_unlock(&broker->lock);
}

static void hear(iswi_broker *broker)
{
    const int64_t now_ms = iswi_broker_now_us(broker) / 1000;
    isw_error error = { 0 };
    bool claims = false;

    if (broker->driver->heard(broker->place.self, now_ms, &claims, &broker->due_ms, &error) !=
        ISW_OK)
        iswi_place_lost(broker, &error);
    broker->all_claims = broker->all_claims || claims;
}

/* That it is due is seen by the time itself. */
static void read_clock(iswi_broker *broker)
{
    uint64_t times;

    if (read(broker->clock, &times, sizeof times) < 0 && errno == ECANCELED)
        broker->all_claims = true;
    broker->armed_ms = 0;
}

/* A moment for what tidies up, once after something was done. */
static void rest(iswi_broker *broker)
{
    if (!broker->rested && broker->place.self && broker->driver->rest)
        broker->driver->rest(broker->place.self);
    broker->rested = true;
}

static void sleep_until_something(iswi_broker *broker)
{
    const bool is_open = broker->place.self != NULL;
    const bool listens = is_open && broker->driver->fd;
    struct pollfd on[WAITED_ON] = {
        [BELL] = { .fd = broker->bell, .events = POLLIN },
        [CLOCK] = { .fd = is_open ? broker->clock : -1, .events = POLLIN }, /* else it can wait */
        [PLACE] = { .fd = listens ? broker->driver->fd(broker->place.self) : -1, .events = POLLIN },
    };
    uint64_t rings;
    int ready;

    arm_clock(broker);
    if (fall_asleep(broker))
        return;
    ready = poll(on, WAITED_ON, timeout_ms(broker));
    wake_up(broker);
    if (ready == 0 && !broker->place.retry_ns)
        rest(broker);
    if (ready <= 0)
        return;
    if (on[BELL].revents)
        (void)!read(broker->bell, &rings, sizeof rings);
    if (on[CLOCK].revents)
        read_clock(broker);
    if (on[PLACE].revents)
        hear(broker);
}

/* -- One transaction for what comes at a moment ------------------------------------------------ */

static bool have_come(void *user)
{
    const iswi_broker *broker = user;

    return atomic_load_explicit(&broker->came, memory_order_relaxed) >= broker->expected;
}

/* Those that were answered often have more at once; what of it comes before the next transaction
 * begins is in it, and what does not waits for all of it. So a moment is given to them, as long as
 * that pays, by the account of iswi_spin. One that is alone waits for nobody. */
static void wait_for_others(iswi_broker *broker)
{
    static const atomic_bool never = false;

    if (broker->expected > 1 && !broker->place.retry_ns && !iswi_clock_is_fake())
        iswi_spin_until_ready(&broker->moment, have_come, broker, &never);
    broker->expected = 0;
}

/* -- Its life ---------------------------------------------------------------------------------- */

static bool is_ending(iswi_broker *broker)
{
    bool ending;

    pthread_mutex_lock(&broker->lock);
    ending = broker->ending;
    pthread_mutex_unlock(&broker->lock);
    return ending;
}

/* False: more came since the last turn. */
static bool end(iswi_broker *broker)
{
    bool ended;

    pthread_mutex_lock(&broker->lock);
    ended = broker->ended = broker->inbox.first == NULL;
    pthread_mutex_unlock(&broker->lock);
    return ended;
}

/* What a signal is for is not here. */
static void block_signals(void)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
}

void *iswi_broker_thread(void *user)
{
    iswi_broker *broker = user;

    block_signals();
    iswi_thread_name("isw:broker");
    while (!is_ending(broker)) {
        wait_for_others(broker);
        iswi_broker_turn(broker);
        if (has_more(broker))
            continue;
        sleep_until_something(broker);
    }
    do
        iswi_broker_last_turn(broker);
    while (!end(broker));
    iswi_place_close(broker);
    return NULL;
}
