/* SPDX-License-Identifier: Apache-2.0 */
/* Which program measures a case, and taking in what it writes. Invariant: when a case is done its
 * process has ended, so that it disturbs none that comes later. */
#include "bench/case.h"

#include "bench/clock.h"
#include "bench/http/floor.h"
#include "bench/process.h"
#include "bench/setup.h"
#include "cli/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GRACE_MS = 90000 }; /* for a case to begin and to end, beside what it was asked for */

static const char grpc_program[] = "isoworker-bench-grpc";
static const char worker_program[] = "isoworker-bench-worker";

const char *iswi_bench_case_missing(const char *name)
{
    char path[PATH_MAX];

    if (strcmp(name, "grpc") == 0 && !iswi_cli_find_helper(grpc_program, path))
        return "not built (Debian: libgrpc++-dev)";
    if (strcmp(name, "microhttpd") == 0 && !iswi_cli_find_helper(iswi_bench_microhttpd, path))
        return "not built (Debian: libmicrohttpd-dev)";
    return NULL;
}

/* The worker's YAML, at its beginning; -1 when there is no memory. */
static int chain_of(const char *name)
{
    int fd = memfd_create("isoworker-bench", MFD_CLOEXEC);
    iswi_bench_setup setup;
    FILE *file;

    if (fd < 0 || !iswi_bench_parse_setup(name, &setup))
        return fd;
    file = fdopen(dup(fd), "w");
    if (file) {
        iswi_bench_write_worker_yaml(&setup, file);
        fclose(file);
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static pid_t spawn_case(const char *name, const iswi_bench_plan *plan, int output)
{
    bool in_process = strncmp(name, "in-process", 10) == 0;
    bool grpc = strcmp(name, "grpc") == 0;
    const char *program = in_process ? worker_program : grpc_program;
    char path[PATH_MAX];
    iswi_bench_words words;
    char *peer[] = { (char *)"isoworker-bench", (char *)"peer", (char *)name,
                     words.slice, words.payloads, words.modes, NULL };
    char *other[] = { (char *)program, in_process ? (char *)"in-process" : (char *)"measure",
                      words.slice, words.payloads, words.modes, NULL };
    int chain = -1;
    pid_t pid;

    iswi_bench_plan_to_words(plan, &words);
    if (!in_process && !grpc)
        return iswi_bench_spawn("/proc/self/exe", peer, -1, output);
    if (!iswi_cli_find_helper(program, path))
        return 0;
    if (in_process)
        chain = chain_of(name);
    pid = iswi_bench_spawn(path, other, chain, output);
    if (chain >= 0)
        close(chain);
    return pid;
}

static unsigned samples_of(const iswi_bench_plan *plan)
{
    unsigned modes = 0;

    for (unsigned i = 0; i < ISWI_BENCH_MODES; i++)
        modes += (plan->modes & ISWI_BENCH_ONLY(i)) != 0;
    return modes * plan->payload_count;
}

/* Take samples until the pipe ends. False when fewer came than were asked for, or none in time. */
static bool collect(const char *name, const iswi_bench_plan *plan, int input,
                    iswi_bench_report *report)
{
    static iswi_bench_samples samples;
    unsigned awaited = samples_of(plan);
    struct pollfd ready = { .fd = input, .events = POLLIN };
    int timeout = (int)plan->slice_ms + GRACE_MS;

    for (; awaited; awaited--) {
        int found = poll(&ready, 1, timeout);

        if (found < 0 && errno == EINTR && !iswi_bench_is_over(INT64_MAX)) {
            awaited++;
            continue;
        }
        if (found != 1 || !iswi_bench_read(input, &samples) ||
            !iswi_bench_report_add(report, name, &samples))
            return false;
    }
    poll(&ready, 1, timeout); /* its end */
    return true;
}

bool iswi_bench_measure_case(const char *name, const iswi_bench_plan *plan,
                             iswi_bench_report *report)
{
    int ends[2];
    bool ok;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid = spawn_case(name, plan, ends[1]);
    close(ends[1]);
    ok = pid && collect(name, plan, ends[0], report);
    close(ends[0]);
    if (!ok)
        iswi_bench_ask_to_end(pid);
    else
        waitpid(pid, NULL, 0);
    return ok && !iswi_bench_is_over(INT64_MAX);
}

void iswi_bench_show_progress(const char *step, const char *name)
{
    static char last[64];

    if (isatty(STDERR_FILENO))
        fprintf(stderr, *step ? "\r\x1b[K%s: %s" : "\r\x1b[K%s%s", step, name);
    else if (*step && strcmp(step, last) != 0)
        fprintf(stderr, "%s\n", step);
    snprintf(last, sizeof last, "%s", step);
}
