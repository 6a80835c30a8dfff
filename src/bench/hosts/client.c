/* SPDX-License-Identifier: Apache-2.0 */
/* A host that calls by HTTP: requests as they are, or as the contract of custom handlers has them. */
#include "bench/hosts/foreign.h"

#include "bench/clock.h"
#include "bench/http/client.h"

#include <stdio.h>
#include <stdlib.h>

enum { GREET_S = 20, LOOK_AGAIN_NS = 200000 };

static const char call[] =
    "{\"Data\":{\"req\":{\"Url\":\"http://127.0.0.1:7071/api/http\",\"Method\":\"GET\","
    "\"Query\":{},\"Headers\":{\"Host\":[\"127.0.0.1:7071\"],\"User-Agent\":[\"bench\"],"
    "\"Accept\":[\"*/*\"]},\"Params\":{}}},"
    "\"Metadata\":{\"sys\":{\"MethodName\":\"http\",\"UtcNow\":\"2026-01-01T00:00:00Z\","
    "\"RandGuid\":\"6b5a6f0e-6c5e-4f0e-9f53-0f1f0b3ad6c1\"}}}";

typedef struct client {
    iswi_bench_load load;
    iswi_bench_client *client;
    char request[1024];
} client;

static bool open_client(const iswi_bench_foreign_options *options, void **self, unsigned *port)
{
    client *c = calloc(1, sizeof *c);

    if (!c)
        return false;
    *port = 0;
    c->load.connections = options->in_flight;
    if (options->json) {
        snprintf(c->request, sizeof c->request,
                 "POST /http HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                 "X-Azure-Functions-InvocationId: 6b5a6f0e-6c5e-4f0e-9f53-0f1f0b3ad6c1\r\n"
                 "Content-Length: %zu\r\n\r\n%s", sizeof call - 1, call);
        c->load.request = c->request;
    }
    *self = c;
    return true;
}

static bool run(void *self, iswi_bench_samples *samples, iswi_bench_samples *answers, int64_t ns)
{
    client *c = self;
    iswi_bench_tally tally;

    (void)answers;
    return iswi_bench_client_run(c->client, samples, ns, &tally) && tally.sent == tally.answered;
}

static bool answers(client *c)
{
    static iswi_bench_samples samples;

    c->client = iswi_bench_client_open(&c->load);
    iswi_bench_begin(&samples, ISWI_BENCH_BACK_TO_BACK, 0, c->load.connections);
    samples.most = 1;
    if (c->client && run(c, &samples, NULL, LOOK_AGAIN_NS))
        return true;
    iswi_bench_client_close(c->client);
    c->client = NULL;
    return false;
}

static bool greet(void *self, unsigned port)
{
    client *c = self;
    const int64_t until_ns = iswi_bench_now_ns() + GREET_S * INT64_C(1000000000);

    c->load.port = port;
    while (!answers(c)) {
        if (iswi_bench_is_over(until_ns))
            return false;
        iswi_bench_sleep_ns(LOOK_AGAIN_NS);
    }
    return true;
}

static void close_client(void *self)
{
    client *c = self;

    iswi_bench_client_close(c->client);
    free(c);
}

const iswi_bench_foreign iswi_bench_foreign_client = { open_client, greet, run, close_client };
