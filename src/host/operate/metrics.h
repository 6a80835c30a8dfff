/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_METRICS_H
#define ISWI_HOST_OPERATE_METRICS_H

/*
 * What workers have counted, added up over their processes and over the host's whole life, and how
 * it is asked for and written in the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4).
 */
#include "base/buffer.h"
#include "wire/frame.h"

#include <pthread.h>

typedef struct iswi_host iswi_host;

/* -- metrics.c: the table ---------------------------------------------------------------------- */

enum { ISWI_METRICS_BYTES_OF_WORKER = 16 * 1024 * 1024, ISWI_METRICS_SLOTS = 4096,
       ISWI_METRICS_NOTES = 64 };

/* What one worker, with all of its processes, has of the table. Zero it, but for the name. */
typedef struct iswi_metrics_share {
    const char *worker;
    size_t bytes;
    uint64_t dropped; /* updates that found no room, or whose metric cannot stand beside another */
    isw_error note;   /* why a metric was dropped, until somebody has logged it */
    size_t noted_count;
    uint32_t noted[ISWI_METRICS_NOTES]; /* hashes of the names that it was said of */
} iswi_metrics_share;

/* What one process says that a gauge stands at. */
typedef struct iswi_metrics_part {
    const void *process;
    double value;
} iswi_metrics_part;

typedef struct iswi_metrics_family iswi_metrics_family;

typedef struct iswi_metrics_series {
    struct iswi_metrics_series *next, *sibling; /* of its slot; of its family */
    iswi_metrics_family *family;
    iswi_metrics_share *share;
    char *labels; /* worker="orders",country="DE" */
    double value; /* COUNTER; HISTOGRAM: the sum */
    iswi_metrics_part *parts; /* GAUGE */
    size_t part_count;
    double *bounds; /* HISTOGRAM, as are these */
    uint64_t *counts;
    size_t bound_count;
} iswi_metrics_series;

struct iswi_metrics_family {
    iswi_metrics_family *next;
    char *name, *help;
    iswi_metric_type type;
    const char *worker; /* that told of it first */
    iswi_metrics_series *first, *last;
};

typedef struct iswi_metrics_table {
    pthread_mutex_t lock; /* guards the rest, and the shares */
    iswi_metrics_family *first, *last;
    iswi_metrics_series *slots[ISWI_METRICS_SLOTS]; /* by family and labels */
} iswi_metrics_table;

/* NULL when memory is out. */
iswi_metrics_table *iswi_metrics_create(void);
void iswi_metrics_destroy(iswi_metrics_table *table); /* NULL is allowed */

/* Add what a process of `share` has told. It is checked first: ISW_E_PROTOCOL for what breaks the
 * rules of PROTOCOL.md, and nothing of it is taken. What finds no room, or would break the text for
 * others that were here before, is dropped and counted. Any thread. */
isw_status iswi_metrics_take(iswi_metrics_table *table, iswi_metrics_share *share,
                             const void *process, const iswi_wire_metrics *told,
                             isw_error *error);

/* Whether *out is set to why a metric of this worker was dropped: once for each. Any thread. */
bool iswi_metrics_note(iswi_metrics_table *table, iswi_metrics_share *share, isw_error *out);

/* The process has ended: its gauges are taken away. Any thread. */
void iswi_metrics_forget(iswi_metrics_table *table, const void *process);

/* metrics_check.c: whether a worker may tell that. Errors: ISW_E_PROTOCOL. */
isw_status iswi_metrics_check(const iswi_wire_metrics *told, isw_error *error);

/* -- metrics_text.c ---------------------------------------------------------------------------- */

void iswi_metrics_write(iswi_metrics_table *table, iswi_buffer *out);

/* Append name="value", escaped; and the head of a family. */
void iswi_metrics_label(iswi_buffer *out, isw_str name, isw_str value);
void iswi_metrics_head(iswi_buffer *out, const char *name, iswi_metric_type type,
                       const char *help);
void iswi_metrics_number(iswi_buffer *out, double value);

/* Append the samples of a histogram; `labels` without braces, and not empty; `counts` are those of
 * each bucket alone, one more than there are bounds. */
void iswi_metrics_buckets(iswi_buffer *out, const char *name, const char *labels,
                          const double *bounds, const uint64_t *counts, size_t bound_count,
                          double sum);

/* -- metrics_bounds.c: of workers' processes, what they have used and how they ended ------------ */

void iswi_metrics_bounds(const iswi_host *host, iswi_buffer *out);

/* -- metrics_scrape.c, metrics_own.c ----------------------------------------------------------- */

/* One look at the metrics of a host. */
typedef struct iswi_scrape iswi_scrape;

/* From now on workers are told that they may be asked, before the host runs. The host owns *out.
 * Errors: ISW_E_NO_MEMORY. */
isw_status iswi_scrape_attach(iswi_host *host, iswi_scrape **out, isw_error *error);

/* Ask every process that serves and counts elsewhere than in memory. Any thread. */
void iswi_scrape_ask(iswi_scrape *scrape);

/* How many have not answered. Does not block; any thread. */
unsigned iswi_scrape_awaited(iswi_scrape *scrape);

/* All that is known: of workers, with what is in memory now, and of the host itself. Any thread. */
void iswi_scrape_report(iswi_scrape *scrape, iswi_buffer *out);

#endif
