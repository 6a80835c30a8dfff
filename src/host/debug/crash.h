/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_DEBUG_CRASH_H
#define ISWI_HOST_DEBUG_CRASH_H

#include <isoworker/status.h>

typedef struct iswi_host iswi_host;

/* From now on show what processes that crash leave behind. Errors: ISW_E_NO_MEMORY. */
isw_status iswi_crash_attach(iswi_host *host, isw_error *error);

#endif
