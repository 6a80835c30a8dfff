/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors in a bag. Invariant: each is closed once, by the bag or by who took it. */
#include "host/system/legacy.h"

#include "base/alloc.h"
#include "host/system/unix_socket.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void close_both(int fd, int lock)
{
    if (fd >= 0)
        close(fd);
    if (lock >= 0)
        close(lock);
}

/* -- Putting in -------------------------------------------------------------------------------- */

bool iswi_legacy_own(iswi_legacy *legacy, iswi_legacy_kind kind, const char *whose,
                     const char *asked, int fd, int lock)
{
    iswi_legacy_item item = { .kind = kind,
                              .whose = iswi_strdup(whose),
                              .asked = asked ? iswi_strdup(asked) : NULL,
                              .fd = fd,
                              .lock = lock };

    if (fd >= 0 && item.whose && (item.asked || !asked) &&
        iswi_grow(&legacy->items, &legacy->capacity, legacy->count, sizeof item)) {
        legacy->items[legacy->count++] = item;
        return true;
    }
    iswi_free(item.whose);
    iswi_free(item.asked);
    close_both(fd, lock);
    return false;
}

bool iswi_legacy_add(iswi_legacy *legacy, iswi_legacy_kind kind, const char *whose,
                     const char *asked, int fd, int lock)
{
    int other = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    int other_lock = lock >= 0 ? fcntl(lock, F_DUPFD_CLOEXEC, 0) : -1;

    if (other >= 0 && (lock < 0) == (other_lock < 0))
        return iswi_legacy_own(legacy, kind, whose, asked, other, other_lock);
    close_both(other, other_lock);
    return false;
}

/* -- Taking out -------------------------------------------------------------------------------- */

static bool where(const iswi_legacy_item *item, iswi_bound *out)
{
    static const iswi_bound nowhere;
    socklen_t size = sizeof *out;

    *out = nowhere;
    return item->fd >= 0 && item->kind != ISWI_LEGACY_STORE &&
           getsockname(item->fd, &out->any, &size) == 0;
}

static bool same_ip(const iswi_bound *a, const iswi_bound *b, bool any_port)
{
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr &&
               (any_port || a->v4.sin_port == b->v4.sin_port);
    return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0 &&
           (any_port || a->v6.sin6_port == b->v6.sin6_port);
}

static bool same(const iswi_bound *a, const iswi_bound *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_UNIX)
        return strncmp(a->local.sun_path, b->local.sun_path, sizeof a->local.sun_path) == 0;
    return same_ip(a, b, false);
}

/* Whether it was opened for any free port, which the text says that it was asked for. */
static bool had_any_port(const iswi_legacy_item *item)
{
    const char *colon = item->asked ? strrchr(item->asked, ':') : NULL;

    return colon && strcmp(colon, ":0") == 0;
}

static bool wants_any_port(const iswi_bound *at)
{
    return (at->any.sa_family == AF_INET && !at->v4.sin_port) ||
           (at->any.sa_family == AF_INET6 && !at->v6.sin6_port);
}

iswi_legacy_item *iswi_legacy_bound(const iswi_legacy *legacy, const char *setting,
                                    const iswi_bound *at)
{
    const bool any_port = wants_any_port(at);

    for (size_t i = 0; legacy && i < legacy->count; i++) {
        iswi_legacy_item *item = &legacy->items[i];
        iswi_bound bound;

        if (item->kind != ISWI_LEGACY_LISTENER || !where(item, &bound) ||
            bound.any.sa_family != at->any.sa_family)
            continue;
        if (any_port ? had_any_port(item) && strcmp(item->whose, setting) == 0 &&
                           same_ip(&bound, at, true)
                     : same(&bound, at))
            return item;
    }
    return NULL;
}

iswi_legacy_item *iswi_legacy_find(const iswi_legacy *legacy, iswi_legacy_kind kind,
                                   const char *whose, const char *asked)
{
    for (size_t i = 0; legacy && i < legacy->count; i++) {
        iswi_legacy_item *item = &legacy->items[i];

        if (item->fd >= 0 && item->kind == kind && (!whose || strcmp(item->whose, whose) == 0) &&
            (!asked || (item->asked && strcmp(item->asked, asked) == 0)))
            return item;
    }
    return NULL;
}

int iswi_legacy_take(iswi_legacy_item *item, int *lock)
{
    int fd = item->fd;

    if (lock)
        *lock = item->lock;
    else
        close_both(-1, item->lock);
    item->fd = item->lock = -1;
    return fd;
}

/* -- The rest ---------------------------------------------------------------------------------- */

void iswi_legacy_clear(iswi_legacy *legacy)
{
    for (size_t i = 0; i < legacy->count; i++) {
        iswi_legacy_item *item = &legacy->items[i];
        iswi_unix_socket socket;
        iswi_bound bound;

        if (item->lock >= 0 && where(item, &bound) && bound.any.sa_family == AF_UNIX) {
            iswi_unix_adopt(bound.local.sun_path, item->fd, item->lock, 0, &socket);
            iswi_unix_unlisten(&socket);
        } else {
            close_both(item->fd, item->lock);
        }
        item->fd = item->lock = -1;
    }
}

void iswi_legacy_fini(iswi_legacy *legacy)
{
    for (size_t i = 0; i < legacy->count; i++) {
        close_both(legacy->items[i].fd, legacy->items[i].lock);
        iswi_free(legacy->items[i].whose);
        iswi_free(legacy->items[i].asked);
    }
    iswi_free(legacy->items);
    *legacy = (iswi_legacy){ NULL, 0, 0 };
}
