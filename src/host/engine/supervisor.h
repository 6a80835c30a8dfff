/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_SUPERVISOR_H
#define ISWI_HOST_ENGINE_SUPERVISOR_H

/* What the loop that tends everything tends beside processes. Inside the engine; on its thread. */
#include <isoworker/status.h>
#include <stdint.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_process iswi_process;

/* guard_watch.c: from now on the guard is replaced when it ends. */
void iswi_guard_watch(iswi_host *host);

/* There is one from now on, for the first worker with processes of its own that comes while the
 * host runs. Errors: ISW_E_IO. */
isw_status iswi_guard_need(iswi_host *host, isw_error *error);
void iswi_guard_ended(iswi_host *host); /* its pid_fd became readable */
void iswi_guard_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns);

/* shutdown.c */
/* Tell each function that runs that the host stops; once, however often this is called. */
void iswi_shutdown_cancel(iswi_host *host);
void iswi_shutdown_tell(iswi_process *process); /* those of one process, that it is to end */

/* Answer what is left, and say what it was. */
void iswi_shutdown_lose(iswi_host *host);

#endif
