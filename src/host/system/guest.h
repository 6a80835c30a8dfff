/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_GUEST_H
#define ISWI_HOST_SYSTEM_GUEST_H

/*
 * A guest: a worker's process that a person starts, in an IDE, under gdb or valgrind. It finds the
 * host at ISOWORKER_URL, and the token of its next session in the file that ISOWORKER_TOKEN_FILE
 * names, which lies beside that socket and goes with the session.
 */
#include "host/system/launch.h"

extern const iswi_launcher iswi_launch_guest;

enum { ISWI_GUEST_PATH_BYTES = 128 };

/* The file of the token, for the guest that comes to `url` (ipc://). */
void iswi_guest_token_path(const char *url, char out[ISWI_GUEST_PATH_BYTES]);

#endif
