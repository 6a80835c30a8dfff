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
    /* First the bits of a double: as isw_series_value; then, HISTOGRAM: the counts of its buckets,
     * one more than the bounds. Behind the series, or in the memory of the host. */
    _Atomic uint64_t *numbers;
    bool kept; /* in that, so that the host is not told */
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

typedef struct iswi_metrics_memory iswi_metrics_memory;

struct isw_metrics {
    _Atomic(iswi_series_slot *) buckets; /* by hash; NULL: nothing was counted yet */
    pthread_mutex_t lock; /* held to add, and to tell; guards what follows */
    iswi_family *first, *last;
    size_t family_count, series_count;
    iswi_refused_metric *refused;
    size_t refused_count;
    iswi_metrics_memory *memory; /* NULL: the host has given none */
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

/* -- Memory of the host's; metrics_memory.c ---------------------------------------------------- */

/* Series that are made from now on are to be there, if this process was given any and nobody has
 * taken it. Before all others. */
void iswi_metrics_attach(isw_metrics *metrics);
void iswi_metrics_detach(isw_metrics *metrics); /* with the series, which are not used any more */

/* Have the numbers of a series that nobody knows yet be there; where there is no room they stay as
 * they are. With the lock. */
void iswi_metrics_keep(isw_metrics *metrics, isw_series *series, size_t numbers);

/* metrics_tell.c: the whole of one series, in `arena`. False: no memory. */
bool iswi_metrics_tell_one(isw_series *series, iswi_arena *arena, iswi_wire_metrics *out);

/* metrics_series.c: the double of these bits. */
double iswi_metric_double(uint64_t bits);

#endif
