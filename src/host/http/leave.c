/* SPDX-License-Identifier: Apache-2.0 */
/* Who left. Invariant: an entry of `resting` is a request that is alive: it is taken out under the
 * lock before the request can be freed or its descriptor closed. An event may be older than that,
 * so the descriptor is asked again. */
#include "host/http/leave.h"

#include "base/alloc.h"

#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

bool iswi_http_leave_init(iswi_http_leave *leave,
                          void (*left)(void *user, struct iswi_http_request *request), void *user)
{
    memset(leave, 0, sizeof *leave);
    leave->left = left;
    leave->user = user;
    leave->epoll = epoll_create1(EPOLL_CLOEXEC);
    pthread_mutex_init(&leave->lock, NULL);
    return leave->epoll >= 0;
}

void iswi_http_leave_fini(iswi_http_leave *leave)
{
    if (leave->epoll >= 0)
        close(leave->epoll);
    iswi_free(leave->resting);
    pthread_mutex_destroy(&leave->lock);
}

/* Room for `fd`. With the lock. */
static bool reach(iswi_http_leave *leave, size_t fd)
{
    size_t count = leave->count ? leave->count : 64;
    struct iswi_http_request **grown;

    if (fd < leave->count)
        return true;
    while (count <= fd)
        count *= 2;
    grown = iswi_realloc(leave->resting, count * sizeof *grown);
    if (!grown)
        return false;
    memset(grown + leave->count, 0, (count - leave->count) * sizeof *grown);
    leave->resting = grown;
    leave->count = count;
    return true;
}

void iswi_http_leave_watch(iswi_http_leave *leave, int fd, struct iswi_http_request *request)
{
    struct epoll_event event = { .events = EPOLLRDHUP, .data.fd = fd };

    if (!leave->left)
        return;
    pthread_mutex_lock(&leave->lock);
    if (reach(leave, (size_t)fd)) {
        if (!leave->resting[fd])
            epoll_ctl(leave->epoll, EPOLL_CTL_ADD, fd, &event);
        leave->resting[fd] = request;
    }
    pthread_mutex_unlock(&leave->lock);
}

/* With the lock. */
static void forget(iswi_http_leave *leave, int fd)
{
    epoll_ctl(leave->epoll, EPOLL_CTL_DEL, fd, NULL);
    leave->resting[fd] = NULL;
}

void iswi_http_leave_stop(iswi_http_leave *leave, int fd)
{
    if (!leave->left)
        return;
    pthread_mutex_lock(&leave->lock);
    if ((size_t)fd < leave->count && leave->resting[fd])
        forget(leave, fd);
    pthread_mutex_unlock(&leave->lock);
}

static bool is_gone(int fd)
{
    struct pollfd one = { .fd = fd, .events = POLLRDHUP };

    return poll(&one, 1, 0) > 0 && one.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

void iswi_http_leave_look(iswi_http_leave *leave)
{
    struct epoll_event events[16];
    int count = epoll_wait(leave->epoll, events, 16, 0);

    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd;
        struct iswi_http_request *request;

        pthread_mutex_lock(&leave->lock);
        request = leave->resting[fd];
        if (request && is_gone(fd)) {
            forget(leave, fd);
            leave->left(leave->user, request);
        }
        pthread_mutex_unlock(&leave->lock);
    }
}
