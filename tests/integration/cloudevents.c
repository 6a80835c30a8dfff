/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that get events and send them. */
#include <isoworker/isoworker.h>

#include <stdlib.h>
#include <string.h>

static const char *text_of(isw_context *ctx, isw_str text)
{
    return isw_context_strndup(ctx, text.data ? text.data : "", text.size);
}

/* What came, as a line of JSON in the log. */
static isw_status tell(isw_context *ctx, const isw_cloudevent *event)
{
    const isw_named_value members[] = {
        isw_named("id", isw_value_text(event->id)),
        isw_named("source", isw_value_text(event->source)),
        isw_named("type", isw_value_text(event->type)),
        isw_named("subject", isw_value_text(event->subject)),
        isw_named("time", isw_value_text(event->time)),
        isw_named("content_type", isw_value_text(event->data_content_type)),
        isw_named("schema", isw_value_text(event->data_schema)),
        isw_named("extensions", (isw_value){ .type = ISW_VALUE_MAP, .as.map = event->extensions }),
        isw_named("kind", isw_value_string(isw_value_type_name(event->data.type))),
        isw_named("data", event->data),
    };
    const isw_value map = isw_value_map(members, sizeof members / sizeof members[0]);
    isw_str json;

    if (isw_json_write(ctx, &map, &json) != ISW_OK)
        return ISW_E_FAILED;
    isw_log(ctx, ISW_LOG_INFO, "event %.*s", (int)json.size, json.data);
    return ISW_OK;
}

/* As its subject says. */
static isw_status obey(isw_context *ctx, const isw_cloudevent *event)
{
    const char *subject = text_of(ctx, event->subject);

    if (strcmp(subject, "fail") == 0)
        return isw_fail(ctx, ISW_E_FAILED, "no luck with it");
    if (strcmp(subject, "refuse") == 0)
        return isw_http_reply(ctx, 422, "text/plain", "not this one\n");
    if (strcmp(subject, "later") == 0)
        isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, 7000);
    if (strncmp(subject, "nap ", 4) == 0)
        isw_context_sleep(ctx, (uint32_t)strtoul(subject + 4, NULL, 10));
    return ISW_OK;
}

static isw_status take(isw_context *ctx)
{
    isw_cloudevent event;
    isw_status status = isw_cloudevent_get(ctx, &event);

    if (status == ISW_OK)
        status = tell(ctx, &event);
    return status == ISW_OK ? obey(ctx, &event) : status;
}

typedef struct order {
    int64_t number;
} order;

static const isw_field order_fields[] = { { ISW_FIELD(INT, order, number), .required = true }, { 0 } };

/* Its data as a struct, whichever mode it came in. */
static isw_status bound(isw_context *ctx)
{
    order came;

    if (isw_bind_payload(ctx, "order", order_fields, &came) != ISW_OK)
        return ISW_E_INVALID;
    return isw_http_reply(ctx, 200, "text/plain", "number %lld\n", (long long)came.number);
}

static isw_status list(isw_context *ctx)
{
    return isw_http_reply(ctx, 200, "text/plain", "a list\n");
}

/* POST send/{output}: the request's body as data, by its content type. */
static isw_status send(isw_context *ctx)
{
    isw_bytes body = isw_value_payload(isw_context_trigger(ctx));
    isw_value value = isw_value_bytes(body.data, body.size);

    if (isw_http_content_type_is(ctx, "application/json"))
        value = (isw_value){ .type = ISW_VALUE_JSON, .as.string = { body.data, body.size } };
    if (isw_http_content_type_is(ctx, "text/plain"))
        value = isw_value_text((isw_str){ body.data, body.size });
    return isw_context_emit(ctx, isw_http_param(ctx, "output"), &value);
}

/* POST whole/{output}?type=: an event with all that one can have. */
static isw_status whole(isw_context *ctx)
{
    const isw_named_value more[] = { isw_named("count", isw_value_int(7)),
                                     isw_named("fine", isw_value_bool(true)) };
    const isw_cloudevent event = { .id = isw_str_of("e1"),
                                   .source = isw_str_of("/whole"),
                                   .type = isw_str_of(isw_http_query(ctx, "type")),
                                   .subject = isw_str_of("50% \"\xc3\xa9\""),
                                   .time = isw_str_of("2026-01-31T23:59:59.5+01:00"),
                                   .data_schema = isw_str_of("https://example.org/schema"),
                                   .data = isw_value_json("{\"a\":[1]}"),
                                   .extensions = { more, 2 } };

    return isw_cloudevent_put(ctx, isw_http_param(ctx, "output"), &event);
}

/* An event goes on as it came. */
static isw_status pass(isw_context *ctx)
{
    isw_cloudevent event;

    if (isw_cloudevent_get(ctx, &event) != ISW_OK)
        return ISW_E_FAILED;
    return isw_cloudevent_put(ctx, "structured", &event);
}

static const isw_property some[] = { { "route", "some" },
                                     { "types", "com.example.* org.*" },
                                     { "sources", "/shops/*" },
                                     { "origins", "*.example.org" },
                                     { 0 } };
static const isw_property binary[] = { { "type", "com.example.made" }, { 0 } };
static const isw_property structured[] = { { "type", "com.example.made" },
                                           { "source", "/made" },
                                           { "mode", "structured" },
                                           { 0 } };

static const isw_binding outputs[] = { { "binary", "cloudevents", ISW_OUT, binary },
                                       { "structured", "cloudevents", ISW_OUT, structured },
                                       { "untyped", "cloudevents", ISW_OUT, NULL },
                                       { 0 } };

static const isw_function functions[] = {
    { .name = "take", .trigger = ISW_CLOUDEVENT("orders"), .handler = take },
    { .name = "list", .trigger = ISW_HTTP("GET", "orders"), .handler = list },
    { .name = "bound", .trigger = ISW_CLOUDEVENT(NULL), .handler = bound },
    { .name = "some", .trigger = ISW_TRIGGER("cloudevents", some), .handler = take },
    { .name = "pass", .trigger = ISW_CLOUDEVENT("pass"), .handler = pass, .bindings = outputs },
    { .name = "send", .trigger = ISW_HTTP("POST", "send/{output}"), .handler = send,
      .bindings = outputs },
    { .name = "whole", .trigger = ISW_HTTP("POST", "whole/{output}"), .handler = whole,
      .bindings = outputs },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
