/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that no host can serve as it asks: two functions on one route, one on none, and one that
 * nothing fits. */
#include <isoworker/isoworker.h>

static isw_status answer(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "hello\n");
}

static const isw_field fields[] = {
    { .name = "count", .type = ISW_FIELD_INT, .min = 5, .max = 3 },
    { 0 },
};

static const isw_function functions[] = {
    { .name = "one", .trigger = ISW_HTTP("GET", "orders/{id}"), .handler = answer },
    { .name = "two", .trigger = ISW_HTTP("GET POST", "orders/{other}"), .handler = answer },
    { .name = "open", .trigger = ISW_HTTP("GET", "x/{id"), .handler = answer },
    { .name = "small", .trigger = ISW_HTTP("get", "small"), .handler = answer },
    { .name = "narrow", .trigger = ISW_HTTP("POST", "narrow"), .handler = answer, .body = fields },
    { .name = "twice", .trigger = ISW_HTTP("GET", "twice"), .handler = answer },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
