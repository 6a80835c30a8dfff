/* SPDX-License-Identifier: Apache-2.0 */
/* The case `microhttpd`. Invariant: each payload has a server of its own, with the memory that
 * serves it best, and connections of its own. */
#include "bench/http/floor.h"

#include "bench/clock.h"
#include "bench/http/client.h"
#include "bench/http/socket.h"
#include "bench/process.h"
#include "cli/helper.h"

#include <stdio.h>
#include <unistd.h>

const char iswi_bench_microhttpd[] = "isoworker-bench-microhttpd";

/* Measured: less than 4 KiB gains nothing, and a large body comes in fewer pieces. */
enum { CONNECTION_BYTES = 4096, LARGE_BYTES = 64 * 1024, LARGE_PAYLOAD = 16 * 1024 };

pid_t iswi_bench_start_microhttpd(int fd, uint32_t payload)
{
    char bytes[16];
    char own[16];
    char path[PATH_MAX];
    char *argv[] = { (char *)iswi_bench_microhttpd, bytes, own, NULL };

    snprintf(own, sizeof own, "%ld", (long)getpid());
    snprintf(bytes, sizeof bytes, "%d", payload < LARGE_PAYLOAD ? CONNECTION_BYTES : LARGE_BYTES);
    return iswi_cli_find_helper(iswi_bench_microhttpd, path) ? iswi_bench_spawn(path, argv, fd, -1)
                                                             : 0;
}

typedef struct floor_case {
    pid_t server;
    unsigned port;
    iswi_bench_client *client;
    uint32_t payload, in_flight; /* that the client is made for */
    iswi_bench_mode mode;
} floor_case;

static bool start_server(floor_case *f, uint32_t payload)
{
    int listener = iswi_bench_listen(&f->port);

    iswi_bench_end(f->server);
    f->server = listener >= 0 ? iswi_bench_start_microhttpd(listener, payload) : 0;
    if (listener >= 0)
        close(listener);
    return f->server > 0;
}

/* The server and the connections that these samples need, unless they are there. */
static bool prepare(floor_case *f, const iswi_bench_samples *samples)
{
    iswi_bench_load load = { .connections = samples->in_flight, .payload = samples->payload };

    if (f->client && f->payload == samples->payload && f->in_flight == samples->in_flight &&
        f->mode == samples->mode)
        return true;
    iswi_bench_client_close(f->client);
    f->client = NULL;
    if (f->payload != samples->payload && !start_server(f, samples->payload))
        return false;
    f->payload = samples->payload;
    f->in_flight = samples->in_flight;
    f->mode = samples->mode;
    load.port = f->port;
    load.gap_ns = samples->mode == ISWI_BENCH_SILENCE ? ISWI_BENCH_SILENCE_NS : 0;
    f->client = iswi_bench_client_open(&load);
    return f->client != NULL;
}

static bool run(void *user, iswi_bench_samples *samples, int64_t ns)
{
    floor_case *f = user;
    iswi_bench_tally tally;

    return prepare(f, samples) && iswi_bench_client_run(f->client, samples, ns, &tally) &&
           tally.answered == tally.sent;
}

static uint32_t window(void *user, uint32_t payload)
{
    (void)user;
    (void)payload;
    return ISWI_BENCH_WINDOW;
}

bool iswi_bench_measure_microhttpd(const iswi_bench_plan *plan)
{
    floor_case f = { 0 };
    iswi_bench_subject subject = { .run = run, .window = window, .user = &f,
                                   .started_ns = iswi_bench_now_ns() };
    bool ok = iswi_bench_carry_out(plan, &subject);

    iswi_bench_client_close(f.client);
    iswi_bench_end(f.server);
    return ok;
}
