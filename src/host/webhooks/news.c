/* SPDX-License-Identifier: Apache-2.0 */
/* How it is with receivers: said when it changes, and told to those who ask. */
#include "base/clock.h"
#include "host/engine/log.h"
#include "host/webhooks/internal.h"

#include <stdio.h>

void iswi_endpoint_note(iswi_endpoint *endpoint, const char *why, int64_t again_ms)
{
    iswi_sender *sender = endpoint->sender;
    const char *where;
    unsigned before;

    pthread_mutex_lock(&sender->lock);
    where = endpoint->target->shown;
    before = endpoint->failures;
    endpoint->failures = why ? before + 1 : 0;
    if (why && !before)
        endpoint->failing_ms = iswi_wall_us() / 1000;
    snprintf(endpoint->why, sizeof endpoint->why, "%s", why ? why : "");
    pthread_mutex_unlock(&sender->lock);
    if (why && !before)
        iswi_say(sender->host, ISW_LOG_WARNING,
                 "output %s: a request to %s failed: %s; it is sent again in %lld.%lld s",
                 endpoint->name, where, why, (long long)(again_ms / 1000),
                 (long long)(again_ms % 1000 / 100));
    else if (!why && before)
        iswi_say(sender->host, ISW_LOG_INFO, "output %s: %s takes requests again",
                 endpoint->name, where);
}

void iswi_endpoint_describe(const iswi_endpoint *endpoint, char *out, size_t size)
{
    *out = '\0';
    pthread_mutex_lock(&endpoint->sender->lock);
    if (endpoint->failures)
        snprintf(out, size, "output %s: requests to %s fail for %lld s, the last one: %s",
                 endpoint->name, endpoint->target->shown,
                 (long long)(iswi_wall_us() / 1000 - endpoint->failing_ms) / 1000, endpoint->why);
    pthread_mutex_unlock(&endpoint->sender->lock);
}
