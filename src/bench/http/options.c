/* SPDX-License-Identifier: Apache-2.0 */
/* The words of `isoworker bench http`. Invariant: what is not named is as if all were, but for what
 * is not installed. */
#include "bench/http/options.h"

#include "bench/plan.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    ROUNDS = 5, /* many: a median of few is what else the machine did */
    ROUNDS_FULL = 9,
    SECONDS = 150,
    SECONDS_FULL = 450,
    SLICE_LEAST_MS = 20
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
    "requests, which is the sum of answered, refused and lost; killed; and the medians p50_us,\n"
    "p99_us, per_s, cpu_us, switches, threads, first_ms, each with _least and _most, the range of\n"
    "the rounds; ratio_..._to_isoworker, of the number that the row is about.\n";

/* Mark the stacks and rows that `text` names. False when it names something else. */
static bool choose(iswi_bench_http_options *o, char *text)
{
    for (char *name = strsep(&text, ","); name; name = strsep(&text, ",")) {
        bool known = false;

        for (unsigned i = 0; i < iswi_bench_stack_count; i++)
            if (strcmp(iswi_bench_stacks[i].name, name) == 0)
                known = o->stacks[i] = true;
        for (unsigned i = 0; i < iswi_bench_http_row_count; i++)
            if (strcmp(iswi_bench_http_rows[i].name, name) == 0)
                known = o->rows[i] = true;
        if (!known) {
            fprintf(stderr, "isoworker: there is no stack or row %s; see bench http --help\n",
                    name);
            return false;
        }
    }
    return true;
}

/* What was not chosen from is whole, but for what is missing. */
static void complete(iswi_bench_http_options *o)
{
    bool any_stack = false;
    bool any_row = false;

    for (unsigned i = 0; i < iswi_bench_stack_count; i++)
        any_stack = any_stack || o->stacks[i];
    for (unsigned i = 0; i < iswi_bench_http_row_count; i++)
        any_row = any_row || o->rows[i];
    for (unsigned i = 0; i < iswi_bench_stack_count; i++)
        o->stacks[i] = (o->stacks[i] || !any_stack) &&
                       !iswi_bench_stack_missing(&iswi_bench_stacks[i]);
    for (unsigned i = 0; i < iswi_bench_http_row_count; i++)
        o->rows[i] = o->rows[i] || (!any_row && (o->full || !iswi_bench_http_rows[i].is_full));
}

/* How many shares of the time a row of a stack takes. */
static long parts_of(const iswi_bench_http_options *o, unsigned row, unsigned stack)
{
    const iswi_bench_row_kind *kind = &iswi_bench_http_rows[row];

    if (!o->rows[row] || !o->stacks[stack] || !kind->connections)
        return 0;
    if (!kind->kills)
        return 1;
    return iswi_bench_stacks[stack].front == ISWI_BENCH_NO_FRONT ? 0 : ISWI_BENCH_KILLS_TIMES;
}

/* The time is shared among all that is measured. */
static void plan(iswi_bench_http_options *o)
{
    long parts = 0;

    if (!o->seconds)
        o->seconds = o->full ? SECONDS_FULL : SECONDS;
    o->rounds = o->full ? ROUNDS_FULL : ROUNDS;
    if (o->seconds < 10)
        o->rounds = 1;
    for (unsigned row = 0; row < iswi_bench_http_row_count; row++)
        for (unsigned i = 0; i < iswi_bench_stack_count; i++)
            parts += parts_of(o, row, i);
    o->slice_ns = o->seconds * 1000000000LL / (parts ? parts : 1) / o->rounds;
    if (o->slice_ns < SLICE_LEAST_MS * 1000000LL)
        o->slice_ns = SLICE_LEAST_MS * 1000000LL;
}

/* An exit status, after what is to be said; GO_ON when there is nothing. */
enum { GO_ON = -1 };

static int take_words(iswi_bench_http_options *o, int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },         { "seconds", required_argument, NULL, 's' },
        { "full", no_argument, NULL, 'f' },         { "only", required_argument, NULL, 'o' },
        { "worker", required_argument, NULL, 'w' }, { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (letter == 'j') {
            o->json = true;
        } else if (letter == 'f') {
            o->full = true;
        } else if (letter == 'h') {
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        } else if (letter == 'w') {
            free(o->command);
            o->command = realpath(optarg, NULL);
            if (!o->command) {
                perror(optarg);
                return EX_NOINPUT;
            }
        } else if (letter == 's' && !iswi_bench_parse_seconds(optarg, &o->seconds)) {
            fputs("isoworker: --seconds takes a number from 1 to 3600\n", stderr);
            return EX_USAGE;
        } else if (letter == '?' || (letter == 'o' && !choose(o, optarg))) {
            return EX_USAGE;
        }
    }
    if (optind == argc)
        return GO_ON;
    fprintf(stderr, "isoworker: bench http takes options only, not %s\n", argv[optind]);
    return EX_USAGE;
}

bool iswi_bench_http_parse(int argc, char **argv, iswi_bench_http_options *options, int *code)
{
    *code = take_words(options, argc, argv);
    if (*code != GO_ON)
        return false;
    complete(options);
    plan(options);
    return true;
}
