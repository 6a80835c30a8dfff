/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_STEER_H
#define ISWI_HOST_ENGINE_STEER_H

/* What may be done to a host from beside its engine. Any thread. */
#include <isoworker/status.h>

typedef struct iswi_host iswi_host;

/* Start the workers and serve until it is stopped; then drain, stop the workers and return. Blocks.
 * Errors, when no worker could be brought to serve: ISW_E_CONFIG if another start would end alike,
 * else ISW_E_UNAVAILABLE. */
isw_status iswi_host_run(iswi_host *host, isw_error *error);

/* Ask iswi_host_run to end. What is in flight may go on for shutdown_grace, is then cancelled, and
 * has cancel_grace to answer. A second call cancels it now, a third does not wait for answers. Any
 * signal handler, too. */
void iswi_host_stop(iswi_host *host);

/* Have every worker read its configuration again. One that refuses what it finds keeps what it has
 * and says why. Any signal handler, too. */
void iswi_host_reload(iswi_host *host);

/* Have it look at everything now. */
void iswi_host_wake(iswi_host *host);

/* Take nothing new, or again; calls that are on their way are not touched. */
void iswi_host_drain(iswi_host *host);
void iswi_host_resume(iswi_host *host);

/* What is on its way still; 0 once it is drained. */
size_t iswi_host_in_flight(iswi_host *host);

#endif
