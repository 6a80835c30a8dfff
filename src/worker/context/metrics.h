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

/* What is looked for: a metric and the values of its labels. */
typedef struct iswi_series_key {
    const isw_metric *metric;
    const double *bounds; /* HISTOGRAM */
    size_t bound_count;
    const char *labels[ISW_METRIC_LABELS_MAX];
    size_t label_count;
    uint64_t hash;
} iswi_series_key;

/* Whether the family has the labels that are looked for, by name. */
static inline bool iswi_family_has_labels(const iswi_family *family, const iswi_series_key *k)
{
    if (family->label_count != k->label_count)
        return false;
    for (size_t i = 0; i < k->label_count; i++)
        if (strcmp(family->labels[i].data, k->metric->labels[i]) != 0)
            return false;
    return true;
}

/* -- Rules; metrics_rules.c -------------------------------------------------------------------- */

/* NULL, or what is wrong with the metric for itself. */
const char *iswi_metric_rule_fault(const iswi_series_key *k);

/* NULL, or why the metric cannot stand beside one that is there. A histogram of the same name may
 * come with other bounds, as a configuration that was read again brings it. */
const char *iswi_metric_conflict(const iswi_family *family, const iswi_series_key *k);

/* Say what is wrong with a metric, once: to the programmer, since nobody's request is at fault.
 * `other` is the one that it conflicts with, or NULL. With the lock. */
void iswi_metric_say_refused(isw_metrics *metrics, const isw_metric *metric, const char *fault,
                             const iswi_family *other);

/* metrics_series.c: the double of these bits. */
double iswi_metric_double(uint64_t bits);

#endif
