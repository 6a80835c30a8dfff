/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions behind samples/quickstart: a greeting, keys, a failure, a crash, time and bytes.
 *
 * RUN     isoworker run samples/tour
 *         curl http://127.0.0.1:7071/api/hello/World
 * OUTPUT  Hello, World!
 */
#include <isoworker/isoworker.h>
#include <stdlib.h>

/* GET hello/{name} */
static isw_status hello(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "Hello, %s!\n", isw_http_param(ctx, "name"));
}

/* GET secret: the chain lets only callers with a key come this far. */
static isw_status secret(isw_context *ctx)
{
    const isw_principal *who = isw_context_principal(ctx);

    return isw_http_reply(ctx, 200, "text/plain", "The secret is 42, %.*s.\n",
                          who ? (int)who->subject.size : 0, who ? who->subject.data : "");
}

/* GET orders/{id}: a failure becomes a problem document in the chain. */
static isw_status order(isw_context *ctx)
{
    const char *id = isw_http_param(ctx, "id");

    if (atoi(id) < 1)
        return isw_fail(ctx, ISW_E_INVALID, "\"%s\" is no order number", id);
    return isw_fail(ctx, ISW_E_NOT_FOUND, "there is no order %s", id);
}

/* POST crash: what happens in a worker stays in the worker. */
static isw_status crash(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_WARNING, "about to crash on purpose");
    abort();
}

/* POST echo */
static isw_status echo(isw_context *ctx)
{
    isw_bytes body = isw_http_body(ctx);

    return isw_http_reply_bytes(ctx, 200, isw_http_header(ctx, "content-type"), body.data,
                                body.size);
}

/* GET slow?ms=N: stops early when it is cancelled. */
static isw_status slow(isw_context *ctx)
{
    const char *ms = isw_http_query(ctx, "ms");

    if (isw_context_sleep(ctx, ms ? (uint32_t)atoi(ms) : 100) != ISW_OK)
        return isw_fail(ctx, ISW_E_CANCELLED, "was asked to stop");
    return isw_http_reply(ctx, 200, "text/plain", "done\n");
}

static const isw_property open_to_all[] = { { "auth_level", "anonymous" }, { 0 } };
static const isw_property with_key[] = { { "auth_level", "function" }, { 0 } };

static const isw_function functions[] = {
    { .name = "hello", .trigger = ISW_HTTP("GET", "hello/{name}"), .handler = hello,
      .summary = "greets", .metadata = open_to_all, .idempotent = true },
    { .name = "secret", .trigger = ISW_HTTP("GET", "secret"), .handler = secret,
      .summary = "for callers with a key", .metadata = with_key },
    { .name = "order", .trigger = ISW_HTTP("GET", "orders/{id}"), .handler = order,
      .summary = "always fails", .metadata = open_to_all },
    { .name = "crash", .trigger = ISW_HTTP("POST", "crash"), .handler = crash,
      .summary = "aborts its process", .metadata = open_to_all },
    { .name = "echo", .trigger = ISW_HTTP("POST", "echo"), .handler = echo,
      .summary = "gives back the body", .metadata = open_to_all },
    { .name = "slow", .trigger = ISW_HTTP("GET", "slow"), .handler = slow,
      .summary = "takes ?ms=N", .metadata = open_to_all, .timeout_ms = 2000 },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
