/* SPDX-License-Identifier: Apache-2.0 */
/* Calls whose answers nobody waits for, by the name of their invocation. Any thread. */
#include "host/engine/engine.h"

/* Of a function that does not stop its process is killed when its time is over, as ever. */
static void tell(iswi_process *process, iswi_place *place)
{
    const int64_t grace_ms = process->host->settings->host.cancel_grace_ms;
    iswi_frame frame = { .kind = ISWI_CANCEL, .id = place->id };

    frame.as.cancel.reason = ISWI_CANCEL_CALLER_LEFT;
    frame.as.cancel.grace_ms = (uint64_t)grace_ms;
    iswi_process_send(process, &frame);
    if (place->call->to_its_end || place->expired)
        return;
    place->expired = true;
    if (place->until_ns)
        place->until_ns += grace_ms * 1000000;
}

/* One that is to be answered; NULL: none is left of those from place *at on. */
static iswi_call *take_next(iswi_process *process, const char *invocation_id, unsigned *at,
                            size_t *count)
{
    iswi_call *call = NULL;

    pthread_mutex_lock(&process->lock);
    for (; *at < process->place_count && !call; ++*at) {
        iswi_place *place = &process->places[*at];

        if (!place->id || !place->call || strcmp(place->call->invocation_id, invocation_id) != 0)
            continue;
        tell(process, place);
        ++*count;
        if (place->call->to_its_end)
            continue;
        iswi_process_count(process, false);
        call = iswi_place_take_call(place);
    }
    pthread_mutex_unlock(&process->lock);
    return call;
}

static size_t give_up_at(iswi_process *process, const char *invocation_id)
{
    size_t count = 0;
    unsigned at = 0;
    iswi_call *call;

    while ((call = take_next(process, invocation_id, &at, &count)) != NULL)
        iswi_call_fail(process->host, call, ISW_E_CANCELLED, "its caller has given it up");
    return count;
}

size_t iswi_calls_give_up(iswi_host *host, const char *invocation_id)
{
    size_t count = 0;

    for (size_t i = 0; i < host->pool_count; i++) {
        iswi_pool *pool = &host->pools[i];
        uint64_t id;

        while ((id = iswi_queue_find(pool, invocation_id)) != 0)
            count += iswi_queue_leave(pool, id);
        for (unsigned j = 0; j < pool->count; j++)
            count += give_up_at(&pool->processes[j], invocation_id);
    }
    return count;
}
