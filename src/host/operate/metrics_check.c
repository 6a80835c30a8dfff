/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker tells, against the rules of PROTOCOL.md, "Family" and "Series": what passes cannot
 * break the text that it becomes. */
#include "host/operate/metrics.h"

#include "base/metric.h"

#include <math.h>

/* NULL, or what is wrong. */
static const char *fault_of_bounds(const isw_value *bounds)
{
    const isw_value *items = bounds->as.array.items;
    size_t count = bounds->type == ISW_VALUE_ARRAY ? bounds->as.array.count : 0;
    double own[ISWI_METRIC_BOUNDS_MAX];

    for (size_t i = 0; i < count && i < ISWI_METRIC_BOUNDS_MAX; i++) {
        if (items[i].type != ISW_VALUE_DOUBLE)
            return "no bounds for a histogram; they are doubles";
        own[i] = items[i].as.real;
    }
    return iswi_metric_bounds_fault(own, count, ISWI_METRIC_BOUNDS_MAX);
}

static bool are_counts(const isw_value *counts, const isw_value *bounds)
{
    if (counts->type != ISW_VALUE_ARRAY ||
        counts->as.array.count != bounds->as.array.count + 1)
        return false;
    for (size_t i = 0; i < counts->as.array.count; i++)
        if (counts->as.array.items[i].type != ISW_VALUE_INT ||
            counts->as.array.items[i].as.integer < 0)
            return false;
    return true;
}

/* NULL, or what is wrong. */
static const char *fault_of_series(const iswi_wire_family *family, const iswi_wire_series *series)
{
    if (series->labels.count != family->labels.count)
        return "a series has not as many labels as its metric";
    for (size_t i = 0; i < series->labels.count; i++)
        if (series->labels.items[i].size > ISWI_NAME_MAX)
            return "the value of a label is too long";
    if (series->value.type != ISW_VALUE_DOUBLE || !isfinite(series->value.as.real))
        return "a value is no finite double";
    if (family->type == ISWI_METRIC_COUNTER && series->value.as.real < 0)
        return "a counter falls";
    if (family->type == ISWI_METRIC_HISTOGRAM && !are_counts(&series->counts, &family->bounds))
        return "the counts of a histogram are not those of its bounds";
    return NULL;
}

static const char *fault_of(const iswi_wire_family *family)
{
    const char *fault = NULL;

    if (family->labels.count > ISWI_METRIC_LABELS_MAX)
        return "no names for labels; there are 8 at most";
    fault = iswi_metric_fault(family->name, family->labels.items, family->labels.count);
    if (!fault && family->type > ISWI_METRIC_HISTOGRAM)
        fault = "an unknown type";
    if (!fault && family->type == ISWI_METRIC_HISTOGRAM)
        fault = fault_of_bounds(&family->bounds);
    for (size_t i = 0; i < family->series.count && !fault; i++)
        fault = fault_of_series(family, &family->series.items[i]);
    return fault;
}

isw_status iswi_metrics_check(const iswi_wire_metrics *told, isw_error *error)
{
    for (size_t i = 0; i < told->families.count; i++) {
        const iswi_wire_family *family = &told->families.items[i];
        const char *fault = fault_of(family);

        if (fault)
            return isw_error_set(error, ISW_E_PROTOCOL, "metric %.*s: %s", (int)family->name.size,
                                 family->name.data, fault);
    }
    return ISW_OK;
}
