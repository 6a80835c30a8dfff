/* SPDX-License-Identifier: Apache-2.0 */
/* A worker that sends what it is asked to: x-url, x-method, and the rest of the request as it is. */
#include <isoworker/http_client.h>
#include <isoworker/isoworker.h>
#include <stdlib.h>

static isw_http_client_options options = ISW_HTTP_CLIENT_OPTIONS_INIT;

static const char *header_or(isw_context *ctx, const char *name, const char *otherwise)
{
    const char *value = isw_http_header(ctx, name);

    return value ? value : otherwise;
}

static isw_status call(isw_context *ctx)
{
    isw_http_client *client = ISW_SERVICE(ctx, isw_http_client, "http");
    isw_http_client_request request = ISW_HTTP_CLIENT_REQUEST_INIT;
    const isw_pair extra = { isw_str_of("x-extra"), isw_str_of(header_or(ctx, "x-extra", "")) };
    const isw_http *answer = NULL;
    isw_error error = { ISW_OK, "" };
    const isw_str *seen;

    if (!client)
        return ISW_E_UNAVAILABLE;
    request.method = header_or(ctx, "x-method", "GET");
    request.url = header_or(ctx, "x-url", NULL);
    request.headers = (isw_pairs){ &extra, 1 };
    request.body = isw_http_body(ctx);
    request.timeout_ms = (uint32_t)atoi(header_or(ctx, "x-timeout", "0"));
    request.idempotent = isw_http_header(ctx, "x-idempotent") != NULL;
    isw_log(ctx, ISW_LOG_INFO, "calling");
    if (isw_http_client_send(client, ctx, &request, &answer, &error) != ISW_OK)
        return isw_fail(ctx, error.status, "%s", error.message);
    seen = isw_pairs_find(&answer->headers, "x-seen");
    if (seen)
        isw_http_set_header(ctx, "x-seen", isw_context_strndup(ctx, seen->data, seen->size));
    return isw_http_reply_bytes(ctx, answer->status, "text/plain", answer->body.data,
                                answer->body.size);
}

static const isw_service services[] = { ISW_HTTP_CLIENT_SERVICE("http", &options), { 0 } };
static const isw_function functions[] = {
    { .name = "call", .trigger = ISW_HTTP("GET POST", "call"), .handler = call,
      .timeout_ms = 60000 },
    { 0 },
};
static const isw_app app = { .functions = functions, .services = services };

int main(int argc, char **argv)
{
    options.backoff_ms = 1;
    options.circuit_failures = (uint32_t)atoi(getenv("CIRCUIT") ? getenv("CIRCUIT") : "0");
    options.circuit_open_ms = (uint32_t)atoi(getenv("OPEN_MS") ? getenv("OPEN_MS") : "60000");
    options.body_limit = 100000;
    options.ca_file = getenv("CA_FILE");
    return isw_app_main(argc, argv, &app);
}
