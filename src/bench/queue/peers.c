/* SPDX-License-Identifier: Apache-2.0 */
/* The bench's end of a peer: a socket, on which a line asks for work and a line answers, as
 * peers/measure.js has it. The peer ends when the socket does. */
#include "bench/queue/peers.h"

#include "bench/clock.h"
#include "bench/process.h"
#include "cli/helper.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE_BYTES = 512 };

static const int64_t PATIENCE_NS = INT64_C(30000000000);

typedef struct peer {
    const char *name;
    pid_t pid;
    int fd;
    char about[LINE_BYTES];
} peer;

/* It has removed what it made once its own end is closed. */
static void close_peer(void *self)
{
    peer *on = self;
    struct pollfd ended = { .fd = on->fd };

    if (on->fd >= 0) {
        shutdown(on->fd, SHUT_WR);
        poll(&ended, 1, (int)(PATIENCE_NS / 1000000)); /* for POLLHUP */
        close(on->fd);
    }
    iswi_bench_ask_to_end(on->pid);
    free(on);
}

static bool fails(const peer *on, const char *what, isw_error *error)
{
    isw_error_set(error, ISW_E_IO, "%s %s", on->name, what);
    return false;
}

/* Something is there to read. A signal that asks to end is no error. */
static bool wait_for_answer(const peer *on, int64_t until_ns, isw_error *error)
{
    struct pollfd ready = { .fd = on->fd, .events = POLLIN };

    while (!iswi_bench_is_over(INT64_MAX)) {
        const int64_t left_ns = until_ns - iswi_bench_now_ns();
        const int found = poll(&ready, 1, left_ns > 0 ? (int)(left_ns / 1000000) : 0);

        if (found > 0)
            return true;
        if (found == 0)
            return fails(on, "does not answer", error);
        if (errno != EINTR)
            return fails(on, strerror(errno), error);
    }
    return false;
}

/* A line without its end. One that says "error" is one: what follows becomes *error. */
static bool read_line(const peer *on, int64_t until_ns, char line[LINE_BYTES], isw_error *error)
{
    static const char refusal[] = "error ";
    size_t have = 0;

    do {
        if (have == LINE_BYTES - 1)
            return fails(on, "answers with a line that is too long", error);
        if (!wait_for_answer(on, until_ns, error))
            return false;
        if (read(on->fd, line + have, 1) != 1)
            return fails(on, "has ended", error);
    } while (line[have++] != '\n');
    line[have - 1] = '\0';
    if (strncmp(line, refusal, sizeof refusal - 1) != 0)
        return true;
    isw_error_set(error, ISW_E_IO, "%s: %s", on->name, line + sizeof refusal - 1);
    return false;
}

static bool start(peer *on, const iswi_bench_queue_peer_kind *kind, const char *modules,
                  const char *where, isw_error *error)
{
    char path[PATH_MAX];
    char program[64];
    char *argv[] = { (char *)"node",          path, (char *)modules, (char *)where,
                     (char *)kind->setting, NULL };
    int ends[2];

    snprintf(program, sizeof program, "isoworker-bench-peers/%s", kind->program);
    if (!iswi_cli_find_helper(program, path))
        return fails(on, "is missing: its program is installed with isoworker", error);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return fails(on, strerror(errno), error);
    on->fd = ends[0];
    on->pid = iswi_bench_spawn("node", argv, ends[1], STDERR_FILENO);
    close(ends[1]);
    return on->pid != 0 || fails(on, "needs node, which is not installed (Debian: nodejs)", error);
}

bool iswi_bench_queue_peer_open(const iswi_bench_queue_peer_kind *kind, const char *modules,
                                const char *where, void **self, isw_error *error)
{
    static const char ready[] = "ready ";
    char line[LINE_BYTES];
    peer *on = malloc(sizeof *on);

    if (!on) {
        isw_error_set(error, ISW_E_IO, "no memory for %s", kind->name);
        return false;
    }
    *on = (peer){ .name = kind->name, .fd = -1 };
    if (!start(on, kind, modules, where, error) ||
        !read_line(on, iswi_bench_now_ns() + PATIENCE_NS, line, error)) {
        close_peer(on);
        return false;
    }
    snprintf(on->about, sizeof on->about, "%s",
             strncmp(line, ready, sizeof ready - 1) == 0 ? line + sizeof ready - 1 : line);
    *self = on;
    return true;
}

const char *iswi_bench_queue_peer_about(const void *self)
{
    return ((const peer *)self)->about;
}

/* -- Work -------------------------------------------------------------------------------------- */

static bool read_sample(const char *line, iswi_bench_queue_sample *out)
{
    char *end;
    double elapsed_us;

    out->done = strtoull(line, &end, 10);
    if (end == line || *end != ' ')
        return false;
    elapsed_us = strtod(line = end, &end);
    if (end == line || *end != ' ')
        return false;
    out->elapsed_ns = (int64_t)(elapsed_us * 1000);
    out->p50_us = strtod(line = end, &end);
    return end != line && !*end;
}

static bool ask(const peer *on, const char *what, const iswi_bench_queue_work *work,
                iswi_bench_queue_sample *out, isw_error *error)
{
    const int64_t left_ms = (work->until_ns - iswi_bench_now_ns()) / 1000000;
    char line[LINE_BYTES];
    const int size = snprintf(line, sizeof line, "%s %u %" PRId64 " %zu\n", what, work->in_flight,
                              left_ms > 0 ? left_ms : 1, work->body_bytes);

    if (send(on->fd, line, (size_t)size, MSG_NOSIGNAL) != size)
        return fails(on, "has ended", error);
    return read_line(on, work->until_ns + PATIENCE_NS, line, error) &&
           (read_sample(line, out) || fails(on, "answers what is no sample", error));
}

static bool put(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                isw_error *error)
{
    return ask(self, "put", work, out, error);
}

static bool complete(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                     isw_error *error)
{
    return ask(self, "complete", work, out, error);
}

static bool deliver(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                    isw_error *error)
{
    return ask(self, "deliver", work, out, error);
}

const iswi_bench_queue_store iswi_bench_queue_peer = {
    .name = "peer",
    .close = close_peer,
    .put = put,
    .complete = complete,
    .deliver = deliver,
};
