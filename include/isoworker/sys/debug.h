/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_SYS_DEBUG_H
#define ISOWORKER_SYS_DEBUG_H

/*
 * For debuggers, by name: a worker that is started with $ISOWORKER_DEBUG_FUNCTION calls
 * isw_debug_ready when its functions are known and none has run, and isw_debug_handler is then the
 * handler of the function of that name. `isoworker run --debug FUNCTION` has gdb stop there.
 * Nothing for programs to call.
 */
#include <isoworker/export.h>
#include <isoworker/function.h>

ISW_BEGIN_DECLS

ISW_API extern isw_handler_fn volatile isw_debug_handler;
ISW_API void isw_debug_ready(void);

ISW_END_DECLS

#endif
