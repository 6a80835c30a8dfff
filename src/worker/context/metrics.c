/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Series by metric and labels. Invariant: what a bucket leads to is whole and stays, so that it is
 * read without the lock; whoever adds to it holds that.
 */
#include "worker/context/metrics.h"

#include "base/alloc.h"
#include "base/text.h"

#include <assert.h>
#include <stdarg.h>

static const double seconds[] = { 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                  0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10 };

enum { SECONDS = sizeof seconds / sizeof seconds[0] };

/* Labels in the form in which they are kept. */
typedef struct clean_labels {
    char text[ISW_METRIC_LABELS_MAX][ISWI_NAME_MAX + 1];
} clean_labels;

/* What could not be had, by its metric. */
static const isw_metric refused = {
    .name = "isoworker_metrics_refused_total",
    .help = "How often a series was asked for that a limit or a rule forbids, by metric.",
    .type = ISW_COUNTER,
    .labels = { "metric" },
};

/* -- Keys -------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* Eight bytes at a time, since this is most of what a look-up costs; the last eight may overlap.
 * The size goes in, too, so that "a", "bc" is not "ab", "c". */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    size_t size = strlen(text);
    uint64_t word = size;

    if (size < sizeof word) {
        while (*text)
            word = word << 8 | (unsigned char)*text++;
        return mix(hash, word);
    }
    hash += size;
    for (size_t at = 0; at + sizeof word < size; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        hash = mix(hash, word);
    }
    memcpy(&word, text + size - sizeof word, sizeof word);
    return mix(hash, word);
}

static void hash_key(iswi_series_key *k)
{
    k->hash = hash_text(0, k->metric->name);
    for (size_t i = 0; i < k->label_count; i++)
        k->hash = hash_text(k->hash, k->labels[i]);
}

/* A NULL ends them. */
static void read_labels(iswi_series_key *k, va_list args)
{
    bool over = false;

    for (size_t i = 0; i < k->label_count; i++) {
        k->labels[i] = over ? NULL : va_arg(args, const char *);
        over = !k->labels[i];
        if (over)
            k->labels[i] = "";
    }
    hash_key(k);
}

static void begin_key(iswi_series_key *k, const isw_metric *metric)
{
    k->metric = metric;
    k->bounds = NULL;
    k->bound_count = k->label_count = 0;
    if (metric->type == ISW_HISTOGRAM) {
        k->bounds = metric->bounds ? metric->bounds : seconds;
        k->bound_count = metric->bounds ? metric->bound_count : SECONDS;
    }
    while (k->label_count < ISW_METRIC_LABELS_MAX && metric->labels[k->label_count])
        k->label_count++;
}

static bool same_metric(const iswi_family *family, const iswi_series_key *k)
{
    const isw_metric *metric = &family->metric;

    return strcmp(metric->name, k->metric->name) == 0 && metric->type == k->metric->type &&
           iswi_family_has_labels(family, k) && metric->bound_count == k->bound_count &&
           (k->bound_count == 0 ||
            memcmp(metric->bounds, k->bounds, k->bound_count * sizeof *k->bounds) == 0);
}

static bool same_labels(const isw_series *series, const iswi_series_key *k)
{
    for (size_t i = 0; i < k->label_count; i++)
        if (strcmp(series->labels[i].data, k->labels[i]) != 0)
            return false;
    return true;
}

static isw_series *find(const isw_metrics *metrics, const iswi_series_key *k)
{
    iswi_series_slot *buckets = atomic_load_explicit(&metrics->buckets, memory_order_acquire);
    isw_series *at = NULL;

    if (buckets)
        at = atomic_load_explicit(&buckets[k->hash % ISWI_METRIC_BUCKETS], memory_order_acquire);
    while (at && !(at->hash == k->hash && same_metric(at->family, k) && same_labels(at, k)))
        at = at->next;
    return at;
}

/* Cut at a whole character; what is not UTF-8 gets question marks. */
static void clean(iswi_series_key *k, clean_labels *out)
{
    for (size_t i = 0; i < k->label_count; i++) {
        size_t size = strnlen(k->labels[i], ISWI_NAME_MAX + 1);
        char *text = out->text[i];

        if (size > ISWI_NAME_MAX)
            for (size = ISWI_NAME_MAX; size && (k->labels[i][size] & 0xc0) == 0x80; size--)
                continue;
        memcpy(text, k->labels[i], size);
        text[size] = '\0';
        if (!iswi_utf8_valid(text, size))
            for (size_t j = 0; j < size; j++)
                text[j] = (text[j] & 0x80) ? '?' : text[j];
        k->labels[i] = text;
    }
    hash_key(k);
}

/* -- Adding; with the lock --------------------------------------------------------------------- */

/* A copy at *at, which moves on. */
static isw_str keep(char **at, const char *text)
{
    isw_str kept = { *at, strlen(text) };

    memcpy(*at, text, kept.size + 1);
    *at += kept.size + 1;
    return kept;
}

static size_t label_names_size(const iswi_series_key *k)
{
    size_t size = 0;

    for (size_t i = 0; i < k->label_count; i++)
        size += strlen(k->metric->labels[i]) + 1;
    return size;
}

static iswi_family *make_family(isw_metrics *metrics, const iswi_series_key *k)
{
    const char *help = k->metric->help ? k->metric->help : "";
    size_t help_size = strnlen(help, ISWI_LINE_MAX);
    size_t bounds_size = k->bound_count * sizeof *k->bounds;
    bool has_room = metrics->family_count < ISWI_FAMILIES_MAX;
    iswi_family *family =
        has_room ? iswi_calloc(1, sizeof *family + bounds_size + strlen(k->metric->name) + 1 +
                                      help_size + 1 + label_names_size(k))
                 : NULL;
    char *at;

    if (!family)
        return NULL;
    at = (char *)(family + 1);
    if (bounds_size)
        family->metric.bounds = memcpy(at, k->bounds, bounds_size);
    at += bounds_size;
    family->metric.type = k->metric->type;
    family->metric.bound_count = k->bound_count;
    family->metric.name = keep(&at, k->metric->name).data;
    if (iswi_utf8_valid(help, help_size))
        memcpy(at, help, help_size);
    family->metric.help = at;
    at += help_size + 1;
    for (; family->label_count < k->label_count; family->label_count++)
        family->labels[family->label_count] = keep(&at, k->metric->labels[family->label_count]);
    if (metrics->last)
        metrics->last->next = family;
    else
        metrics->first = family;
    metrics->last = family;
    metrics->family_count++;
    return family;
}

/* NULL, having said so: there is none, and cannot be. */
static iswi_family *family_of(isw_metrics *metrics, const iswi_series_key *k)
{
    const char *fault = iswi_metric_rule_fault(k);
    iswi_family *at = fault ? NULL : metrics->first;

    while (at && !fault && !same_metric(at, k)) {
        fault = iswi_metric_conflict(at, k);
        at = fault ? at : at->next;
    }
    if (fault)
        iswi_metric_say_refused(metrics, k->metric, fault, at);
    else if (!at)
        at = make_family(metrics, k);
    return fault ? NULL : at;
}

static isw_series *allocate(const iswi_series_key *k, size_t counts)
{
    size_t size = 0;
    isw_series *series;
    char *at;

    for (size_t i = 0; i < k->label_count; i++)
        size += strlen(k->labels[i]) + 1;
    series = iswi_calloc(1, sizeof *series + (1 + 2 * counts) * sizeof(uint64_t) + size);
    if (!series)
        return NULL;
    series->numbers = (_Atomic uint64_t *)(series + 1);
    series->told_counts = (uint64_t *)(series + 1) + 1 + counts;
    at = (char *)(series->told_counts + counts);
    for (size_t i = 0; i < k->label_count; i++)
        series->labels[i] = keep(&at, k->labels[i]);
    return series;
}

static isw_series *make_series(isw_metrics *metrics, iswi_family *family, const iswi_series_key *k)
{
    size_t counts = k->bound_count ? k->bound_count + 1 : 0;
    iswi_series_slot *buckets = atomic_load(&metrics->buckets);
    isw_series *series = allocate(k, counts);
    iswi_series_slot *slot;

    if (series && !buckets) {
        buckets = iswi_calloc(ISWI_METRIC_BUCKETS, sizeof *buckets);
        atomic_store_explicit(&metrics->buckets, buckets, memory_order_release);
    }
    if (!series || !buckets) {
        iswi_free(series);
        return NULL;
    }
    series->family = family;
    series->hash = k->hash;
    iswi_metrics_keep(metrics, series, 1 + counts);
    if (family->last)
        family->last->sibling = series;
    else
        family->first = series;
    family->last = series;
    family->count++;
    metrics->series_count++;
    slot = &buckets[k->hash % ISWI_METRIC_BUCKETS];
    series->next = atomic_load_explicit(slot, memory_order_relaxed);
    atomic_store_explicit(slot, series, memory_order_release);
    return series;
}

static isw_series *find_or_make(isw_metrics *metrics, iswi_family *family, iswi_series_key *k)
{
    isw_series *series = find(metrics, k);

    return series ? series : make_series(metrics, family, k);
}

/* One for each metric at most, so no limit binds it. */
static void count_refusal(isw_metrics *metrics, const iswi_family *family)
{
    iswi_family *own;
    iswi_series_key k;

    begin_key(&k, &refused);
    k.labels[0] = family ? family->metric.name : "";
    hash_key(&k);
    own = family_of(metrics, &k);
    if (own)
        isw_series_add(find_or_make(metrics, own, &k), 1);
}

static isw_series *refuse(isw_metrics *metrics, iswi_family *family, iswi_series_key *k)
{
    count_refusal(metrics, family);
    if (!family || k->metric->type == ISW_GAUGE)
        return NULL;
    for (size_t i = 0; i < k->label_count; i++)
        k->labels[i] = "other";
    hash_key(k);
    return find_or_make(metrics, family, k);
}

static isw_series *add(isw_metrics *metrics, iswi_series_key *k)
{
    iswi_family *family = family_of(metrics, k);
    isw_series *series = family ? find(metrics, k) : NULL;

    if (series)
        return series;
    if (!family || (k->label_count && family->count >= ISWI_SERIES_OF_FAMILY_MAX) ||
        metrics->series_count >= ISWI_SERIES_MAX)
        return refuse(metrics, family, k);
    return make_series(metrics, family, k);
}

/* -- Public ------------------------------------------------------------------------------------ */

isw_series *isw_metric_series(isw_metrics *metrics, const isw_metric *metric, ...)
{
    clean_labels labels;
    isw_series *series;
    va_list args;
    iswi_series_key k;

    assert(metric->name);
    begin_key(&k, metric);
    va_start(args, metric);
    read_labels(&k, args);
    va_end(args);
    series = find(metrics, &k);
    if (series)
        return series;
    clean(&k, &labels);
    pthread_mutex_lock(&metrics->lock);
    series = add(metrics, &k);
    pthread_mutex_unlock(&metrics->lock);
    return series;
}

/* -- Life -------------------------------------------------------------------------------------- */

isw_metrics *iswi_metrics_create(void)
{
    isw_metrics *metrics = iswi_calloc(1, sizeof *metrics);

    if (metrics) {
        pthread_mutex_init(&metrics->lock, NULL);
        iswi_metrics_attach(metrics);
    }
    return metrics;
}

static void free_family(iswi_family *family)
{
    isw_series *next;

    for (isw_series *at = family->first; at; at = next) {
        next = at->sibling;
        iswi_free(at);
    }
    iswi_free(family);
}

void iswi_metrics_destroy(isw_metrics *metrics)
{
    iswi_family *next;

    if (!metrics)
        return;
    for (iswi_family *at = metrics->first; at; at = next) {
        next = at->next;
        free_family(at);
    }
    for (iswi_refused_metric *at = metrics->refused, *after; at; at = after) {
        after = at->next;
        iswi_free(at);
    }
    iswi_metrics_detach(metrics);
    iswi_free(atomic_load(&metrics->buckets));
    pthread_mutex_destroy(&metrics->lock);
    iswi_free(metrics);
}
