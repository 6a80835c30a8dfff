/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP end to end, with the load of `wrk`: our host with its HTTP front and a worker behind it,
 * against a bare libmicrohttpd server that answers the same bytes. Invariant: both serve all the
 * time with as many threads, and take turns at the load.
 */
#include "bench/case.h"
#include "bench/clock.h"
#include "bench/full.h"
#include "bench/http/floor.h"
#include "bench/http/socket.h"
#include "bench/process.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECTIONS "64"
#define THREADS "1" /* of each server, and of wrk */

enum { URL_BYTES = 128, OUTPUT_BYTES = 4096, PATIENCE_MS = 90000, IN_FLIGHT = 64 };

typedef struct server {
    pid_t pid;
    char url[URL_BYTES];
} server;

/* -- Servers ----------------------------------------------------------------------------------- */

/* Read until the end, or until `stop` has come. False when it took too long. */
static bool read_text(int fd, char *text, size_t room, char stop)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    int64_t until_ns = iswi_bench_now_ns() + PATIENCE_MS * 1000000LL;
    size_t have = 0;

    while (have + 1 < room && !iswi_bench_is_over(until_ns)) {
        ssize_t got;

        if (poll(&ready, 1, PATIENCE_MS) < 1)
            continue;
        got = read(fd, text + have, room - 1 - have);
        have += got > 0 ? (size_t)got : 0;
        text[have] = '\0';
        if (got <= 0 || (stop && strchr(text, stop)))
            return have > 0;
    }
    return have + 1 == room;
}

static bool start_ours(server *ours)
{
    int ends[2];
    bool ok;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    ours->pid = iswi_bench_spawn_peer("serve-http", "ring+chain,http=" THREADS, -1, ends[1]);
    close(ends[1]);
    ok = ours->pid && read_text(ends[0], ours->url, URL_BYTES, '\n');
    close(ends[0]);
    ours->url[strcspn(ours->url, "\n")] = '\0';
    return ok && *ours->url;
}

static bool start_bare(server *bare)
{
    unsigned port;
    int fd = iswi_bench_listen(&port);

    if (fd < 0)
        return false;
    snprintf(bare->url, URL_BYTES, "http://127.0.0.1:%u/api/http", port);
    bare->pid = iswi_bench_start_microhttpd(fd, 0);
    close(fd);
    return bare->pid > 0;
}

/* -- Load -------------------------------------------------------------------------------------- */

/* "1.25ms" in nanoseconds. */
static double duration_ns(const char *text)
{
    char *unit;
    double value = strtod(text, &unit);

    return value * (*unit == 'u' ? 1e3 : *unit == 'm' ? 1e6 : 1e9);
}

/* What wrk said, as samples: its rate and its median. False when an answer was a refusal. */
static bool parse(const char *text, int seconds, iswi_bench_samples *samples)
{
    const char *rate = strstr(text, "Requests/sec:");
    const char *median = strstr(text, "50%");

    if (!rate || !median || strstr(text, "Non-2xx"))
        return false;
    iswi_bench_begin(samples, ISWI_BENCH_PIPELINED, 0, IN_FLIGHT);
    iswi_bench_note(samples, (int64_t)duration_ns(median + 3));
    samples->done = (uint64_t)(strtod(rate + 13, NULL) * seconds);
    samples->elapsed_ns = seconds * 1000000000LL;
    return samples->done > 0;
}

static bool load(const server *to, int seconds, const char *setup, iswi_bench_report *report)
{
    static iswi_bench_samples samples;
    char duration[16];
    char text[OUTPUT_BYTES] = "";
    char *argv[] = { (char *)"wrk", (char *)"-t" THREADS, (char *)"-c" CONNECTIONS, duration,
                     (char *)"--latency", (char *)to->url, NULL };
    int ends[2];
    bool ok;
    pid_t wrk;

    snprintf(duration, sizeof duration, "-d%ds", seconds);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    wrk = iswi_bench_spawn("wrk", argv, -1, ends[1]);
    close(ends[1]);
    ok = wrk && read_text(ends[0], text, sizeof text, '\0') && parse(text, seconds, &samples) &&
         iswi_bench_report_add(report, setup, &samples);
    close(ends[0]);
    iswi_bench_ask_to_end(wrk);
    return ok;
}

static bool has_wrk(void)
{
    char *argv[] = { (char *)"wrk", (char *)"--version", NULL };
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid_t wrk = iswi_bench_spawn("wrk", argv, -1, nothing);

    close(nothing);
    if (wrk)
        waitpid(wrk, NULL, 0);
    return wrk > 0;
}

static const char *measure(const iswi_bench_experiment *e, double scale,
                           iswi_bench_report *report, bool *failed)
{
    unsigned rounds = (unsigned)(e->rounds * (scale < 1 ? scale : 1) + 0.5);
    int seconds = (int)((double)e->slice_ms * scale / 1000 + 0.5);
    server servers[2] = { { 0 }, { 0 } };

    if (iswi_bench_case_missing("microhttpd"))
        return iswi_bench_case_missing("microhttpd");
    if (!has_wrk())
        return "not measured, wrk is not installed (Debian: wrk)";
    rounds = rounds < e->rounds_least ? e->rounds_least : rounds;
    seconds = seconds < 1 ? 1 : seconds;
    *failed = !start_bare(&servers[0]) || !start_ours(&servers[1]);
    for (unsigned round = 0; round < rounds; round++)
        for (unsigned i = 0; i < 2 && !*failed; i++) {
            iswi_bench_show_progress(e->name, e->points[i].setup);
            *failed = !load(&servers[i], seconds, e->points[i].setup, report);
        }
    iswi_bench_ask_to_end(servers[1].pid); /* it ends its workers and removes its folder */
    iswi_bench_end(servers[0].pid);
    if (*failed && !iswi_bench_is_over(INT64_MAX))
        fprintf(stderr, "%s: not measured\n", e->name);
    return NULL;
}

static double threads(const iswi_bench_line *line)
{
    (void)line;
    return strtod(THREADS, NULL);
}

static const iswi_bench_point points[] = {
    { "microhttpd", "microhttpd", 0 },
    { "isoworker", "isoworker", 0 },
};

static const iswi_bench_column columns[] = {
    { "in_flight", "CONNECTIONS", 0, iswi_bench_in_flight },
    { "threads", "THREADS", 0, threads },
    { "p50_us", "P50 us", 0, iswi_bench_p50 },
    { "per_s", "PER SECOND", 0, iswi_bench_per_s },
    { "ratio_p50_to_microhttpd", "P50/first", 2, iswi_bench_ratio_p50 },
    { "ratio_per_s_to_microhttpd", "RATE/first", 2, iswi_bench_ratio_per_s },
    { 0 },
};

const iswi_bench_experiment iswi_bench_http = {
    .name = "http",
    .title = "requests of wrk to a bare libmicrohttpd server, and to our host with a worker that\n"
             "  has error_handling and logging; the same bytes, and one thread for HTTP in each",
    .points = points,
    .point_count = sizeof points / sizeof points[0],
    .rounds = 3,
    .rounds_least = 1,
    .slice_ms = 3000,
    .columns = columns,
    .measure = measure,
};
