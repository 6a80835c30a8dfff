/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_REMOTE_REMOTE_H
#define ISWI_HOST_REMOTE_REMOTE_H

/* Processes of other machines, by TLS with certificates on both sides. */
#include <isoworker/status.h>

#include "host/system/legacy.h"

typedef struct iswi_host iswi_host;

/* Listen for those of all workers that are remote, from now on and as host.yaml changes; with the
 * sockets that another host leaves where it has them, and from when this one has its place on
 * (`legacy` not NULL). Once the host is open, before it runs; it owns this from here on. Errors: ISW_E_CONFIG for certificates,
 * ISW_E_CONFLICT for a port in use, ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_remote_attach(iswi_host *host, iswi_legacy *legacy, isw_error *error);

#endif
