/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_HANDOVER_H
#define ISWI_HOST_OPERATE_HANDOVER_H

/*
 * What two hosts say to each other of which one takes the place of the other, over a connection to
 * the control socket: lines of JSON, some with descriptors (SCM_RIGHTS), which come in the order of
 * the lines. Members that are not known are passed over, so that hosts of two versions get on.
 *
 *     successor: {"command":"succeed"}
 *     host:      {"legacy":"listener","whose":"http.listen","asked":"127.0.0.1:0","fds":1}
 *                {"legacy":"store","whose":"orders","fds":1}            ... one for each it has
 *                {"state":"given"}           or {"error":"..."}, and the end
 *     successor: {"state":"ready"}           it takes what comes from now on; or
 *                {"state":"failed","why":"..."}, and the end
 *     host:      {"legacy":"control","whose":"/run/user/0/isoworker-0/1f.sock","fds":2}
 *                {"legacy":"connection","whose":"http.listen","fds":17}  ... all that are idle
 *                {"state":"left"}
 *
 * A second descriptor is the lock of a socket at a path (system/unix_socket.h), but for connections,
 * of which a line may have many. Inside the room.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "host/system/legacy.h"

#include <isoworker/bind.h>
#include <sys/types.h>

enum { ISWI_HANDOVER_FDS = 64 }; /* of one line, at most */

typedef struct iswi_handover_line {
    const char *legacy; /* a kind of what is left, NULL: none is */
    const char *whose, *asked;
    int64_t fds;
    const char *state, *why, *error;
} iswi_handover_line;

/* Send a line with its descriptors; waits some seconds at most for room. False: the other does not
 * take it, with errno. */
bool iswi_handover_send(int fd, const iswi_handover_line *line, const int *fds);

/* Send a line for each of them. False: as above. */
bool iswi_handover_send_all(int fd, const iswi_legacy *legacy);

/* What comes, and was not looked at. */
typedef struct iswi_handover {
    int fd;
    iswi_buffer in;
    int *fds;
    size_t fd_count, fd_capacity;
} iswi_handover;

/* Read what there is, once. 0: the end; negative: errno has it. */
ssize_t iswi_handover_read(iswi_handover *from);

/* The next line, if there is a whole one, in the arena; what it leaves is put into `legacy`. Errors:
 * ISW_E_NOT_FOUND: there is none yet; ISW_E_PROTOCOL, ISW_E_NO_MEMORY. */
isw_status iswi_handover_next(iswi_handover *from, iswi_arena *arena, iswi_handover_line *out,
                              iswi_legacy *legacy);

typedef void (*iswi_handover_heed_fn)(void *user, const iswi_handover_line *line);

/* Read once what there is, without waiting on a socket that does not, and have all lines heeded that
 * are whole; one that cannot be read is passed over. False: the other is gone. What heeds may end the
 * connection. */
bool iswi_handover_listen(iswi_handover *from, iswi_legacy *legacy, iswi_handover_heed_fn heed,
                          void *user);

/* Close the descriptors that belong to no line, and the connection. */
void iswi_handover_fini(iswi_handover *from);

#endif
