/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts are left alone. Closed, open until a time, and then half open: one may try. What is
 * not in the table is closed; where that is full, those that have not failed make room. */
#include "httpclient/internal.h"

#include <string.h>

static iswi_circuit *find(iswi_circuits *circuits, const char *origin)
{
    for (size_t i = 0; i < circuits->count; i++)
        if (strcmp(circuits->items[i].origin, origin) == 0)
            return &circuits->items[i];
    return NULL;
}

static iswi_circuit *add(iswi_circuits *circuits, const char *origin)
{
    iswi_circuit *at = NULL;

    if (circuits->count < ISWI_CIRCUITS_MAX)
        at = &circuits->items[circuits->count++];
    for (size_t i = 0; !at && i < circuits->count; i++)
        if (!circuits->items[i].failures && !circuits->items[i].probing)
            at = &circuits->items[i];
    if (!at)
        return NULL; /* not counted: as many others are failing now */
    *at = (iswi_circuit){ .failures = 0 };
    strncpy(at->origin, origin, sizeof at->origin - 1);
    return at;
}

bool iswi_circuits_enter(iswi_circuits *circuits, const char *origin,
                         const isw_http_client_options *options, int64_t *wait_ms)
{
    iswi_circuit *at;

    *wait_ms = 0;
    pthread_mutex_lock(&circuits->lock);
    at = find(circuits, origin);
    if (at && at->until_us) {
        const int64_t left_us = at->until_us - isw_now_us();

        if (left_us > 0)
            *wait_ms = (left_us + 999) / 1000;
        else if (at->probing)
            *wait_ms = options->circuit_open_ms < 1000 ? options->circuit_open_ms : 1000;
        else
            at->probing = true;
    }
    pthread_mutex_unlock(&circuits->lock);
    return *wait_ms == 0;
}

void iswi_circuits_leave(iswi_circuits *circuits, const char *origin,
                         const isw_http_client_options *options, iswi_verdict verdict)
{
    iswi_circuit *at;

    pthread_mutex_lock(&circuits->lock);
    at = find(circuits, origin);
    if (!at && verdict == ISWI_WENT_WRONG && options->circuit_failures)
        at = add(circuits, origin);
    if (at && verdict == ISWI_WENT_WELL) {
        at->failures = 0;
        at->until_us = 0;
    } else if (at && verdict == ISWI_WENT_WRONG && ++at->failures >= options->circuit_failures) {
        at->until_us = isw_now_us() + (int64_t)options->circuit_open_ms * 1000;
    }
    if (at)
        at->probing = false;
    pthread_mutex_unlock(&circuits->lock);
}
