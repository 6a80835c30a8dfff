/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_PASSED_H
#define ISWI_HOST_SYSTEM_PASSED_H

/*
 * Sockets that whoever started this program opened for it, as sd_listen_fds(3) says: descriptors
 * from 3 on, LISTEN_FDS of them, with their names in LISTEN_FDNAMES, for the process LISTEN_PID.
 * That is all there is to it, so that nothing but this file is needed. One that was taken is taken
 * for good: it is closed on exec from then on, which also marks it.
 */
#include <isoworker/status.h>

enum { ISWI_PASSED_MAX = 64 };

/* Take those of that name (NULL: all) that listen for streams and nobody took, and make them
 * non-blocking; *fds is filled, *count at most ISWI_PASSED_MAX. Messages call the address `text`,
 * of `setting`. One thread at a time. ISW_E_CONFIG where there is none, with the names that are. */
isw_status iswi_passed_take(const char *name, const char *text, const char *setting,
                            int fds[ISWI_PASSED_MAX], size_t *count, isw_error *error);

#endif
