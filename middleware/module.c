/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a shared object of one middleware, ISW_MODULE_OF, a module. Apart from it, so that a
 * program can link several of them. */
#include <isoworker/sys/module.h>

extern const isw_middleware ISW_MODULE_OF;

ISW_MODULE(&ISW_MODULE_OF);
