/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_QUEUE_PEERS_H
#define ISWI_BENCH_QUEUE_PEERS_H

/* Other queues as stores to measure: programs of Node.js (peers/), each a process that is asked
 * line by line and does the same work with a package of npm's. One thread at a time. */
#include "bench/queue/measure.h"

typedef struct iswi_bench_queue_peer_kind {
    const char *name;    /* of its column and keys */
    const char *program; /* in peers/ */
    const char *setting; /* handed over */
} iswi_bench_queue_peer_kind;

/* Start it with the packages that `npm install` put into the folder `modules`. `where` is its own:
 * a folder that it makes and removes, or a server's place. Blocks up to 30 s. False: *error says
 * what is missing. To be closed by iswi_bench_queue_peer. */
bool iswi_bench_queue_peer_open(const iswi_bench_queue_peer_kind *kind, const char *modules,
                                const char *where, void **self, isw_error *error);

/* What is measured: versions, and how durable it is. Lives as long as the peer. */
const char *iswi_bench_queue_peer_about(const void *self);

extern const iswi_bench_queue_store iswi_bench_queue_peer; /* has no `open` */

#endif
