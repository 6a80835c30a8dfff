/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_METRICS_SCRAPE_H
#define ISWI_HOST_OPERATE_METRICS_SCRAPE_H

/* What a look at the metrics of a host is made of. Inside metrics_scrape.c and metrics_own.c. */
#include "host/engine/look.h"
#include "host/operate/metrics_memory.h"

#include <stdatomic.h>

/* What one process counts, and what was asked of it; written with its lock, but for answers. */
typedef struct iswi_metrics_asked {
    atomic_bool may;               /* its hello named the capability */
    atomic_ullong asked, answered; /* the last ids */
    iswi_metrics_memory memory;    /* has a lock of its own */
} iswi_metrics_asked;

/* What is counted of a worker. */
typedef struct iswi_metrics_worker {
    iswi_metrics_share share;
    unsigned count;
    iswi_metrics_asked processes[]; /* by index */
} iswi_metrics_worker;

struct iswi_scrape {
    iswi_host *host;
    iswi_metrics_table *table;
    size_t worker_count; /* that there may ever be */
    _Atomic(iswi_metrics_worker *) *workers; /* by worker, from before its first process on */
};

/* Read what the processes count in memory. Any thread. */
void iswi_scrape_read(iswi_scrape *scrape);

#endif
