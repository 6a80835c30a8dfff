/* SPDX-License-Identifier: Apache-2.0 */
/* The worker of azure_events.py: functions that have the host send requests and events, beside what
 * goes to a host of somebody else's. */
#include <isoworker/isoworker.h>

#include <string.h>

static isw_status emit(isw_context *ctx, const char *output, const char *text)
{
    const isw_value value = isw_value_string(text);

    return isw_context_emit(ctx, output, &value);
}

/* GET posts/{how}: "badly" puts all of it, and fails. */
static isw_status posts(isw_context *ctx)
{
    if (emit(ctx, "hook", "a request") != ISW_OK || emit(ctx, "event", "an event") != ISW_OK)
        return ISW_E_FAILED;
    if (strcmp(isw_http_param(ctx, "how"), "badly") == 0)
        return isw_fail(ctx, ISW_E_FAILED, "it puts, and fails");
    return isw_http_reply(ctx, 200, "text/plain", "done\n");
}

/* GET sends/{how}: and a message. */
static isw_status sends(isw_context *ctx)
{
    return emit(ctx, "made", "a message") == ISW_OK ? posts(ctx) : ISW_E_FAILED;
}

/* An event puts its id out. */
static isw_status notes(isw_context *ctx)
{
    isw_cloudevent event;

    if (isw_cloudevent_get(ctx, &event) != ISW_OK)
        return ISW_E_INVALID;
    return emit(ctx, "made", isw_context_strndup(ctx, event.id.data, event.id.size));
}

static const isw_property type[] = { { "type", "told" }, { 0 } };
static const isw_property queue[] = { { "queue", "made" }, { 0 } };
static const isw_binding outputs[] = { { "made", "queue", ISW_OUT, queue },
                                       { "hook", "http", ISW_OUT, NULL },
                                       { "event", "cloudevents", ISW_OUT, type },
                                       { 0 } };

static const isw_binding to_queue[] = { { "made", "queue", ISW_OUT, queue }, { 0 } };

static const isw_function functions[] = {
    { .name = "sends", .trigger = ISW_HTTP("GET", "sends/{how}"), .handler = sends,
      .bindings = outputs },
    { .name = "posts", .trigger = ISW_HTTP("GET", "posts/{how}"), .handler = posts,
      .bindings = outputs + 1 },
    { .name = "notes", .trigger = ISW_CLOUDEVENT("notes"), .handler = notes, .bindings = to_queue },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
