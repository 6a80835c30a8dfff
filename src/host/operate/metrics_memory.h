/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_METRICS_MEMORY_H
#define ISWI_HOST_OPERATE_METRICS_MEMORY_H

/*
 * The memory that one process counts in (PROTOCOL.md, section 15), as long as it lives: made for
 * it, read while it runs and once more when it has ended, however it did. Any thread.
 */
#include "host/operate/metrics.h"

typedef struct iswi_metrics_memory {
    pthread_mutex_t lock; /* guards what follows */
    unsigned char *base;  /* mapped; NULL: there is none */
    int fd;
    bool broken;    /* what is there is not what may be; it is read no more */
    uint64_t *told; /* the numbers of all records, as they were added to the table last */
    size_t told_capacity, known; /* how many records have theirs there */
} iswi_metrics_memory;

void iswi_metrics_memory_init(iswi_metrics_memory *memory);
void iswi_metrics_memory_fini(iswi_metrics_memory *memory);

/* Empty memory for a process that begins. Returns the descriptor to hand down, which stays the
 * memory's; -1: there is none to be had. */
int iswi_metrics_memory_begin(iswi_metrics_memory *memory);
void iswi_metrics_memory_end(iswi_metrics_memory *memory);

/* Whether all that the process counts is there, so that it need not be asked. */
bool iswi_metrics_memory_says_all(iswi_metrics_memory *memory);

/* Add to the table what was counted since the last time. Errors: ISW_E_PROTOCOL, once, for what
 * breaks the rules: from there on this memory is not read. */
isw_status iswi_metrics_memory_read(iswi_metrics_memory *memory, iswi_metrics_table *table,
                                    iswi_metrics_share *share, const void *process,
                                    isw_error *error);

#endif
