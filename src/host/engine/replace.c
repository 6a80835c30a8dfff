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

enum { LOOK_AGAIN_MS = 10 }; /* nobody says when a connection ends */

/* -- The one that goes ------------------------------------------------------------------------- */

bool iswi_host_give(iswi_host *host, iswi_legacy *legacy)
{
    bool fine = iswi_triggers_give(&host->triggers, legacy);

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

static void begin(iswi_host *host, int64_t now_ns)
{
    host->replacing.until_ns = now_ns + host->settings->host.shutdown_grace_ms * MS;
    iswi_say(host, ISW_LOG_INFO,
             "pid %d has taken the place of this host, which finishes what it has, within %lld ms",
             atomic_load(&host->replacing.successor),
             (long long)(host->settings->host.shutdown_grace_ms));
    iswi_triggers_leave(&host->triggers);
}

bool iswi_replace_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns)
{
    size_t visitors;

    if (!atomic_load(&host->replacing.successor))
        return false;
    if (!host->replacing.until_ns)
        begin(host, now_ns);
    visitors = iswi_triggers_visitors(&host->triggers);
    if (!visitors && !iswi_host_in_flight(host))
        return true;
    if (now_ns >= host->replacing.until_ns) {
        if (visitors)
            iswi_say(host, ISW_LOG_INFO,
                     "%zu connection%s still open and closed now: shutdown_grace is over", visitors,
                     visitors == 1 ? " is" : "s are");
        return true;
    }
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
}

void iswi_host_adopt(iswi_host *host, iswi_legacy *legacy)
{
    iswi_triggers_adopt(&host->triggers, legacy);
}

void iswi_host_give_up(iswi_host *host, const isw_error *why)
{
    host->replacing.refused = *why;
}
