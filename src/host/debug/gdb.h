/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_DEBUG_GDB_H
#define ISWI_HOST_DEBUG_GDB_H

/* `isoworker run --debug FUNCTION`: the worker that has the function runs under gdb, in one process
 * and in this terminal, with a breakpoint on the function's handler; the host stops when gdb ends. */
#include <isoworker/status.h>

typedef struct iswi_host iswi_host;

/* Find out which worker that is, by asking each program to describe itself, and prepare it; before
 * the host runs, with a script in `folder`. Blocks. `function` outlives the host.
 * Errors: ISW_E_CONFIG when gdb is missing, or no worker has the function: it names those there
 * are; ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_gdb_attach(iswi_host *host, const char *function, const char *folder,
                           isw_error *error);

#endif
