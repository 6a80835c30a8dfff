/* SPDX-License-Identifier: Apache-2.0 */
/* The rows, and their tables. Invariant: what was not measured is left out of a table or "-", and
 * null in JSON; it is never 0. */
#include "bench/http/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ONLY(metric) (1U << (metric))
enum {
    OF_LOAD = 1 << ISWI_BENCH_P50_US | 1 << ISWI_BENCH_P99_US | 1 << ISWI_BENCH_PER_S |
              1 << ISWI_BENCH_CPU_US | 1 << ISWI_BENCH_SWITCHES,
    OF_KILLS = 1 << ISWI_BENCH_P50_US | 1 << ISWI_BENCH_P99_US | 1 << ISWI_BENCH_PER_S
};

const iswi_bench_row_kind iswi_bench_http_rows[] = {
    { .name = "get-1", .title = "GET, one connection", .connections = 1, .metrics = OF_LOAD,
      .main = ISWI_BENCH_P50_US },
    { .name = "get-16", .title = "GET, 16 connections", .connections = 16, .metrics = OF_LOAD,
      .main = ISWI_BENCH_PER_S, .is_full = true },
    { .name = "get-64", .title = "GET, 64 connections", .connections = 64, .metrics = OF_LOAD,
      .main = ISWI_BENCH_PER_S },
    { .name = "get-256", .title = "GET, 256 connections", .connections = 256, .metrics = OF_LOAD,
      .main = ISWI_BENCH_PER_S },
    { .name = "get-1000", .title = "GET, 1,000 connections", .connections = 1000,
      .metrics = OF_LOAD, .main = ISWI_BENCH_PER_S, .is_full = true },
    { .name = "get-2ms", .title = "GET, one connection, 2 ms of nothing after each answer",
      .connections = 1, .gap_ns = ISWI_BENCH_SILENCE_NS, .metrics = OF_LOAD,
      .main = ISWI_BENCH_P50_US },
    { .name = "post-16", .title = "POST of 64 KiB, echoed, 16 connections", .connections = 16,
      .payload = 65536, .metrics = OF_LOAD, .main = ISWI_BENCH_PER_S },
    { .name = "kills", .title = "GET, 32 connections, a process of the worker killed each second",
      .connections = 32, .kills = true, .metrics = OF_KILLS, .main = ISWI_BENCH_PER_S },
    { .name = "threads", .title = "threads of all processes, after the rows with GET",
      .metrics = ONLY(ISWI_BENCH_THREADS), .main = ISWI_BENCH_THREADS },
    { .name = "start", .title = "from the start of the stack to its first answer",
      .metrics = ONLY(ISWI_BENCH_FIRST_MS), .main = ISWI_BENCH_FIRST_MS },
};
const unsigned iswi_bench_http_row_count =
    sizeof iswi_bench_http_rows / sizeof iswi_bench_http_rows[0];

/* What is counted over all rounds, and so has no range. */
#define NOT_2XX ISWI_BENCH_METRICS

static const struct metric {
    const char *key, *head;
    int digits;
} metrics[ISWI_BENCH_METRICS + 1] = {
    { "p50_us", "P50 us", 1 },        { "p99_us", "P99 us", 0 }, { "per_s", "PER SECOND", 0 },
    { "cpu_us", "CPU us", 1 },        { "switches", "SWITCHES", 2 },
    { "threads", "THREADS", 0 },      { "first_ms", "FIRST ms", 1 },
    { NULL, "NO 2xx", 0 },
};

static bool has(const iswi_bench_row_kind *row, unsigned metric)
{
    return row->metrics & ONLY(metric);
}

/* -- Numbers ----------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

void iswi_bench_results_settle(iswi_bench_results *results)
{
    for (unsigned row = 0; row < iswi_bench_http_row_count; row++)
        for (unsigned i = 0; i < iswi_bench_stack_count; i++) {
            iswi_bench_cell *cell = &results->cells[row][i];

            for (unsigned metric = 0; metric < ISWI_BENCH_METRICS; metric++)
                qsort(cell->values[metric], cell->rounds, sizeof(double), compare);
        }
}

/* The median of the rounds, or the sum of what was not answered; NAN when there is none. */
static double number(const iswi_bench_cell *cell, unsigned metric)
{
    unsigned half = cell->rounds / 2;
    const double *values;

    if (!cell->rounds)
        return NAN;
    if (metric == NOT_2XX)
        return (double)(cell->tally.refused + cell->tally.lost);
    values = cell->values[metric];
    return cell->rounds % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/* Stacks with a front that is not ours: what people would take instead. */
static bool is_peer(unsigned stack)
{
    return iswi_bench_stacks[stack].front != ISWI_BENCH_OURS &&
           iswi_bench_stacks[stack].front != ISWI_BENCH_NO_FRONT;
}

typedef bool (*which_fn)(unsigned stack);

static bool is_bare(unsigned stack)
{
    return iswi_bench_stacks[stack].front == ISWI_BENCH_NO_FRONT;
}

/* The best of those stacks; NULL when none is measured. */
static const iswi_bench_stack_kind *best(const iswi_bench_cell *cells, unsigned metric,
                                         which_fn which, double *value)
{
    const iswi_bench_stack_kind *found = NULL;

    *value = NAN;
    for (unsigned i = 0; i < iswi_bench_stack_count; i++) {
        double own = number(&cells[i], metric);
        bool better = metric == ISWI_BENCH_PER_S ? own > *value : own < *value;

        if (!which(i) || isnan(own) || (found && !better))
            continue;
        found = &iswi_bench_stacks[i];
        *value = own;
    }
    return found;
}

/* -- For people -------------------------------------------------------------------------------- */

static void print_number(FILE *out, int width, int digits, double value)
{
    if (isnan(value))
        fprintf(out, " %*s", width, "-");
    else
        fprintf(out, " %*.*f", width, digits, value);
}

/* A median, and behind the row's main one the range of the rounds. */
static void print_value(FILE *out, const iswi_bench_row_kind *row, const iswi_bench_cell *cell,
                        iswi_bench_metric metric)
{
    const double *values = cell->values[metric];
    char range[48];

    print_number(out, 10, metrics[metric].digits, number(cell, metric));
    if (metric != row->main)
        return;
    snprintf(range, sizeof range, "%.*f..%.*f", metrics[metric].digits, values[0],
             metrics[metric].digits, values[cell->rounds ? cell->rounds - 1 : 0]);
    fprintf(out, " %-15s", range);
}

static void print_row(const iswi_bench_results *results, unsigned index, FILE *out)
{
    const iswi_bench_row_kind *row = &iswi_bench_http_rows[index];
    const iswi_bench_cell *cells = results->cells[index];
    bool loaded = has(row, ISWI_BENCH_PER_S);

    fprintf(out, "\n%s: %s\n  %-15s", row->name, row->title, "STACK");
    for (unsigned metric = 0; metric < ISWI_BENCH_METRICS; metric++)
        if (has(row, metric))
            fprintf(out, metric == row->main ? " %10s (rounds)       " : " %10s",
                    metrics[metric].head);
    fprintf(out, "%s %10s\n", loaded ? "     NO 2xx" : "", "/isoworker");
    for (unsigned i = 0; i < iswi_bench_stack_count; i++) {
        const iswi_bench_cell *cell = &cells[i];

        if (!cell->rounds)
            continue;
        fprintf(out, "  %-15s", iswi_bench_stacks[i].name);
        for (unsigned metric = 0; metric < ISWI_BENCH_METRICS; metric++)
            if (has(row, metric))
                print_value(out, row, cell, metric);
        if (loaded)
            print_number(out, 10, 0, number(cell, NOT_2XX));
        print_number(out, 10, 2, number(cell, row->main) / number(&cells[0], row->main));
        fputs(cell->failed ? "  not to the end\n" : "\n", out);
    }
}

static void print_best(FILE *out, const iswi_bench_stack_kind *kind, double value, int digits)
{
    if (kind)
        fprintf(out, " %10.*f %-14s", digits, value, kind->name);
    else
        fprintf(out, " %10s %-14s", "-", "");
}

/* One number of a row: ours, the best with another front, the best with none. */
static void print_summary_line(const iswi_bench_results *results, unsigned row, unsigned metric,
                               FILE *out)
{
    const iswi_bench_cell *cells = results->cells[row];
    int digits = metrics[metric].digits;
    double ours = number(&cells[0], metric);
    double peer, bare;
    const iswi_bench_stack_kind *first = best(cells, metric, is_peer, &peer);
    const iswi_bench_stack_kind *floor = best(cells, metric, is_bare, &bare);

    if (isnan(ours) && !first && !floor)
        return;
    fprintf(out, "  %-9s %-10s", iswi_bench_http_rows[row].name, metrics[metric].head);
    print_number(out, 10, digits, ours);
    print_number(out, 10, digits, number(&cells[1], metric));
    print_best(out, first, peer, digits);
    print_number(out, 10, 2, peer > 0 ? ours / peer : NAN);
    print_best(out, floor, bare, digits);
    fputc('\n', out);
}

static void print_summary(const iswi_bench_results *results, FILE *out)
{
    fprintf(out, "\nall: what each row is about, and what it costs\n  %-9s %-10s %10s %10s %10s "
                 "%-14s %10s %10s\n", "ROW", "", "ISOWORKER", "TWO", "BEST PEER", "", "ISOW/PEER",
            "BEST BARE");
    for (unsigned row = 0; row < iswi_bench_http_row_count; row++) {
        print_summary_line(results, row, iswi_bench_http_rows[row].main, out);
        if (has(&iswi_bench_http_rows[row], ISWI_BENCH_CPU_US))
            print_summary_line(results, row, ISWI_BENCH_CPU_US, out);
        if (iswi_bench_http_rows[row].kills)
            print_summary_line(results, row, NOT_2XX, out);
    }
}

void iswi_bench_results_table(const iswi_bench_results *results, FILE *out)
{
    for (unsigned row = 0; row < iswi_bench_http_row_count; row++) {
        bool any = false;

        for (unsigned i = 0; i < iswi_bench_stack_count; i++)
            any = any || results->cells[row][i].rounds;
        if (any)
            print_row(results, row, out);
    }
    print_summary(results, out);
}

/* -- For programs ------------------------------------------------------------------------------ */

static void print_metric(FILE *out, const iswi_bench_cell *cell, unsigned metric)
{
    const double *values = cell->values[metric];
    const char *key = metrics[metric].key;

    fprintf(out, ",\"%s\":%.3f,\"%s_least\":%.3f,\"%s_most\":%.3f", key, number(cell, metric), key,
            values[0], key, values[cell->rounds - 1]);
}

static void print_object(const iswi_bench_results *results, unsigned index, unsigned stack,
                         FILE *out)
{
    const iswi_bench_row_kind *row = &iswi_bench_http_rows[index];
    const iswi_bench_cell *cell = &results->cells[index][stack];
    double ratio = number(cell, row->main) / number(&results->cells[index][0], row->main);

    fprintf(out, "{\"case\":\"%s\",\"mode\":\"%s\",\"rounds\":%u", iswi_bench_stacks[stack].name,
            row->name, cell->rounds);
    if (row->connections)
        fprintf(out, ",\"connections\":%u,\"payload_bytes\":%u,\"requests\":%llu,\"answered\":%llu,"
                     "\"refused\":%llu,\"lost\":%llu",
                row->connections, row->payload, (unsigned long long)cell->tally.sent,
                (unsigned long long)cell->tally.answered,
                (unsigned long long)cell->tally.refused, (unsigned long long)cell->tally.lost);
    if (row->kills)
        fprintf(out, ",\"killed\":%u", cell->killed);
    for (unsigned metric = 0; metric < ISWI_BENCH_METRICS; metric++)
        if (has(row, metric))
            print_metric(out, cell, metric);
    fprintf(out, ",\"ratio_%s_to_isoworker\":", metrics[row->main].key);
    if (isnan(ratio))
        fputs("null}\n", out);
    else
        fprintf(out, "%.5f}\n", ratio);
}

void iswi_bench_results_json(const iswi_bench_results *results, FILE *out)
{
    for (unsigned row = 0; row < iswi_bench_http_row_count; row++)
        for (unsigned i = 0; i < iswi_bench_stack_count; i++)
            if (results->cells[row][i].rounds)
                print_object(results, row, i, out);
}
