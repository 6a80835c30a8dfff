/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_GUEST_H
#define ISWI_HOST_SYSTEM_GUEST_H

/*
 * A guest: a worker's process that the host does not start. A person does, in an IDE, under gdb or
 * valgrind, and it finds the host at ISOWORKER_URL, and the token of its next session in the file
 * that ISOWORKER_TOKEN_FILE names, which lies beside that socket and goes with the session. Or it
 * runs on another machine, and has a token that stays.
 */
#include "host/system/launch.h"

extern const iswi_launcher iswi_launch_guest;
extern const iswi_launcher iswi_launch_remote;

enum { ISWI_GUEST_PATH_BYTES = 128, ISWI_GUEST_TOKEN_BYTES = 64 };

/* The token in the file, which nobody else of this machine may read. Errors: ISW_E_CONFIG with the
 * remedy. */
isw_status iswi_guest_read_token(const char *path, unsigned char out[ISWI_GUEST_TOKEN_BYTES],
                                 isw_error *error);

/* The file of the token, for the guest that comes to `url` (ipc://). */
void iswi_guest_token_path(const char *url, char out[ISWI_GUEST_PATH_BYTES]);

#endif
