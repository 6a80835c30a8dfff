/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that put messages, and get them, each as its first word says. */
#include <isoworker/isoworker.h>
#include <isoworker/stream.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *body_of(isw_context *ctx, const isw_value *value)
{
    isw_bytes bytes = isw_value_payload(value);

    return isw_context_strndup(ctx, bytes.data ? bytes.data : "", bytes.size);
}

static const char *query(isw_context *ctx, const char *name)
{
    const char *value = isw_http_query(ctx, name);

    return value && *value ? value : NULL;
}

static uint32_t number(isw_context *ctx, const char *name)
{
    const char *value = query(ctx, name);

    return value ? (uint32_t)strtoul(value, NULL, 10) : 0;
}

/* POST put/{output}?count=&id=&key=&delay=&expires=&priority=&then= with the message as its body. */
static isw_status put(isw_context *ctx)
{
    const isw_queue_options options = { .id = query(ctx, "id"),
                                        .key = query(ctx, "key"),
                                        .delay_ms = number(ctx, "delay"),
                                        .expires_ms = number(ctx, "expires"),
                                        .priority = (int32_t)number(ctx, "priority") };
    const char *then = query(ctx, "then");
    const char *body = body_of(ctx, isw_context_trigger(ctx));
    unsigned count = number(ctx, "count");

    for (unsigned i = 0; i < (count ? count : 1); i++) {
        const char *text = count ? isw_context_printf(ctx, "%s %u", body, i) : body;
        isw_value value = isw_value_string(text);
        isw_status status = isw_queue_put(ctx, isw_http_param(ctx, "output"), &value, &options);

        if (status != ISW_OK)
            return status;
    }
    if (then && strcmp(then, "fail") == 0)
        return isw_fail(ctx, ISW_E_FAILED, "it puts, and fails");
    if (then && strcmp(then, "set") == 0) {
        isw_value values[2] = { isw_value_string("set one"), isw_value_json("{\"set\":2}") };
        isw_value both = isw_value_array(values, 2);

        isw_context_set_output(ctx, isw_http_param(ctx, "output"), &both);
    }
    return isw_http_reply(ctx, 202, "text/plain", "put\n");
}

/* What came, for the test to read in the log. */
static void tell(isw_context *ctx, const isw_queue_message *message)
{
    const char *body = body_of(ctx, message->body);

    isw_log(ctx, ISW_LOG_INFO, "got <%s> %u/%u of %.*s key <%.*s> id <%.*s> type %s error <%.*s> in %d",
            body, message->dequeue_count, message->max_dequeue_count, (int)message->queue.size,
            message->queue.data, (int)message->key.size, message->key.data ? message->key.data : "",
            (int)message->id.size, message->id.data, isw_value_type_name(message->body->type),
            (int)message->last_error.size, message->last_error.data ? message->last_error.data : "",
            (int)getpid());
}

static isw_status put_on(isw_context *ctx, const char *text)
{
    isw_value value = isw_value_string(text);

    return isw_queue_put(ctx, "out", &value, NULL);
}

/* As isw_queue_put would not. */
static isw_status put_wrongly(isw_context *ctx)
{
    const isw_named_value options[] = { isw_named("priority", isw_value_int(1000)) };
    const isw_named_value whole[] = { isw_named("$queue", isw_value_map(options, 1)),
                                      isw_named("body", isw_value_string("never")) };
    isw_value value = isw_value_map(whole, 2);

    return isw_context_emit(ctx, "out", &value);
}

static isw_status obey(isw_context *ctx, const char *body, const isw_queue_message *message)
{
    if (strncmp(body, "fail", 4) == 0)
        return isw_fail(ctx, ISW_E_FAILED, "no luck with it");
    if (strncmp(body, "put and fail", 12) == 0) {
        put_on(ctx, "never");
        return isw_fail(ctx, ISW_E_FAILED, "it puts, and fails");
    }
    if (strncmp(body, "crash", 5) == 0 &&
        (strncmp(body, "crash once", 10) != 0 || message->dequeue_count == 1))
        abort();
    if (strncmp(body, "hang", 4) == 0)
        for (;;)
            pause();
    if (strncmp(body, "nap ", 4) == 0)
        isw_context_sleep(ctx, (uint32_t)strtoul(body + 4, NULL, 10));
    if (strncmp(body, "later ", 6) == 0 && message->dequeue_count == 1)
        isw_context_set_outcome(ctx, ISW_OUTCOME_RETRY_LATER, (uint32_t)strtoul(body + 6, NULL, 10));
    if (strncmp(body, "complete", 8) == 0) {
        isw_queue_settle(ctx, 0, ISW_QUEUE_COMPLETE, 0, NULL);
        return isw_fail(ctx, ISW_E_FAILED, "it is done all the same");
    }
    if (strncmp(body, "bury", 4) == 0)
        isw_queue_settle(ctx, 0, ISW_QUEUE_DEAD_LETTER, 0, "it smells");
    if (strncmp(body, "put wrongly", 11) == 0)
        return put_wrongly(ctx);
    if (strncmp(body, "copy ", 5) == 0)
        return put_on(ctx, body + 5);
    return ISW_OK;
}

static isw_status work(isw_context *ctx)
{
    isw_queue_message message;
    isw_status status = isw_queue_message_at(ctx, 0, &message);

    if (status != ISW_OK)
        return status;
    tell(ctx, &message);
    status = obey(ctx, body_of(ctx, message.body), &message);
    if (status == ISW_OK)
        isw_log(ctx, ISW_LOG_INFO, "done <%s>", body_of(ctx, message.body));
    return status;
}

/* All of a batch, of which those fail that are called bad. */
static isw_status batch(isw_context *ctx)
{
    char list[4096] = "";
    size_t count = isw_queue_count(ctx);
    size_t size = 0;
    bool fails = false;
    const char *result;

    isw_log(ctx, ISW_LOG_INFO, "batch of %zu", count);
    for (size_t i = 0; i < count; i++) {
        isw_queue_message message;
        const char *body;

        if (isw_queue_message_at(ctx, i, &message) != ISW_OK)
            return ISW_E_FAILED;
        tell(ctx, &message);
        body = body_of(ctx, message.body);
        if (strncmp(body, "bad", 3) == 0 && message.dequeue_count == 1)
            size += (size_t)snprintf(list + size, sizeof list - size, "%s{\"itemIdentifier\":\"%.*s\"}",
                                     size ? "," : "", (int)message.id.size, message.id.data);
        if (strncmp(body, "nonsense", 8) == 0 && message.dequeue_count == 1)
            size += (size_t)snprintf(list + size, sizeof list - size, "%s{\"itemIdentifier\":\"x\"}",
                                     size ? "," : "");
        if (strncmp(body, "all", 3) == 0 && message.dequeue_count == 1)
            fails = true;
        if (strncmp(body, "poison", 6) == 0)
            fails = true;
    }
    if (fails)
        return isw_fail(ctx, ISW_E_FAILED, "all of it");
    result = isw_context_printf(ctx, "{\"batchItemFailures\":[%s]}", list);
    isw_context_set_result(ctx, &(isw_value){ .type = ISW_VALUE_JSON, .as.string = isw_str_of(result) });
    return ISW_OK;
}

/* POST twice?marker=FILE: puts one, ends its process the first time, and is called again. */
static isw_status twice(isw_context *ctx)
{
    const isw_value value = isw_value_string("again");
    FILE *marker = fopen(isw_http_query(ctx, "marker"), "wx");

    if (isw_context_emit(ctx, "work", &value) != ISW_OK)
        return ISW_E_FAILED;
    if (marker) {
        fclose(marker);
        isw_context_sleep(ctx, 100); /* until the host has it */
        abort();
    }
    return isw_http_reply(ctx, 202, "text/plain", "put\n");
}

static const isw_property to_work[] = { { "queue", "work" }, { 0 } };
static const isw_property to_done[] = { { "queue", "done" }, { 0 } };
static const isw_property to_batch[] = { { "queue", "batch" }, { 0 } };
static const isw_property to_small[] = { { "queue", "small" }, { 0 } };
static const isw_property to_lonely[] = { { "queue", "lonely" }, { 0 } };

static const isw_binding outputs[] = { { "work", "queue", ISW_OUT, to_work },
                                       { "batch", "queue", ISW_OUT, to_batch },
                                       { "small", "queue", ISW_OUT, to_small },
                                       { "lonely", "queue", ISW_OUT, to_lonely },
                                       { 0 } };
static const isw_binding onward[] = { { "out", "queue", ISW_OUT, to_done }, { 0 } };

static const isw_property retries[] = { { "retry_delay", "20ms" }, { "retry_delay_max", "40ms" }, { 0 } };
static const isw_property batches[] = { { "batch_size", "5" },
                                        { "batch_wait", "150ms" },
                                        { "retry", "fixed" },
                                        { "retry_delay", "10ms" },
                                        { 0 } };

static const isw_function functions[] = {
    { .name = "put", .trigger = ISW_HTTP("POST", "put/{output}"), .handler = put,
      .bindings = outputs },
    { .name = "twice", .trigger = ISW_HTTP("POST", "twice"), .handler = twice,
      .bindings = outputs, .idempotent = true },
    { .name = "work", .trigger = { "queue", NULL, NULL, "work", retries }, .handler = work,
      .bindings = onward, .idempotent = true, .timeout_ms = 1500 },
    { .name = "done", .trigger = ISW_QUEUE("done"), .handler = work, .bindings = onward },
    { .name = "batch", .trigger = { "queue", NULL, NULL, NULL, batches }, .handler = batch },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
