/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what workers have counted: how it lives, and the values in it. */
#include "host/operate/metrics_table.h"

#include "base/alloc.h"

#include <math.h>

iswi_metrics_table *iswi_metrics_create(void)
{
    iswi_metrics_table *table = iswi_calloc(1, sizeof *table);

    if (table)
        pthread_mutex_init(&table->lock, NULL);
    return table;
}

void iswi_metrics_destroy(iswi_metrics_table *table)
{
    iswi_metrics_family *next;

    if (!table)
        return;
    for (iswi_metrics_family *at = table->first; at; at = next) {
        next = at->next;
        iswi_metrics_free_family(at);
    }
    pthread_mutex_destroy(&table->lock);
    iswi_free(table);
}

/* -- Values ------------------------------------------------------------------------------------ */

static void add(double *sum, double change)
{
    if (isfinite(*sum + change))
        *sum += change;
}

static bool set_part(iswi_metrics_taking *t, iswi_metrics_series *series, double value)
{
    size_t bytes = sizeof *series->parts;
    iswi_metrics_part *parts;

    for (size_t i = 0; i < series->part_count; i++)
        if (series->parts[i].process == t->process) {
            series->parts[i].value = value;
            return true;
        }
    parts = iswi_metrics_has_room(t, bytes)
                ? iswi_realloc(series->parts, (series->part_count + 1) * sizeof *parts)
                : NULL;
    if (!parts)
        return false;
    series->parts = parts;
    parts[series->part_count++] = (iswi_metrics_part){ t->process, value };
    t->share->bytes += bytes;
    return true;
}

static bool has_bounds(const iswi_metrics_series *series, const isw_value *bounds)
{
    if (series->bound_count != bounds->as.array.count)
        return false;
    for (size_t i = 0; i < series->bound_count; i++)
        if (series->bounds[i] != bounds->as.array.items[i].as.real)
            return false;
    return true;
}

/* A histogram begins, or begins again with other bounds: for those who read it that is as if its
 * counters had been reset, which they expect of a restart. */
static bool set_bounds(iswi_metrics_taking *t, iswi_metrics_series *series, const isw_value *bounds)
{
    size_t count = bounds->as.array.count;
    size_t held = series->counts ? (2 * series->bound_count + 1) * sizeof(double) : 0;
    size_t wanted = (2 * count + 1) * sizeof(double);
    double *own = NULL;
    uint64_t *counts = NULL;

    if (iswi_metrics_has_room(t, wanted - held)) {
        own = iswi_calloc(count, sizeof *own);
        counts = iswi_calloc(count + 1, sizeof *counts);
    }
    if (!own || !counts) {
        iswi_free(own);
        iswi_free(counts);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        own[i] = bounds->as.array.items[i].as.real;
    iswi_free(series->bounds);
    iswi_free(series->counts);
    series->bounds = own;
    series->counts = counts;
    series->bound_count = count;
    series->value = 0;
    t->share->bytes += wanted - held;
    return true;
}

static bool add_counts(iswi_metrics_taking *t, iswi_metrics_series *series,
                       const iswi_wire_family *family, const iswi_wire_series *told)
{
    if (!has_bounds(series, &family->bounds) && !set_bounds(t, series, &family->bounds))
        return false;
    for (size_t i = 0; i <= series->bound_count; i++)
        series->counts[i] += (uint64_t)told->counts.as.array.items[i].as.integer;
    add(&series->value, told->value.as.real);
    return true;
}

/* False: it is dropped. */
static bool take_series(iswi_metrics_taking *t, iswi_metrics_family *family,
                        const iswi_wire_family *told, const iswi_wire_series *series)
{
    iswi_metrics_series *own = iswi_metrics_series_of(t, family, told, series);

    if (!own)
        return false;
    switch (family->type) {
    case ISWI_METRIC_GAUGE:
        return set_part(t, own, series->value.as.real);
    case ISWI_METRIC_HISTOGRAM:
        return add_counts(t, own, told, series);
    default:
        add(&own->value, series->value.as.real);
        return true;
    }
}

static void take_family(iswi_metrics_taking *t, const iswi_wire_family *told)
{
    iswi_metrics_family *family = iswi_metrics_family_of(t, told);

    for (size_t i = 0; i < told->series.count; i++)
        if (!family || !take_series(t, family, told, &told->series.items[i]))
            t->share->dropped++;
}

isw_status iswi_metrics_take(iswi_metrics_table *table, iswi_metrics_share *share,
                             const void *process, const iswi_wire_metrics *told, isw_error *error)
{
    iswi_metrics_taking t = { .table = table, .share = share, .process = process };
    isw_status status = iswi_metrics_check(told, error);

    if (status != ISW_OK)
        return status;
    pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < told->families.count; i++)
        take_family(&t, &told->families.items[i]);
    pthread_mutex_unlock(&table->lock);
    iswi_buffer_fini(&t.labels);
    return ISW_OK;
}

bool iswi_metrics_note(iswi_metrics_table *table, iswi_metrics_share *share, isw_error *out)
{
    bool noted;

    pthread_mutex_lock(&table->lock);
    noted = share->note.message[0] != '\0';
    if (noted)
        *out = share->note;
    share->note.message[0] = '\0';
    pthread_mutex_unlock(&table->lock);
    return noted;
}

/* -- The end of a process ---------------------------------------------------------------------- */

static void forget_part(iswi_metrics_series *series, const void *process)
{
    for (size_t i = 0; i < series->part_count; i++)
        if (series->parts[i].process == process) {
            series->parts[i] = series->parts[--series->part_count];
            series->share->bytes -= sizeof *series->parts;
            return;
        }
}

void iswi_metrics_forget(iswi_metrics_table *table, const void *process)
{
    pthread_mutex_lock(&table->lock);
    for (iswi_metrics_family *family = table->first; family; family = family->next)
        for (iswi_metrics_series *at = family->first; at; at = at->sibling)
            forget_part(at, process);
    pthread_mutex_unlock(&table->lock);
}
