/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Families and series. Invariant: a worker has no more of the table than its share, and what it
 * cannot have there costs nobody else anything.
 */
#include "host/operate/metrics_table.h"

#include "base/alloc.h"
#include "base/metric.h"

void iswi_metrics_free_family(iswi_metrics_family *family)
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

bool iswi_metrics_has_room(const iswi_metrics_taking *t, size_t bytes)
{
    return t->share->bytes + bytes <= ISWI_METRICS_BYTES_OF_WORKER;
}

static iswi_metrics_family *make_family(iswi_metrics_taking *t, const iswi_wire_family *told)
{
    size_t bytes = sizeof(iswi_metrics_family) + told->name.size + told->help.size + 2;
    iswi_metrics_family *family =
        iswi_metrics_has_room(t, bytes) ? iswi_calloc(1, sizeof *family) : NULL;

    if (!family)
        return NULL;
    family->type = (iswi_metric_type)told->type;
    family->worker = t->share->worker;
    family->name = iswi_strndup(told->name.data, told->name.size);
    family->help = iswi_strndup(told->help.data ? told->help.data : "", told->help.size);
    if (!family->name || !family->help) {
        iswi_metrics_free_family(family);
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
static void note(iswi_metrics_taking *t, isw_str name, const char *why,
                 const iswi_metrics_family *other)
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

iswi_metrics_family *iswi_metrics_family_of(iswi_metrics_taking *t, const iswi_wire_family *told)
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

static iswi_metrics_series *make_series(iswi_metrics_taking *t, iswi_metrics_family *family,
                                        const char *labels)
{
    size_t bytes = sizeof(iswi_metrics_series) + strlen(labels) + 1;
    iswi_metrics_series *series =
        iswi_metrics_has_room(t, bytes) ? iswi_calloc(1, sizeof *series) : NULL;
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
static const char *labels_of(iswi_metrics_taking *t, const iswi_wire_family *told,
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

iswi_metrics_series *iswi_metrics_series_of(iswi_metrics_taking *t, iswi_metrics_family *family,
                                            const iswi_wire_family *told,
                                            const iswi_wire_series *series)
{
    const char *labels = labels_of(t, told, series);
    iswi_metrics_series *at;

    if (!labels)
        return NULL;
    at = t->table->slots[slot_of(family, labels)];
    while (at && (at->family != family || strcmp(at->labels, labels) != 0))
        at = at->next;
    return at ? at : make_series(t, family, labels);
}
