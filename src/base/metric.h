/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_METRIC_H
#define ISWI_BASE_METRIC_H

/*
 * The rules for metrics, which hold in the worker, where one is described, as in the host, where
 * all of them become one text (https://prometheus.io/docs/concepts/data_model/). Pure; any thread.
 */
#include <isoworker/value.h>

enum { ISWI_METRIC_NAME_MAX = 127 };

/* What is wrong with a metric of this name and with these labels, or NULL: static text. */
const char *iswi_metric_fault(isw_str name, const isw_str *labels, size_t label_count);

/* What is wrong with the upper bounds of a histogram's buckets, or NULL: static text. There are
 * `most` at most. */
const char *iswi_metric_bounds_fault(const double *bounds, size_t count, size_t most);

/* Whether the name is one of the host's own. */
bool iswi_metric_is_hosts(isw_str name);

/* Whether two metrics of different names have a line of the text in common: a histogram `x` has
 * x_bucket, x_sum and x_count. */
bool iswi_metric_clash(isw_str a, bool a_is_histogram, isw_str b, bool b_is_histogram);

#endif
