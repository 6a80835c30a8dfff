/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `isoworker bench http`. In each round every stack is started, measured row by row, and stopped,
 * so that what disturbs the machine disturbs all of them and none runs beside another. Invariant:
 * this process is the client of all, and its own time is in no number but the times of answers.
 */
#include "bench/http/run.h"

#include "bench/case.h"
#include "bench/clock.h"
#include "bench/http/options.h"

#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>

enum {
    KILLS_LEAST_MS = 1500, /* so that there is one */
    WARM_PERCENT = 25
};

typedef struct bench {
    iswi_bench_http_options options;
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
    int64_t ns = b->options.slice_ns * (100 - WARM_PERCENT) / 100;
    iswi_bench_cell warm = { .rounds = 0 };
    iswi_bench_client *client;
    bool ok;

    stack->killed = 0;
    if (row->kills) {
        ns = b->options.slice_ns * ISWI_BENCH_KILLS_TIMES;
        ns = ns < KILLS_LEAST_MS * 1000000LL ? KILLS_LEAST_MS * 1000000LL : ns;
        load.each_second = kill_one;
        load.user = stack;
    }
    client = iswi_bench_client_open(&load);
    ok = client &&
         (row->kills || run_load(client, stack, b->options.slice_ns * WARM_PERCENT / 100, &warm)) &&
         run_load(client, stack, ns, cell);
    iswi_bench_client_close(client);
    cell->killed += stack->killed;
    return ok;
}

static void note_state(const bench *b, const iswi_bench_stack *stack,
                       iswi_bench_results *results, unsigned index)
{
    iswi_bench_tree tree = iswi_bench_stack_tree(stack);
    double values[ISWI_BENCH_METRICS] = { [ISWI_BENCH_THREADS] = iswi_bench_tree_threads(&tree),
                                          [ISWI_BENCH_FIRST_MS] = stack->first_ms };

    for (unsigned row = 0; row < iswi_bench_http_row_count; row++)
        if (!iswi_bench_http_rows[row].connections && b->options.rows[row])
            add(&results->cells[row][index], values);
}

/* Rows that share a start of a stack. Those with kills have their own: what a front keeps of many
 * connections, all broken at once, is not what they are about. */
typedef struct phase {
    uint32_t payload;
    bool kills;
} phase;

static const phase phases[] = { { 0, false }, { 65536, false }, { 0, true } };
enum { PHASES = sizeof phases / sizeof phases[0] };

/* Whether this row is asked for, and belongs here. Those without load are noted beside GET. */
static bool is_in(const bench *b, unsigned row, const phase *now)
{
    const iswi_bench_row_kind *kind = &iswi_bench_http_rows[row];

    return b->options.rows[row] && kind->payload == now->payload && kind->kills == now->kills;
}

/* The rows of one phase, on a stack that is started for them. */
static bool measure_stack(bench *b, unsigned index, const phase *now)
{
    const iswi_bench_stack_kind *kind = &iswi_bench_stacks[index];
    iswi_bench_stack stack;
    bool all = iswi_bench_stack_start(&stack, kind, now->payload, b->options.command);

    for (unsigned i = 0; all && i < iswi_bench_http_row_count; i++) {
        const iswi_bench_row_kind *row = &iswi_bench_http_rows[i];
        iswi_bench_cell *cell = &b->results.cells[i][index];

        if (!is_in(b, i, now) || !row->connections || cell->failed)
            continue;
        cell->failed = !measure_row(b, &stack, row, cell);
        if (iswi_bench_is_over(INT64_MAX))
            all = false;
        else if (cell->failed)
            fprintf(stderr, "%s: %s: not measured\n", kind->name, row->name);
    }
    if (all && now == &phases[0])
        note_state(b, &stack, &b->results, index);
    iswi_bench_stack_stop(&stack);
    return all;
}

/* -- All of them ------------------------------------------------------------------------------- */

/* Whether it has rows for this stack. */
static bool has_rows(const bench *b, unsigned index, const phase *now)
{
    if (now->kills && iswi_bench_stacks[index].front == ISWI_BENCH_NO_FRONT)
        return false; /* nobody holds the connections meanwhile */
    for (unsigned row = 0; row < iswi_bench_http_row_count; row++)
        if (is_in(b, row, now))
            return true;
    return false;
}

/* False when one could not be measured; it is not tried again. */
static bool measure_all(bench *b)
{
    char step[32];
    bool all = true;

    for (unsigned round = 1; round <= b->options.rounds; round++)
        for (unsigned i = 0; i < iswi_bench_stack_count; i++)
            for (unsigned p = 0; b->options.stacks[i] && p < PHASES; p++) {
                if (!has_rows(b, i, &phases[p]))
                    continue;
                snprintf(step, sizeof step, "round %u of %u", round, b->options.rounds);
                iswi_bench_show_progress(step, iswi_bench_stacks[i].name);
                b->options.stacks[i] = measure_stack(b, i, &phases[p]);
                if (iswi_bench_is_over(INT64_MAX))
                    return false;
                all = all && b->options.stacks[i];
            }
    iswi_bench_show_progress("", "");
    for (unsigned row = 0; row < iswi_bench_http_row_count; row++)
        for (unsigned i = 0; i < iswi_bench_stack_count; i++)
            all = all && !b->results.cells[row][i].failed;
    return all;
}

static void show(bench *b)
{
    FILE *notes = b->options.json ? stderr : stdout;

    iswi_bench_results_settle(&b->results);
    if (b->options.json)
        iswi_bench_results_json(&b->results, stdout);
    else
        iswi_bench_results_table(&b->results, stdout);
    fputc('\n', notes);
    for (unsigned i = 0; i < iswi_bench_stack_count; i++) {
        const char *missing = iswi_bench_stack_missing(&iswi_bench_stacks[i]);

        if (missing || !b->options.json)
            fprintf(notes, "%s: %s\n", iswi_bench_stacks[i].name,
                    missing ? missing : iswi_bench_stacks[i].summary);
    }
    fprintf(notes, "unit: %s\n", iswi_bench_unit_missing());
}

/* -- The command ------------------------------------------------------------------------------- */

int iswi_bench_http_main(int argc, char **argv)
{
    static bench b;
    int code;
    bool all;

    if (iswi_bench_http_parse(argc, argv, &b.options, &code)) {
        iswi_bench_catch_signals();
        all = measure_all(&b);
        code = iswi_bench_is_over(INT64_MAX) ? 128 + SIGINT : all ? EX_OK : EX_UNAVAILABLE;
        if (code <= EX__MAX)
            show(&b);
        if (fflush(stdout) != 0)
            code = EX_IOERR;
    }
    free(b.options.command);
    return code;
}
