/* SPDX-License-Identifier: Apache-2.0 */
/* The rows, each behind its floor, and how they are shown. */
#include "bench/hosts/rows.h"

#include <stdio.h>
#include <string.h>

#define HTTP &iswi_bench_foreign_client
#define RPC &iswi_bench_foreign_rpc
#define RUNTIME &iswi_bench_foreign_runtime

#define FLOOR(title, how, kind, is_json, forwarded, text)                                \
    { .name = (title), .foreign = (how), .subject = (kind), .json = (is_json), \
      .forwards = (forwarded), .summary = (text) }
#define LOOP(title, is_json, text)                                                         \
    { .name = (title), .answers = title "-answer", .foreign = RUNTIME,                     \
      .subject = ISWI_BENCH_BARE_LOOP, .json = (is_json), .summary = (text) }
#define LAMBDA(title, under, is_json, is_inside, text)                                       \
    { .name = (title), .answers = title "-answer", .floor = (under), .foreign = RUNTIME,   \
      .subject = ISWI_BENCH_LAMBDA, .json = (is_json), .inside = (is_inside), .summary = (text) }
#define OURS(title, under, how, kind, is_json, forwarded, is_inside, text)                   \
    { .name = (title), .floor = (under), .foreign = (how), .subject = (kind),         \
      .json = (is_json), .forwards = (forwarded), .inside = (is_inside), .summary = (text) }

const iswi_bench_hosts_row iswi_bench_hosts_rows[ISWI_BENCH_HOSTS_ROWS] = {
    { .name = "ring,in_flight=16", .summary = "a call by the ring, from our host's engine" },
    FLOOR("bare-http", HTTP, ISWI_BENCH_BARE_HTTP, false, false, "a bare handler of HTTP"),
    OURS("run", "bare-http", HTTP, ISWI_BENCH_RUN, false, false, false, "isoworker run"),
    OURS("custom-forward", "bare-http", HTTP, ISWI_BENCH_CUSTOM, false, false, false,
         "custom handler, HTTP forwarded"),
    OURS("custom-forward-inside", "bare-http", HTTP, ISWI_BENCH_CUSTOM, false, false, true,
         "the same, isolation: none"),
    FLOOR("bare-custom", HTTP, ISWI_BENCH_BARE_CUSTOM, true, false,
          "a bare custom handler, one answer"),
    OURS("custom-json", "bare-custom", HTTP, ISWI_BENCH_CUSTOM, true, false, false,
         "custom handler, by its contract"),
    FLOOR("grpc", RPC, ISWI_BENCH_BARE_GRPC, false, false, "a minimal gRPC C++ worker"),
    OURS("azure", "grpc", RPC, ISWI_BENCH_AZURE, false, false, false,
         "isoworker azure, HTTP in messages"),
    OURS("azure-inside", "grpc", RPC, ISWI_BENCH_AZURE, false, false, true,
         "the same, isolation: none"),
    FLOOR("grpc-forward", RPC, ISWI_BENCH_BARE_GRPC, false, true,
          "the gRPC worker, and a bare handler"),
    OURS("azure-forward", "grpc-forward", RPC, ISWI_BENCH_AZURE, false, true, false,
         "isoworker azure, HTTP forwarded"),
    LOOP("loop", true, "a bare loop of the Runtime API"),
    LAMBDA("lambda", "loop", true, false, "isoworker lambda, JSON"),
    LAMBDA("lambda-inside", "loop", true, true, "the same, isolation: none"),
    LOOP("loop-url", false, "a bare loop with one answer"),
    LAMBDA("lambda-url", "loop-url", false, false, "isoworker lambda, a function URL"),
    LAMBDA("lambda-url-inside", "loop-url", false, true, "the same, isolation: none"),
};

static const iswi_bench_hosts_row *row_of(const char *name)
{
    for (unsigned i = 0; name && i < ISWI_BENCH_HOSTS_ROWS; i++)
        if (strcmp(iswi_bench_hosts_rows[i].name, name) == 0)
            return &iswi_bench_hosts_rows[i];
    return NULL;
}

/* One line: of a row, or of its answers alone, with so many in flight. */
typedef struct line {
    const iswi_bench_hosts_row *row;
    bool answers;
    const iswi_bench_row *found, *floor; /* NULL: it has none */
    double p50, rate, cpu; /* above 1: worse than its floor by so many times */
} line;

static const char *name_of(const iswi_bench_hosts_row *row, bool answers)
{
    return answers ? row->answers : row->name;
}

static const iswi_bench_row *find(const iswi_bench_report *report, const char *name,
                                  unsigned in_flight)
{
    for (size_t i = 0; name && i < report->count; i++)
        if (strcmp(report->rows[i].name, name) == 0 && report->rows[i].in_flight == in_flight)
            return &report->rows[i];
    return NULL;
}

static bool make_line(const iswi_bench_report *report, unsigned in_flight, line *out)
{
    const iswi_bench_hosts_row *floor = row_of(out->row->floor);

    out->found = find(report, name_of(out->row, out->answers), in_flight);
    out->floor = floor ? find(report, name_of(floor, out->answers), in_flight) : NULL;
    if (!out->found || !out->floor)
        return out->found != NULL;
    out->p50 = out->found->p50_us / out->floor->p50_us;
    out->rate = out->floor->per_s / out->found->per_s;
    out->cpu = out->found->cpu_us / out->floor->cpu_us;
    return true;
}

static void show_json(const line *l)
{
    const iswi_bench_row *found = l->found;

    printf("{\"row\":\"%.*s\",\"in_flight\":%u,\"p50_us\":%.2f,\"p99_us\":%.2f",
           (int)strcspn(found->name, ","), found->name, found->in_flight, found->p50_us,
           found->p99_us);
    if (!l->answers)
        printf(",\"per_s\":%.0f,\"cpu_us\":%.2f", found->per_s, found->cpu_us);
    if (l->floor)
        printf(",\"floor\":\"%s\",\"p50_ratio\":%.3f", l->floor->name, l->p50);
    if (l->floor && !l->answers)
        printf(",\"rate_ratio\":%.3f,\"cpu_ratio\":%.3f", l->rate, l->cpu);
    puts("}");
}

static void show_line(const line *l)
{
    const iswi_bench_row *found = l->found;

    printf("%-42s %9u %8.1f %8.1f", l->answers ? "  to its answer" : l->row->summary,
           found->in_flight, found->p50_us, found->p99_us);
    if (l->answers)
        printf(" %9s %7s", "", "");
    else
        printf(" %9.0f %7.1f", found->per_s, found->cpu_us);
    if (l->floor)
        printf(" %6.2f", l->p50);
    if (l->floor && !l->answers)
        printf(" %6.2f %6.2f", l->rate, l->cpu);
    putchar('\n');
}

void iswi_bench_hosts_show(const iswi_bench_report *report, bool json)
{
    static const unsigned in_flight[] = { 1, ISWI_BENCH_HOSTS_WINDOW };

    if (!json)
        printf("%-42s %9s %8s %8s %9s %7s %6s %6s %6s\n", "", "in flight", "p50 us",
               "p99 us", "a second", "cpu us", "x p50", "x rate", "x cpu");
    for (unsigned i = 0; i < 4 * ISWI_BENCH_HOSTS_ROWS; i++) {
        line l = { .row = &iswi_bench_hosts_rows[i / 4], .answers = i % 2 };

        if (make_line(report, in_flight[i % 4 / 2], &l))
            (json ? show_json : show_line)(&l);
    }
    if (!json)
        puts("\nx: so many times worse than the floor, which stands before it.\n"
             "cpu us: of what is called, all its processes, for each call.");
}
