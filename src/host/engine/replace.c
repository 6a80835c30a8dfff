/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host gives its place to another: that one has its sockets, starts its workers, and takes what
 * comes once they are ready. Invariant: what comes is taken by one of the two at any time, and what
 * the first one took, it answers.
 */
#include "host/engine/replace.h"

#include "base/clock.h"
#include "host/engine/engine.h"

#define MS INT64_C(1000000)

enum {
    LOOK_AGAIN_MS = 10, /* nobody says when a connection ends */
    IDLE_MS = 1000      /* that it may be idle where remote processes are kept for it */
};

/* -- The one that goes ------------------------------------------------------------------------- */

bool iswi_host_give(iswi_host *host, iswi_legacy *legacy)
{
    bool fine = iswi_triggers_give(&host->triggers, legacy) && iswi_observe_gives(host, legacy);

    for (size_t i = 0; fine && i < host->pool_count; i++)
        if (iswi_pool_is(&host->pools[i], ISWI_POOL_HERE) && host->pools[i].store >= 0)
            fine = iswi_legacy_add(legacy, ISWI_LEGACY_STORE, host->pools[i].settings->name, NULL,
                                   host->pools[i].store, -1);
    return fine;
}

void iswi_host_leave(iswi_host *host, pid_t successor)
{
    atomic_store(&host->replacing.successor, successor);
    iswi_host_wake(host);
}

void iswi_host_hand_on(iswi_host *host, iswi_legacy *legacy)
{
    iswi_triggers_hand_on(&host->triggers, legacy);
}

/* -- Remote processes: they are not two hosts' at a time, and the other one has their calls wait - */

static bool is_remote(const iswi_pool *pool)
{
    return iswi_pool_is(pool, ISWI_POOL_HERE) && iswi_pool_waits(pool) && !pool->guest;
}

static bool has_remote(const iswi_host *host)
{
    for (size_t i = 0; i < host->pool_count; i++)
        if (is_remote(&host->pools[i]))
            return true;
    return false;
}

/* They finish what they have, and nobody is awaited in their place. */
static void send_away(iswi_pool *pool)
{
    atomic_store(&pool->wanted, 0);
    for (unsigned i = 0; i < pool->count; i++) {
        iswi_process *process = &pool->processes[i];

        pthread_mutex_lock(&process->lock);
        iswi_process_retire(process, "another host has taken the place of this one, and waits for it");
        pthread_mutex_unlock(&process->lock);
    }
}

static void send_remote_away(iswi_host *host)
{
    host->replacing.remote_left = true;
    for (size_t i = 0; i < host->pool_count; i++)
        if (is_remote(&host->pools[i]))
            send_away(&host->pools[i]);
}

/* -- Leaving ----------------------------------------------------------------------------------- */

static void begin(iswi_host *host, int64_t now_ns)
{
    const int64_t grace_ms = host->settings->host.shutdown_grace_ms;
    const bool hurries = has_remote(host) && grace_ms > IDLE_MS;

    host->replacing.until_ns = now_ns + grace_ms * MS;
    host->replacing.idle_until_ns = now_ns + (hurries ? IDLE_MS : grace_ms) * MS;
    iswi_say(host, ISW_LOG_INFO,
             "pid %d has taken the place of this host, which finishes what it has, within %lld ms",
             atomic_load(&host->replacing.successor),
             (long long)grace_ms);
    iswi_triggers_leave(&host->triggers);
    iswi_observe_leaves(host);
}

static void say_open(iswi_host *host, size_t visitors)
{
    if (visitors)
        iswi_say(host, ISW_LOG_INFO, "%zu connection%s still open and closed now: %s", visitors,
                 visitors == 1 ? " is" : "s are",
                 iswi_now_ns() < host->replacing.until_ns ? "remote processes are to go on to the "
                                                            "other host"
                                                          : "shutdown_grace is over");
}

bool iswi_replace_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns)
{
    size_t visitors;
    bool idle;

    if (!atomic_load(&host->replacing.successor))
        return false;
    if (!host->replacing.until_ns)
        begin(host, now_ns);
    visitors = iswi_triggers_visitors(&host->triggers);
    idle = !visitors || now_ns >= host->replacing.idle_until_ns;
    if (now_ns >= host->replacing.until_ns || (idle && !iswi_host_in_flight(host))) {
        say_open(host, visitors);
        return true;
    }
    if (idle && !host->replacing.remote_left)
        send_remote_away(host);
    if (now_ns + LOOK_AGAIN_MS * MS < *next_ns)
        *next_ns = now_ns + LOOK_AGAIN_MS * MS;
    return false;
}

int64_t iswi_replace_grace_ms(const iswi_host *host)
{
    int64_t left_ms = (host->replacing.until_ns - iswi_now_ns()) / MS;

    if (!host->replacing.until_ns)
        return host->settings->host.shutdown_grace_ms;
    return left_ms > 0 ? left_ms : 0;
}

/* -- The one that comes ------------------------------------------------------------------------ */

void iswi_host_admit(iswi_host *host)
{
    iswi_triggers_open(&host->triggers);
    iswi_observe_opens(host);
}

void iswi_host_adopt(iswi_host *host, iswi_legacy *legacy)
{
    iswi_triggers_adopt(&host->triggers, legacy);
}

void iswi_host_give_up(iswi_host *host, const isw_error *why)
{
    host->replacing.refused = *why;
}
