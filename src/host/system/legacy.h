/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_LEGACY_H
#define ISWI_HOST_SYSTEM_LEGACY_H

/*
 * What a host leaves to the one that takes its place: descriptors, each with what it is. The same
 * sockets listen in both for a while, so that no client is turned away in between. One thread at a
 * time.
 */
#include <isoworker/status.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef enum iswi_legacy_kind {
    ISWI_LEGACY_LISTENER, /* a socket that HTTP, or remote workers, come to */
    ISWI_LEGACY_CONTROL,  /* the one that operators ask at */
    ISWI_LEGACY_STORE,    /* memory that the processes of a worker share */
    ISWI_LEGACY_CONNECTION, /* a client's, on which nothing is under way */
    ISWI_LEGACY_KINDS
} iswi_legacy_kind;

typedef struct iswi_legacy_item {
    iswi_legacy_kind kind;
    char *whose; /* the setting that a listener or a connection is of, "http.listen"; a store's
                    worker */
    char *asked; /* the address that a listener was opened for: "127.0.0.1:0", "systemd" */
    int fd;      /* -1: it was taken */
    int lock;    /* beside a socket at a path of the host's own (unix_socket.h); -1: there is none */
} iswi_legacy_item;

typedef struct iswi_legacy {
    iswi_legacy_item *items;
    size_t count, capacity;
} iswi_legacy; /* a zeroed one is empty */

/* Where a socket is bound. */
typedef union iswi_bound {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
} iswi_bound;

/* Add one with duplicates of its descriptors, closed on exec; `asked` may be NULL, and `lock` -1.
 * False: no memory, or no descriptor. */
bool iswi_legacy_add(iswi_legacy *legacy, iswi_legacy_kind kind, const char *whose,
                     const char *asked, int fd, int lock);

/* The same with the descriptors themselves, which are closed if it fails. */
bool iswi_legacy_own(iswi_legacy *legacy, iswi_legacy_kind kind, const char *whose,
                     const char *asked, int fd, int lock);

/* Those of a listener bound there; else (with port 0) of one that `setting` opened for the same
 * address and any free port. NULL: there is none that nobody took. `legacy` may be NULL. */
iswi_legacy_item *iswi_legacy_bound(const iswi_legacy *legacy, const char *setting,
                                    const iswi_bound *at);

/* The first that nobody took of that kind, `whose` and `asked`; NULL for either: any. */
iswi_legacy_item *iswi_legacy_find(const iswi_legacy *legacy, iswi_legacy_kind kind,
                                   const char *whose, const char *asked);

/* Take its descriptor, and its lock; NULL for that: it is closed. */
int iswi_legacy_take(iswi_legacy_item *item, int *lock);

/* Close what nobody took, and remove what lies at its paths: the host before has left it to us. */
void iswi_legacy_clear(iswi_legacy *legacy);

/* Close what nobody took, and free. */
void iswi_legacy_fini(iswi_legacy *legacy);

#endif
