/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that have the host send requests. */
#include <isoworker/isoworker.h>

#include <stdlib.h>
#include <string.h>

static const char *query(isw_context *ctx, const char *name)
{
    const char *value = isw_http_query(ctx, name);

    return value && *value ? value : NULL;
}

/* POST send/{output}?id=&key=&then= with the request's body as the body, text or, by its content type,
 * JSON. */
static isw_status send(isw_context *ctx)
{
    const isw_queue_options options = { .id = query(ctx, "id"), .key = query(ctx, "key") };
    isw_bytes body = isw_value_payload(isw_context_trigger(ctx));
    isw_value value = isw_value_text((isw_str){ body.data, body.size });
    const char *type = isw_http_header(ctx, "content-type");

    if (type && strcmp(type, "application/json") == 0)
        value.type = ISW_VALUE_JSON;
    if (type && strcmp(type, "application/octet-stream") == 0)
        value = isw_value_bytes(body.data, body.size);
    if (isw_queue_put(ctx, isw_http_param(ctx, "output"), &value, &options) != ISW_OK)
        return ISW_E_FAILED;
    if (query(ctx, "then"))
        return isw_fail(ctx, ISW_E_FAILED, "it puts, and fails");
    return isw_http_reply(ctx, 202, "text/plain", "kept\n");
}

/* POST shape?name=&value= puts an HTTP value with that header. */
static isw_status shape(isw_context *ctx)
{
    const isw_pair headers[] = { { isw_str_of("content-type"), isw_str_of("text/csv") },
                                 { isw_str_of(isw_http_query(ctx, "name")),
                                   isw_str_of(isw_http_query(ctx, "value")) } };
    const isw_http http = { .headers = { headers, 2 },
                            .body = isw_value_payload(isw_context_trigger(ctx)) };
    const isw_value value = { .type = ISW_VALUE_HTTP, .as.http = &http };

    if (isw_context_emit(ctx, "hook", &value) != ISW_OK)
        return ISW_E_FAILED;
    return isw_http_reply(ctx, 202, "text/plain", "kept\n");
}

/* A message goes on as a request, at its second attempt. */
static isw_status relay(isw_context *ctx)
{
    isw_queue_message message;

    if (isw_queue_message_at(ctx, 0, &message) != ISW_OK ||
        isw_context_emit(ctx, "hook", message.body) != ISW_OK)
        return ISW_E_FAILED;
    return message.dequeue_count > 1 ? ISW_OK : isw_fail(ctx, ISW_E_FAILED, "it puts, and fails");
}

static const isw_property nowhere[] = { { "url", "gopher://example.org" }, { 0 } };
static const isw_property put_twice[] = { { "url", "http://127.0.0.1:9/" },
                                          { "method", "PUT" },
                                          { "max_attempts", "2" },
                                          { "retry_delay", "10ms" },
                                          { "retry_delay_max", "10ms" },
                                          { 0 } };
static const isw_property to_work[] = { { "queue", "work" }, { 0 } };
static const isw_property quick[] = { { "retry_delay", "10ms" }, { 0 } };

static const isw_binding outputs[] = { { "hook", "http", ISW_OUT, NULL },
                                       { "twice", "http", ISW_OUT, put_twice },
                                       { "nowhere", "http", ISW_OUT, nowhere },
                                       { "work", "queue", ISW_OUT, to_work },
                                       { "stray", "pigeon", ISW_OUT, NULL }, /* of another host */
                                       { 0 } };
static const isw_binding hook[] = { { "hook", "http", ISW_OUT, NULL }, { 0 } };

static const isw_function functions[] = {
    { .name = "send", .trigger = ISW_HTTP("POST", "send/{output}"), .handler = send,
      .bindings = outputs },
    { .name = "shape", .trigger = ISW_HTTP("POST", "shape"), .handler = shape, .bindings = hook },
    { .name = "relay", .trigger = { "queue", NULL, NULL, "work", quick }, .handler = relay,
      .bindings = hook },
    { 0 },
};

/* WEBHOOKS_ROUTE: where `send` is found instead, so that a second worker of this program has it, too. */
int main(int argc, char **argv)
{
    isw_function all[sizeof functions / sizeof functions[0]];

    memcpy(all, functions, sizeof all);
    if (getenv("WEBHOOKS_ROUTE"))
        all[0].trigger.route = getenv("WEBHOOKS_ROUTE");
    return isw_main(argc, argv, all);
}
