/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isoworker-bench, which `isoworker bench` becomes: what an invocation costs on this machine,
 * beside what bare means cost. The rounds interleave the cases, so that what disturbs the machine
 * disturbs all of them. Invariant: this process measures nothing itself and uses neither nng nor
 * threads.
 */
#include "bench/case.h"
#include "bench/clock.h"
#include "bench/full.h"
#include "bench/hosts/hosts.h"
#include "bench/http/run.h"
#include "bench/models.h"
#include "bench/peer.h"
#include "bench/plan.h"
#include "bench/queue/queue.h"
#include "bench/ten.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    ROUNDS = 5, /* or as many as there are seconds */
    SECONDS = 35,
    SECONDS_FULL = 180, /* half of it for the main table */
    SLICE_LEAST_MS = 10
};

static const char usage[] =
    "usage: isoworker bench [--json] [--seconds N] [--payload BYTES[,..]] [--full]\n"
    "       isoworker bench http [OPTION..]     see isoworker bench http --help\n"
    "       isoworker bench models [OPTION..]   see isoworker bench models --help\n"
    "       isoworker bench queue [OPTION..]    see isoworker bench queue --help\n"
    "       isoworker bench hosts [OPTION..]    see isoworker bench hosts --help\n"
    "\n"
    "Measures an invocation in a worker process, with messages and with the ring, beside the\n"
    "same function called in its own process, and beside raw nng, a Unix socket, a ring without\n"
    "frames, a gRPC stream and a bare HTTP server. Round trip times are medians over several\n"
    "rounds; only ratios of one run carry. CPU us is the time of the processors of all processes\n"
    "of a case for each round trip, the measuring one's included. A second table, packing, has as\n"
    "many calls in flight over eight processes of a worker as over one.\n"
    "  --json       one object a line instead of tables\n"
    "  --seconds N  how long to measure, 1 to 3600; 35 by default\n"
    "  --payload B  bytes of each message, such as 100,65536; 100 by default\n"
    "  --full       100 B, 64 KiB and 1 MiB for half of 180 seconds, then further tables: spawn,\n"
    "               memory, http, functions, workers, in-flight, middleware, syscalls\n"
    "  --instructions   nothing is timed: the instructions that each middleware of a chain of ten\n"
    "               costs, counted by valgrind's callgrind\n"
    "\n"
    "The keys of --json: case; mode, which is also the name of a further table; payload_bytes;\n"
    "in_flight; p50_us, p99_us, per_s, cpu_us; ratio_..._to_..., to the row that the key names,\n"
    "or to one function, worker or call in flight; null is for what was not counted. Further\n"
    "tables have what they are about: spawns; invocations, resident_kib and shared_kib; threads;\n"
    "functions; workers; middleware and ns_per_middleware; and host_calls, worker_calls,\n"
    "host_switches and worker_switches, for each invocation.\n";

/* In the order of the tables; ratios are to the first. */
static const char *const cases[] = {
    "nng",     "unix", "futex-ring",    "grpc",       "microhttpd",
    "message", "ring", "message+chain", "ring+chain", "message+chain+auth",
    "ring+chain+auth", "ring+ten", "in-process+chain",
};
enum { CASES = sizeof cases / sizeof cases[0] };

typedef struct bench {
    bool json, full;
    long seconds;
    unsigned rounds;
    iswi_bench_plan plan;
    iswi_bench_report report;
    bool failed[CASES]; /* not tried again */
} bench;

/* False when it was interrupted. */
static bool measure_all(bench *b)
{
    char step[32];

    for (unsigned round = 1; round <= b->rounds; round++)
        for (unsigned i = 0; i < CASES; i++) {
            if (b->failed[i] || iswi_bench_case_missing(cases[i]))
                continue;
            snprintf(step, sizeof step, "round %u of %u", round, b->rounds);
            iswi_bench_show_progress(step, cases[i]);
            b->failed[i] = !iswi_bench_measure_case(cases[i], &b->plan, &b->report);
            if (iswi_bench_is_over(INT64_MAX))
                return false;
            if (b->failed[i])
                fprintf(stderr, "%s: not measured\n", cases[i]);
        }
    iswi_bench_show_progress("", "");
    return true;
}

static void show(bench *b)
{
    iswi_bench_report_settle(&b->report);
    if (b->json) {
        iswi_bench_report_json(&b->report, stdout);
        return;
    }
    iswi_bench_report_table(&b->report, stdout);
    for (unsigned i = 0; i < CASES; i++)
        if (iswi_bench_case_missing(cases[i]))
            printf("\n%s: %s\n", cases[i], iswi_bench_case_missing(cases[i]));
}

static int run(bench *b)
{
    bool all = true;

    iswi_bench_catch_signals();
    if (!measure_all(b)) {
        iswi_bench_report_fini(&b->report);
        return 128 + SIGINT;
    }
    show(b);
    iswi_bench_report_fini(&b->report);
    fflush(stdout);
    if (b->full)
        all = iswi_bench_run_full((double)b->seconds / (double)SECONDS_FULL, b->json, stdout);
    else
        all = iswi_bench_run_usual((double)b->seconds / (double)SECONDS, b->json, stdout);
    if (iswi_bench_is_over(INT64_MAX))
        return 128 + SIGINT;
    for (unsigned i = 0; i < CASES; i++)
        all = all && !b->failed[i];
    if (fflush(stdout) != 0)
        return EX_IOERR;
    return all ? EX_OK : EX_UNAVAILABLE;
}

/* -- Options ----------------------------------------------------------------------------------- */

static int measure(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },          { "seconds", required_argument, NULL, 's' },
        { "payload", required_argument, NULL, 'p' }, { "full", no_argument, NULL, 'f' },
        { "instructions", no_argument, NULL, 'i' }, { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    static bench b = { .plan.modes = ISWI_BENCH_STEADY };
    const char *payloads = NULL;
    bool instructions = false;
    int letter;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (letter == 'j')
            b.json = true;
        else if (letter == 'f')
            b.full = true;
        else if (letter == 'p')
            payloads = optarg;
        else if (letter == 'i')
            instructions = true;
        else if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        else if (letter != 's')
            return EX_USAGE;
        else if (!iswi_bench_parse_seconds(optarg, &b.seconds)) {
            fprintf(stderr, "isoworker: --seconds takes a number from 1 to 3600\n");
            return EX_USAGE;
        }
    }
    if (!payloads)
        payloads = b.full ? "100,65536,1048576" : "100";
    if (optind < argc || !iswi_bench_parse_payloads(payloads, &b.plan)) {
        fprintf(stderr, "isoworker: bench takes options only, and --payload sizes up to %d\n",
                ISWI_BENCH_PAYLOAD_MAX);
        return EX_USAGE;
    }
    if (instructions)
        return iswi_bench_instructions(b.json, stdout);
    if (!b.seconds)
        b.seconds = b.full ? SECONDS_FULL : SECONDS;
    b.rounds = b.seconds < ROUNDS ? (unsigned)b.seconds : ROUNDS;
    b.plan.slice_ms = b.seconds * (b.full ? 500 : 1000) /
                      ((long)b.rounds * CASES * 3 * (long)b.plan.payload_count);
    if (b.plan.slice_ms < SLICE_LEAST_MS)
        b.plan.slice_ms = SLICE_LEAST_MS;
    return run(&b);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "peer") == 0)
        return iswi_bench_peer(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "http") == 0)
        return iswi_bench_http_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "models") == 0)
        return iswi_bench_models_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "queue") == 0)
        return iswi_bench_queue_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "hosts") == 0)
        return iswi_bench_hosts_main(argc - 1, argv + 1);
    return measure(argc, argv);
}
