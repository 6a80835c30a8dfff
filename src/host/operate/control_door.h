/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_CONTROL_DOOR_H
#define ISWI_HOST_OPERATE_CONTROL_DOOR_H

/*
 * The socket that operators come to: opened at the start, or got from the host whose place this one
 * takes, and given to the one that takes its own. The control's thread, once that runs. Inside the
 * room.
 */
#include "host/operate/operate.h"
#include "host/system/unix_socket.h"

typedef struct iswi_control_door {
    iswi_operate *operate;
    iswi_unix_socket socket; /* its listener is -1 while nobody can come */
    char *path;   /* that was asked for; NULL: none */
    bool listens; /* it is to, once the place is this host's */
    int64_t again_ns; /* when it is tried again, since it could not; 0: it need not be */
} iswi_control_door;

void iswi_control_door_init(iswi_control_door *door, iswi_operate *operate);

/* Listen, at `path` if that is not NULL; where this host takes the place of another one, once it has
 * it. Errors: ISW_E_IO and ISW_E_CONFLICT for a path that was asked for, ISW_E_NO_MEMORY. */
isw_status iswi_control_door_listen(iswi_control_door *door, const char *path, isw_error *error);

/* The place of the other host is this one's: its socket, if that is where ours is to be, and its idle
 * connections; what else is left, and was not taken, is removed. */
void iswi_control_door_take(iswi_control_door *door);

/* Where it could not listen, such as while the host before it in its folder ends, try again once that
 * is due, and have *due_ns be not later than that. */
void iswi_control_door_tend(iswi_control_door *door, int64_t now_ns, int64_t *due_ns);

/* Give it to the host that takes this one's place, over `fd`. False: that does not take it. */
bool iswi_control_door_give(iswi_control_door *door, int fd);

void iswi_control_door_close(iswi_control_door *door); /* once or more */

#endif
