/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health checks and their verdict. Invariant: whoever asks never waits for a check, and one that
 * hangs is seen by who asks, since the thread that hangs in it cannot say so.
 */
#include "worker/session/health.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/thread.h"

#include <stdio.h>
#include <string.h>

enum { MS = 1000000, EVERY_MS = 5000, TIMEOUT_MS = 2000, FAILURES = 2 };

void iswi_health_init(iswi_health *health, iswi_services *services)
{
    pthread_condattr_t attributes;

    health->services = services;
    pthread_mutex_init(&health->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&health->woken, &attributes);
    pthread_condattr_destroy(&attributes);
}

void iswi_health_fini(iswi_health *health)
{
    pthread_cond_destroy(&health->woken);
    pthread_mutex_destroy(&health->lock);
}

/* -- One check --------------------------------------------------------------------------------- */

static void set_current(iswi_health *health, const char *name)
{
    pthread_mutex_lock(&health->lock);
    health->current = name;
    health->since_ns = iswi_now_ns();
    pthread_mutex_unlock(&health->lock);
}

/* What came of a round. */
typedef struct round {
    iswi_buffer why; /* empty: all could be made */
    bool late;       /* one took longer than it may */
} round;

static void add_why(round *r, const char *text)
{
    if (r->why.size)
        iswi_buffer_append_text(&r->why, "; ");
    iswi_buffer_append_text(&r->why, text);
}

static void check(iswi_health *health, size_t place, round *r)
{
    const char *name = iswi_services_at(health->services, place)->name;
    int64_t begun_ns = iswi_now_ns();
    isw_error error = { ISW_OK, "" };
    char text[ISW_ERROR_MESSAGE_BYTES]; /* of one that ended well, but late */
    bool late;

    set_current(health, name);
    iswi_services_check_health(health->services, place, &error);
    set_current(health, NULL);
    late = iswi_now_ns() - begun_ns > health->timeout_ns;
    r->late = r->late || late;
    if (error.status != ISW_OK) {
        add_why(r, error.message);
    } else if (late) {
        snprintf(text, sizeof text, "health check %s took longer than %lld ms", name,
                 (long long)(health->timeout_ns / MS));
        add_why(r, text);
    }
}

/* -- Rounds ------------------------------------------------------------------------------------ */

/* How much of a text may travel, without half of a character. */
static size_t clip(const char *text, size_t size)
{
    if (size <= ISWI_LINE_MAX)
        return size;
    size = ISWI_LINE_MAX;
    while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
        size--;
    return size;
}

static void set_why(iswi_health *health, const char *text)
{
    char mended[2 * ISWI_LINE_MAX + 1];
    size_t size = iswi_utf8_mend((isw_str){ text, clip(text, strlen(text)) }, mended);

    size = clip(mended, size);
    memcpy(health->why, mended, size);
    health->why[size] = '\0';
}

/* Whether the state is another than it was. One that was never healthy has no failures to spare. */
static bool conclude(iswi_health *health, round *r)
{
    const char *why = iswi_buffer_text(&r->why);
    bool failed = r->why.size || r->why.failed;
    iswi_health_state before;
    bool changed;

    pthread_mutex_lock(&health->lock);
    before = health->state;
    health->failed = failed ? health->failed + 1 : 0;
    if (!failed)
        health->state = ISWI_HEALTH_GOOD;
    else if (r->late || health->failed >= health->failures || before == ISWI_HEALTH_UNKNOWN)
        health->state = ISWI_HEALTH_BAD;
    if (failed)
        set_why(health, why ? why : "no memory to say why");
    changed = health->state != before;
    pthread_mutex_unlock(&health->lock);
    return changed;
}

static bool is_over(iswi_health *health)
{
    bool over;

    pthread_mutex_lock(&health->lock);
    over = health->over;
    pthread_mutex_unlock(&health->lock);
    return over;
}

static bool make_all(iswi_health *health)
{
    round r = { .late = false };
    size_t count = iswi_services_count(health->services);
    bool changed;

    for (size_t i = 0; i < count && !is_over(health); i++)
        if (iswi_services_at(health->services, i)->lifetime == ISW_HEALTH_CHECK)
            check(health, i, &r);
    changed = conclude(health, &r);
    iswi_buffer_fini(&r.why);
    return changed;
}

/* False: it is over. */
static bool wait_until(iswi_health *health, int64_t until_ns)
{
    const struct timespec until = { until_ns / 1000000000, until_ns % 1000000000 };
    bool over;

    pthread_mutex_lock(&health->lock);
    while (!health->over && iswi_now_ns() < until_ns)
        pthread_cond_timedwait(&health->woken, &health->lock, &until);
    over = health->over;
    pthread_mutex_unlock(&health->lock);
    return !over;
}

static void *run(void *user)
{
    iswi_health *health = user;
    int64_t next_ns;

    iswi_thread_name("isw:health");
    do {
        next_ns = iswi_now_ns() + health->every_ns;
        if (make_all(health) && !is_over(health))
            health->changed(health->user);
    } while (wait_until(health, next_ns));
    return NULL;
}

/* -- Life -------------------------------------------------------------------------------------- */

static int64_t ns_of(uint64_t ms, int64_t standard_ms)
{
    return (ms && ms < INT32_MAX ? (int64_t)ms : standard_ms) * MS;
}

isw_status iswi_health_begin(iswi_health *health, const iswi_host_hello *hello)
{
    bool failed;

    health->every_ns = ns_of(hello->health_every_ms, EVERY_MS);
    health->timeout_ns = ns_of(hello->health_timeout_ms, TIMEOUT_MS);
    health->failures = hello->health_failures && hello->health_failures < INT32_MAX
                           ? (unsigned)hello->health_failures
                           : FAILURES;
    health->state = ISWI_HEALTH_UNKNOWN;
    pthread_mutex_lock(&health->lock);
    if (!health->over)
        health->runs = pthread_create(&health->thread, NULL, run, health) == 0;
    failed = !health->over && !health->runs;
    pthread_mutex_unlock(&health->lock);
    return failed ? ISW_E_NO_MEMORY : ISW_OK;
}

void iswi_health_end(iswi_health *health)
{
    bool runs;

    pthread_mutex_lock(&health->lock);
    health->over = true;
    runs = health->runs;
    health->runs = false;
    pthread_cond_signal(&health->woken);
    pthread_mutex_unlock(&health->lock);
    if (runs)
        pthread_join(health->thread, NULL);
}

void iswi_health_look_at(iswi_health *health, iswi_health_look *out)
{
    char text[ISW_ERROR_MESSAGE_BYTES];

    pthread_mutex_lock(&health->lock);
    if (health->current && iswi_now_ns() - health->since_ns > health->timeout_ns) {
        snprintf(text, sizeof text, "health check %s has not ended within %lld ms",
                 health->current, (long long)(health->timeout_ns / MS));
        set_why(health, text);
        health->state = ISWI_HEALTH_BAD;
    }
    out->state = health->state;
    snprintf(out->why, sizeof out->why, "%s",
             health->state == ISWI_HEALTH_BAD ? health->why : "");
    pthread_mutex_unlock(&health->lock);
}
