/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_SESSION_SESSION_H
#define ISWI_WORKER_SESSION_SESSION_H

/* One session with a host, from hello to goodbye (PROTOCOL.md, section 3). */
#include "link/link.h"
#include "worker/registry/worker.h"

/* Run a session over `connect`, which makes the link with the events it is given, until it ends.
 * Errors: as isw_worker_run. Blocks. */
typedef isw_status (*iswi_connect_fn)(void *user, const iswi_link_events *events, iswi_link **out,
                                      isw_error *error);
isw_status iswi_session_run(isw_worker *worker, const unsigned char *token,
                            iswi_connect_fn connect, void *user, isw_error *error);

#endif
