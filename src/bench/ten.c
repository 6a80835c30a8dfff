/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions, counted and not timed: the same on a busy machine as on a quiet one. A worker runs
 * an HTTP function so and so often in one process under callgrind; the difference of two such runs
 * is what the invocations between cost, and the difference to the empty chain is the middleware's.
 */
#include "bench/ten.h"

#include "bench/case.h"
#include "bench/process.h"
#include "cli/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { FEW = 500, MANY = 2500 };

const iswi_bench_entry iswi_bench_ten[ISWI_BENCH_TEN] = {
    { "metrics", "{}" },
    { "trace", "{sample: 0.01}" },
    { "cors", "{origins: ['https://app.example']}" },
    { "compress", "{}" },
    { "rate_limit", "{rate: 1000000000}" },
    { "timeout", "{after: 30s}" },
    { "validate", "{max_body: 1MiB}" },
    { "idempotency", "{}" },
    { "circuit_breaker", "{}" },
    { "retry", "{}" },
};

typedef struct row {
    const char *name;
    unsigned first, count; /* entries of the ten */
    double instructions;   /* for each invocation; below 0: not counted */
} row;

/* The chain as YAML in memory; -1 on failure. */
static int write_yaml(const row *r)
{
    int fd = memfd_create("bench-ten", 0);
    FILE *file = fd >= 0 ? fdopen(dup(fd), "w") : NULL;

    if (!file)
        return fd;
    fputs("worker: {crash_report: false}\nmiddleware:\n", file);
    for (unsigned i = r->first; i < r->first + r->count; i++)
        fprintf(file, "  - %s: %s\n", iswi_bench_ten[i].name, iswi_bench_ten[i].options);
    if (!r->count)
        fputs("  []\n", file);
    fclose(file);
    return fd;
}

/* What callgrind says on its standard error: "Collected : 123". */
static int64_t read_count(FILE *file)
{
    int64_t count = -1;
    char line[512];

    while (fgets(line, sizeof line, file)) {
        const char *found = strstr(line, "Collected : ");

        if (found)
            count = strtoll(found + strlen("Collected : "), NULL, 10);
    }
    return count;
}

/* Instructions of a process with `times` invocations; -1 on failure. */
static int64_t count_run(const char *program, int yaml, unsigned times)
{
    char number[16];
    char config[32];
    char *arguments[] = { (char *)"valgrind", (char *)"--tool=callgrind",
                          (char *)"--callgrind-out-file=/dev/null", (char *)program,
                          (char *)"repeat", number, config, NULL };
    posix_spawn_file_actions_t files;
    int64_t count = -1;
    FILE *errors;
    int ends[2];
    pid_t pid;

    snprintf(number, sizeof number, "%u", times);
    snprintf(config, sizeof config, "/proc/self/fd/%d", yaml);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, ends[1], 2);
    if (posix_spawnp(&pid, "valgrind", &files, NULL, arguments, environ) != 0)
        pid = 0;
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    errors = fdopen(ends[0], "r");
    if (pid && errors)
        count = read_count(errors);
    while (pid && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (errors)
        fclose(errors);
    return count;
}

static void measure(row *r, const char *program)
{
    int yaml = write_yaml(r);
    int64_t few = yaml >= 0 ? count_run(program, yaml, FEW) : -1;
    int64_t many = few >= 0 ? count_run(program, yaml, MANY) : -1;

    r->instructions = many > few ? (double)(many - few) / (MANY - FEW) : -1;
    if (yaml >= 0)
        close(yaml);
}

static void show(const row *r, const row *empty, bool json, FILE *out)
{
    double own = r->instructions - empty->instructions;

    if (r->instructions < 0 || empty->instructions < 0)
        fprintf(out, json ? "{\"middleware\":\"%s\",\"instructions\":null}\n" : "  %-16s       -\n",
                r->name);
    else if (json)
        fprintf(out, "{\"middleware\":\"%s\",\"instructions\":%.0f,\"own\":%.0f}\n", r->name,
                r->instructions, own);
    else
        fprintf(out, "  %-16s %7.0f %7.0f\n", r->name, r->instructions, own);
    fflush(out);
}

int iswi_bench_instructions(bool json, FILE *out)
{
    row empty = { "(none)", 0, 0, 0 };
    row all = { "all ten", 0, ISWI_BENCH_TEN, 0 };
    char program[PATH_MAX];
    bool whole;

    if (!iswi_cli_find_helper("isoworker-bench-worker", program)) {
        fprintf(stderr, "isoworker: isoworker-bench-worker is not installed\n");
        return EX_UNAVAILABLE;
    }
    if (!json)
        fprintf(out, "instructions of an HTTP invocation in one process, by callgrind: with the\n"
                     "middleware alone in the chain, and of that its own\n\n"
                     "  %-16s %7s %7s\n", "MIDDLEWARE", "ALL", "OWN");
    iswi_bench_show_progress("instructions", empty.name);
    measure(&empty, program);
    if (empty.instructions < 0) {
        iswi_bench_show_progress("", "");
        fprintf(stderr, "isoworker: nothing could be counted; is valgrind installed?\n");
        return EX_UNAVAILABLE;
    }
    show(&empty, &empty, json, out);
    whole = true;
    for (unsigned i = 0; i <= ISWI_BENCH_TEN; i++) {
        row one = i < ISWI_BENCH_TEN ? (row){ iswi_bench_ten[i].name, i, 1, 0 } : all;

        iswi_bench_show_progress("instructions", one.name);
        measure(&one, program);
        show(&one, &empty, json, out);
        whole = whole && one.instructions >= 0;
    }
    iswi_bench_show_progress("", "");
    return whole ? EX_OK : EX_UNAVAILABLE;
}
