/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object that is no module: it has no entry. */
#include <isoworker/export.h>

ISW_API int something_else(void);

int something_else(void)
{
    return 1;
}
