/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker bench hosts`. The rounds interleave the rows, so that what disturbs the machine disturbs
 * all of them. Invariant: this process is the foreign host, and one thing at a time is called. */
#include "bench/hosts/hosts.h"

#include "bench/case.h"
#include "bench/clock.h"
#include "bench/hosts/rows.h"
#include "bench/tree.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { SECONDS = 60, ROUNDS = 5, SLICE_LEAST_MS = 10 };

static const char usage[] =
    "usage: isoworker bench hosts [--json] [--seconds N] [--row NAME[,..]]\n"
    "\n"
    "Measures a call of a function under hosts that are not ours, with 1 and 16 in flight: Azure\n"
    "Functions' (FunctionRpc, and custom handlers) and Lambda's Runtime API. The foreign host is a\n"
    "small program, the same for each adapter and for its floor, which is the least that a worker\n"
    "of that host can be: a bare loop or handler in C, or a minimal gRPC C++ worker. Times are from\n"
    "when an event goes out to when the call is over: its answer is there, and on Lambda the next\n"
    "event is asked for. There the time to the answer alone is a row of its own (NAME-answer).\n"
    "  --json       one object a line instead of a table\n"
    "  --seconds N  how long to measure, 1 to 3600; 60 by default\n"
    "  --row NAME   these rows alone, and their floors; by the names of --json\n"
    "\n"
    "The keys of --json: row; in_flight; p50_us, p99_us, per_s; cpu_us, the time of the processors\n"
    "of all processes of what is called, for each call; and floor, with p50_ratio, rate_ratio and\n"
    "cpu_ratio: how many times more it is than that row. Medians over rounds that interleave the rows.\n";

typedef struct bench {
    bool json;
    long seconds;
    const char *only;
    unsigned rounds;
    int64_t slice_ns;
    bool chosen[ISWI_BENCH_HOSTS_ROWS], failed[ISWI_BENCH_HOSTS_ROWS];
    iswi_bench_report report;
} bench;

/* -- One row ----------------------------------------------------------------------------------- */

/* Warm it up, measure it, and add what came. */
static bool run(const iswi_bench_hosts_row *row, void *foreign, pid_t pid, unsigned in_flight,
                bench *b)
{
    static iswi_bench_samples samples, answers;
    const iswi_bench_mode mode = in_flight > 1 ? ISWI_BENCH_PIPELINED : ISWI_BENCH_BACK_TO_BACK;
    iswi_bench_tree tree = { .count = 0 };
    int64_t cpu_ns;

    iswi_bench_begin(&samples, mode, 0, in_flight);
    iswi_bench_begin(&answers, mode, 0, in_flight);
    if (!row->foreign->run(foreign, &samples, &answers,
                           b->slice_ns * ISWI_BENCH_WARM_PERCENT / 100))
        return false;
    iswi_bench_tree_add(&tree, pid);
    cpu_ns = iswi_bench_tree_cpu_ns(&tree);
    iswi_bench_begin(&samples, mode, 0, in_flight);
    iswi_bench_begin(&answers, mode, 0, in_flight);
    if (!row->foreign->run(foreign, &samples, &answers, b->slice_ns))
        return false;
    samples.counts[ISWI_BENCH_CPU_NS] = (uint64_t)(iswi_bench_tree_cpu_ns(&tree) - cpu_ns);
    answers.elapsed_ns = samples.elapsed_ns;
    return iswi_bench_report_add(&b->report, row->name, &samples) &&
           (!row->answers || iswi_bench_report_add(&b->report, row->answers, &answers));
}

static bool measure_foreign(const iswi_bench_hosts_row *row, unsigned in_flight, bench *b)
{
    const iswi_bench_foreign_options options = { in_flight, row->json, row->forwards };
    iswi_bench_subject_program subject = { .kind = row->subject,
                                           .inside = row->inside,
                                           .said = -1 };
    void *foreign = NULL;
    bool well;

    well = row->foreign->open(&options, &foreign, &subject.port) &&
           iswi_bench_subject_start(&subject, &options) &&
           row->foreign->greet(foreign, subject.port) &&
           run(row, foreign, subject.pid, in_flight, b);
    iswi_bench_subject_stop(&subject, !well && !iswi_bench_is_over(INT64_MAX));
    if (foreign)
        row->foreign->close(foreign);
    return well;
}

static bool measure(const iswi_bench_hosts_row *row, bench *b)
{
    const iswi_bench_plan plan = { .slice_ms = b->slice_ns / 1000000,
                                   .payloads = { 100 },
                                   .payload_count = 1,
                                   .modes = ISWI_BENCH_ONLY(ISWI_BENCH_BACK_TO_BACK) |
                                            ISWI_BENCH_ONLY(ISWI_BENCH_PIPELINED) };

    if (!row->foreign)
        return iswi_bench_measure_case(row->name, &plan, &b->report);
    return measure_foreign(row, 1, b) && measure_foreign(row, ISWI_BENCH_HOSTS_WINDOW, b);
}

/* -- All of them ------------------------------------------------------------------------------- */

static const char *missing(const iswi_bench_hosts_row *row)
{
    return row->foreign ? iswi_bench_subject_missing(row->subject) : NULL;
}

/* False when it was interrupted. */
static bool measure_all(bench *b)
{
    char step[32];

    for (unsigned round = 1; round <= b->rounds; round++)
        for (unsigned i = 0; i < ISWI_BENCH_HOSTS_ROWS; i++) {
            const iswi_bench_hosts_row *row = &iswi_bench_hosts_rows[i];

            if (!b->chosen[i] || b->failed[i] || missing(row))
                continue;
            snprintf(step, sizeof step, "round %u of %u", round, b->rounds);
            iswi_bench_show_progress(step, row->name);
            b->failed[i] = !measure(row, b);
            if (iswi_bench_is_over(INT64_MAX))
                return false;
            if (b->failed[i])
                fprintf(stderr, "%s: not measured\n", row->name);
        }
    iswi_bench_show_progress("", "");
    return true;
}

static int measure_and_show(bench *b)
{
    bool all = true;

    iswi_bench_catch_signals();
    if (!measure_all(b)) {
        iswi_bench_report_fini(&b->report);
        return 128 + SIGINT;
    }
    iswi_bench_report_settle(&b->report);
    iswi_bench_hosts_show(&b->report, b->json);
    iswi_bench_report_fini(&b->report);
    for (unsigned i = 0; i < ISWI_BENCH_HOSTS_ROWS; i++) {
        const iswi_bench_hosts_row *row = &iswi_bench_hosts_rows[i];

        if (!b->json && b->chosen[i] && missing(row))
            printf("\n%s: %s\n", row->name, missing(row));
        all = all && !b->failed[i];
    }
    if (fflush(stdout) != 0)
        return EX_IOERR;
    return all ? EX_OK : EX_UNAVAILABLE;
}

/* -- Options ----------------------------------------------------------------------------------- */

static bool choose_row(bench *b, const char *name, size_t size)
{
    for (unsigned i = 0; i < ISWI_BENCH_HOSTS_ROWS; i++) {
        const iswi_bench_hosts_row *row = &iswi_bench_hosts_rows[i];

        if (strcspn(row->name, ",") != size || strncmp(row->name, name, size) != 0)
            continue;
        b->chosen[i] = true;
        return !row->floor || choose_row(b, row->floor, strlen(row->floor));
    }
    fprintf(stderr, "isoworker: bench hosts has no row \"%.*s\"; there are", (int)size, name);
    for (unsigned i = 0; i < ISWI_BENCH_HOSTS_ROWS; i++)
        fprintf(stderr, "%s %.*s", i ? "," : "",
                (int)strcspn(iswi_bench_hosts_rows[i].name, ","), iswi_bench_hosts_rows[i].name);
    fputc('\n', stderr);
    return false;
}

/* False: there is no such row, which is told. */
static bool choose(bench *b)
{
    const char *at = b->only;
    bool well = true;

    for (unsigned i = 0; i < ISWI_BENCH_HOSTS_ROWS; i++)
        b->chosen[i] = !at;
    while (well && at) {
        const size_t size = strcspn(at, ",");

        well = choose_row(b, at, size);
        at = at[size] ? at + size + 1 : NULL;
    }
    return well;
}

static void plan(bench *b)
{
    int64_t slices = 0;

    for (unsigned i = 0; i < ISWI_BENCH_HOSTS_ROWS; i++)
        slices += b->chosen[i] ? 2 : 0;
    b->rounds = b->seconds < ROUNDS ? (unsigned)b->seconds : ROUNDS;
    b->slice_ns = b->seconds * INT64_C(1000000000) / (b->rounds * slices);
    if (b->slice_ns < SLICE_LEAST_MS * INT64_C(1000000))
        b->slice_ns = SLICE_LEAST_MS * INT64_C(1000000);
}

int iswi_bench_hosts_main(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },      { "seconds", required_argument, NULL, 's' },
        { "row", required_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    static bench b = { .seconds = SECONDS };
    int letter;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        if (letter == 'j')
            b.json = true;
        else if (letter == 'r')
            b.only = optarg;
        else if (letter != 's' || !iswi_bench_parse_seconds(optarg, &b.seconds)) {
            fprintf(stderr, "isoworker: bench hosts takes --seconds from 1 to 3600\n");
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "isoworker: bench hosts takes options only\n");
        return EX_USAGE;
    }
    if (!choose(&b))
        return EX_USAGE;
    plan(&b);
    return measure_and_show(&b);
}
