/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `isoworker bench`: what an invocation costs on this machine, beside what bare means cost. The
 * rounds interleave the cases, so that what disturbs the machine disturbs all of them. Invariant:
 * this process measures nothing itself and uses neither nng nor threads.
 */
#include "cli/bench_host.h"
#include "cli/bench_peer.h"
#include "cli/bench_report.h"
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    ROUNDS = 5,
    SECONDS = 35,
    SECONDS_FULL = 120,
    SLICE_LEAST_MS = 10,
    GRACE_MS = 30000, /* for a case to begin and to end, beside what it was asked for */
};

static const char usage[] =
    "usage: isoworker bench [--json] [--seconds N] [--payload BYTES[,..]] [--full]\n"
    "\n"
    "Measures an invocation in a worker process, with messages and with the ring, beside the same\n"
    "function called in its own process, and beside raw nng, a Unix socket and a ring without\n"
    "frames. Round trip times are medians over several rounds; only ratios of one run carry.\n"
    "  --json       one object a line instead of tables\n"
    "  --seconds N  how long to measure, 1 to 3600; 35 by default\n"
    "  --payload B  bytes of each message, such as 100,65536; 100 by default\n"
    "  --full       100 B, 64 KiB and 1 MiB, for 120 seconds\n";

/* In the order of the tables; ratios are to the first. */
static const char *const cases[] = {
    "nng",           "unix",       "futex-ring",      "message",          "ring",
    "message+chain", "ring+chain", "ring+chain+auth", "in-process+chain",
};
enum { CASES = sizeof cases / sizeof cases[0] };

typedef struct bench {
    bool json;
    const char *payloads;
    iswi_bench_plan plan;
    char folder[32], chain_yaml[48]; /* for the case in process */
    iswi_bench_report report;
    bool failed[CASES]; /* not tried again */
} bench;

/* -- One case ---------------------------------------------------------------------------------- */

/* The worker program lies beside this one. */
static bool find_worker(char *path)
{
    static const char name[] = "isoworker-bench-worker";
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - sizeof name);
    char *slash;

    if (size <= 0)
        return false;
    path[size] = '\0';
    slash = strrchr(path, '/');
    if (!slash)
        return false;
    strcpy(slash + 1, name);
    return true;
}

static pid_t spawn_case(const bench *b, const char *name, int output)
{
    char slice[24];
    char worker[PATH_MAX];
    bool in_process = strncmp(name, "in-process", 10) == 0;
    char *peer[] = { (char *)"isoworker", (char *)"bench-peer", (char *)name, slice,
                     (char *)b->payloads, NULL };
    char *local[] = { (char *)"isoworker-bench-worker", (char *)"in-process", slice,
                      (char *)b->payloads, (char *)b->chain_yaml, NULL };

    snprintf(slice, sizeof slice, "%lld", (long long)b->plan.slice_ms);
    if (!in_process)
        return iswi_bench_spawn("/proc/self/exe", peer, -1, output);
    return find_worker(worker) ? iswi_bench_spawn(worker, local, -1, output) : 0;
}

/* Take samples until the pipe ends. False when fewer came than were asked for, or none in time. */
static bool collect(bench *b, const char *name, int input)
{
    static iswi_bench_samples samples;
    unsigned awaited = b->plan.payload_count * ISWI_BENCH_MODES;
    struct pollfd ready = { .fd = input, .events = POLLIN };
    int timeout = (int)b->plan.slice_ms + GRACE_MS;

    for (; awaited; awaited--) {
        int found = poll(&ready, 1, timeout);

        if (found < 0 && errno == EINTR && !iswi_bench_is_over(INT64_MAX)) {
            awaited++;
            continue;
        }
        if (found != 1 || !iswi_bench_read(input, &samples) ||
            !iswi_bench_report_add(&b->report, name, &samples))
            return false;
    }
    poll(&ready, 1, timeout); /* its end: until then it works, and would disturb the next one */
    return true;
}

static bool measure(bench *b, const char *name)
{
    int ends[2];
    bool ok;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid = spawn_case(b, name, ends[1]);
    close(ends[1]);
    ok = pid && collect(b, name, ends[0]);
    close(ends[0]);
    if (pid && !ok) {
        kill(pid, SIGTERM); /* it removes its folders */
        iswi_bench_sleep_ns(200000000);
        iswi_bench_end(pid);
    } else if (pid) {
        waitpid(pid, NULL, 0);
    }
    return ok;
}

/* -- All of them ------------------------------------------------------------------------------- */

static void show_progress(unsigned round, const char *name)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\x1b[Kround %u of %d: %s", round, ROUNDS, name);
    else if (strcmp(name, cases[0]) == 0)
        fprintf(stderr, "round %u of %d\n", round, ROUNDS);
}

/* False when it was interrupted. */
static bool measure_all(bench *b)
{
    for (unsigned round = 1; round <= ROUNDS; round++)
        for (unsigned i = 0; i < CASES; i++) {
            if (b->failed[i])
                continue;
            show_progress(round, cases[i]);
            b->failed[i] = !measure(b, cases[i]);
            if (iswi_bench_is_over(INT64_MAX))
                return false;
            if (b->failed[i])
                fprintf(stderr, "%s%s: not measured\n", isatty(STDERR_FILENO) ? "\r\x1b[K" : "",
                        cases[i]);
        }
    if (isatty(STDERR_FILENO))
        fputs("\r\x1b[K", stderr);
    return true;
}

static int show(bench *b)
{
    iswi_bench_report_settle(&b->report);
    if (b->json)
        iswi_bench_report_json(&b->report, stdout);
    else
        iswi_bench_report_table(&b->report, stdout);
    for (unsigned i = 0; i < CASES; i++)
        if (b->failed[i])
            return EX_UNAVAILABLE;
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int run(bench *b)
{
    int status = 128 + SIGINT;

    strcpy(b->folder, "/tmp/isoworker-bench-XXXXXX");
    if (!mkdtemp(b->folder)) {
        fprintf(stderr, "isoworker: no folder %s: %s\n", b->folder, strerror(errno));
        return EX_CANTCREAT;
    }
    snprintf(b->chain_yaml, sizeof b->chain_yaml, "%s/worker.yaml", b->folder);
    iswi_bench_catch_signals();
    if (!iswi_bench_write_chain(b->chain_yaml, "in-process+chain"))
        status = EX_CANTCREAT;
    else if (measure_all(b))
        status = show(b);
    iswi_bench_report_fini(&b->report);
    unlink(b->chain_yaml);
    rmdir(b->folder);
    return status;
}

/* -- Options ----------------------------------------------------------------------------------- */

static bool parse_seconds(const char *text, long *seconds)
{
    char *end;

    *seconds = strtol(text, &end, 10);
    return end != text && !*end && *seconds >= 1 && *seconds <= 3600;
}

int iswi_cli_bench(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },          { "seconds", required_argument, NULL, 's' },
        { "payload", required_argument, NULL, 'p' }, { "full", no_argument, NULL, 'f' },
        { "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 },
    };
    static bench b;
    long seconds = 0;
    bool full = false;
    int letter;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (letter == 'j')
            b.json = true;
        else if (letter == 'f')
            full = true;
        else if (letter == 'p')
            b.payloads = optarg;
        else if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        else if (letter != 's')
            return EX_USAGE;
        else if (!parse_seconds(optarg, &seconds)) {
            fprintf(stderr, "isoworker: --seconds takes a number from 1 to 3600\n");
            return EX_USAGE;
        }
    }
    if (!b.payloads)
        b.payloads = full ? "100,65536,1048576" : "100";
    if (optind < argc || !iswi_bench_parse_payloads(b.payloads, &b.plan)) {
        fprintf(stderr, "isoworker: bench takes options only, and --payload sizes up to %d\n",
                ISWI_BENCH_PAYLOAD_MAX);
        return EX_USAGE;
    }
    if (!seconds)
        seconds = full ? SECONDS_FULL : SECONDS;
    b.plan.slice_ms =
        seconds * 1000 / (ROUNDS * CASES * ISWI_BENCH_MODES * (long)b.plan.payload_count);
    if (b.plan.slice_ms < SLICE_LEAST_MS)
        b.plan.slice_ms = SLICE_LEAST_MS;
    return run(&b);
}
