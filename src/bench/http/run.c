/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `isoworker bench http`. In each round every stack is started, measured row by row, and stopped,
 * so that what disturbs the machine disturbs all of them and none runs beside another. Invariant:
 * this process is the client of all, and its own time is in no number but the times of answers.
 */
#include "bench/http/run.h"

#include "bench/case.h"
#include "bench/clock.h"
#include "bench/http/result.h"

#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    ROUNDS = 5, /* many: a median of few is what else the machine did */
    ROUNDS_FULL = 9,
    SECONDS = 150,
    SECONDS_FULL = 450,
    SLICE_LEAST_MS = 20,
    KILLS_LEAST_MS = 1500, /* so that there is one */
    KILLS_TIMES = 3,       /* as long as another row */
    WARM_PERCENT = 25
};

static const char usage[] =
    "usage: isoworker bench http [--json] [--seconds N] [--full] [--only NAME[,..]]\n"
    "                            [--worker PROGRAM]\n"
    "\n"
    "Measures `isoworker run` with one worker process and with two, beside nginx and haproxy\n"
    "before workers in C, and beside bare servers, over connections that are kept. Each has one\n"
    "thread for connections, and the settings that serve it best. In each round every stack is\n"
    "started, measured and stopped; numbers are medians of the rounds, and only ratios of one run\n"
    "carry.\n"
    "  --json       one object a line instead of tables\n"
    "  --seconds N  how long to measure, 1 to 3600; 150 by default\n"
    "  --full       450 seconds in nine rounds instead of five, and the rows get-16 and get-1000\n"
    "  --only N     these stacks and rows alone: isoworker,epoll,get-64 for instance\n"
    "  --worker P   this worker instead of the bench's own: a program that takes no arguments and\n"
    "               has GET /api/http, and POST /api/http, which gives back what it gets\n"
    "\n"
    "Rows: get-1, get-64, get-256: GET over so many connections; get-2ms: one, 2 ms after each\n"
    "answer; post-16: 64 KiB, echoed; kills: 32 connections, while a process of the worker is\n"
    "killed each second; threads; start: from the start of the stack to its first answer.\n"
    "CPU us is the time of the processors of all processes of a stack for each request, SWITCHES\n"
    "the voluntary switches of context; the client's are in neither. NO 2xx counts requests that\n"
    "were refused or lost, in all rounds.\n"
    "\n"
    "The keys of --json: case, the stack; mode, the row; rounds; connections; payload_bytes;\n"
    "requests, which is the sum of answered, refused and lost; and the medians p50_us, p99_us,\n"
    "per_s, cpu_us, switches, threads, first_ms, each with _least and _most, the range of the\n"
    "rounds; ratio_..._to_isoworker, of the number that the row is about.\n";

typedef struct bench {
    bool json, full;
    long seconds;
    char *command;
    unsigned rounds;
    int64_t slice_ns;
    bool stacks[ISWI_BENCH_STACKS_MOST], rows[ISWI_BENCH_ROWS_MOST]; /* that are measured */
    iswi_bench_results results;
} bench;

/* -- One stack --------------------------------------------------------------------------------- */

static void add(iswi_bench_cell *cell, const double values[ISWI_BENCH_METRICS])
{
    if (cell->rounds == ISWI_BENCH_CELL_ROUNDS)
        return;
    for (unsigned i = 0; i < ISWI_BENCH_METRICS; i++)
        cell->values[i][cell->rounds] = values[i];
    cell->rounds++;
}

static int compare_times(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void add_tally(iswi_bench_tally *all, const iswi_bench_tally *more)
{
    all->sent += more->sent;
    all->answered += more->answered;
    all->refused += more->refused;
    all->lost += more->lost;
}

/* Run the load and note what came. */
static bool run_load(iswi_bench_client *client, const iswi_bench_stack *stack, int64_t ns,
                     iswi_bench_cell *cell)
{
    static iswi_bench_samples samples;
    iswi_bench_tree tree = iswi_bench_stack_tree(stack);
    double values[ISWI_BENCH_METRICS] = { 0 };
    uint64_t switches = iswi_bench_tree_switches(&tree);
    int64_t cpu_ns = iswi_bench_tree_cpu_ns(&tree);
    iswi_bench_tally tally;
    double requests;
    bool ok;

    iswi_bench_begin(&samples, ISWI_BENCH_PIPELINED, 0, 1);
    ok = iswi_bench_client_run(client, &samples, ns, &tally);
    cpu_ns = iswi_bench_tree_cpu_ns(&tree) - cpu_ns;
    switches = iswi_bench_tree_switches(&tree) - switches;
    add_tally(&cell->tally, &tally);
    if (!ok || !samples.count)
        return false;
    requests = (double)tally.sent;
    qsort(samples.times_ns, samples.count, sizeof samples.times_ns[0], compare_times);
    values[ISWI_BENCH_P50_US] = samples.times_ns[samples.count / 2] / 1e3;
    values[ISWI_BENCH_P99_US] = samples.times_ns[(size_t)((double)samples.count * 0.99)] / 1e3;
    values[ISWI_BENCH_PER_S] = (double)tally.answered * 1e9 / (double)samples.elapsed_ns;
    values[ISWI_BENCH_CPU_US] = (double)cpu_ns / 1e3 / requests;
    values[ISWI_BENCH_SWITCHES] = (double)switches / requests;
    add(cell, values);
    return true;
}

static void kill_one(void *user)
{
    iswi_bench_stack_kill_worker(user);
}

static bool measure_row(const bench *b, iswi_bench_stack *stack, const iswi_bench_row_kind *row,
                        iswi_bench_cell *cell)
{
    iswi_bench_load load = { .port = stack->port, .connections = row->connections,
                             .payload = row->payload, .gap_ns = row->gap_ns };
    int64_t ns = b->slice_ns * (100 - WARM_PERCENT) / 100;
    iswi_bench_cell warm = { .rounds = 0 };
    iswi_bench_client *client;
    bool ok;

    if (row->kills) {
        ns = b->slice_ns * KILLS_TIMES;
        ns = ns < KILLS_LEAST_MS * 1000000LL ? KILLS_LEAST_MS * 1000000LL : ns;
        load.each_second = kill_one;
        load.user = stack;
    }
    client = iswi_bench_client_open(&load);
    ok = client &&
         (row->kills || run_load(client, stack, b->slice_ns * WARM_PERCENT / 100, &warm)) &&
         run_load(client, stack, ns, cell);
    iswi_bench_client_close(client);
    return ok;
}

static void note_state(const bench *b, const iswi_bench_stack *stack,
                       iswi_bench_results *results, unsigned index)
{
    iswi_bench_tree tree = iswi_bench_stack_tree(stack);
    double values[ISWI_BENCH_METRICS] = { [ISWI_BENCH_THREADS] = iswi_bench_tree_threads(&tree),
                                          [ISWI_BENCH_FIRST_MS] = stack->first_ms };

    for (unsigned row = 0; row < iswi_bench_http_row_count; row++)
        if (!iswi_bench_http_rows[row].connections && b->rows[row])
            add(&results->cells[row][index], values);
}

/* The rows of one payload, on a stack that is started for it. */
static bool measure_stack(bench *b, unsigned index, uint32_t payload)
{
    const iswi_bench_stack_kind *kind = &iswi_bench_stacks[index];
    iswi_bench_stack stack;
    bool all = iswi_bench_stack_start(&stack, kind, payload, b->command);

    for (unsigned i = 0; all && i < iswi_bench_http_row_count; i++) {
        const iswi_bench_row_kind *row = &iswi_bench_http_rows[i];
        iswi_bench_cell *cell = &b->results.cells[i][index];

        if (!b->rows[i] || !row->connections || row->payload != payload || cell->failed ||
            (row->kills && kind->front == ISWI_BENCH_NO_FRONT))
            continue;
        cell->failed = !measure_row(b, &stack, row, cell);
        if (iswi_bench_is_over(INT64_MAX))
            all = false;
        else if (cell->failed)
            fprintf(stderr, "%s: %s: not measured\n", kind->name, row->name);
    }
    if (all && !payload)
        note_state(b, &stack, &b->results, index);
    iswi_bench_stack_stop(&stack);
    return all;
}

/* -- All of them ------------------------------------------------------------------------------- */

/* Whether a row with such a payload is asked for; those without load count as GET. */
static bool has_rows(const bench *b, uint32_t payload)
{
    for (unsigned i = 0; i < iswi_bench_http_row_count; i++)
        if (b->rows[i] && iswi_bench_http_rows[i].payload == payload)
            return true;
    return false;
}

/* False when one could not be measured; it is not tried again. */
static bool measure_all(bench *b)
{
    static const uint32_t payloads[] = { 0, 65536 };
    char step[32];
    bool all = true;

    for (unsigned round = 1; round <= b->rounds; round++)
        for (unsigned i = 0; i < iswi_bench_stack_count; i++)
            for (unsigned p = 0; b->stacks[i] && p < 2; p++) {
                if (!has_rows(b, payloads[p]))
                    continue;
                snprintf(step, sizeof step, "round %u of %u", round, b->rounds);
                iswi_bench_show_progress(step, iswi_bench_stacks[i].name);
                b->stacks[i] = measure_stack(b, i, payloads[p]);
                if (iswi_bench_is_over(INT64_MAX))
                    return false;
                all = all && b->stacks[i];
            }
    iswi_bench_show_progress("", "");
    for (unsigned row = 0; row < iswi_bench_http_row_count; row++)
        for (unsigned i = 0; i < iswi_bench_stack_count; i++)
            all = all && !b->results.cells[row][i].failed;
    return all;
}

static void show(bench *b)
{
    FILE *notes = b->json ? stderr : stdout;

    iswi_bench_results_settle(&b->results);
    if (b->json)
        iswi_bench_results_json(&b->results, stdout);
    else
        iswi_bench_results_table(&b->results, stdout);
    fputc('\n', notes);
    for (unsigned i = 0; i < iswi_bench_stack_count; i++) {
        const char *missing = iswi_bench_stack_missing(&iswi_bench_stacks[i]);

        if (missing || !b->json)
            fprintf(notes, "%s: %s\n", iswi_bench_stacks[i].name,
                    missing ? missing : iswi_bench_stacks[i].summary);
    }
    fprintf(notes, "unit: %s\n", iswi_bench_unit_missing());
}

/* -- Options ----------------------------------------------------------------------------------- */

/* Mark the stacks and rows that `text` names. False when it names something else. */
static bool choose(bench *b, char *text)
{
    for (char *name = strsep(&text, ","); name; name = strsep(&text, ",")) {
        bool known = false;

        for (unsigned i = 0; i < iswi_bench_stack_count; i++)
            if (strcmp(iswi_bench_stacks[i].name, name) == 0)
                known = b->stacks[i] = true;
        for (unsigned i = 0; i < iswi_bench_http_row_count; i++)
            if (strcmp(iswi_bench_http_rows[i].name, name) == 0)
                known = b->rows[i] = true;
        if (!known) {
            fprintf(stderr, "isoworker: there is no stack or row %s; see bench http --help\n",
                    name);
            return false;
        }
    }
    return true;
}

/* What was not chosen from is whole, but for what is missing. */
static void complete(bench *b)
{
    bool any_stack = false;
    bool any_row = false;

    for (unsigned i = 0; i < iswi_bench_stack_count; i++)
        any_stack = any_stack || b->stacks[i];
    for (unsigned i = 0; i < iswi_bench_http_row_count; i++)
        any_row = any_row || b->rows[i];
    for (unsigned i = 0; i < iswi_bench_stack_count; i++)
        b->stacks[i] = (b->stacks[i] || !any_stack) &&
                       !iswi_bench_stack_missing(&iswi_bench_stacks[i]);
    for (unsigned i = 0; i < iswi_bench_http_row_count; i++)
        b->rows[i] = b->rows[i] || (!any_row && (b->full || !iswi_bench_http_rows[i].is_full));
}

/* The time is shared among all that is measured. */
static void plan(bench *b)
{
    long parts = 0;

    if (!b->seconds)
        b->seconds = b->full ? SECONDS_FULL : SECONDS;
    b->rounds = b->full ? ROUNDS_FULL : ROUNDS;
    if (b->seconds < 10)
        b->rounds = 1;
    for (unsigned row = 0; row < iswi_bench_http_row_count; row++)
        for (unsigned i = 0; i < iswi_bench_stack_count; i++)
            if (b->rows[row] && b->stacks[i] && iswi_bench_http_rows[row].connections)
                parts += iswi_bench_http_rows[row].kills ? KILLS_TIMES : 1;
    b->slice_ns = b->seconds * 1000000000LL / (parts ? parts : 1) / b->rounds;
    if (b->slice_ns < SLICE_LEAST_MS * 1000000LL)
        b->slice_ns = SLICE_LEAST_MS * 1000000LL;
}

static bool parse_seconds(const char *text, long *seconds)
{
    char *end;

    *seconds = strtol(text, &end, 10);
    return end != text && !*end && *seconds >= 1 && *seconds <= 3600;
}

/* EX_OK to go on. */
static int parse(bench *b, int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },       { "seconds", required_argument, NULL, 's' },
        { "full", no_argument, NULL, 'f' },       { "only", required_argument, NULL, 'o' },
        { "worker", required_argument, NULL, 'w' }, { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (letter == 'j')
            b->json = true;
        else if (letter == 'f')
            b->full = true;
        else if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : -1;
        else if (letter == 'w' && !(b->command = realpath(optarg, NULL)))
            return perror(optarg), EX_NOINPUT;
        else if (letter == 'o' && !choose(b, optarg))
            return EX_USAGE;
        else if (letter == 's' && !parse_seconds(optarg, &b->seconds))
            return fputs("isoworker: --seconds takes a number from 1 to 3600\n", stderr), EX_USAGE;
        else if (letter == '?')
            return EX_USAGE;
    }
    if (optind == argc)
        return EX_OK;
    fprintf(stderr, "isoworker: bench http takes options only, not %s\n", argv[optind]);
    return EX_USAGE;
}

int iswi_bench_http_main(int argc, char **argv)
{
    static bench b;
    int code = parse(&b, argc, argv);
    bool all;

    if (code != EX_OK)
        return code < 0 ? EX_OK : code;
    complete(&b);
    plan(&b);
    iswi_bench_catch_signals();
    all = measure_all(&b);
    if (iswi_bench_is_over(INT64_MAX))
        return 128 + SIGINT;
    show(&b);
    free(b.command);
    if (fflush(stdout) != 0)
        return EX_IOERR;
    return all ? EX_OK : EX_UNAVAILABLE;
}
