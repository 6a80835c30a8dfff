/* SPDX-License-Identifier: Apache-2.0 */
/* Rows, medians, the table with its bars, and JSON. A ratio is to the row `nng` of the same mode
 * and payload; without such a row there is none. */
#include "bench/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const mode_names[] = { "back-to-back", "silence", "pipelined", "first",
                                         "aged" };

/* -- Collecting -------------------------------------------------------------------------------- */

static bool grow(void **array, size_t *capacity, size_t needed, size_t item_size)
{
    size_t larger = *capacity ? *capacity : 32;
    void *grown;

    if (needed <= *capacity)
        return true;
    while (larger < needed)
        larger *= 2;
    grown = realloc(*array, larger * item_size);
    if (!grown)
        return false;
    *array = grown;
    *capacity = larger;
    return true;
}

static iswi_bench_row *find(const iswi_bench_report *report, const char *name,
                            iswi_bench_mode mode, uint32_t payload)
{
    for (size_t i = 0; i < report->count; i++) {
        iswi_bench_row *row = &report->rows[i];

        if (row->mode == mode && row->payload == payload && strcmp(row->name, name) == 0)
            return row;
    }
    return NULL;
}

static iswi_bench_row *add_row(iswi_bench_report *report, const char *name,
                               const iswi_bench_samples *samples)
{
    void *rows = report->rows;
    iswi_bench_row *row;

    if (!grow(&rows, &report->capacity, report->count + 1, sizeof *row))
        return NULL;
    report->rows = rows;
    row = &report->rows[report->count++];
    *row = (iswi_bench_row){ .name = name, .mode = samples->mode, .payload = samples->payload,
                             .in_flight = samples->in_flight };
    return row;
}

bool iswi_bench_report_add(iswi_bench_report *report, const char *name,
                           const iswi_bench_samples *samples)
{
    iswi_bench_row *row = find(report, name, samples->mode, samples->payload);
    void *times;

    if (!row)
        row = add_row(report, name, samples);
    if (!row)
        return false;
    times = row->times_ns;
    if (!grow(&times, &row->capacity, row->count + samples->count, sizeof row->times_ns[0]))
        return false;
    row->times_ns = times;
    row->done += samples->done;
    for (unsigned i = 0; i < ISWI_BENCH_COUNTS; i++)
        row->counts[i] = samples->counts[i] == ISWI_BENCH_NOT_COUNTED ||
                                 row->counts[i] == ISWI_BENCH_NOT_COUNTED
                             ? ISWI_BENCH_NOT_COUNTED
                             : row->counts[i] + samples->counts[i];
    memcpy(row->times_ns + row->count, samples->times_ns,
           samples->count * sizeof row->times_ns[0]);
    row->count += samples->count;
    if (row->rounds < ISWI_BENCH_ROUNDS_MAX && samples->elapsed_ns > 0)
        row->rates[row->rounds++] = (double)samples->done * 1e9 / (double)samples->elapsed_ns;
    return true;
}

void iswi_bench_report_fini(iswi_bench_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->rows[i].times_ns);
    free(report->rows);
    *report = (iswi_bench_report){ 0 };
}

/* -- What it comes to -------------------------------------------------------------------------- */

static int compare_times(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static int compare_rates(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* Cases in the order of their first row, which is that of the command; then by kind. */
static int compare_rows(const void *a, const void *b)
{
    const iswi_bench_row *x = a;
    const iswi_bench_row *y = b;

    if (x->payload != y->payload)
        return x->payload < y->payload ? -1 : 1;
    return x->mode < y->mode ? -1 : x->mode > y->mode;
}

/* Insertion: it keeps the order of what is equal, as qsort need not. */
static void sort_rows(iswi_bench_report *report)
{
    for (size_t i = 1; i < report->count; i++) {
        iswi_bench_row row = report->rows[i];
        size_t j = i;

        for (; j && compare_rows(&report->rows[j - 1], &row) > 0; j--)
            report->rows[j] = report->rows[j - 1];
        report->rows[j] = row;
    }
}

void iswi_bench_report_settle(iswi_bench_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        iswi_bench_row *row = &report->rows[i];

        qsort(row->rates, row->rounds, sizeof row->rates[0], compare_rates);
        row->per_s = row->rounds ? row->rates[row->rounds / 2] : 0;
        row->cpu_us = row->counts[ISWI_BENCH_CPU_NS] == ISWI_BENCH_NOT_COUNTED || !row->done
                          ? NAN
                          : (double)row->counts[ISWI_BENCH_CPU_NS] / 1e3 / (double)row->done;
        if (!row->count)
            continue;
        qsort(row->times_ns, row->count, sizeof row->times_ns[0], compare_times);
        row->p50_us = row->times_ns[row->count / 2] / 1e3;
        row->p99_us = row->times_ns[(size_t)((double)row->count * 0.99)] / 1e3;
    }
    sort_rows(report);
}

typedef struct ratios {
    double p50, per_s; /* 0: there is none */
} ratios;

static ratios ratios_of(const iswi_bench_report *report, const iswi_bench_row *row)
{
    const iswi_bench_row *nng = find(report, "nng", row->mode, row->payload);
    ratios found = { 0, 0 };

    if (nng && nng->p50_us > 0 && nng->per_s > 0)
        found = (ratios){ row->p50_us / nng->p50_us, row->per_s / nng->per_s };
    return found;
}

/* -- JSON -------------------------------------------------------------------------------------- */

/* One that is 0 or NAN there is not. */
static void print_number(FILE *out, const char *name, double number)
{
    if (number > 0)
        fprintf(out, ",\"%s\":%.5f", name, number);
    else
        fprintf(out, ",\"%s\":null", name);
}

void iswi_bench_report_json(const iswi_bench_report *report, FILE *out)
{
    for (size_t i = 0; i < report->count; i++) {
        const iswi_bench_row *row = &report->rows[i];
        ratios to_nng = ratios_of(report, row);

        fprintf(out, "{\"case\":\"%s\",\"mode\":\"%s\",\"payload_bytes\":%u,\"in_flight\":%u",
                row->name, mode_names[row->mode], row->payload, row->in_flight);
        fprintf(out, ",\"p50_us\":%.3f,\"p99_us\":%.3f,\"per_s\":%.1f", row->p50_us, row->p99_us,
                row->per_s);
        print_number(out, "cpu_us", row->cpu_us);
        print_number(out, "ratio_p50_to_nng", to_nng.p50);
        print_number(out, "ratio_per_s_to_nng", to_nng.per_s);
        fputs("}\n", out);
    }
}

/* -- The table --------------------------------------------------------------------------------- */

enum { BAR_WIDTH = 24 };

/* What a bar shows: answers per second when pipelined, where longer is better, else the median
 * time, where shorter is. */
static double bar_value(const iswi_bench_row *row)
{
    return row->mode == ISWI_BENCH_PIPELINED ? row->per_s : row->p50_us;
}

static bool same_group(const iswi_bench_row *a, const iswi_bench_row *b)
{
    return a->mode == b->mode && a->payload == b->payload;
}

/* The bars are logarithmic, as the cases lie three orders of magnitude apart: the shortest is one
 * mark long, the longest BAR_WIDTH. */
static void print_bar(FILE *out, double value, double least, double most)
{
    double share = most > least && value > 0 ? log(value / least) / log(most / least) : 1;
    int marks = 1 + (int)(share * (BAR_WIDTH - 1) + 0.5);

    for (int i = 0; i < marks; i++)
        fputc('#', out);
    fputc('\n', out);
}

static void print_head(FILE *out, const iswi_bench_row *row)
{
    fprintf(out, "\n%s, %u bytes%s\n", mode_names[row->mode], row->payload,
            row->mode == ISWI_BENCH_SILENCE ? ", 2 ms of nothing between" : "");
    fprintf(out, "  %-16s %9s %10s %10s %11s %9s %9s %9s  %s\n", "CASE", "IN FLIGHT", "P50 us",
            "P99 us", "PER SECOND", "CPU us", "P50/nng", "RATE/nng",
            row->mode == ISWI_BENCH_PIPELINED ? "PER SECOND (log)" : "P50 (log)");
}

static void print_row(const iswi_bench_report *report, const iswi_bench_row *row, FILE *out,
                      double least, double most)
{
    ratios to_nng = ratios_of(report, row);

    fprintf(out, "  %-16s %9u %10.2f %10.2f %11.0f", row->name, row->in_flight, row->p50_us,
            row->p99_us, row->per_s);
    if (isnan(row->cpu_us))
        fprintf(out, " %9s", "-");
    else
        fprintf(out, " %9.2f", row->cpu_us);
    if (to_nng.p50 > 0)
        fprintf(out, " %9.3f %9.2f  ", to_nng.p50, to_nng.per_s);
    else
        fprintf(out, " %9s %9s  ", "-", "-");
    print_bar(out, bar_value(row), least, most);
}

void iswi_bench_report_table(const iswi_bench_report *report, FILE *out)
{
    size_t end;

    for (size_t first = 0; first < report->count; first = end) {
        double least = INFINITY;
        double most = 0;

        for (end = first; end < report->count &&
                          same_group(&report->rows[first], &report->rows[end]); end++) {
            least = fmin(least, bar_value(&report->rows[end]));
            most = fmax(most, bar_value(&report->rows[end]));
        }
        print_head(out, &report->rows[first]);
        for (size_t i = first; i < end; i++)
            print_row(report, &report->rows[i], out, least, most);
    }
}
