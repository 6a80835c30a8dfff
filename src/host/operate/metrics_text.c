/* SPDX-License-Identifier: Apache-2.0 */
/* The text format of Prometheus, version 0.0.4. */
#include "host/operate/metrics.h"

#include "base/number.h"

#include <math.h>
#include <stdio.h>

/* Backslashes and line feeds, and in labels quotes. */
static void escape(iswi_buffer *out, isw_str text, bool quotes)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\n')
            iswi_buffer_append_text(out, "\\n");
        else if (text.data[i] == '\\' || (quotes && text.data[i] == '"'))
            iswi_buffer_printf(out, "\\%c", text.data[i]);
        else
            iswi_buffer_append(out, &text.data[i], 1);
    }
}

void iswi_metrics_label(iswi_buffer *out, isw_str name, isw_str value)
{
    iswi_buffer_append(out, name.data, name.size);
    iswi_buffer_append_text(out, "=\"");
    escape(out, value, true);
    iswi_buffer_append_text(out, "\"");
}

void iswi_metrics_head(iswi_buffer *out, const char *name, iswi_metric_type type,
                       const char *help)
{
    static const char *const types[] = { "counter", "gauge", "histogram" };

    if (*help) {
        iswi_buffer_printf(out, "# HELP %s ", name);
        escape(out, isw_str_of(help), false);
        iswi_buffer_append_text(out, "\n");
    }
    iswi_buffer_printf(out, "# TYPE %s %s\n", name, types[type]);
}

void iswi_metrics_number(iswi_buffer *out, double value)
{
    char text[ISWI_DOUBLE_BYTES];

    if (isfinite(value))
        iswi_double_text(value, text);
    else
        snprintf(text, sizeof text, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
    iswi_buffer_append_text(out, text);
}

static void write_line(iswi_buffer *out, const iswi_metrics_series *series, const char *suffix,
                       double value)
{
    iswi_buffer_printf(out, "%s%s{%s} ", series->family->name, suffix, series->labels);
    iswi_metrics_number(out, value);
    iswi_buffer_append_text(out, "\n");
}

void iswi_metrics_buckets(iswi_buffer *out, const char *name, const char *labels,
                          const double *bounds, const uint64_t *counts, size_t bound_count,
                          double sum)
{
    uint64_t count = 0;

    for (size_t i = 0; i <= bound_count; i++) {
        count += counts[i];
        iswi_buffer_printf(out, "%s_bucket{%s,le=\"", name, labels);
        iswi_metrics_number(out, i < bound_count ? bounds[i] : HUGE_VAL);
        iswi_buffer_printf(out, "\"} %llu\n", (unsigned long long)count);
    }
    iswi_buffer_printf(out, "%s_sum{%s} ", name, labels);
    iswi_metrics_number(out, sum);
    iswi_buffer_printf(out, "\n%s_count{%s} %llu\n", name, labels, (unsigned long long)count);
}

static void write_histogram(iswi_buffer *out, const iswi_metrics_series *series)
{
    iswi_metrics_buckets(out, series->family->name, series->labels, series->bounds, series->counts,
                         series->bound_count, series->value);
}

static void write_gauge(iswi_buffer *out, const iswi_metrics_series *series)
{
    double sum = 0;

    for (size_t i = 0; i < series->part_count; i++)
        sum += series->parts[i].value;
    write_line(out, series, "", sum);
}

/* A gauge that no process has, and a histogram for which there was no memory. */
static bool is_empty(const iswi_metrics_series *series)
{
    iswi_metric_type type = series->family->type;

    return (type == ISWI_METRIC_GAUGE && !series->part_count) ||
           (type == ISWI_METRIC_HISTOGRAM && !series->counts);
}

static void write_series(iswi_buffer *out, const iswi_metrics_series *series)
{
    switch (series->family->type) {
    case ISWI_METRIC_GAUGE:
        write_gauge(out, series);
        break;
    case ISWI_METRIC_HISTOGRAM:
        write_histogram(out, series);
        break;
    default:
        write_line(out, series, "", series->value);
    }
}

static void write_family(iswi_buffer *out, const iswi_metrics_family *family)
{
    bool begun = false;

    for (const iswi_metrics_series *at = family->first; at; at = at->sibling) {
        if (is_empty(at))
            continue;
        if (!begun)
            iswi_metrics_head(out, family->name, family->type, family->help);
        begun = true;
        write_series(out, at);
    }
}

void iswi_metrics_write(iswi_metrics_table *table, iswi_buffer *out)
{
    pthread_mutex_lock(&table->lock);
    for (const iswi_metrics_family *at = table->first; at; at = at->next)
        write_family(out, at);
    pthread_mutex_unlock(&table->lock);
}
