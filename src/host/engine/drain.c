/* SPDX-License-Identifier: Apache-2.0 */
/* Draining: the triggers turn away what is new, and what is on its way ends as it would. Workers
 * stay as they are, so that a resume serves at once. */
#include "host/engine/engine.h"

/* False: it was so already. */
static bool steer(iswi_host *host, bool draining)
{
    bool was;

    pthread_mutex_lock(&host->steering);
    was = atomic_exchange(&host->draining, draining);
    iswi_triggers_hold(&host->triggers, draining);
    pthread_mutex_unlock(&host->steering);
    return was != draining;
}

void iswi_host_drain(iswi_host *host)
{
    if (steer(host, true))
        iswi_say(host, ISW_LOG_INFO,
                 "draining, as it was asked to: new requests get 503 until `isoworker "
                 "resume`");
}

void iswi_host_resume(iswi_host *host)
{
    if (steer(host, false))
        iswi_say(host, ISW_LOG_INFO, "resumed: new requests are taken again");
}

/* What a trigger admits is counted from there on, a call until its worker is done with it, even
 * when whoever asked is gone: the larger number is what is left. */
size_t iswi_host_in_flight(iswi_host *host)
{
    size_t calls = atomic_load(&host->calls);
    size_t admitted = iswi_triggers_admitted(&host->triggers);

    return calls > admitted ? calls : admitted;
}
