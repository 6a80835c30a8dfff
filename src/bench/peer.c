/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `isoworker-bench peer`, what the processes of a bench run:
 *   peer echo-http PARENT               a bare server on a listening descriptor 3, which ends when
 *                                       the process PARENT does
 *   peer echo-fastcgi PARENT            the same, behind a front that speaks FastCGI
 *   peer echo-custom PARENT             the same, a custom handler of the Azure Functions host
 *   peer runtime-loop PARENT PORT THREADS json|url   a loop of Lambda's Runtime API
 *   peer become PARENT PROGRAM [ARGUMENT..]   that program, with the same end
 *   peer serve-http SETUP               a host, its address to standard output
 *   peer CASE SLICE_MS PAYLOADS MODES   measure, samples to standard output
 */
#include "bench/peer.h"

#include "bench/calls.h"
#include "bench/clock.h"
#include "bench/floors.h"
#include "bench/host.h"
#include "bench/hosts/loop.h"
#include "bench/http/floor.h"
#include "bench/http/server.h"
#include "bench/plan.h"
#include "bench/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

typedef struct measured_case {
    const char *name;
    bool (*measure)(const iswi_bench_plan *plan);
} measured_case;

static const measured_case bare[] = {
    { "nng", iswi_bench_measure_nng },
    { "unix", iswi_bench_measure_unix },
    { "futex-ring", iswi_bench_measure_ring },
    { "microhttpd", iswi_bench_measure_microhttpd },
};

static bool echo(const char *parent, iswi_bench_protocol protocol)
{
    signal(SIGINT, SIG_IGN); /* who measures decides when we end */
    return iswi_bench_stay_with_parent(parent, SIGKILL) &&
           iswi_bench_serve(ISWI_BENCH_FD, protocol);
}

static bool loop(const char *parent, char **words)
{
    signal(SIGINT, SIG_IGN);
    return iswi_bench_stay_with_parent(parent, SIGKILL) &&
           iswi_bench_runtime_loop((unsigned)strtoul(words[0], NULL, 10),
                                   (unsigned)strtoul(words[1], NULL, 10),
                                   strcmp(words[2], "json") == 0);
}

static int become(const char *parent, char **argv)
{
    if (!iswi_bench_stay_with_parent(parent, SIGTERM))
        return EX_UNAVAILABLE;
    dup2(STDOUT_FILENO, STDERR_FILENO);
    execvp(argv[0], argv);
    perror(argv[0]);
    return EX_UNAVAILABLE;
}

static bool measure(const char *name, const iswi_bench_plan *plan)
{
    for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++)
        if (strcmp(bare[i].name, name) == 0)
            return bare[i].measure(plan);
    return iswi_bench_measure_calls(name, plan);
}

int iswi_bench_peer(int argc, char **argv)
{
    iswi_bench_plan plan = { 0 };
    const char *word = argc > 1 ? argv[1] : "";

    if (argc == 3 && strcmp(word, "echo-http") == 0)
        return echo(argv[2], iswi_bench_speak_http) ? EX_OK : EX_UNAVAILABLE;
    if (argc == 3 && strcmp(word, "echo-fastcgi") == 0)
        return echo(argv[2], iswi_bench_speak_fastcgi) ? EX_OK : EX_UNAVAILABLE;
    if (argc == 3 && strcmp(word, "echo-custom") == 0)
        return echo(argv[2], iswi_bench_speak_custom) ? EX_OK : EX_UNAVAILABLE;
    if (argc == 6 && strcmp(word, "runtime-loop") == 0)
        return loop(argv[2], argv + 3) ? EX_OK : EX_UNAVAILABLE;
    if (argc > 3 && strcmp(word, "become") == 0)
        return become(argv[2], argv + 3);
    iswi_bench_catch_signals();
    iswi_bench_die_with_parent(SIGTERM);
    if (argc == 3 && strcmp(word, "serve-http") == 0)
        return iswi_bench_serve_http(argv[2]) ? EX_OK : EX_UNAVAILABLE;
    if (argc != 2 + ISWI_BENCH_PLAN_WORDS || !iswi_bench_plan_from_words(argv + 2, &plan))
        return EX_USAGE;
    return measure(word, &plan) ? EX_OK : EX_UNAVAILABLE;
}
