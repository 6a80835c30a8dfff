/* SPDX-License-Identifier: Apache-2.0 */
/* The rows, each behind its floor, and how they are shown. */
#include "bench/hosts/rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define HTTP &iswi_bench_foreign_client
#define RPC &iswi_bench_foreign_rpc
#define RUNTIME &iswi_bench_foreign_runtime

#define FLOOR(title, how, kind, is_json, forwarded, text)                                \
    { .name = (title), .foreign = (how), .subject = (kind), .json = (is_json), \
      .forwards = (forwarded), .summary = (text) }
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
    FLOOR("loop", RUNTIME, ISWI_BENCH_BARE_LOOP, true, false, "a bare loop of the Runtime API"),
    OURS("lambda", "loop", RUNTIME, ISWI_BENCH_LAMBDA, true, false, false,
         "isoworker lambda, JSON"),
    OURS("lambda-inside", "loop", RUNTIME, ISWI_BENCH_LAMBDA, true, false, true,
         "the same, isolation: none"),
    FLOOR("loop-url", RUNTIME, ISWI_BENCH_BARE_LOOP, false, false, "a bare loop with one answer"),
    OURS("lambda-url", "loop-url", RUNTIME, ISWI_BENCH_LAMBDA, false, false, false,
         "isoworker lambda, a function URL"),
    OURS("lambda-url-inside", "loop-url", RUNTIME, ISWI_BENCH_LAMBDA, false, false, true,
         "the same, isolation: none"),
};

static const iswi_bench_row *find(const iswi_bench_report *report, const char *name,
                                  unsigned in_flight)
{
    for (size_t i = 0; name && i < report->count; i++)
        if (strcmp(report->rows[i].name, name) == 0 && report->rows[i].in_flight == in_flight)
            return &report->rows[i];
    return NULL;
}

/* Above 1: worse than its floor by so many times. Without one, it is NAN. */
typedef struct ratios {
    double p50, rate, cpu;
} ratios;

static ratios compare(const iswi_bench_report *report, const iswi_bench_hosts_row *row,
                      const iswi_bench_row *found)
{
    const iswi_bench_row *floor = find(report, row->floor, found->in_flight);

    if (!floor)
        return (ratios){ NAN, NAN, NAN };
    return (ratios){ found->p50_us / floor->p50_us, floor->per_s / found->per_s,
                     found->cpu_us / floor->cpu_us };
}

static void show_json(const iswi_bench_report *report, const iswi_bench_hosts_row *row,
                      const iswi_bench_row *found)
{
    const ratios x = compare(report, row, found);

    printf("{\"row\":\"%.*s\",\"in_flight\":%u,\"p50_us\":%.2f,\"p99_us\":%.2f,\"per_s\":%.0f",
           (int)strcspn(row->name, ","), row->name, found->in_flight, found->p50_us, found->p99_us,
           found->per_s);
    if (!isnan(found->cpu_us))
        printf(",\"cpu_us\":%.2f", found->cpu_us);
    if (!isnan(x.p50))
        printf(",\"floor\":\"%s\",\"p50_ratio\":%.3f,\"rate_ratio\":%.3f", row->floor, x.p50,
               x.rate);
    if (!isnan(x.cpu))
        printf(",\"cpu_ratio\":%.3f", x.cpu);
    puts("}");
}

static void show_line(const iswi_bench_report *report, const iswi_bench_hosts_row *row,
                      const iswi_bench_row *found)
{
    const ratios x = compare(report, row, found);

    printf("%-42s %9u %8.1f %8.1f %9.0f %7.1f", row->summary, found->in_flight, found->p50_us,
           found->p99_us, found->per_s, found->cpu_us);
    if (!isnan(x.p50))
        printf(" %6.2f %6.2f %6.2f", x.p50, x.rate, x.cpu);
    putchar('\n');
}

void iswi_bench_hosts_show(const iswi_bench_report *report, bool json)
{
    if (!json)
        printf("%-42s %9s %8s %8s %9s %7s %6s %6s %6s\n", "", "in flight", "p50 us",
               "p99 us", "a second", "cpu us", "x p50", "x rate", "x cpu");
    for (unsigned i = 0; i < ISWI_BENCH_HOSTS_ROWS; i++) {
        const iswi_bench_hosts_row *row = &iswi_bench_hosts_rows[i];

        for (size_t j = 0; j < report->count; j++)
            if (strcmp(report->rows[j].name, row->name) == 0)
                (json ? show_json : show_line)(report, row, &report->rows[j]);
    }
    if (!json)
        puts("\nx: so many times worse than the floor, which stands before it.\n"
             "cpu us: of what is called, all its processes, for each call.");
}
