/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker tells, against the rules of PROTOCOL.md, "Family" and "Series": what passes cannot
 * break the text that it becomes. */
#include "host/metrics.h"

#include "base/text.h"

#include <math.h>

static bool is(isw_str text, const char *word)
{
    return isw_str_equal(text, isw_str_of(word));
}

static bool are_labels(const iswi_strs *labels)
{
    if (labels->count > ISWI_METRIC_LABELS_MAX)
        return false;
    for (size_t i = 0; i < labels->count; i++) {
        isw_str name = labels->items[i];

        if (!iswi_metric_name(name, false) || name.size > ISWI_NAME_MAX || is(name, "le") ||
            is(name, "worker"))
            return false;
        for (size_t j = 0; j < i; j++)
            if (isw_str_equal(name, labels->items[j]))
                return false;
    }
    return true;
}

static bool are_bounds(const isw_value *bounds)
{
    const isw_value *items = bounds->as.array.items;
    size_t count = bounds->type == ISW_VALUE_ARRAY ? bounds->as.array.count : 0;

    for (size_t i = 0; i < count; i++)
        if (items[i].type != ISW_VALUE_DOUBLE || !isfinite(items[i].as.real) ||
            (i && items[i].as.real <= items[i - 1].as.real))
            return false;
    return count && count <= ISWI_METRIC_BOUNDS_MAX;
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

    if (!iswi_metric_name(family->name, true))
        return "no name for a metric";
    if (family->type > ISWI_METRIC_HISTOGRAM)
        return "an unknown type";
    if (!are_labels(&family->labels))
        return "no names for labels";
    if (family->type == ISWI_METRIC_HISTOGRAM && !are_bounds(&family->bounds))
        return "no bounds for a histogram";
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

bool iswi_metrics_is_ours(isw_str name)
{
    static const char prefix[] = "isoworker_host_";

    return is(name, "isoworker_build_info") ||
           (name.size >= sizeof prefix - 1 && memcmp(name.data, prefix, sizeof prefix - 1) == 0);
}
