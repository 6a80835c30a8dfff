/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of what workers have counted. Invariant: a worker has no more of it than its share, and
 * what it cannot have there costs nobody else anything.
 */
#include "host/operate/metrics.h"

#include "base/alloc.h"
#include "base/metric.h"

#include <math.h>

/* What is being taken. */
typedef struct taking {
    iswi_metrics_table *table;
    iswi_metrics_share *share;
    const void *process;
    iswi_buffer labels; /* of the series at hand */
} taking;

iswi_metrics_table *iswi_metrics_create(void)
{
    iswi_metrics_table *table = iswi_calloc(1, sizeof *table);

    if (table)
        pthread_mutex_init(&table->lock, NULL);
    return table;
}

static void free_family(iswi_metrics_family *family)
{
    iswi_metrics_series *next;

    for (iswi_metrics_series *at = family->first; at; at = next) {
        next = at->sibling;
        iswi_free(at->labels);
        iswi_free(at->parts);
        iswi_free(at->bounds);
        iswi_free(at->counts);
        iswi_free(at);
    }
    iswi_free(family->name);
    iswi_free(family->help);
    iswi_free(family);
}

void iswi_metrics_destroy(iswi_metrics_table *table)
{
    iswi_metrics_family *next;

    if (!table)
        return;
    for (iswi_metrics_family *at = table->first; at; at = next) {
        next = at->next;
        free_family(at);
    }
    pthread_mutex_destroy(&table->lock);
    iswi_free(table);
}

/* -- Room -------------------------------------------------------------------------------------- */

static bool has_room(taking *t, size_t bytes)
{
    return t->share->bytes + bytes <= ISWI_METRICS_BYTES_OF_WORKER;
}

static iswi_metrics_family *make_family(taking *t, const iswi_wire_family *told)
{
    size_t bytes = sizeof(iswi_metrics_family) + told->name.size + told->help.size + 2;
    iswi_metrics_family *family = has_room(t, bytes) ? iswi_calloc(1, sizeof *family) : NULL;

    if (!family)
        return NULL;
    family->type = (iswi_metric_type)told->type;
    family->worker = t->share->worker;
    family->name = iswi_strndup(told->name.data, told->name.size);
    family->help = iswi_strndup(told->help.data ? told->help.data : "", told->help.size);
    if (!family->name || !family->help) {
        free_family(family);
        return NULL;
    }
    if (t->table->last)
        t->table->last->next = family;
    else
        t->table->first = family;
    t->table->last = family;
    t->share->bytes += bytes;
    return family;
}

/* FNV-1a; begin with HASH. */
#define HASH 2166136261u

static uint32_t hash_of(uint32_t hash, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

/* Have it said that this metric is dropped, unless it was, or too many others were. */
static void note(taking *t, isw_str name, const char *why, const iswi_metrics_family *other)
{
    const uint32_t hash = hash_of(HASH, name.data, name.size);
    iswi_metrics_share *share = t->share;

    for (size_t i = 0; i < share->noted_count; i++)
        if (share->noted[i] == hash)
            return;
    if (share->noted_count == ISWI_METRICS_NOTES || share->note.message[0])
        return;
    share->noted[share->noted_count++] = hash;
    isw_error_set(&share->note, ISW_E_INVALID,
                  other ? "its metric %.*s is left out of /metrics: %s %s, of worker %s"
                        : "its metric %.*s is left out of /metrics: %s",
                  (int)name.size, name.data, why, other ? other->name : "",
                  other ? other->worker : "");
}

/* NULL, with a note: it is not taken. */
static iswi_metrics_family *family_of(taking *t, const iswi_wire_family *told)
{
    static const char *const other_type[] = { "there is a counter", "there is a gauge",
                                              "there is a histogram" };
    const bool histogram = told->type == ISWI_METRIC_HISTOGRAM;
    iswi_metrics_family *clash = NULL;
    iswi_metrics_family *made;

    if (iswi_metric_is_hosts(told->name)) {
        note(t, told->name, "the name is one of the host's own", NULL);
        return NULL;
    }
    for (iswi_metrics_family *at = t->table->first; at; at = at->next) {
        if (isw_str_equal(isw_str_of(at->name), told->name)) {
            if ((uint64_t)at->type == told->type)
                return at;
            note(t, told->name, other_type[at->type], at);
            return NULL;
        }
        if (iswi_metric_clash(isw_str_of(at->name), at->type == ISWI_METRIC_HISTOGRAM, told->name,
                              histogram))
            clash = at;
    }
    if (clash) {
        note(t, told->name, "its lines would be taken for those of the other metric", clash);
        return NULL;
    }
    made = make_family(t, told);
    if (!made)
        note(t, told->name, "the worker's metrics have no more room", NULL);
    return made;
}

static size_t slot_of(const iswi_metrics_family *family, const char *labels)
{
    const uint32_t hash = hash_of(HASH, family->name, strlen(family->name));

    return hash_of(hash, labels, strlen(labels)) % ISWI_METRICS_SLOTS;
}

static iswi_metrics_series *make_series(taking *t, iswi_metrics_family *family, const char *labels)
{
    size_t bytes = sizeof(iswi_metrics_series) + strlen(labels) + 1;
    iswi_metrics_series *series = has_room(t, bytes) ? iswi_calloc(1, sizeof *series) : NULL;
    iswi_metrics_series **slot = &t->table->slots[slot_of(family, labels)];

    if (series)
        series->labels = iswi_strdup(labels);
    if (!series || !series->labels) {
        iswi_free(series);
        return NULL;
    }
    series->family = family;
    series->share = t->share;
    series->next = *slot;
    *slot = series;
    if (family->last)
        family->last->sibling = series;
    else
        family->first = series;
    family->last = series;
    t->share->bytes += bytes;
    return series;
}

static bool is_before(isw_str a, isw_str b)
{
    const int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

    return order ? order < 0 : a.size < b.size;
}

/* The index of the label with the first name behind `last` (NULL: of all); `count` for none. */
static size_t label_behind(const isw_str *names, size_t count, const isw_str *last)
{
    size_t first = count;

    for (size_t i = 0; i < count; i++)
        if ((!last || is_before(*last, names[i])) &&
            (first == count || is_before(names[i], names[first])))
            first = i;
    return first;
}

/* By name, and without those that are empty: to who reads the text, labels have no order, and an
 * empty one is none. Otherwise two descriptions of a metric could make one series twice. */
static const char *labels_of(taking *t, const iswi_wire_family *told,
                             const iswi_wire_series *series)
{
    const isw_str *names = told->labels.items;
    const size_t count = series->labels.count;
    size_t at;

    iswi_buffer_reset(&t->labels);
    iswi_metrics_label(&t->labels, isw_str_of("worker"), isw_str_of(t->share->worker));
    for (at = label_behind(names, count, NULL); at < count;
         at = label_behind(names, count, &names[at])) {
        if (!series->labels.items[at].size)
            continue;
        iswi_buffer_append_text(&t->labels, ",");
        iswi_metrics_label(&t->labels, names[at], series->labels.items[at]);
    }
    return iswi_buffer_text(&t->labels);
}

static iswi_metrics_series *series_of(taking *t, iswi_metrics_family *family, const char *labels)
{
    iswi_metrics_series *at = t->table->slots[slot_of(family, labels)];

    while (at && (at->family != family || strcmp(at->labels, labels) != 0))
        at = at->next;
    return at ? at : make_series(t, family, labels);
}

/* -- Values ------------------------------------------------------------------------------------ */

static void add(double *sum, double change)
{
    if (isfinite(*sum + change))
        *sum += change;
}

static bool set_part(taking *t, iswi_metrics_series *series, double value)
{
    size_t bytes = sizeof *series->parts;
    iswi_metrics_part *parts;

    for (size_t i = 0; i < series->part_count; i++)
        if (series->parts[i].process == t->process) {
            series->parts[i].value = value;
            return true;
        }
    parts = has_room(t, bytes)
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
static bool set_bounds(taking *t, iswi_metrics_series *series, const isw_value *bounds)
{
    size_t count = bounds->as.array.count;
    size_t held = series->counts ? (2 * series->bound_count + 1) * sizeof(double) : 0;
    size_t wanted = (2 * count + 1) * sizeof(double);
    double *own = NULL;
    uint64_t *counts = NULL;

    if (has_room(t, wanted - held)) {
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

static bool add_counts(taking *t, iswi_metrics_series *series, const iswi_wire_family *family,
                       const iswi_wire_series *told)
{
    if (!has_bounds(series, &family->bounds) && !set_bounds(t, series, &family->bounds))
        return false;
    for (size_t i = 0; i <= series->bound_count; i++)
        series->counts[i] += (uint64_t)told->counts.as.array.items[i].as.integer;
    add(&series->value, told->value.as.real);
    return true;
}

/* False: it is dropped. */
static bool take_series(taking *t, iswi_metrics_family *family, const iswi_wire_family *told,
                        const iswi_wire_series *series)
{
    const char *labels = labels_of(t, told, series);
    iswi_metrics_series *own = labels ? series_of(t, family, labels) : NULL;

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

static void take_family(taking *t, const iswi_wire_family *told)
{
    iswi_metrics_family *family = family_of(t, told);

    for (size_t i = 0; i < told->series.count; i++)
        if (!family || !take_series(t, family, told, &told->series.items[i]))
            t->share->dropped++;
}

isw_status iswi_metrics_take(iswi_metrics_table *table, iswi_metrics_share *share,
                             const void *process, const iswi_wire_metrics *told, isw_error *error)
{
    taking t = { .table = table, .share = share, .process = process };
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
