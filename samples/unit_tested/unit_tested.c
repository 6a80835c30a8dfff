/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An application whose own tests (tests.c) run its functions through its chain, with no host, and
 * with another clock service and another clock than the real ones.
 *
 * RUN     isoworker run samples/unit_tested
 *         curl http://127.0.0.1:7071/api/greet/Ada
 * OUTPUT  Good morning, Ada!     (or what the hour suggests)
 */
#include "app.h"

#include <time.h>

static isw_status make_hour(isw_resolver *from, void *user, void **out, isw_error *error)
{
    time_t now = time(NULL);
    isw_context *ctx = isw_resolver_context(from);
    int *hour = isw_context_alloc(ctx, sizeof *hour);
    struct tm parts;

    (void)user;
    if (!hour)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for an hour");
    *hour = localtime_r(&now, &parts)->tm_hour;
    *out = hour;
    return ISW_OK;
}

static isw_status greet(isw_context *ctx)
{
    const int *hour = ISW_SERVICE(ctx, int, "hour");

    if (!hour)
        return ISW_E_UNAVAILABLE;
    isw_log(ctx, ISW_LOG_INFO, "it is %d o'clock", *hour);
    return isw_http_reply(ctx, 200, "text/plain", "Good %s, %s!\n",
                          *hour < 12 ? "morning" : "evening", isw_http_param(ctx, "name"));
}

static isw_status nap(isw_context *ctx) /* a timer; gives up when it is told to */
{
    isw_status status = isw_context_sleep(ctx, 3600 * 1000);

    return status == ISW_OK ? ISW_OK : isw_fail(ctx, status, "woken too early");
}

static const isw_service services[] = {
    { .name = "hour", .type = "int", .lifetime = ISW_PER_INVOCATION, .create = make_hour },
    { 0 },
};
static const isw_function functions[] = {
    { .name = "greet", .trigger = ISW_HTTP("GET", "greet/{name}"), .handler = greet },
    { .name = "nap", .trigger = ISW_TIMER("@daily"), .handler = nap },
    { 0 },
};

const isw_app app = { .functions = functions, .services = services };
