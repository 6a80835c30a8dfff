/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_PROGRAM_SERVE_H
#define ISWI_WORKER_PROGRAM_SERVE_H

/* What a host hands a worker that it starts (PROTOCOL.md, sections 1 and 11), and the session that
 * follows. */
#include "link/link.h"
#include "worker/registry/worker.h"

#include "wire/frame.h"

typedef struct iswi_handed {
    const char *url;
    unsigned char token[2 * ISWI_TOKEN_BYTES];
    int ring, arena, bell; /* -1: was not handed */
    int64_t spin_us;       /* -1: as it pays off */
    iswi_link_far far;     /* for a host on another machine; borrowed */
} iswi_handed;

/* Run the session of a configured worker until it ends. Closes the descriptors, and clears the
 * token. Errors: as isw_worker_run. Blocks. */
isw_status iswi_worker_serve(isw_worker *worker, iswi_handed *handed, isw_error *error);

#endif
