/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `isoworker-bench peer`, what the processes of a bench run:
 *   peer echo-http THREADS              a bare server on a listening descriptor 3
 *   peer serve-http SETUP               a host, its address to standard output
 *   peer CASE SLICE_MS PAYLOADS MODES   measure, samples to standard output
 */
#include "bench/peer.h"

#include "bench/calls.h"
#include "bench/clock.h"
#include "bench/floors.h"
#include "bench/host.h"
#include "bench/http.h"
#include "bench/plan.h"
#include "bench/process.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

typedef struct measured_case {
    const char *name;
    bool (*measure)(const iswi_bench_plan *plan);
} measured_case;

static const measured_case bare[] = {
    { "nng", iswi_bench_measure_nng },
    { "unix", iswi_bench_measure_unix },
    { "futex-ring", iswi_bench_measure_ring },
    { "microhttpd", iswi_bench_measure_http },
};

static bool echo_http(const char *threads)
{
    signal(SIGINT, SIG_IGN); /* who measures decides when we end */
    iswi_bench_die_with_parent(SIGKILL);
    return iswi_bench_echo_http(ISWI_BENCH_FD, (unsigned)strtoul(threads, NULL, 10));
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
        return echo_http(argv[2]) ? EX_OK : EX_UNAVAILABLE;
    iswi_bench_catch_signals();
    iswi_bench_die_with_parent(SIGTERM);
    if (argc == 3 && strcmp(word, "serve-http") == 0)
        return iswi_bench_serve_http(argv[2]) ? EX_OK : EX_UNAVAILABLE;
    if (argc != 2 + ISWI_BENCH_PLAN_WORDS || !iswi_bench_plan_from_words(argv + 2, &plan))
        return EX_USAGE;
    return measure(word, &plan) ? EX_OK : EX_UNAVAILABLE;
}
