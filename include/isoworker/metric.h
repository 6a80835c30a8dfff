/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_METRIC_H
#define ISOWORKER_METRIC_H

/*
 * isw_metric: something that a worker counts or measures, for the host to add up over its processes
 * and to serve at /metrics of its admin address, in the words of Prometheus
 * (https://prometheus.io/docs/concepts/metric_types/). Describe it once, as a constant; a series is
 * one line of it, with a value for each of its labels:
 *
 *     static const isw_metric orders = { .name = "shop_orders_total",
 *                                        .help = "Orders that were taken.",
 *                                        .type = ISW_COUNTER, .labels = { "country" } };
 *
 *     isw_series_add(isw_metric_series(isw_context_metrics(ctx), &orders, "DE", NULL), 1);
 *
 * Everything here may be called from any thread, does not block, and costs little: a series is
 * found without a lock once it is there, and changed by an atomic operation. Under a host that
 * serves /metrics it lies in memory of the host's, so that a process that crashes or is killed
 * takes nothing along that it has counted.
 */
#include <isoworker/export.h>
#include <isoworker/function.h>
#include <stddef.h>
#include <stdint.h>

ISW_BEGIN_DECLS

typedef struct isw_worker isw_worker;

enum { ISW_METRIC_LABELS_MAX = 8, ISW_METRIC_BOUNDS_MAX = 64 };

typedef enum isw_metric_type {
    ISW_COUNTER = 0,  /* only grows; its name ends in _total, and is more than that */
    ISW_GAUGE = 1,    /* goes up and down; that of the worker is the sum of its processes' */
    ISW_HISTOGRAM = 2 /* how many observations were at most as large as each bound, and their sum */
} isw_metric_type;

/* All texts are copied at the first use. */
typedef struct isw_metric {
    const char *name; /* [a-zA-Z_:][a-zA-Z0-9_:]*, at most 127; in base units: _seconds, _bytes */
    const char *help; /* one sentence */
    isw_metric_type type;
    /* Names of its labels, each once, then NULL up to the end: [a-zA-Z_][a-zA-Z0-9_]*, but for "le"
     * and "worker", which the host adds, and for what begins with "__", which is Prometheus's. */
    const char *labels[ISW_METRIC_LABELS_MAX];
    const double *bounds; /* HISTOGRAM: ascending and finite; NULL: from 100 us to 10 s, in s */
    size_t bound_count;   /* at most ISW_METRIC_BOUNDS_MAX */
} isw_metric;

/* The metrics of one worker, which live as long as it does. */
typedef struct isw_metrics isw_metrics;

ISW_API isw_metrics *isw_context_metrics(const isw_context *ctx);
ISW_API isw_metrics *isw_worker_metrics(isw_worker *worker);

/* One series; lives as long as `metrics`, so that it may be kept. */
typedef struct isw_series isw_series;

/* The series with these values of the labels, in their order, then NULL: each is a const char *,
 * which is copied and cut at 127 bytes. Values that are left out are "". It is made at the first
 * call, and is then 0.
 *
 * A worker keeps 2048 series of a metric, 16384 in all, of 256 metrics, so do not label by what
 * callers choose. Beyond that counters and histograms get one whose values are all "other", and
 * isoworker_metrics_refused_total counts it. NULL for a gauge then, and when memory is out; the
 * calls below take a NULL and do nothing.
 *
 * NULL, too, for a metric that breaks the rules above; whose name is one of the host's
 * (isoworker_host_...); that was described before under its name with another type or other labels;
 * or that makes the same lines as another, as a gauge x_sum and a histogram x do. It is refused
 * where it is first used, with a line of standard error that names it and says why. */
ISW_API isw_series *isw_metric_series(isw_metrics *metrics, const isw_metric *metric,
                                      ...) ISW_SENTINEL;

/* Of all three: an amount that is not finite (NaN, an infinity) is left out, since no sum comes
 * back from it. The first one of a metric is told by a line of standard error that names it. */

/* COUNTER, GAUGE: add `amount`; a counter takes nothing below 0. */
ISW_API void isw_series_add(isw_series *series, double amount);

/* GAUGE: set it. */
ISW_API void isw_series_set(isw_series *series, double value);

/* HISTOGRAM: one more observation. */
ISW_API void isw_series_observe(isw_series *series, double value);

/* For tests, which take isw_worker_metrics before the worker moves to an isw_test: what a counter
 * or gauge stands at, or the sum of a histogram's observations; and how many of them were at most
 * `bound`, as far as its buckets tell. In this process, since its start. */
ISW_API double isw_series_value(const isw_series *series);
ISW_API uint64_t isw_series_count(const isw_series *series, double bound);

ISW_END_DECLS

#endif
