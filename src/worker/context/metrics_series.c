/* SPDX-License-Identifier: Apache-2.0 */
/* One series: what is added to it, by atomic operations alone. */
#include "worker/context/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

double iswi_metric_double(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t as_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void add_to(isw_series *series, double amount)
{
    uint64_t before = atomic_load_explicit(&series->numbers[0], memory_order_relaxed);

    while (!atomic_compare_exchange_weak_explicit(&series->numbers[0], &before,
                                                  as_bits(iswi_metric_double(before) + amount),
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

/* Whether the amount can be counted. The first of a metric that cannot is told to the programmer:
 * what goes missing of a sum shows nowhere else. */
static bool counts(isw_series *series, double amount)
{
    if (!series || isfinite(amount))
        return series != NULL;
    if (!atomic_exchange_explicit(&series->family->told_amount, true, memory_order_relaxed))
        fprintf(stderr, "isoworker: the metric \"%s\" was given %s, which is no finite number; "
                        "what is none is left out\n", series->family->metric.name,
                isnan(amount) ? "NaN" : "an infinity");
    return false;
}

void isw_series_add(isw_series *series, double amount)
{
    if (!counts(series, amount))
        return;
    assert(series->family->metric.type != ISW_HISTOGRAM);
    if (series->family->metric.type == ISW_GAUGE || amount >= 0)
        add_to(series, amount);
}

void isw_series_set(isw_series *series, double value)
{
    if (!counts(series, value))
        return;
    assert(series->family->metric.type == ISW_GAUGE);
    atomic_store_explicit(&series->numbers[0], as_bits(value), memory_order_relaxed);
}

void isw_series_observe(isw_series *series, double value)
{
    const isw_metric *metric;
    size_t i = 0;

    if (!counts(series, value))
        return;
    metric = &series->family->metric;
    assert(metric->type == ISW_HISTOGRAM);
    while (i < metric->bound_count && value > metric->bounds[i])
        i++;
    atomic_fetch_add_explicit(&series->numbers[1 + i], 1, memory_order_relaxed);
    add_to(series, value);
}

double isw_series_value(const isw_series *series)
{
    return series ? iswi_metric_double(atomic_load(&series->numbers[0])) : 0;
}

uint64_t isw_series_count(const isw_series *series, double bound)
{
    const isw_metric *metric = series ? &series->family->metric : NULL;
    uint64_t count = 0;

    if (!metric || metric->type != ISW_HISTOGRAM)
        return 0;
    for (size_t i = 0; i <= metric->bound_count; i++)
        if (i < metric->bound_count ? metric->bounds[i] <= bound : bound == HUGE_VAL)
            count += atomic_load(&series->numbers[1 + i]);
    return count;
}
