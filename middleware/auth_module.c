/* SPDX-License-Identifier: Apache-2.0 */
/* The entry of auth.so. Apart from auth.c, so that a program can link several middleware. */
#include "auth.h"

ISW_API const isw_middleware *const *isw_module_middleware(void);

const isw_middleware *const *isw_module_middleware(void)
{
    static const isw_middleware *const list[] = { &isw_middleware_auth, NULL };

    return list;
}
