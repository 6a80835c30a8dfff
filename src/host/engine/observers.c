/* SPDX-License-Identifier: Apache-2.0 */
/* One loop over the observers for each thing that they are told. */
#include "host/engine/observers.h"

#include "host/engine/engine.h"

/* Call `hook` of all that have it; `one` is whose it is. */
#define TELL(all, hook, ...)                                                                      \
    for (const iswi_observing *one = (all)->items; one < (all)->items + (all)->count; one++)      \
        if (one->observer->hook)                                                                  \
    one->observer->hook(__VA_ARGS__)

isw_status iswi_host_observe(iswi_host *host, const iswi_observer *observer, void *user,
                             isw_error *error)
{
    iswi_observers *all = &host->observers;

    if (all->count == ISWI_OBSERVERS_MAX)
        return isw_error_set(error, ISW_E_NO_MEMORY, "a host has %d observers at most",
                             ISWI_OBSERVERS_MAX);
    all->items[all->count++] = (iswi_observing){ observer, user };
    all->look_at_answers = all->look_at_answers || observer->answered;
    all->look_at_calls = all->look_at_calls || observer->begins;
    all->look_at_outputs = all->look_at_outputs || observer->looks_at_outputs;
    return ISW_OK;
}

isw_status iswi_observe_spawns(iswi_process *process, iswi_spawn_options *options,
                               isw_error *error)
{
    const iswi_observers *all = &process->host->observers;
    isw_status status = ISW_OK;

    for (size_t i = 0; i < all->count && status == ISW_OK; i++)
        if (all->items[i].observer->spawns)
            status = all->items[i].observer->spawns(all->items[i].user, process, options, error);
    return status;
}

void iswi_observe_ended(iswi_process *process)
{
    const iswi_observers *all = &process->host->observers;

    TELL(all, ended, one->user, process);
}

void iswi_observe_blame(iswi_process *process, char invocation_id[33])
{
    const iswi_observers *all = &process->host->observers;

    TELL(all, blames, one->user, process, invocation_id);
}

void iswi_observe_buried(iswi_process *process)
{
    const iswi_observers *all = &process->host->observers;

    TELL(all, buried, one->user, process);
}

void iswi_observe_started(iswi_process *process)
{
    const iswi_observers *all = &process->host->observers;

    TELL(all, started, one->user, process, process->os.pid);
}

void iswi_observe_ready(iswi_process *process)
{
    const iswi_observers *all = &process->host->observers;

    TELL(all, ready, one->user, process, process->os.pid);
}

void iswi_observe_over(iswi_process *process, bool given_up)
{
    const iswi_observers *all = &process->host->observers;
    const char *why = process->fault.status == ISW_OK ? "it ended as it was asked to"
                                                      : process->fault.message;

    TELL(all, over, one->user, process, process->os.pid, why, given_up);
}

void iswi_observe_turn(iswi_host *host, int64_t now_ns, int64_t *next_ns)
{
    const iswi_observers *all = &host->observers;

    TELL(all, turns, one->user, now_ns, next_ns);
}

/* Of the first `count`. */
static void renew(const iswi_observers *all, size_t count, bool take)
{
    for (size_t i = 0; i < count; i++)
        if (all->items[i].observer->renews)
            all->items[i].observer->renews(all->items[i].user, take);
}

void iswi_observers_renew(const iswi_observers *all, bool take)
{
    renew(all, all->count, take);
}

isw_status iswi_observers_prepare(const iswi_observers *all, const iswi_host_settings *settings,
                                  isw_error *error)
{
    isw_status status = ISW_OK;

    for (size_t i = 0; i < all->count && status == ISW_OK; i++) {
        if (all->items[i].observer->prepares)
            status = all->items[i].observer->prepares(all->items[i].user, settings, error);
        if (status != ISW_OK)
            renew(all, i, false);
    }
    return status;
}

void iswi_observe_opens(iswi_host *host)
{
    const iswi_observers *all = &host->observers;

    TELL(all, opens, one->user);
}

bool iswi_observe_gives(iswi_host *host, iswi_legacy *legacy)
{
    const iswi_observers *all = &host->observers;
    bool fine = true;

    for (size_t i = 0; fine && i < all->count; i++)
        if (all->items[i].observer->gives)
            fine = all->items[i].observer->gives(all->items[i].user, legacy);
    return fine;
}

void iswi_observe_leaves(iswi_host *host)
{
    const iswi_observers *all = &host->observers;

    TELL(all, leaves, one->user);
}

void iswi_observe_silent(iswi_process *process)
{
    const iswi_observers *all = &process->host->observers;

    TELL(all, silent, one->user, process);
}

void iswi_observe_settled(iswi_host *host)
{
    const iswi_observers *all = &host->observers;

    TELL(all, settled, one->user);
}

void iswi_observe_begins(const iswi_observers *all, iswi_call *call)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].observer->begins)
            all->items[i].observer->begins(all->items[i].user, call);
}

void iswi_observe_answered(const iswi_observers *all, const iswi_call *call,
                           const iswi_answer *answer)
{
    for (size_t i = 0; i < all->count && all->look_at_answers; i++)
        if (all->items[i].observer->answered)
            all->items[i].observer->answered(all->items[i].user, call, answer);
}

unsigned iswi_observe_greeted(iswi_process *process, const isw_pairs *capabilities)
{
    const iswi_observers *all = &process->host->observers;
    unsigned bits = 0;

    for (size_t i = 0; i < all->count; i++) {
        const iswi_observer *one = all->items[i].observer;
        bool named = one->capability && isw_pairs_find(capabilities, one->capability) != NULL;

        bits |= (unsigned)named << i;
        if (one->greeted)
            one->greeted(all->items[i].user, process, named);
    }
    return bits;
}

size_t iswi_observers_capabilities(const iswi_observers *all, unsigned named, isw_pair *out)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++)
        if (named & 1u << i)
            out[count++] = (isw_pair){ isw_str_of(all->items[i].observer->capability),
                                       isw_str_of("1") };
    return count;
}

const iswi_observing *iswi_observers_of(const iswi_observers *all, uint64_t kind)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].observer->frame && all->items[i].observer->kind == kind)
            return &all->items[i];
    return NULL;
}

void iswi_observers_stop(const iswi_observers *all)
{
    for (size_t i = all->count; i-- > 0;)
        if (all->items[i].observer->stop)
            all->items[i].observer->stop(all->items[i].user);
}

void iswi_observers_destroy(iswi_observers *all)
{
    while (all->count) {
        const iswi_observing *last = &all->items[--all->count];

        if (last->observer->destroy)
            last->observer->destroy(last->user);
    }
}
