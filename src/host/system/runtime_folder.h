/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_RUNTIME_FOLDER_H
#define ISWI_HOST_SYSTEM_RUNTIME_FOLDER_H

/*
 * Where a host's sockets lie: BASE/isoworker-XXXXXX, which only its user can enter, with a lock
 * that is held as long as the host lives. BASE is the first of $XDG_RUNTIME_DIR, $TMPDIR, /tmp,
 * /dev/shm and /var/tmp where that can be made. The supervisor's thread.
 */
#include <isoworker/status.h>
#include <stdbool.h>
#include <stddef.h>

enum { ISWI_RUNTIME_FOLDER_BYTES = 96 }; /* leaves room for a name, as socket addresses must */

/* Make one in `out` and hold its lock in *lock; folders of hosts that are dead are removed before.
 * Errors: ISW_E_IO naming what was tried, and the way out. */
isw_status iswi_runtime_make(char out[ISWI_RUNTIME_FOLDER_BYTES], int *lock, isw_error *error);

/* Remove it, and give the lock back. One without a name is passed over. */
void iswi_runtime_remove(const char *folder, int lock);

/* $XDG_RUNTIME_DIR if it is a folder of this user's that can be written, and of at most `most`
 * bytes; else NULL, and *why (may be NULL) says why not, NULL if it is not set. `su` and `sudo`
 * leave it as that of another user, and cron and containers without any. */
const char *iswi_runtime_own(size_t most, const char **why);

#endif
