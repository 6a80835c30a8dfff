/* SPDX-License-Identifier: Apache-2.0 */
/* The worker of lambda.py: functions that say what they were given, each as a host of somebody else's
 * calls it. EVENTS_BROKEN: it does not come to serve. */
#include <isoworker/isoworker.h>
#include <isoworker/stream.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The trigger with its metadata, as JSON. */
static isw_status whole(isw_context *ctx)
{
    isw_map metadata = isw_context_trigger_metadata_all(ctx);
    isw_named_value members[] = {
        isw_named("trigger", *isw_context_trigger(ctx)),
        isw_named("metadata", isw_value_map(metadata.items, metadata.count)),
        isw_named("trace", isw_value_text(isw_context_trace(ctx)->parent)),
    };
    isw_value all = isw_value_map(members, 3);
    isw_str text;

    if (isw_json_write(ctx, &all, &text) != ISW_OK)
        return ISW_E_FAILED;
    all = isw_value_text(text);
    all.type = ISW_VALUE_JSON;
    return isw_context_set_result(ctx, &all);
}

static const char *text_of(isw_context *ctx, const isw_value *value)
{
    isw_bytes bytes = isw_value_payload(value);

    return isw_context_strndup(ctx, bytes.data ? bytes.data : "", bytes.size);
}

/* As its first member says. */
static isw_status anything(isw_context *ctx)
{
    const char *text = text_of(ctx, isw_context_trigger(ctx));
    isw_value bytes = isw_value_bytes("\xff\x00x", 3);
    isw_value number = isw_value_int(42);

    if (strstr(text, "\"fail\""))
        return isw_fail(ctx, ISW_E_CONFLICT, "it was asked to");
    if (strstr(text, "\"crash\""))
        raise(SIGKILL);
    if (strstr(text, "\"nap\"") && isw_context_sleep(ctx, 60000) != ISW_OK) {
        isw_log(ctx, ISW_LOG_INFO, "woken");
        return isw_fail(ctx, ISW_E_CANCELLED, "woken");
    }
    if (strstr(text, "\"gate\""))
        isw_log(ctx, ISW_LOG_INFO, "waits at the gate");
    if (strstr(text, "\"gate\""))
        while (access("gate", F_OK) != 0)
            usleep(1000);
    if (strstr(text, "\"bytes\""))
        return isw_context_set_result(ctx, &bytes);
    if (strstr(text, "\"number\""))
        return isw_context_set_result(ctx, &number);
    return strstr(text, "\"nothing\"") ? ISW_OK : whole(ctx);
}

/* -- HTTP -------------------------------------------------------------------------------------- */

/* What of a request is to be the same under every host. */
static isw_status things(isw_context *ctx)
{
    const isw_http *request = isw_context_trigger(ctx)->as.http;
    const char *text = "";

    for (size_t i = 0; i < request->query.count; i++)
        text = isw_context_printf(ctx, "%s %.*s=%.*s", text, (int)request->query.items[i].name.size,
                                  request->query.items[i].name.data,
                                  (int)request->query.items[i].value.size,
                                  request->query.items[i].value.data);
    isw_http_add_header(ctx, "X-Many", "one");
    isw_http_add_header(ctx, "X-Many", "two");
    isw_http_set_cookie(ctx, &(isw_cookie){ .name = "a", .value = "1" });
    isw_http_set_cookie(ctx, &(isw_cookie){ .name = "b", .value = "2" });
    return isw_http_reply(ctx, 201, "text/plain", "%.*s %s from %.*s by %s, cookie %s, trace %.*s,%s",
                          (int)request->method.size, request->method.data,
                          isw_http_param(ctx, "id"), (int)request->client.size,
                          request->client.data, isw_http_scheme(ctx),
                          isw_http_cookie(ctx, "c") ? isw_http_cookie(ctx, "c") : "none",
                          (int)isw_context_trace(ctx)->parent.size,
                          isw_context_trace(ctx)->parent.data, text);
}

/* The body with its bits turned over, which is no text. */
static isw_status turn(isw_context *ctx)
{
    isw_bytes body = isw_http_body(ctx);
    unsigned char *turned = (unsigned char *)isw_context_strndup(ctx, body.data, body.size);

    for (size_t i = 0; i < body.size; i++)
        turned[i] = (unsigned char)~turned[i];
    return isw_http_reply_bytes(ctx, 200, "application/octet-stream", turned, body.size);
}

/* Pieces; ?cut=1 fails behind the second. */
static isw_status pieces(isw_context *ctx)
{
    isw_status status = isw_http_begin(ctx, 200, "text/plain");

    for (int i = 0; i < 3 && status == ISW_OK; i++) {
        if (i == 2 && isw_http_query(ctx, "cut"))
            return isw_fail(ctx, ISW_E_FAILED, "it broke");
        status = isw_http_write(ctx, i == 0 ? "one " : i == 1 ? "two " : "three", i == 2 ? 5 : 4);
    }
    return status;
}

/* So many bytes: ?bytes= */
static isw_status bulk(isw_context *ctx)
{
    size_t size = (size_t)strtoul(isw_http_query(ctx, "bytes"), NULL, 10);
    char *text = isw_context_alloc(ctx, size);

    if (!text)
        return ISW_E_NO_MEMORY;
    memset(text, 'x', size);
    return isw_http_reply_bytes(ctx, 200, "text/plain", text, size);
}

/* As long as it may. */
static isw_status nap(isw_context *ctx)
{
    if (isw_context_sleep(ctx, 60000) == ISW_OK)
        return isw_http_reply(ctx, 200, "text/plain", "late\n");
    isw_log(ctx, ISW_LOG_INFO, "woken");
    return isw_fail(ctx, ISW_E_CANCELLED, "woken");
}

static isw_status fail(isw_context *ctx)
{
    return isw_fail(ctx, ISW_E_CONFLICT, "this is for the operator");
}

/* -- Messages and times ------------------------------------------------------------------------ */

/* As the body says. */
static isw_status obey(isw_context *ctx, size_t index, bool *bad)
{
    isw_queue_message message;
    const char *body;

    if (isw_queue_message_at(ctx, index, &message) != ISW_OK)
        return ISW_E_FAILED;
    body = text_of(ctx, message.body);
    isw_log(ctx, ISW_LOG_INFO, "got <%s> %s %u of %.*s key <%.*s> id <%.*s>", body,
            isw_value_type_name(message.body->type), message.dequeue_count,
            (int)message.queue.size, message.queue.data, (int)message.key.size,
            message.key.size ? message.key.data : "", (int)message.id.size, message.id.data);
    if (strncmp(body, "crash", 5) == 0)
        raise(SIGKILL);
    if (strncmp(body, "bury", 4) == 0)
        isw_queue_settle(ctx, index, ISW_QUEUE_DEAD_LETTER, 0, "it smells");
    if (strncmp(body, "done", 4) == 0)
        isw_queue_settle(ctx, index, ISW_QUEUE_COMPLETE, 0, NULL);
    *bad = strncmp(body, "bad", 3) == 0 || strncmp(body, "done", 4) == 0;
    return ISW_OK;
}

static isw_status one(isw_context *ctx)
{
    bool bad;
    isw_status status = obey(ctx, 0, &bad);

    return status == ISW_OK && bad ? isw_fail(ctx, ISW_E_FAILED, "no luck with it") : status;
}

static isw_status several(isw_context *ctx)
{
    const char *list = "";
    isw_value result;

    for (size_t i = 0; i < isw_queue_count(ctx); i++) {
        isw_queue_message message;
        bool bad;

        if (obey(ctx, i, &bad) != ISW_OK || isw_queue_message_at(ctx, i, &message) != ISW_OK)
            return ISW_E_FAILED;
        if (bad)
            list = isw_context_printf(ctx, "%s%s{\"itemIdentifier\":\"%.*s\"}", list, *list ? "," : "",
                                      (int)message.id.size, message.id.data);
    }
    isw_log(ctx, ISW_LOG_INFO, "a call of %zu", isw_queue_count(ctx));
    result = isw_value_json(isw_context_printf(ctx, "{\"batchItemFailures\":[%s]}", list));
    return isw_context_set_result(ctx, &result);
}

int main(int argc, char **argv)
{
    static const isw_property batches[] = { { "batch_size", "3" }, { NULL, NULL } };
    static const isw_property night[] = { { "schedule", "0 30 2 * * *" },
                                          { "zone", "Europe/Berlin" },
                                          { NULL, NULL } };
    static const isw_function functions[] = {
        { .name = "anything", .trigger = ISW_TRIGGER("call", NULL), .handler = anything },
        { .name = "things", .trigger = ISW_HTTP("GET POST", "things/{id}"), .handler = things },
        { .name = "turn", .trigger = ISW_HTTP("POST", "turn"), .handler = turn },
        { .name = "pieces", .trigger = ISW_HTTP("GET", "pieces"), .handler = pieces },
        { .name = "bulk", .trigger = ISW_HTTP("GET", "bulk"), .handler = bulk },
        { .name = "fail", .trigger = ISW_HTTP("GET", "fail"), .handler = fail },
        { .name = "nap", .trigger = ISW_HTTP("GET", "nap"), .handler = nap },
        { .name = "whole", .trigger = ISW_HTTP("POST", "whole"), .handler = whole },
        { .name = "orders", .trigger = ISW_QUEUE("orders"), .handler = one },
        { .name = "several", .trigger = { "queue", NULL, NULL, NULL, batches },
          .handler = several },
        { .name = "nightly", .trigger = ISW_TRIGGER("timer", night), .handler = whole },
        { 0 },
    };

    if (getenv("EVENTS_BROKEN")) {
        fprintf(stderr, "the library of the machine is missing\n");
        return 3;
    }
    return isw_main(argc, argv, functions);
}
