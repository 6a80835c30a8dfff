/* SPDX-License-Identifier: Apache-2.0 */
/* What a metric must be to be counted, and what is said of one that is not. */
#include "worker/context/metrics.h"

#include "base/alloc.h"
#include "base/metric.h"

#include <stdio.h>

static bool ends_in_total(const char *name)
{
    static const char total[] = "_total";
    size_t size = strlen(name);

    return size >= sizeof total && strcmp(name + size - (sizeof total - 1), total) == 0;
}

const char *iswi_metric_rule_fault(const iswi_series_key *k)
{
    const isw_metric *metric = k->metric;
    isw_str labels[ISW_METRIC_LABELS_MAX];

    for (size_t i = 0; i < k->label_count; i++)
        labels[i] = isw_str_of(metric->labels[i]);
    for (size_t i = k->label_count; i < ISW_METRIC_LABELS_MAX; i++)
        if (metric->labels[i])
            return "labels has a NULL before its last name";
    if ((unsigned)metric->type > ISW_HISTOGRAM)
        return "an unknown type";
    if (iswi_metric_is_hosts(isw_str_of(metric->name)))
        return "the name is one of the host's own";
    if (metric->type == ISW_COUNTER && !ends_in_total(metric->name))
        return "the name of a counter ends in _total";
    if (metric->type == ISW_HISTOGRAM) {
        const char *fault =
            iswi_metric_bounds_fault(k->bounds, k->bound_count, ISW_METRIC_BOUNDS_MAX);

        if (fault)
            return fault;
    }
    return iswi_metric_fault(isw_str_of(metric->name), labels, k->label_count);
}

const char *iswi_metric_conflict(const iswi_family *family, const iswi_series_key *k)
{
    const isw_str name = isw_str_of(k->metric->name);
    const isw_str other = isw_str_of(family->metric.name);
    const bool histogram = k->metric->type == ISW_HISTOGRAM;

    if (!isw_str_equal(name, other))
        return iswi_metric_clash(name, histogram, other, family->metric.type == ISW_HISTOGRAM)
                   ? "its lines would be taken for those of the other metric"
                   : NULL;
    if (family->metric.type != k->metric->type)
        return "the name is described twice, with another type";
    return iswi_family_has_labels(family, k) ? NULL
                                             : "the name is described twice, with other labels";
}

void iswi_metric_say_refused(isw_metrics *metrics, const isw_metric *metric, const char *fault,
                             const iswi_family *other)
{
    const size_t size = strnlen(metric->name, ISWI_NAME_MAX);
    iswi_refused_metric *refused_one = metrics->refused;

    while (refused_one && strncmp(refused_one->name, metric->name, ISWI_NAME_MAX) != 0)
        refused_one = refused_one->next;
    if (refused_one || metrics->refused_count == ISWI_FAMILIES_MAX)
        return;
    refused_one = iswi_calloc(1, sizeof *refused_one + size + 1);
    if (!refused_one)
        return;
    memcpy(refused_one->name, metric->name, size);
    refused_one->next = metrics->refused;
    metrics->refused = refused_one;
    metrics->refused_count++;
    fprintf(stderr, "isoworker: the metric \"%s\" is refused and counts nothing: %s%s%s\n",
            refused_one->name, fault, other ? " " : "", other ? other->metric.name : "");
}
