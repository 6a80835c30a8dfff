/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory lane: two ends in one process. Each end has a thread that delivers what the other
 * sent, so that events come as from a socket: from a thread of the link's, one at a time.
 * Invariant: the shared middle outlives both ends; whoever leaves last frees it.
 */
#include "base/alloc.h"
#include "link/link.h"
#include "link/outbox.h"

#include <pthread.h>
#include <unistd.h>

typedef struct middle middle;

typedef struct memory_lane {
    iswi_link link;
    middle *shared;
    struct memory_lane *other; /* NULL once it was destroyed */
    iswi_outbox inbox;         /* what the other end sent */
    pthread_t thread;
    bool started;
} memory_lane;

struct middle {
    pthread_mutex_t lock; /* guards both ends */
    pthread_cond_t changed;
    bool closed;
    unsigned ends;
};

static void *deliver(void *user)
{
    memory_lane *lane = user;
    middle *shared = lane->shared;

    pthread_mutex_lock(&shared->lock);
    for (;;) {
        iswi_outbox_batch *batch = iswi_outbox_take(&lane->inbox);
        iswi_message message;

        if (!batch && shared->closed)
            break;
        if (!batch) {
            pthread_cond_wait(&shared->changed, &shared->lock);
            continue;
        }
        pthread_mutex_unlock(&shared->lock);
        message = iswi_message_view(batch->bytes.data, batch->bytes.size);
        lane->link.events.on_message(lane->link.events.user, &message);
        pthread_mutex_lock(&shared->lock);
        iswi_outbox_give_back(&lane->inbox, batch);
    }
    pthread_mutex_unlock(&shared->lock);
    lane->link.events.on_closed(lane->link.events.user);
    return NULL;
}

static isw_status lane_send(iswi_link *link, const isw_bytes *pieces, unsigned count)
{
    memory_lane *lane = (memory_lane *)link;
    isw_status status = ISW_E_CLOSED;

    pthread_mutex_lock(&lane->shared->lock);
    if (!lane->shared->closed)
        status = iswi_outbox_add(&lane->other->inbox, pieces, count);
    pthread_cond_broadcast(&lane->shared->changed);
    pthread_mutex_unlock(&lane->shared->lock);
    return status;
}

static size_t lane_backlog(iswi_link *link)
{
    memory_lane *lane = (memory_lane *)link;
    size_t bytes;

    pthread_mutex_lock(&lane->shared->lock);
    bytes = lane->other ? lane->other->inbox.bytes : 0;
    pthread_mutex_unlock(&lane->shared->lock);
    return bytes;
}

static iswi_peer lane_peer(iswi_link *link)
{
    (void)link;
    return (iswi_peer){ geteuid(), getpid() };
}

static void lane_close(iswi_link *link)
{
    memory_lane *lane = (memory_lane *)link;

    pthread_mutex_lock(&lane->shared->lock);
    lane->shared->closed = true;
    pthread_cond_broadcast(&lane->shared->changed);
    pthread_mutex_unlock(&lane->shared->lock);
}

static void leave_middle(memory_lane *lane)
{
    middle *shared = lane->shared;
    unsigned left;

    pthread_mutex_lock(&shared->lock);
    if (lane->other)
        lane->other->other = NULL;
    left = --shared->ends;
    pthread_mutex_unlock(&shared->lock);
    if (left)
        return;
    pthread_cond_destroy(&shared->changed);
    pthread_mutex_destroy(&shared->lock);
    iswi_free(shared);
}

static void lane_destroy(iswi_link *link)
{
    memory_lane *lane = (memory_lane *)link;

    lane_close(link);
    if (lane->started)
        pthread_join(lane->thread, NULL);
    leave_middle(lane);
    iswi_outbox_fini(&lane->inbox);
    iswi_free(lane);
}

static const iswi_link_ops ops = {
    .name = "memory",
    .send = lane_send,
    .backlog = lane_backlog,
    .peer = lane_peer,
    .close = lane_close,
    .destroy = lane_destroy,
};

static bool connect_ends(memory_lane *a, memory_lane *b, middle *shared)
{
    pthread_mutex_init(&shared->lock, NULL);
    pthread_cond_init(&shared->changed, NULL);
    shared->ends = 2;
    a->shared = b->shared = shared;
    a->other = b;
    b->other = a;
    a->started = pthread_create(&a->thread, NULL, deliver, a) == 0;
    b->started = pthread_create(&b->thread, NULL, deliver, b) == 0;
    if (a->started && b->started)
        return true;
    lane_destroy(&a->link);
    lane_destroy(&b->link);
    return false;
}

isw_status iswi_memory_lane_pair(const iswi_link_events *a_events, iswi_link **a,
                                 const iswi_link_events *b_events, iswi_link **b, isw_error *error)
{
    memory_lane *one = iswi_calloc(1, sizeof *one);
    memory_lane *two = iswi_calloc(1, sizeof *two);
    middle *shared = iswi_calloc(1, sizeof *shared);

    if (!one || !two || !shared) {
        iswi_free(one);
        iswi_free(two);
        iswi_free(shared);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a link");
    }
    one->link = (iswi_link){ &ops, *a_events };
    two->link = (iswi_link){ &ops, *b_events };
    *a = &one->link; /* set before the first event */
    *b = &two->link;
    if (!connect_ends(one, two, shared)) {
        *a = *b = NULL;
        return isw_error_set(error, ISW_E_NO_MEMORY, "no thread for a link");
    }
    return ISW_OK;
}
