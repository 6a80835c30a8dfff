/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_UNIX_SOCKET_H
#define ISWI_HOST_SYSTEM_UNIX_SOCKET_H

/*
 * A listening socket at a path. What a dead owner has left there is replaced; a living one is
 * refused, and named. A file beside it whose name ends with .lock is locked, and holds the pid, as
 * long as the owner lives: of two that start at once, one gets the place. Any thread.
 */
#include <isoworker/status.h>
#include <stdbool.h>
#include <sys/types.h>

enum { ISWI_UNIX_PATH_BYTES = 108 }; /* as a socket address has room for, with its NUL */

typedef struct iswi_unix_socket {
    int listener; /* non-blocking; -1: none */
    int lock;
    mode_t lent;  /* it is another host's until iswi_unix_own: the permissions that it gets then;
                     0: it is ours */
    char path[ISWI_UNIX_PATH_BYTES], lock_path[ISWI_UNIX_PATH_BYTES + 8];
} iswi_unix_socket;

/* Listen at `path` with those permissions, which count from before the first connection. Errors:
 * ISW_E_CONFLICT with the process that lives there, ISW_E_IO for what cannot be, such as a path
 * that is too long or has something that is no socket. On failure there is nothing to close. */
isw_status iswi_unix_listen(const char *path, mode_t mode, iswi_unix_socket *out,
                            isw_error *error);

/* Remove what a dead owner has left there, with its lock; a living one's stays, as does what is no
 * socket. True: it was there. */
bool iswi_unix_sweep(const char *path);

/* Close it and remove what lies there, unless it is lent. One without a listener is passed over. */
void iswi_unix_unlisten(iswi_unix_socket *socket);

/* Listen with what another process listens with at that path, which is lent with the permissions
 * `lent`, or given (0); it owns both descriptors, of which `lock` may be -1. */
void iswi_unix_adopt(const char *path, int listener, int lock, mode_t lent, iswi_unix_socket *out);

/* It was lent, and is ours now. */
void iswi_unix_own(iswi_unix_socket *socket);

/* Close it, and leave what lies there to the one who has adopted it. */
void iswi_unix_leave(iswi_unix_socket *socket);

#endif
