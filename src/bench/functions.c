/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared object of `isoworker bench models` and `hosts`: functions that serve, and some that do the harm whose
 * reach is tried. A user's, of the public interface alone.
 */
#include <isoworker/isoworker.h>
#include <isoworker/sys/module.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAK_BYTES = 64 << 20 };

static atomic_uint naps, hangs;

static isw_status echo(isw_context *ctx)
{
    isw_bytes bytes = isw_value_payload(isw_context_trigger(ctx));
    isw_value result = isw_value_bytes(bytes.data, bytes.size);

    return isw_context_set_result(ctx, &result);
}

/* As the one of worker.c does. */
static isw_status give_back(isw_context *ctx)
{
    return isw_context_set_result(ctx, isw_context_trigger(ctx));
}

/* A name of its own, for a debugger to stop at. */
static isw_status bench_says_hello(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "Hello, World!\n");
}

static isw_status nap(isw_context *ctx)
{
    atomic_fetch_add(&naps, 1);
    isw_context_sleep(ctx, 2000);
    return isw_http_reply(ctx, 200, "text/plain", "slept\n");
}

/* Calls that have begun: 200 if there are any of `nap`, or of `hang` that have not ended. */
static isw_status napping(isw_context *ctx)
{
    return isw_http_reply(ctx, atomic_load(&naps) ? 200 : 404, "text/plain", "\n");
}

static isw_status hanging(isw_context *ctx)
{
    return isw_http_reply(ctx, atomic_load(&hangs) ? 200 : 404, "text/plain", "\n");
}

static isw_status crash(isw_context *ctx)
{
    *(volatile int *)8 = 1;
    return isw_http_reply(ctx, 200, "text/plain", "\n");
}

static isw_status leak(isw_context *ctx)
{
    char *lost = malloc(LEAK_BYTES);

    if (lost)
        memset(lost, 1, LEAK_BYTES);
    return isw_http_reply(ctx, lost ? 200 : 500, "text/plain", "%p\n", (void *)lost);
}

static isw_status hang(isw_context *ctx)
{
    atomic_fetch_add(&hangs, 1);
    for (;;)
        sleep(1);
    return isw_http_reply(ctx, 200, "text/plain", "\n");
}

/* What somebody allocated first in this process, as far as it goes. */
static isw_status overwrite(isw_context *ctx)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long begin = 0;
    unsigned long end = 0;
    char line[512];

    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "[heap]") && sscanf(line, "%lx-%lx", &begin, &end) == 2)
            memset((void *)begin, 0xa5, end - begin);
    return isw_http_reply(ctx, 200, "text/plain", "%lu\n", end - begin);
}

static const isw_function functions[] = {
    { .name = "echo", .trigger = ISW_TRIGGER("bench", NULL), .handler = echo },
    { .name = "called", .trigger = ISW_TRIGGER("call", NULL), .handler = give_back },
    { .name = "http", .trigger = ISW_HTTP("GET", "http"), .handler = bench_says_hello },
    { .name = "nap", .trigger = ISW_HTTP("GET", "nap"), .handler = nap },
    { .name = "napping", .trigger = ISW_HTTP("GET", "napping"), .handler = napping },
    { .name = "hanging", .trigger = ISW_HTTP("GET", "hanging"), .handler = hanging },
    { .name = "crash", .trigger = ISW_HTTP("GET", "crash"), .handler = crash },
    { .name = "leak", .trigger = ISW_HTTP("GET", "leak"), .handler = leak },
    { .name = "hang", .trigger = ISW_HTTP("GET", "hang"), .handler = hang, .timeout_ms = 200 },
    { .name = "overwrite", .trigger = ISW_HTTP("GET", "overwrite"), .handler = overwrite },
    { 0 },
};

static const isw_app app = { .functions = functions };

ISW_APP_MODULE(&app);
