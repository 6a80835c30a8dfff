/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_CONTEXT_METRICS_H
#define ISWI_WORKER_CONTEXT_METRICS_H

/*
 * What isw_metrics is made of. Families and series are only ever added, so whoever has found one
 * may keep it.
 */
#include "worker/context/context.h"

enum {
    ISWI_METRIC_BUCKETS = 2048,
    ISWI_FAMILIES_MAX = 256,
    ISWI_SERIES_MAX = 16384,
    ISWI_SERIES_OF_FAMILY_MAX = 2048
};

typedef struct iswi_family iswi_family;

struct isw_series {
    isw_series *next; /* of its bucket; constant once it is found there */
    iswi_family *family;
    uint64_t hash;
    _Atomic uint64_t value;   /* the bits of a double: as isw_series_value */
    _Atomic uint64_t *counts; /* HISTOGRAM: of each bucket, one more than the bounds */
    isw_str labels[ISW_METRIC_LABELS_MAX]; /* each ends with a NUL, too */

    /* With the lock: */
    isw_series *sibling; /* the next one of its family */
    bool told;
    double told_value;
    uint64_t *told_counts;
};

/* A metric as somebody has described it. All but the last members are constant. */
struct iswi_family {
    iswi_family *next;
    isw_metric metric; /* copies; `bounds` is never NULL for a histogram */
    isw_str labels[ISW_METRIC_LABELS_MAX];
    size_t label_count;
    isw_series *first, *last;
    size_t count;
    atomic_bool told_amount; /* that some amount was no number to count */
};

/* The name of a metric of which it was said that it is refused. */
typedef struct iswi_refused_metric {
    struct iswi_refused_metric *next;
    char name[];
} iswi_refused_metric;

typedef _Atomic(isw_series *) iswi_series_slot;

struct isw_metrics {
    _Atomic(iswi_series_slot *) buckets; /* by hash; NULL: nothing was counted yet */
    pthread_mutex_t lock; /* held to add, and to tell; guards what follows */
    iswi_family *first, *last;
    size_t family_count, series_count;
    iswi_refused_metric *refused;
    size_t refused_count;
};

isw_metrics *iswi_metrics_create(void); /* NULL: no memory */
void iswi_metrics_destroy(isw_metrics *metrics); /* NULL is allowed */

/* metrics_series.c: the double of these bits. */
double iswi_metric_double(uint64_t bits);

#endif
