/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions without a program: `isoworker worker` serves them, as host.yaml says.
 *
 * RUN     isoworker worker build/functions.so --describe
 *         isoworker worker build/functions.so invoke greet --param name=Ada
 */
#include <isoworker/isoworker.h>
#include <isoworker/sys/module.h>

static isw_status greet(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "Good day, %s!\n", isw_http_param(ctx, "name"));
}

static const isw_function functions[] = {
    { .name = "greet", .trigger = ISW_HTTP("GET", "greet/{name}"), .handler = greet },
    { 0 },
};

static const isw_app app = { .functions = functions };

ISW_APP_MODULE(&app);
