/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_CONTROL_PATH_H
#define ISWI_HOST_OPERATE_CONTROL_PATH_H

/*
 * Where the control socket of a folder lies: BASE/isoworker-UID/HASH.sock, with BASE
 * $XDG_RUNTIME_DIR (if it is this user's; /run/isoworker for services), /tmp or /dev/shm, and HASH
 * of the folder's real path. So who knows the folder finds its host; or at a path that host.yaml or
 * the command line names. Any thread.
 */
#include "host/system/unix_socket.h"

#include <stdbool.h>
#include <sys/types.h>

/* The host's end: listen for the host of the absolute `folder`, in place of one that is dead, at
 * `path` (NULL: at its own place). Errors: ISW_E_CONFLICT naming the host that lives, ISW_E_IO. */
isw_status iswi_control_listen(const char *folder, const char *path, iswi_unix_socket *out,
                               isw_error *error);

/* Where that listens: `path`, or its own place, whose folder is made. Errors: ISW_E_IO. */
isw_status iswi_control_place(const char *folder, const char *path,
                              char out[ISWI_UNIX_PATH_BYTES], isw_error *error);

/* Connect to the host of the absolute `folder`: one of this user or, for root, of any; *fd is the
 * caller's. Blocks for some seconds at most. Errors: ISW_E_NOT_FOUND if none runs, ISW_E_IO. */
isw_status iswi_control_connect(const char *folder, int *fd, isw_error *error);

/* The same to whoever listens at `path`: who names it trusts it. */
isw_status iswi_control_connect_at(const char *path, int *fd, isw_error *error);

/* Whether the peer of a socket is this user, `uid`, or root. */
bool iswi_control_trusts(int fd, uid_t uid);

#endif
