/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health of processes. Invariant: one that named the capability is kept out until it has said that
 * it is well, and each change is logged once.
 */
#include "host/engine/health.h"

#include "base/clock.h"
#include "host/engine/engine.h"

#include <stdio.h>

enum { MS = 1000000 };

static const char too_long[] = "it has been unhealthy for health.restart_after";

void iswi_process_health_begin(iswi_process *process)
{
    process->health = (iswi_process_health){ .tells = false };
}

static void set_why(iswi_process_health *health, isw_str why)
{
    size_t size = why.size < sizeof health->why ? why.size : sizeof health->why - 1;

    while (size < why.size && size && ((unsigned char)why.data[size] & 0xc0) == 0x80)
        size--; /* no half of a character */
    snprintf(health->why, sizeof health->why, "%.*s", (int)size, size ? why.data : "");
}

void iswi_process_health_greeted(iswi_process *process, const isw_pairs *capabilities)
{
    iswi_process_health *health = &process->health;

    health->tells = isw_pairs_find(capabilities, "health") != NULL;
    health->keeps_out = health->unknown = health->tells;
    set_why(health, isw_str_of(health->tells ? "its first health check is not over" : ""));
}

bool iswi_process_is_unhealthy(iswi_process *process)
{
    bool bad;

    pthread_mutex_lock(&process->lock);
    bad = process->state == ISWI_PROCESS_READY && process->health.keeps_out &&
          !process->health.unknown;
    pthread_mutex_unlock(&process->lock);
    return bad;
}

void iswi_process_health_ask(const iswi_process *process, iswi_host_hello *hello)
{
    const iswi_health_settings *settings = &process->pool->settings->health;

    hello->health_every_ms = (uint64_t)settings->every_ms;
    hello->health_timeout_ms = (uint64_t)settings->timeout_ms;
    hello->health_failures = (uint64_t)settings->failures;
}

/* Nobody need take over any more. */
static void recover(iswi_process *process)
{
    iswi_process_health *health = &process->health;

    if (!health->unknown)
        iswi_say(process->host, ISW_LOG_INFO,
                 "worker %s: pid %ld is healthy again after %lld ms, and gets calls",
                 process->label, (long)process->os.pid,
                 (long long)((iswi_now_ns() - health->since_ns) / MS));
    *health = (iswi_process_health){ .tells = true };
    if (process->due != too_long || process->retiring)
        return;
    process->due = NULL;
    process->cause = ISWI_END_LEFT;
}

static void fall_ill(iswi_process *process)
{
    iswi_process_health *health = &process->health;

    iswi_say(process->host, ISW_LOG_WARNING,
             "worker %s: pid %ld is unhealthy, and gets no new calls: %s", process->label,
             (long)process->os.pid, health->why);
    health->keeps_out = true;
    health->unknown = false;
    health->since_ns = iswi_now_ns();
}

void iswi_process_health_told(iswi_process *process, const iswi_status_frame *status)
{
    iswi_process_health *health = &process->health;
    bool well = status->health == ISWI_HEALTH_GOOD;
    bool before = health->keeps_out;

    if (!health->tells || (!well && status->health != ISWI_HEALTH_BAD))
        return;
    if (!well)
        set_why(health, status->why.size ? status->why : isw_str_of("it does not say why"));
    if (well && before)
        recover(process);
    else if (!well && (!before || health->unknown))
        fall_ill(process);
    else
        return;
    iswi_process_update_load(process);
    iswi_host_wake(process->host);
}

/* Whether it is time. */
static bool is_due(int64_t until_ns, int64_t now_ns, int64_t *next_ns)
{
    if (now_ns >= until_ns)
        return true;
    if (until_ns < *next_ns)
        *next_ns = until_ns;
    return false;
}

static void have_replaced(iswi_process *process)
{
    process->cause = ISWI_END_UNHEALTHY;
    iswi_process_replace(process, too_long);
}

void iswi_process_health_tend(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    const iswi_health_settings *settings = &process->pool->settings->health;
    const iswi_process_health *health = &process->health;
    bool out;

    pthread_mutex_lock(&process->lock);
    out = health->keeps_out && !process->retiring;
    if (out && health->unknown &&
        is_due(process->ready_ns + settings->timeout_ms * MS, now_ns, next_ns))
        fall_ill(process);
    else if (out && !health->unknown && settings->restart_after_ms && !process->due &&
             is_due(health->since_ns + settings->restart_after_ms * MS, now_ns, next_ns))
        have_replaced(process);
    pthread_mutex_unlock(&process->lock);
}
