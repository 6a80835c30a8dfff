/* SPDX-License-Identifier: Apache-2.0 */
/* The worker of warmups.py, with MODULE as a shared object: a process tells whether it was warm when it was called. WARMUP says what
 * its second warmup does: fail, crash or hang, until there is a file `mended` in its folder. */
#include <isoworker/isoworker.h>
#include <isoworker/sys/module.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pid_t first_in, second_in; /* in which process they ran */

static isw_status first(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "first in %ld", (long)getpid());
    first_in = getpid();
    return ISW_OK;
}

static isw_status second(isw_context *ctx)
{
    const char *how = getenv("WARMUP") && access("mended", F_OK) != 0 ? getenv("WARMUP") : "";
    isw_value value = isw_value_string("warm");

    isw_log(ctx, ISW_LOG_INFO, "second in %ld, %s the first", (long)getpid(),
            first_in == getpid() ? "behind" : "before");
    if (strcmp(how, "fail") == 0)
        return isw_fail(ctx, ISW_E_FAILED, "there is no model");
    if (strcmp(how, "crash") == 0)
        abort();
    while (strcmp(how, "hang") == 0)
        pause();
    second_in = getpid();
    return isw_queue_put(ctx, "news", &value, NULL);
}

static isw_status who(isw_context *ctx)
{
    bool warm = first_in == getpid() && second_in == getpid();

    return isw_http_reply(ctx, 200, "text/plain", "%ld %s", (long)getpid(), warm ? "warm" : "cold");
}

static const isw_property news[] = { { "queue", "news" }, { 0 } };
static const isw_binding outputs[] = { { "news", "queue", ISW_OUT, news }, { 0 } };

static const isw_function functions[] = {
    { .name = "first", .trigger = ISW_WARMUP, .handler = first },
    { .name = "second", .trigger = ISW_WARMUP, .handler = second, .bindings = outputs },
    { .name = "who", .trigger = ISW_HTTP("GET", "who"), .handler = who },
    { 0 },
};

#ifdef MODULE
static const isw_app app = { .functions = functions };

ISW_APP_MODULE(&app);
#else
int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
#endif
