/* SPDX-License-Identifier: Apache-2.0 */
/* The worker of azure.py: functions that tell what they were given by a host of somebody else's. */
#include <isoworker/isoworker.h>

#include <stdlib.h>
#include <unistd.h>

static isw_status take(isw_context *ctx, const char *name, isw_value *out)
{
    const isw_value *value = isw_context_trigger_metadata(ctx, name);

    *out = value ? *value : isw_value_none();
    return ISW_OK;
}

/* Gives back its trigger, as it is. */
static isw_status same(isw_context *ctx)
{
    return isw_context_set_result(ctx, isw_context_trigger(ctx));
}

/* Its types and all that came beside it, as JSON. */
static isw_status tells(isw_context *ctx)
{
    const isw_trace *trace = isw_context_trace(ctx);
    const isw_retry *retry = isw_context_retry(ctx);
    const isw_map metadata = isw_context_trigger_metadata_all(ctx);
    const isw_map inputs = isw_context_inputs(ctx);
    const isw_named_value members[] = {
        isw_named("type", isw_value_string(isw_value_type_name(isw_context_trigger(ctx)->type))),
        isw_named("trigger", *isw_context_trigger(ctx)),
        isw_named("metadata", isw_value_map(metadata.items, metadata.count)),
        isw_named("inputs", isw_value_map(inputs.items, inputs.count)),
        isw_named("parent", isw_value_text(trace->parent)),
        isw_named("retry", isw_value_int(retry->count)),
        isw_named("retries", isw_value_int(retry->max)),
        isw_named("id", isw_value_string(isw_context_invocation_id(ctx))),
    };
    const isw_value all = isw_value_map(members, sizeof members / sizeof members[0]);
    isw_value result = { .type = ISW_VALUE_JSON };

    if (isw_json_write(ctx, &all, &result.as.string) != ISW_OK)
        return ISW_E_FAILED;
    return isw_context_set_result(ctx, &result);
}

/* A message of a queue, as this library sees it; and puts out two things. */
static isw_status message(isw_context *ctx)
{
    isw_queue_message it;
    isw_value id;

    if (isw_queue_message_at(ctx, 0, &it) != ISW_OK || take(ctx, "PopReceipt", &id) != ISW_OK)
        return ISW_E_FAILED;
    isw_log(ctx, ISW_LOG_INFO, "message %.*s of %.*s for the time %u", (int)it.id.size, it.id.data,
            (int)it.queue.size, it.queue.data, (unsigned)it.dequeue_count);
    if (it.body->type == ISW_VALUE_STRING && it.body->as.string.size == 3) /* "bad" */
        return isw_fail(ctx, ISW_E_FAILED, "a bad message");
    isw_queue_put(ctx, "next", it.body, &(isw_queue_options){ .delay_ms = 10 });
    isw_context_emit(ctx, "rows", &(isw_value){ .type = ISW_VALUE_JSON,
                                                .as.string = isw_str_of("{\"a\":1}") });
    isw_context_emit(ctx, "rows", &(isw_value){ .type = ISW_VALUE_JSON,
                                                .as.string = isw_str_of("{\"a\":2}") });
    return ISW_OK;
}

/* Says itself what becomes of its message: "done" although it fails, "again" although it does
 * not. */
static isw_status settles(isw_context *ctx)
{
    const isw_str body = isw_context_trigger(ctx)->as.string;

    if (isw_str_equal(body, isw_str_of("again")))
        return isw_queue_settle(ctx, 0, ISW_QUEUE_ABANDON, 0, "not today");
    if (!isw_str_equal(body, isw_str_of("done")))
        return ISW_OK;
    isw_queue_settle(ctx, 0, ISW_QUEUE_COMPLETE, 0, NULL);
    return isw_fail(ctx, ISW_E_FAILED, "too late");
}

static isw_status fails(isw_context *ctx)
{
    isw_log_fields(ctx, ISW_LOG_WARNING, "Press", &(isw_named_value){ { "sheet", 5 },
                   isw_value_int(7) }, 1, "out of %s", "ink");
    isw_fail(ctx, ISW_E_UNAVAILABLE, "the cartridge is empty");
    return isw_fail_because(ctx, ISW_E_FAILED, "no page was printed");
}

/* Until it is cancelled. */
static isw_status waits(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "waits");
    if (isw_context_sleep(ctx, 60000) != ISW_OK)
        return isw_fail(ctx, ISW_E_CANCELLED, "was told to stop");
    return ISW_OK;
}

static isw_status dies(isw_context *ctx)
{
    (void)ctx;
    abort();
}

/* As a program ends that has done all it had to. */
static isw_status leaves(isw_context *ctx)
{
    (void)ctx;
    exit(0);
}

/* As long as there is the file that its trigger names, or its route; whatever it is told. */
static isw_status sticks(isw_context *ctx)
{
    const isw_value *trigger = isw_context_trigger(ctx);
    const char *gate = trigger->type == ISW_VALUE_HTTP
                           ? isw_http_query(ctx, "gate")
                           : isw_context_strndup(ctx, trigger->as.string.data,
                                                 trigger->as.string.size);

    isw_log(ctx, ISW_LOG_INFO, "sticks");
    while (access(gate, F_OK) == 0)
        usleep(10000);
    isw_log(ctx, ISW_LOG_INFO, "is free");
    return ISW_OK;
}

/* Which process it runs in. */
static isw_status where(isw_context *ctx)
{
    const isw_value pid = isw_value_int(getppid());

    return isw_context_set_result(ctx, &pid);
}

/* What comes by one name goes by another, neither of which is one in Azure. */
static isw_status renames(isw_context *ctx)
{
    const isw_value *look = isw_context_input(ctx, "first_look");

    return look ? isw_context_emit(ctx, "_2nd.print", look) : ISW_E_NOT_FOUND;
}

static isw_status pages(isw_context *ctx)
{
    const char *what = isw_http_param(ctx, "what");
    const isw_value row = isw_value_string("seen");

    isw_log(ctx, ISW_LOG_INFO, "page %s", what);
    if (strcmp(what, "cookies") == 0) {
        isw_http_add_header(ctx, "set-cookie", "a=1; Path=/; HttpOnly; SameSite=Lax");
        isw_http_add_header(ctx, "set-cookie", "b=2; Max-Age=60; Secure");
    }
    if (strcmp(what, "slowly") == 0) {
        isw_http_begin(ctx, 200, "text/plain");
        isw_http_printf(ctx, "one");
        return isw_context_sleep(ctx, 60000);
    }
    if (strcmp(what, "missing") == 0)
        return isw_fail(ctx, ISW_E_NOT_FOUND, "there is no such page");
    if (strcmp(what, "broken") == 0)
        return isw_fail(ctx, ISW_E_FAILED, "the press is broken");
    isw_context_emit(ctx, "rows", &row);
    return isw_http_reply(ctx, 200, "text/plain", "page %s", what);
}

static const isw_property blob[] = { { "path", "in/{name}" }, { "connection", "Store" }, { 0 } };
static const isw_property level[] = { { "auth_level", "function" }, { 0 } };
static const isw_property next[] = { { "queue", "next" }, { 0 } };
static const isw_property rows[] = { { "tableName", "rows" }, { 0 } };
static const isw_property look[] = { { "path", "look/{name}" }, { 0 } };
static const isw_property often[] = { { "schedule", "@every 90s" },
                                      { "retry", "fixed" },
                                      { "retry_delay", "2s" },
                                      { "attempts", "3" },
                                      { 0 } };
static const isw_property hourly[] = { { "schedule", "@hourly" }, { "retry", "exponential" }, { 0 } };
static const isw_binding outputs[] = { { "next", "queue", ISW_OUT, next },
                                       { "rows", "table", ISW_OUT, rows },
                                       { 0 } };
static const isw_binding renamed[] = { { "first_look", "blob", ISW_IN, look },
                                       { "_2nd.print", "queue", ISW_OUT, next },
                                       { 0 } };
static const isw_binding inputs[] = { { "picture", "blob", ISW_IN, look }, { 0 } };

static const isw_function functions[] = {
    { .name = "same", .trigger = ISW_TRIGGER("blob", blob), .handler = same },
    { .name = "tells", .trigger = ISW_TRIGGER("eventHubTrigger", NULL), .handler = tells,
      .bindings = inputs },
    { .name = "message", .trigger = ISW_QUEUE("letters"), .handler = message, .bindings = outputs },
    { .name = "timer", .trigger = { "timer", NULL, NULL, NULL, often }, .handler = tells },
    { .name = "hourly", .trigger = { "timer", NULL, NULL, NULL, hourly }, .handler = tells },
    { .name = "daily", .trigger = ISW_TIMER("@daily"), .handler = tells },
    { .name = "fails", .trigger = ISW_QUEUE(NULL), .handler = fails },
    { .name = "settles", .trigger = ISW_QUEUE(NULL), .handler = settles },
    { .name = "waits", .trigger = ISW_QUEUE(NULL), .handler = waits },
    { .name = "dies", .trigger = ISW_QUEUE(NULL), .handler = dies },
    { .name = "leaves", .trigger = ISW_QUEUE(NULL), .handler = leaves },
    { .name = "sticks", .trigger = ISW_QUEUE(NULL), .handler = sticks },
    { .name = "stays", .trigger = ISW_HTTP("GET", "stays"), .handler = sticks },
    { .name = "where", .trigger = ISW_QUEUE(NULL), .handler = where },
    { .name = "renames", .trigger = { "blob", "the-blob", NULL, NULL, blob }, .handler = renames,
      .bindings = renamed },
    { .name = "by_name", .trigger = ISW_TRIGGER("call", NULL), .handler = tells },
    { .name = "pages", .trigger = ISW_HTTP("GET POST", "pages/{what}"), .handler = pages,
      .metadata = level, .bindings = outputs + 1 },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
