/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A function that calls another: `quote` asks `price` by HTTP, which learns of the caller's trace
 * and of the time that is left, and has less of it than a minute of its own. What takes longer than
 * `quote` may take ends at both ends.
 *
 * RUN     isoworker run samples/calling
 *         curl http://127.0.0.1:7071/api/quote/tea
 * OUTPUT  tea: 12.99, the same trace, less than 5000 ms
 */
#include <isoworker/http_client.h>
#include <isoworker/isoworker.h>
#include <string.h>

/* Only the port is the caller's to say, and a word: it is always this machine that is called. */
static const char *url_of(isw_context *ctx)
{
    const char *what = isw_http_param(ctx, "what");
    const char *host = isw_http_header(ctx, "host");
    const char *colon = host ? strrchr(host, ':') : NULL;

    if (!colon || colon[1 + strspn(colon + 1, "0123456789")] ||
        what[strspn(what, "abcdefghijklmnopqrstuvwxyz")])
        return NULL;
    return isw_context_printf(ctx, "http://127.0.0.1%s/api/price/%s", colon, what);
}

static isw_status quote(isw_context *ctx)
{
    isw_http_client *http = ISW_SERVICE(ctx, isw_http_client, "http");
    isw_http_client_request request = ISW_HTTP_CLIENT_REQUEST_INIT;
    const isw_http *answer;
    isw_error error = { ISW_OK, "" };

    request.url = url_of(ctx);
    if (!request.url)
        return isw_fail(ctx, ISW_E_INVALID, "a quote is for a word of small letters");
    if (!http)
        return ISW_E_UNAVAILABLE;
    if (isw_http_client_send(http, ctx, &request, &answer, &error) != ISW_OK)
        return isw_fail(ctx, error.status, "%s", error.message);
    if (answer->status != 200)
        return isw_fail(ctx, ISW_E_UNAVAILABLE, "price answered with %d", answer->status);
    return isw_http_reply(ctx, 200, "text/plain", "%s: %.*s\n", isw_http_param(ctx, "what"),
                          (int)answer->body.size, (const char *)answer->body.data);
}

/* A trace of its own has no parent. */
static isw_status price(isw_context *ctx)
{
    const bool traced = isw_context_trace(ctx)->parent.size > 0;
    const int64_t left_ms = isw_context_remaining_ms(ctx);

    if (strcmp(isw_http_param(ctx, "what"), "gold") == 0)
        isw_context_sleep(ctx, 60000); /* it takes a while to find out */
    if (isw_context_cancelled(ctx))
        return isw_fail(ctx, ISW_E_CANCELLED, "nobody waits any more");
    return isw_http_reply(ctx, 200, "text/plain", "12.99, %s trace, %s than 5000 ms",
                          traced ? "the same" : "a new", left_ms <= 5000 ? "less" : "more");
}

static const isw_service services[] = { ISW_HTTP_CLIENT_SERVICE("http", NULL), { 0 } };
static const isw_function functions[] = {
    { .name = "quote", .trigger = ISW_HTTP("GET", "quote/{what}"), .handler = quote,
      .timeout_ms = 5000 },
    { .name = "price", .trigger = ISW_HTTP("GET", "price/{what}"), .handler = price,
      .timeout_ms = 60000 },
    { 0 },
};
static const isw_app app = { .functions = functions, .services = services };
int main(int argc, char **argv) { return isw_app_main(argc, argv, &app); }
