/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of both models, of one object: with a process of its own, and in the host's. Numbers are
 * medians of rounds that interleave both; words are what was seen when it was tried (trials.c).
 */
#include "bench/models.h"

#include "bench/case.h"
#include "bench/child.h"
#include "bench/clock.h"
#include "bench/http/client.h"
#include "bench/plan.h"
#include "bench/table.h"
#include "bench/trials.h"

#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    MODELS = 2, /* process, none */
    ROUNDS = 5,
    SECONDS = 30,
    CONNECTIONS = 64,
    PAYLOAD = 100,
    AGED = 10000, /* requests before memory is read */
    SLICES = 2 * 3, /* of a round: both models, two ways of calls and HTTP */
    FIRST_MS = 20000
};

static const char usage[] =
    "usage: isoworker bench models [--json] [--seconds N]\n"
    "\n"
    "Runs the same shared object with isolation: process and with isolation: none, measures both,\n"
    "and does to each what a function can do: crash, leak, hang, write over memory that is not its\n"
    "own; all in hosts that end with it. Prints what was measured and seen as a table in Markdown.\n"
    "  --json       one object a line instead: row, and a value for process and for none\n"
    "  --seconds N  how long to measure what is timed, 1 to 3600; 30 by default\n"
    "\n"
    "Latency and rate are those of calls of 100 bytes in the host, without HTTP; memory is that of\n"
    "all its processes, pages that several share by their share (Pss), after 10,000 requests; the\n"
    "start is that of `isoworker run` up to its first answer.\n";

static const char *const names[MODELS] = { "process", "none" };

typedef enum number {
    P50_US,
    PER_S,
    HTTP_PER_S,
    MEMORY_MIB,
    START_MS,
    NUMBERS
} number;

static const struct {
    const char *key, *head;
    int digits;
} numbers[NUMBERS] = {
    [P50_US] = { "p50_us", "latency, 100 B, one at a time: p50 in us", 2 },
    [PER_S] = { "per_s", "calls a second, 64 in flight", 0 },
    [HTTP_PER_S] = { "http_per_s", "GET a second, 64 connections", 0 },
    [MEMORY_MIB] = { "memory_mib", "memory of host and worker, MiB", 1 },
    [START_MS] = { "start_ms", "from the start of the host to its first answer, ms", 1 },
};

typedef struct bench {
    bool json;
    long seconds;
    iswi_bench_report report;
    double rounds[NUMBERS][MODELS][ROUNDS];
    double values[NUMBERS][MODELS];
} bench;

/* -- Numbers ----------------------------------------------------------------------------------- */

static bool measure_calls(bench *b, unsigned model, int64_t slice_ms)
{
    const iswi_bench_plan plan = { .slice_ms = slice_ms, .payloads = { PAYLOAD },
                                   .payload_count = 1,
                                   .modes = ISWI_BENCH_ONLY(ISWI_BENCH_BACK_TO_BACK) |
                                            ISWI_BENCH_ONLY(ISWI_BENCH_PIPELINED) };

    return iswi_bench_measure_case(names[model], &plan, &b->report);
}

/* GET for so long, or so many. */
static bool load(const iswi_bench_child *child, int64_t ns, uint64_t most, double *per_s)
{
    const iswi_bench_load with = { .port = child->port, .connections = CONNECTIONS };
    static iswi_bench_samples samples;
    iswi_bench_client *client = iswi_bench_client_open(&with);
    iswi_bench_tally tally;
    bool ok;

    iswi_bench_begin(&samples, ISWI_BENCH_PIPELINED, 0, 1);
    if (most)
        samples.most = most;
    ok = client && iswi_bench_client_run(client, &samples, ns, &tally) && !tally.refused &&
         !tally.lost;
    if (ok)
        *per_s = (double)tally.answered * 1e9 / (double)samples.elapsed_ns;
    iswi_bench_client_close(client);
    return ok;
}

static bool measure_host(bench *b, unsigned model, unsigned round, int64_t slice_ms)
{
    const iswi_bench_child_options options = { .inside = model == 1, .worker = "" };
    iswi_bench_child child;
    double aged;
    bool ok = iswi_bench_child_begin(&child, &options) &&
              iswi_bench_child_await(&child, "http", 200, FIRST_MS);

    b->rounds[START_MS][model][round] =
        (double)(iswi_bench_now_ns() - child.started_ns) / 1e6;
    ok = ok && load(&child, FIRST_MS * 1000000LL, AGED, &aged);
    if (ok)
        b->rounds[MEMORY_MIB][model][round] = iswi_bench_child_mib(&child);
    ok = ok && load(&child, slice_ms * 1000000, 0, &b->rounds[HTTP_PER_S][model][round]);
    iswi_bench_child_end(&child);
    return ok;
}

static bool measure_all(bench *b)
{
    int64_t slice_ms = b->seconds * 1000 / (ROUNDS * SLICES);
    char step[32];

    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned model = 0; model < MODELS; model++) {
            snprintf(step, sizeof step, "round %u of %d", round + 1, ROUNDS);
            iswi_bench_show_progress(step, names[model]);
            if (!measure_calls(b, model, slice_ms) || !measure_host(b, model, round, slice_ms))
                return false;
            if (iswi_bench_is_over(INT64_MAX))
                return false;
        }
    return true;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void settle(bench *b)
{
    iswi_bench_report_settle(&b->report);
    for (unsigned n = 0; n < NUMBERS; n++)
        for (unsigned model = 0; model < MODELS; model++) {
            qsort(b->rounds[n][model], ROUNDS, sizeof b->rounds[n][model][0], compare);
            b->values[n][model] = b->rounds[n][model][ROUNDS / 2];
        }
    for (unsigned model = 0; model < MODELS; model++) {
        const iswi_bench_point point = { names[model], names[model], 0 };
        const iswi_bench_row *one = iswi_bench_row_of(&b->report, &point, ISWI_BENCH_BACK_TO_BACK);
        const iswi_bench_row *many = iswi_bench_row_of(&b->report, &point, ISWI_BENCH_PIPELINED);

        b->values[P50_US][model] = one ? one->p50_us : NAN;
        b->values[PER_S][model] = many ? many->per_s : NAN;
    }
}

/* -- The table --------------------------------------------------------------------------------- */

static void show_numbers(const bench *b)
{
    for (unsigned n = 0; n < NUMBERS; n++) {
        const double *value = b->values[n];
        int digits = numbers[n].digits;

        if (b->json)
            printf("{\"row\": \"%s\", \"process\": %.*f, \"none\": %.*f}\n", numbers[n].key, digits,
                   value[0], digits, value[1]);
        else
            printf("| %s | %.*f | %.*f |\n", numbers[n].head, digits, value[0], digits, value[1]);
    }
}

/* What was seen has no character that JSON or Markdown would take for its own. */
static bool show_trial(const bench *b, const iswi_bench_trial *trial)
{
    char words[MODELS][ISWI_BENCH_WORDS_BYTES];

    for (unsigned model = 0; model < MODELS; model++) {
        iswi_bench_show_progress(trial->key, names[model]);
        strcpy(words[model], "could not be tried");
        if (!trial->run(model == 1, words[model])) {
            fprintf(stderr, "models: %s, %s: could not be tried\n", trial->key, names[model]);
            return false;
        }
    }
    iswi_bench_show_progress("", "");
    if (b->json)
        printf("{\"row\": \"%s\", \"process\": \"%s\", \"none\": \"%s\"}\n", trial->key, words[0],
               words[1]);
    else
        printf("| %s | %s | %s |\n", trial->head, words[0], words[1]);
    fflush(stdout);
    return true;
}

static int run(bench *b)
{
    bool all = true;

    iswi_bench_catch_signals();
    if (!freopen("/dev/null", "r", stdin)) /* a debugger must find nobody there */
        return EX_OSERR;
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    if (measure_all(b)) {
        iswi_bench_show_progress("", "");
        settle(b);
        if (!b->json)
            printf("| | `isolation: process` | `isolation: none` |\n| --- | --- | --- |\n");
        show_numbers(b);
        fflush(stdout);
        for (size_t i = 0; i < iswi_bench_trial_count && !iswi_bench_is_over(INT64_MAX); i++)
            all = show_trial(b, &iswi_bench_trials[i]) && all;
    } else {
        fprintf(stderr, "models: not measured\n");
        all = false;
    }
    iswi_bench_report_fini(&b->report);
    if (iswi_bench_is_over(INT64_MAX))
        return 128 + SIGINT;
    return all ? EX_OK : EX_UNAVAILABLE;
}

int iswi_bench_models_main(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { "seconds", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    static bench b = { .seconds = SECONDS };
    int letter;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (letter == 'j')
            b.json = true;
        else if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        else if (letter != 's')
            return EX_USAGE;
        else if (!iswi_bench_parse_seconds(optarg, &b.seconds)) {
            fprintf(stderr, "isoworker: --seconds takes a number from 1 to 3600\n");
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "isoworker: bench models takes options only\n");
        return EX_USAGE;
    }
    return run(&b);
}
