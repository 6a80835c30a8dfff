/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_DEBUG_GDB_H
#define ISWI_HOST_DEBUG_GDB_H

/* `isoworker run --debug FUNCTION`: the worker that has the function runs under gdb, in one process
 * and in this terminal, with a breakpoint on the function's handler. */
#include "host/engine/engine.h"

/* Find out which pool that is, by asking each program to describe itself, and prepare it. Blocks.
 * Errors: ISW_E_CONFIG when gdb is missing, or no worker has the function: it names those there
 * are; ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_debug_prepare(iswi_host *host, const char *function, isw_error *error);

/* gdb with its arguments before the worker's own, in place of the program. */
isw_status iswi_debug_spawn(iswi_process *process, iswi_spawn_options *options, isw_error *error);

/* gdb has ended: the terminal is ours again, and the host stops. */
void iswi_debug_ended(iswi_host *host);

/* Take away what prepare has made. */
void iswi_debug_fini(iswi_host *host);

#endif
