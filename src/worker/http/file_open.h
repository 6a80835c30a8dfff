/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_HTTP_FILE_OPEN_H
#define ISWI_WORKER_HTTP_FILE_OPEN_H

/* Opening files that callers name. May block on the file system; any thread. */
#include <stdbool.h>

/* Open what `path` names below the folder `root`, for reading: a descriptor, or -1 with errno. A
 * path that is empty, absolute or leads out of the folder, by ".." or a symbolic link, is ENOENT.
 * Nothing is waited for: a fifo opens at once. */
int iswi_open_below(int root, const char *path);

/* The same for kernels without openat2 (Linux 5.6): step by step, and any symbolic link and any
 * ".." is ENOENT. */
int iswi_open_stepwise(int root, const char *path);

#endif
