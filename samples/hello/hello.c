/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RUN     isoworker run samples/hello
 *         curl http://127.0.0.1:7071/api/hello/World
 * OUTPUT  Hello, World!
 */
#include <isoworker/isoworker.h>

static isw_status hello(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "Hello, %s!\n", isw_http_param(ctx, "name"));
}

static const isw_function functions[] = {
    { .name = "hello", .trigger = ISW_HTTP("GET", "hello/{name}"), .handler = hello },
    { 0 },
};

int main(int argc, char **argv) { return isw_main(argc, argv, functions); }
