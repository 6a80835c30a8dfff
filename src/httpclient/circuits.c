/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts are left alone. What is not in a table is closed; where this process's own is full,
 * those that have not failed make room. */
#include "httpclient/internal.h"

#include <string.h>

enum {
    KEPT_MS = 24 * 3600 * 1000, /* a circuit behind its end */
    TRIES = 100 /* of a change, each of which somebody else was quicker with */
};

typedef void step_fn(iswi_circuit *at, iswi_visit *visit, int64_t now_us);

_Static_assert(sizeof(iswi_circuit) <= ISW_STORE_SMALL, "a circuit is a small value");

static const iswi_circuit closed;

static bool is_closed(const iswi_circuit *at)
{
    return memcmp(at, &closed, sizeof closed) == 0;
}

/* -- Of this process --------------------------------------------------------------------------- */

static iswi_circuit *find(iswi_circuits *circuits, const char *origin)
{
    for (size_t i = 0; i < circuits->count; i++)
        if (strcmp(circuits->items[i].origin, origin) == 0)
            return &circuits->items[i].circuit;
    return NULL;
}

/* Not counted, where as many others are failing now. */
static void add(iswi_circuits *circuits, const char *origin, const iswi_circuit *circuit)
{
    size_t at = 0;

    while (at < circuits->count && !is_closed(&circuits->items[at].circuit))
        at++;
    if (at == ISWI_CIRCUITS_MAX)
        return;
    if (at == circuits->count)
        circuits->count++;
    memset(circuits->items[at].origin, 0, ISWI_ORIGIN_BYTES);
    strncpy(circuits->items[at].origin, origin, ISWI_ORIGIN_BYTES - 1);
    circuits->items[at].circuit = *circuit;
}

static void change_own(iswi_circuits *circuits, iswi_visit *visit, step_fn *step)
{
    iswi_circuit now = closed;
    iswi_circuit *at;

    pthread_mutex_lock(&circuits->lock);
    at = find(circuits, visit->origin);
    step(at ? at : &now, visit, isw_now_us());
    if (!at && !is_closed(&now))
        add(circuits, visit->origin, &now);
    pthread_mutex_unlock(&circuits->lock);
}

/* -- Of all ------------------------------------------------------------------------------------ */

static isw_status try_to_change(isw_store *store, iswi_visit *visit, step_fn *step)
{
    const isw_str name = isw_str_of(visit->origin);
    const isw_store_key key = { &name, 1 };
    iswi_circuit was = closed, now;
    const isw_bytes is = { &was, sizeof was }, shall = { &now, sizeof now };
    isw_store_change change = { .ttl_ms = KEPT_MS + (int64_t)visit->options->circuit_open_ms };
    size_t size = 0;
    isw_status status = isw_store_get(store, key, &was, sizeof was, &size, NULL);

    if (status != ISW_OK && status != ISW_E_NOT_FOUND)
        return status;
    visit->known = status == ISW_OK;
    now = was;
    step(&now, visit, isw_store_now_us(store));
    if (memcmp(&was, &now, sizeof was) == 0)
        return ISW_OK;
    change.was = visit->known ? &is : NULL;
    change.value = is_closed(&now) ? NULL : &shall;
    return isw_store_replace(store, key, &change, NULL);
}

/* False: the store cannot be had. */
static bool change_shared(iswi_circuits *circuits, iswi_visit *visit, step_fn *step)
{
    isw_status status = ISW_E_CONFLICT;

    for (int i = 0; circuits->store && status == ISW_E_CONFLICT && i < TRIES; i++)
        status = try_to_change(circuits->store, visit, step);
    return circuits->store && (status == ISW_OK || status == ISW_E_CONFLICT);
}

/* -- Both -------------------------------------------------------------------------------------- */

bool iswi_circuits_enter(iswi_circuits *circuits, iswi_visit *visit)
{
    if (visit->options->circuit_failures && !change_shared(circuits, visit, iswi_circuit_come)) {
        change_own(circuits, visit, iswi_circuit_come);
        visit->known = true;
    }
    return visit->wait_ms == 0;
}

/* One that went well has nothing to say of a host of which nobody said otherwise. */
void iswi_circuits_leave(iswi_circuits *circuits, iswi_visit *visit)
{
    if (!visit->options->circuit_failures ||
        (visit->verdict != ISWI_WENT_WRONG && !visit->known))
        return;
    if (!change_shared(circuits, visit, iswi_circuit_go))
        change_own(circuits, visit, iswi_circuit_go);
}
