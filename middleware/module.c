/* SPDX-License-Identifier: Apache-2.0 */
/* The entry of a shared object with one middleware, ISW_MODULE_OF. Apart from it, so that a program
 * can link several of them. */
#include <isoworker/sys/middleware.h>

extern const isw_middleware ISW_MODULE_OF;

ISW_API const isw_middleware *const *isw_module_middleware(void);

const isw_middleware *const *isw_module_middleware(void)
{
    static const isw_middleware *const list[] = { &ISW_MODULE_OF, NULL };

    return list;
}
