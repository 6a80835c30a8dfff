/* SPDX-License-Identifier: Apache-2.0 */
/* What the worker of the integration tests may be replaced by: another program. */
#include <isoworker/isoworker.h>

static isw_status fresh(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "fresh");
}

static isw_status hello(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "Hallo, %s!\n", isw_http_param(ctx, "name"));
}

/* Another function of the same name. */
static isw_status nap(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "rested");
}

static const isw_function functions[] = {
    { .name = "fresh", .trigger = ISW_HTTP("GET", "fresh"), .handler = fresh },
    { .name = "hello", .trigger = ISW_HTTP("GET", "hallo/{name}"), .handler = hello },
    { .name = "nap", .trigger = ISW_HTTP("GET HEAD", "nap"), .handler = nap },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
