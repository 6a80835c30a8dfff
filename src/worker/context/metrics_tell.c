/* SPDX-License-Identifier: Apache-2.0 */
/* What has changed since it was told, frame by frame. Invariant: what is marked as told is in a
 * frame that is whole; so memory is taken first. */
#include "worker/context/metrics.h"

#include <math.h>

/* So that a frame of the longest names and labels stays below ISWI_METRICS_MAX_BYTES. */
enum { SERIES_OF_FRAME = 128 };

typedef struct part {
    iswi_arena *arena;
    iswi_wire_family *families;
    size_t family_count;
    iswi_wire_series *series; /* of all families, one after the other */
    size_t series_count;
} part;

static isw_value ints_of(const isw_series *series, size_t count, iswi_arena *arena)
{
    isw_value *items = iswi_arena_calloc(arena, count, sizeof *items);

    for (size_t i = 0; items && i < count; i++)
        items[i] =
            isw_value_int((int64_t)(atomic_load(&series->numbers[1 + i]) - series->told_counts[i]));
    return isw_value_array(items, items ? count : 0);
}

static bool has_changed(const isw_series *series, size_t count)
{
    if (!series->told || isw_series_value(series) != series->told_value)
        return true;
    for (size_t i = 0; i < count; i++)
        if (atomic_load(&series->numbers[1 + i]) != series->told_counts[i])
            return true;
    return false;
}

/* False: memory is out. */
static bool tell_series(part *p, isw_series *series)
{
    const iswi_family *family = series->family;
    size_t count = family->metric.bound_count ? family->metric.bound_count + 1 : 0;
    double value = isw_series_value(series);
    double change = family->metric.type == ISW_GAUGE ? value : value - series->told_value;
    iswi_wire_series *out = &p->series[p->series_count];
    isw_value counts = { .type = ISW_VALUE_NONE };

    if (series->kept || !has_changed(series, count) || !isfinite(change))
        return true;
    if (count)
        counts = ints_of(series, count, p->arena);
    if (count && !counts.as.array.count)
        return false;
    *out = (iswi_wire_series){ .labels = { series->labels, family->label_count },
                               .value = isw_value_double(change), .counts = counts };
    for (size_t i = 0; i < count; i++)
        series->told_counts[i] += (uint64_t)counts.as.array.items[i].as.integer;
    series->told_value = value;
    series->told = true;
    p->series_count++;
    return true;
}

/* False: memory is out. */
static bool begin_family(part *p, const iswi_family *family)
{
    const isw_metric *metric = &family->metric;
    isw_value *bounds = iswi_arena_calloc(p->arena, metric->bound_count + 1, sizeof *bounds);
    iswi_wire_family *out = &p->families[p->family_count];

    if (!bounds)
        return false;
    for (size_t i = 0; i < metric->bound_count; i++)
        bounds[i] = isw_value_double(metric->bounds[i]);
    *out = (iswi_wire_family){ .name = isw_str_of(metric->name),
                               .type = (uint64_t)metric->type,
                               .help = isw_str_of(metric->help),
                               .labels = { family->labels, family->label_count } };
    if (metric->bound_count)
        out->bounds = isw_value_array(bounds, metric->bound_count);
    out->series.items = &p->series[p->series_count];
    return true;
}

/* From at->series on. Returns whether it went to the end of the family. */
static bool tell_family(part *p, iswi_metrics_at *at)
{
    size_t before = p->series_count;

    if (!begin_family(p, at->family))
        return false;
    while (at->series && p->series_count < SERIES_OF_FRAME && tell_series(p, at->series))
        at->series = at->series->sibling;
    p->families[p->family_count].series.count = p->series_count - before;
    p->family_count += p->series_count > before;
    return !at->series;
}

bool iswi_metrics_tell_one(isw_series *series, iswi_arena *arena, iswi_wire_metrics *out)
{
    part p = { .arena = arena,
               .families = iswi_arena_calloc(arena, 1, sizeof *p.families),
               .series = iswi_arena_calloc(arena, 1, sizeof *p.series) };

    if (!p.families || !p.series || !begin_family(&p, series->family) || !tell_series(&p, series))
        return false;
    series->told = false; /* should it be told after all */
    p.families->series.count = p.series_count;
    *out = (iswi_wire_metrics){ .families = { p.families, 1 } };
    return p.series_count == 1;
}

static void begin(const isw_metrics *metrics, iswi_metrics_at *at)
{
    at->begun = true;
    at->family = metrics->first;
    at->series = at->family ? at->family->first : NULL;
}

bool iswi_metrics_tell(isw_metrics *metrics, iswi_metrics_at *at, iswi_arena *arena,
                       iswi_wire_metrics *out)
{
    part p = { .arena = arena };

    pthread_mutex_lock(&metrics->lock);
    if (!at->begun)
        begin(metrics, at);
    p.families = iswi_arena_calloc(arena, metrics->family_count + 1, sizeof *p.families);
    p.series = iswi_arena_calloc(arena, SERIES_OF_FRAME, sizeof *p.series);
    while (p.families && p.series && at->family && tell_family(&p, at)) {
        at->family = at->family->next;
        at->series = at->family ? at->family->first : NULL;
    }
    pthread_mutex_unlock(&metrics->lock);
    out->families.items = p.families;
    out->families.count = p.family_count;
    out->more = p.series_count == SERIES_OF_FRAME && at->family;
    return out->more;
}
