/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_REMOTE_REMOTE_H
#define ISWI_HOST_REMOTE_REMOTE_H

/* Processes of other machines, by TLS with certificates on both sides. */
#include <isoworker/status.h>

typedef struct iswi_host iswi_host;

/* Listen for those of all workers that are remote, from now on and as host.yaml changes. Once the
 * host is open, before it runs; it owns this from here on. Errors: ISW_E_CONFIG for certificates,
 * ISW_E_CONFLICT for a port in use, ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_remote_attach(iswi_host *host, isw_error *error);

#endif
