/* SPDX-License-Identifier: Apache-2.0 */
/* The gates of a host: one for each worker that is remote. Invariant: what may fail is done when
 * another host.yaml is prepared, so that to take it cannot; and while another host has the place of
 * this one, its gates stay shut, though they listen already. */
#include "host/remote/remote.h"

#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/engine/observer.h"
#include "host/remote/gate.h"

#include <pthread.h>
#include <string.h>

#define MS INT64_C(1000000)

enum { GATES_MAX = 256 };

typedef struct gates {
    iswi_host *host;
    iswi_legacy *legacy; /* of the host before, while this one is made; NULL: there is none */
    bool waits;          /* until it has that one's place */
    pthread_mutex_t lock; /* guards these two for who reads them beside the supervisor's thread: */
    iswi_gate *items[GATES_MAX];
    size_t count;
    const iswi_host_settings *next; /* that is prepared; NULL: none is */
    int64_t look_ns;                /* when the certificates are looked at again */
    unsigned reloads;               /* that were asked for, as it was seen last */
} gates;

static const iswi_worker_settings *find_settings(const iswi_host_settings *settings,
                                                 const char *name)
{
    const iswi_worker_settings *workers = settings->workers.items;

    for (size_t i = 0; i < settings->workers.count; i++)
        if (iswi_worker_is_remote(&workers[i]) && strcmp(workers[i].name, name) == 0)
            return &workers[i];
    return NULL;
}

static bool has_gate(const gates *all, const char *worker)
{
    for (size_t i = 0; i < all->count; i++)
        if (!all->items[i]->shut && strcmp(all->items[i]->worker, worker) == 0)
            return true;
    return false;
}

static isw_status add(gates *all, const iswi_worker_settings *worker, isw_error *error)
{
    iswi_gate *gate;

    if (!iswi_worker_is_remote(worker) || has_gate(all, worker->name))
        return ISW_OK;
    if (all->count == GATES_MAX)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "a host has at most %d remote workers",
                             GATES_MAX);
    if (iswi_gate_create(all->host, worker, all->legacy, &gate, error) != ISW_OK)
        return error->status;
    pthread_mutex_lock(&all->lock);
    all->items[all->count++] = gate;
    pthread_mutex_unlock(&all->lock);
    return ISW_OK;
}

static isw_status add_all(gates *all, const iswi_host_settings *settings, isw_error *error)
{
    const iswi_worker_settings *workers = settings->workers.items;
    isw_status status = ISW_OK;

    for (size_t i = 0; status == ISW_OK && i < settings->workers.count; i++)
        status = add(all, &workers[i], error);
    return status;
}

static void remove_at(gates *all, size_t at)
{
    iswi_gate *gate = all->items[at];

    pthread_mutex_lock(&all->lock);
    all->items[at] = all->items[--all->count];
    pthread_mutex_unlock(&all->lock);
    iswi_gate_destroy(gate);
}

/* Those that are new are open from now on, or go again. */
static void settle(gates *all, bool take)
{
    for (size_t i = all->count; i-- > 0;) {
        if (all->items[i]->prepared && take && !all->waits)
            iswi_gate_open(all->items[i]);
        else if (all->items[i]->prepared && take)
            all->items[i]->prepared = false;
        else if (all->items[i]->prepared)
            remove_at(all, i);
    }
}

static void shut(gates *all, iswi_gate *gate)
{
    pthread_mutex_lock(&all->lock);
    iswi_gate_shut(gate);
    pthread_mutex_unlock(&all->lock);
}

/* -- As an observer ---------------------------------------------------------------------------- */

static isw_status prepares(void *user, const iswi_host_settings *settings, isw_error *error)
{
    gates *all = user;

    all->next = settings;
    if (add_all(all, settings, error) == ISW_OK)
        return ISW_OK;
    settle(all, false);
    return error->status;
}

static void renews(void *user, bool take)
{
    gates *all = user;

    settle(all, take);
    for (size_t i = all->count; take && all->next && i-- > 0;)
        if (!all->items[i]->shut && !find_settings(all->next, all->items[i]->worker))
            shut(all, all->items[i]);
    all->next = NULL;
}

static void turns(void *user, int64_t now_ns, int64_t *next_ns)
{
    gates *all = user;
    bool asked = iswi_host_reloads(all->host) != all->reloads;

    for (size_t i = all->count; i-- > 0;)
        if (all->items[i]->shut && !atomic_load(&all->items[i]->count))
            remove_at(all, i);
    if (!all->count)
        return;
    if (asked || now_ns >= all->look_ns) {
        for (size_t i = 0; i < all->count; i++)
            if (all->items[i]->tls)
                iswi_tls_look(all->items[i]->tls, asked);
        all->look_ns = now_ns + ISWI_TLS_LOOK_MS * MS;
        all->reloads = iswi_host_reloads(all->host);
    }
    if (all->look_ns < *next_ns)
        *next_ns = all->look_ns;
}

static void opens(void *user)
{
    gates *all = user;

    all->waits = false;
    for (size_t i = 0; i < all->count; i++)
        if (!all->items[i]->shut && !all->items[i]->open)
            iswi_gate_open(all->items[i]);
}

static bool gives(void *user, iswi_legacy *legacy)
{
    gates *all = user;
    bool fine = true;

    pthread_mutex_lock(&all->lock);
    for (size_t i = 0; fine && i < all->count; i++)
        if (!all->items[i]->shut)
            fine = iswi_listen_give(&all->items[i]->listeners, all->items[i]->setting, legacy);
    pthread_mutex_unlock(&all->lock);
    return fine;
}

/* Who is here finishes. */
static void leaves(void *user)
{
    gates *all = user;

    for (size_t i = 0; i < all->count; i++)
        if (!all->items[i]->shut)
            shut(all, all->items[i]);
}

static void stop(void *user)
{
    gates *all = user;

    while (all->count)
        remove_at(all, all->count - 1);
}

static void destroy(void *user)
{
    gates *all = user;

    pthread_mutex_destroy(&all->lock);
    iswi_free(all);
}

static const iswi_observer observer = {
    .turns = turns,
    .prepares = prepares,
    .renews = renews,
    .opens = opens,
    .gives = gives,
    .leaves = leaves,
    .stop = stop,
    .destroy = destroy,
};

isw_status iswi_remote_attach(iswi_host *host, iswi_legacy *legacy, isw_error *error)
{
    gates *all = iswi_calloc(1, sizeof *all);

    if (!all)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for gates");
    all->host = host;
    all->legacy = legacy;
    all->waits = legacy != NULL;
    pthread_mutex_init(&all->lock, NULL);
    if (add_all(all, iswi_host_settings_of(host), error) != ISW_OK ||
        iswi_host_observe(host, &observer, all, error) != ISW_OK) {
        stop(all);
        destroy(all);
        return error->status;
    }
    settle(all, true);
    all->legacy = NULL;
    return ISW_OK;
}
