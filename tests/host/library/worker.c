/* SPDX-License-Identifier: Apache-2.0 */
/* The worker of these tests: functions that are called by name. */
#include <isoworker/isoworker.h>
#include <isoworker/sys/module.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static isw_status echo(isw_context *ctx)
{
    return isw_context_set_result(ctx, isw_context_trigger(ctx));
}

static isw_status greet(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "Hello, %s!", isw_http_query(ctx, "name"));
}

static isw_status refuse(isw_context *ctx)
{
    return isw_fail(ctx, ISW_E_CONFLICT, "there is one already");
}

static isw_status crash(isw_context *ctx)
{
    (void)ctx;
    raise(SIGKILL);
    return ISW_OK;
}

static isw_status fault(isw_context *ctx)
{
    (void)ctx;
    return *(volatile isw_status *)8;
}

/* Says that it runs, and stops when it is cancelled. */
static isw_status nap(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "napping");
    return isw_context_sleep(ctx, 60000);
}

/* Does not stop when it is cancelled. */
static isw_status hang(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "hanging");
    while (pause() < 0)
        continue;
    return ISW_OK;
}

static isw_status stream(isw_context *ctx)
{
    static char piece[64 * 1024];

    memset(piece, 'x', sizeof piece);
    isw_http_add_header(ctx, "x-kind", "stream");
    if (isw_http_begin(ctx, 200, "text/plain") != ISW_OK)
        return ISW_E_FAILED;
    for (int i = 0; i < 32; i++)
        if (isw_http_write(ctx, piece, sizeof piece) != ISW_OK)
            return ISW_E_FAILED;
    return ISW_OK;
}

static isw_status variable(isw_context *ctx)
{
    const char *value = getenv("COLOUR");
    isw_value result = isw_value_string(value ? value : "none");

    return isw_context_set_result(ctx, &result);
}

#define CALL(function) \
    { .name = #function, .trigger = ISW_TRIGGER("call", NULL), .handler = function }

static const isw_function functions[] = {
    CALL(echo), CALL(refuse), CALL(crash), CALL(fault), CALL(nap), CALL(hang), CALL(variable),
    { .name = "greet", .trigger = ISW_HTTP("GET", "greet"), .handler = greet },
    { .name = "stream", .trigger = ISW_HTTP("GET", "stream"), .handler = stream },
    { 0 },
};

#ifdef MODULE
static const isw_app app = { .functions = functions };

ISW_APP_MODULE(&app);
#else
/* With SICK=WHY in its environment it never is well. */
static isw_status check(isw_resolver *from, void *user, void **out, isw_error *error)
{
    (void)from;
    (void)out;
    return isw_error_set(error, ISW_E_UNAVAILABLE, "%s", (const char *)user);
}

int main(int argc, char **argv)
{
    const isw_service services[] = {
        { .name = "disk", .lifetime = ISW_HEALTH_CHECK, .create = check, .user = getenv("SICK") },
        { 0 },
    };
    const isw_app app = { .functions = functions, .services = getenv("SICK") ? services : NULL };

    return isw_app_main(argc, argv, &app);
}
#endif
