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

struct iswi_scrape {
    iswi_host *host;
    iswi_metrics_table *table;
    iswi_metrics_share *shares;    /* by worker */
    iswi_metrics_asked *processes; /* by number */
};

/* Read what the processes count in memory. Any thread. */
void iswi_scrape_read(iswi_scrape *scrape);

#endif
