/* SPDX-License-Identifier: Apache-2.0 */
/* Queues as this host knows them. What others change of one is told to all; the server is asked
 * again when it is next needed, and after each time that the connection was lost. */
#include "broker/nats/internal.h"

#include "base/alloc.h"

#include <stdio.h>

enum { EXPIRIES_MAX = 10000 };

/* -- What has arrived, and what expires -------------------------------------------------------- */

size_t iswi_nats_waiting_arrivals(const iswi_nats_arrivals *all)
{
    return all->count - all->first;
}

bool iswi_nats_next_arrived(iswi_nats_arrivals *all, iswi_nats_arrived *out)
{
    if (all->first == all->count)
        return false;
    *out = all->items[all->first++];
    if (all->first == all->count)
        all->first = all->count = 0;
    return true;
}

void iswi_nats_expect_end(iswi_nats_queue *queue, int64_t at_ms, uint64_t number)
{
    if (queue->expiry_count < EXPIRIES_MAX &&
        iswi_grow(&queue->expiries, &queue->expiry_capacity, queue->expiry_count,
                  sizeof *queue->expiries))
        queue->expiries[queue->expiry_count++] = (iswi_nats_expiry){ at_ms, number };
}

/* -- Queues ------------------------------------------------------------------------------------ */

static iswi_nats_queue *find(const iswi_nats *nats, isw_str name)
{
    for (size_t i = 0; i < nats->queue_count; i++)
        if (isw_str_equal(nats->queues[i]->view, name))
            return nats->queues[i];
    return NULL;
}

static void free_queue(iswi_nats *nats, iswi_nats_queue *queue)
{
    iswi_nats_arrived of;

    while (iswi_nats_next_arrived(&queue->ready, &of) || iswi_nats_next_arrived(&queue->late, &of))
        nats->lib.natsMsg_Destroy(of.msg);
    iswi_free(queue->ready.items);
    iswi_free(queue->late.items);
    iswi_free(queue->waiting);
    iswi_free(queue->expiries);
    iswi_free(queue->name);
    iswi_free(queue->token);
    iswi_free(queue);
}

static iswi_nats_queue *add(iswi_nats *nats, isw_str name)
{
    iswi_nats_queue *queue;

    if (!iswi_grow(&nats->queues, &nats->queue_capacity, nats->queue_count,
                   sizeof(iswi_nats_queue *)) ||
        !(queue = iswi_calloc(1, sizeof *queue)))
        return NULL;
    queue->name = iswi_strndup(name.data, name.size);
    queue->token = iswi_strndup(name.data, name.size);
    if (!queue->name || !queue->token) {
        free_queue(nats, queue);
        return NULL;
    }
    for (char *at = queue->token; *at; at++)
        if (*at == '.')
            *at = '=';
    queue->view = isw_str_of(queue->name);
    queue->index = nats->queue_count;
    queue->checks = ISWI_NATS_CHECKS;
    nats->queues[nats->queue_count++] = queue;
    return queue;
}

iswi_nats_queue *iswi_nats_queue_of(iswi_nats *nats, isw_str name)
{
    iswi_nats_queue *queue = find(nats, name);

    return queue ? queue : add(nats, name);
}

iswi_nats_queue *iswi_nats_known(iswi_nats *nats, isw_str name)
{
    iswi_nats_queue *queue = iswi_nats_queue_of(nats, name);

    if (queue && queue->is_known && !queue->is_stale)
        return queue;
    if (queue && iswi_nats_load_queue(nats, queue))
        return queue;
    if (nats->is_lost)
        return NULL;
    if (!queue || nats->fault.status == ISW_E_NOT_FOUND) {
        memset(&nats->fault, 0, sizeof nats->fault);
        isw_error_set(&nats->fault, queue ? ISW_E_NOT_FOUND : ISW_E_NO_MEMORY,
                      "no queue %.*s was declared", (int)name.size, name.data);
    }
    return NULL;
}

iswi_nats_queue *iswi_nats_by_token(const iswi_nats *nats, isw_str token)
{
    for (size_t i = 0; i < nats->queue_count; i++)
        if (isw_str_equal(isw_str_of(nats->queues[i]->token), token))
            return nats->queues[i];
    return NULL;
}

void iswi_nats_queues_free(iswi_nats *nats)
{
    for (size_t i = 0; i < nats->queue_count; i++)
        free_queue(nats, nats->queues[i]);
    iswi_free(nats->queues);
}

/* -- What hosts tell each other: "late NAME" and "changed NAME" -------------------------------- */

void iswi_nats_tell(iswi_nats *nats, const iswi_nats_queue *queue, const char *what)
{
    char subject[ISWI_NATS_PREFIX_BYTES + 8];
    char text[ISWI_QUEUE_NAME_MAX + 16];

    snprintf(subject, sizeof subject, "%s.told", nats->address.prefix);
    snprintf(text, sizeof text, "%s %s", what, queue->token);
    iswi_nats_say(nats, subject, NULL, text);
}
