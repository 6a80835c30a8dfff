/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_TEMPLATE_H
#define ISWI_HOST_SYSTEM_TEMPLATE_H

/*
 * Processes that a template forks (PROTOCOL.md, section 16). A template is a worker's program that
 * has loaded all and waits at a socket; what it forks is a child of this process as any other
 * worker is, and goes on when the template ends.
 */
#include "host/system/spawn.h"

typedef enum iswi_fork {
    ISWI_FORK_DONE,
    ISWI_FORK_FAILED,  /* the system had none to give, which may pass */
    ISWI_FORK_REFUSED, /* the template may not, as it says, and ends */
    ISWI_FORK_LOST     /* it is not heard any more: end it. What it may have forked has no token, and
                          ends by itself */
} iswi_fork;

/* Start one, as iswi_spawn: `options` has no token and none of a process's own descriptors. *socket
 * is where it is asked; the caller closes it, upon which it ends. Errors: as iswi_spawn. */
isw_status iswi_template_start(const iswi_spawn_options *options, int *socket, iswi_spawned *out,
                               isw_error *error);

/* What it has said, if anything, up to `size` bytes as a text: false and "" when there is nothing.
 * "ready", or "refused" and why. */
bool iswi_template_hear(int socket, char *text, size_t size);

/* Have it fork a process with all that `options` has of a process's own, in its cgroup; the rest of them is as the
 * template was started. Anything but ISWI_FORK_DONE has the reason in `error`. Blocks until it
 * answers, a second at most. */
iswi_fork iswi_template_fork(int socket, const iswi_spawn_options *options, iswi_spawned *out,
                             isw_error *error);

#endif
