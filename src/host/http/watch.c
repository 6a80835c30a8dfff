/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines of connections. Invariant: a peer in a list has an open descriptor, because it leaves
 * the list, under the lock, before libmicrohttpd closes that; so a shutdown under the lock never
 * hits a descriptor that was used anew. */
#include "host/http/watch.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <assert.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

bool iswi_http_watch_init(iswi_http_watch *watch, const int64_t timeout_ms[ISWI_HTTP_PHASES])
{
    static const iswi_http_watch empty;

    *watch = empty;
    watch->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watch->wake_fd < 0)
        return false;
    pthread_mutex_init(&watch->lock, NULL);
    watch->waking_ns = INT64_MAX;
    for (int i = 0; i < ISWI_HTTP_PHASES; i++)
        watch->phases[i].timeout_ns = timeout_ms[i] * 1000000;
    return true;
}

void iswi_http_watch_fini(iswi_http_watch *watch)
{
    assert(watch->peers == 0);
    close(watch->wake_fd);
    pthread_mutex_destroy(&watch->lock);
}

void iswi_http_watch_wake(iswi_http_watch *watch)
{
    uint64_t one = 1;

    /* Fails only when the counter is full, and then a wake-up is under way. */
    (void)!write(watch->wake_fd, &one, sizeof one);
}

static void unlink_locked(iswi_http_watch *watch, iswi_http_peer *peer)
{
    if (peer->phase == ISWI_HTTP_FREE)
        return;
    if (peer->older)
        peer->older->newer = peer->newer;
    else
        watch->phases[peer->phase].oldest = peer->newer;
    if (peer->newer)
        peer->newer->older = peer->older;
    else
        watch->phases[peer->phase].newest = peer->older;
    peer->phase = ISWI_HTTP_FREE;
}

/* Whether the sleeper must be roused for the new deadline. */
static bool link_locked(iswi_http_watch *watch, iswi_http_peer *peer, iswi_http_phase phase)
{
    peer->phase = phase;
    if (phase == ISWI_HTTP_FREE)
        return false;
    peer->deadline_ns = iswi_now_ns() + watch->phases[phase].timeout_ns;
    peer->newer = NULL;
    peer->older = watch->phases[phase].newest;
    if (peer->older)
        peer->older->newer = peer;
    else
        watch->phases[phase].oldest = peer;
    watch->phases[phase].newest = peer;
    if (peer->deadline_ns >= watch->waking_ns)
        return false;
    watch->waking_ns = peer->deadline_ns;
    return true;
}

void iswi_http_watch_set(iswi_http_watch *watch, iswi_http_peer *peer, iswi_http_phase phase)
{
    bool rouse;

    pthread_mutex_lock(&watch->lock);
    unlink_locked(watch, peer);
    rouse = link_locked(watch, peer, phase);
    pthread_mutex_unlock(&watch->lock);
    if (rouse)
        iswi_http_watch_wake(watch);
}

iswi_http_peer *iswi_http_watch_add(iswi_http_watch *watch, int fd)
{
    iswi_http_peer *peer = iswi_calloc(1, sizeof *peer);

    if (!peer)
        return NULL;
    peer->fd = fd;
    peer->phase = ISWI_HTTP_FREE;
    pthread_mutex_lock(&watch->lock);
    watch->peers++;
    pthread_mutex_unlock(&watch->lock);
    iswi_http_watch_set(watch, peer, ISWI_HTTP_HEAD);
    return peer;
}

void iswi_http_watch_remove(iswi_http_watch *watch, iswi_http_peer *peer)
{
    pthread_mutex_lock(&watch->lock);
    unlink_locked(watch, peer);
    watch->peers--;
    pthread_mutex_unlock(&watch->lock);
    iswi_free(peer);
}

size_t iswi_http_watch_count(iswi_http_watch *watch)
{
    size_t count;

    pthread_mutex_lock(&watch->lock);
    count = watch->peers;
    pthread_mutex_unlock(&watch->lock);
    return count;
}

int iswi_http_watch_expire(iswi_http_watch *watch)
{
    int64_t now = iswi_now_ns();
    int64_t nearest = INT64_MAX;

    pthread_mutex_lock(&watch->lock);
    for (int i = 0; i < ISWI_HTTP_PHASES; i++) {
        iswi_http_peer *peer;

        while ((peer = watch->phases[i].oldest) != NULL && peer->deadline_ns <= now) {
            unlink_locked(watch, peer);
            shutdown(peer->fd, SHUT_RDWR);
        }
        if (peer && peer->deadline_ns < nearest)
            nearest = peer->deadline_ns;
    }
    watch->waking_ns = nearest;
    pthread_mutex_unlock(&watch->lock);
    if (nearest == INT64_MAX)
        return -1;
    nearest = (nearest - now) / 1000000 + 1;
    return nearest > INT32_MAX ? INT32_MAX : (int)nearest;
}
