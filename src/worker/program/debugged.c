/* SPDX-License-Identifier: Apache-2.0 */
/* A place for gdb to stop at before the first invocation, and the handler's address there: both are
 * exported, to be found in a library without debugging symbols (src/host/debug/gdb.c). */
#include "worker/program/debugged.h"

#include <isoworker/sys/debug.h>
#include <stdlib.h>

isw_handler_fn volatile isw_debug_handler;

__attribute__((noinline)) void isw_debug_ready(void)
{
    __asm__ volatile("");
}

void iswi_debugged_announce(isw_worker *worker)
{
    const char *name = getenv("ISOWORKER_DEBUG_FUNCTION");
    const iswi_entry *entry = name ? iswi_worker_entry(worker, isw_str_of(name)) : NULL;

    if (getenv("ISOWORKER_DEBUG"))
        iswi_worker_set_debugged(worker);
    if (!entry)
        return;
    isw_debug_handler = entry->function->handler;
    isw_debug_ready();
}
