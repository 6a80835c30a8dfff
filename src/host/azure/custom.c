/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The custom handler: one front, whose side has the calls of functions with any trigger. Those of
 * queues and timers are as they are where somebody else has these.
 */
#include "host/azure/custom.h"

#include "base/alloc.h"
#include "base/logline.h"
#include "host/azure/custom_call.h"
#include "host/cloudevents/cloudevents.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/reactors.h"
#include "host/http/trigger.h"

#include <stddef.h>

/* -- The side ---------------------------------------------------------------------------------- */

/* A function's name behind a slash. */
static void *find(void *user, const isw_http *request, isw_str path)
{
    iswi_azure_custom *custom = user;
    char name[ISWI_NAME_MAX + 1];
    iswi_function_look look;
    iswi_host_function *function;

    if (!isw_str_equal(request->method, isw_str_of("POST")) || path.size < 2 ||
        path.size > sizeof name)
        return NULL;
    memcpy(name, path.data + 1, path.size - 1);
    name[path.size - 1] = '\0';
    function = iswi_host_find(custom->host, name);
    if (!function)
        return NULL;
    iswi_function_look_at(function, &look);
    return look.refused ? NULL : function;
}

static void handle(void *user, void *target, iswi_http_request *request)
{
    iswi_custom_call *call = iswi_custom_call_create(user, target, request);
    isw_error error = { ISW_OK, "" };

    if (!call) {
        iswi_http_answer_problem(request, 503, NULL, "no memory for a call", NULL);
        return;
    }
    iswi_custom_call_enter(call);
    if (iswi_custom_read(call, &error) != ISW_OK)
        iswi_custom_refuse(call, error.status == ISW_E_NO_MEMORY ? 503 : 400, error.message);
    else if (iswi_azure_comes_by_http(call->type))
        iswi_custom_run_http(call);
    else
        iswi_custom_run(call);
}

/* -- Lines ------------------------------------------------------------------------------------- */

static void on_line(void *user, const iswi_logline *line, iswi_speaker speaker)
{
    iswi_buffer text = { NULL, 0, 0, false };

    (void)speaker;
    if (!line->invocation_id.size)
        return;
    iswi_logline_text(line, false, &text);
    if (text.size && !text.failed)
        iswi_custom_keep_line(user, line->invocation_id,
                              (isw_str){ (const char *)text.data, text.size - 1 });
    iswi_buffer_fini(&text);
}

/* -- The tables -------------------------------------------------------------------------------- */

static bool has_empty_prefix(const void *settings)
{
    for (const isw_option *row = iswi_http_trigger.settings->options; row->name; row++)
        if (strcmp(row->name, "prefix") == 0)
            return !**(const char *const *)((const char *)settings + row->offset);
    return false;
}

static isw_status start_http(const iswi_trigger_start *with, void **self, isw_error *error)
{
    iswi_azure_custom *custom =
        (iswi_azure_custom *)((char *)with->trigger - offsetof(iswi_azure_custom, http));
    const iswi_log_sink sink = { .write = on_line, .user = custom };
    isw_status status = iswi_host_reactor(with->host, 0, &custom->reactor, error);

    custom->host = with->host;
    if (status == ISW_OK)
        status = iswi_host_listen(with->host, &sink, error);
    if (status == ISW_OK)
        status = iswi_http_trigger_start(with, &custom->side, self, error);
    if (status != ISW_OK)
        return status;
    custom->front = iswi_http_guests_front(*self);
    if (custom->forwarding && has_empty_prefix(with->settings))
        iswi_say(with->host, ISW_LOG_WARNING,
                 "http.prefix is empty: with --forwarding clients could call by the contract of "
                 "custom handlers then, so that nothing is, and only functions with the triggers "
                 "\"http\" and \"cloudevents\" are served");
    return ISW_OK;
}

iswi_azure_custom *iswi_azure_custom_create(bool forwarding, iswi_trigger_list others)
{
    iswi_azure_custom *custom = iswi_calloc(1, sizeof *custom);

    if (!custom)
        return NULL;
    custom->forwarding = forwarding;
    custom->side = (iswi_http_side){ .find = find, .handle = handle, .user = custom,
                                     .first = !forwarding };
    pthread_mutex_init(&custom->lock, NULL);
    custom->http = iswi_http_trigger;
    custom->http.settings = iswi_http_guests_trigger.settings; /* it is told where to listen */
    custom->http.start = start_http;
    custom->list[0] = &custom->http;
    custom->events = iswi_cloudevents_dialect;
    custom->events.trigger.within = &custom->http;
    custom->list[1] = &custom->events.trigger;
    for (size_t i = 0; others[i] && i + 2 < ISWI_TRIGGERS_MAX; i++)
        custom->list[i + 2] = others[i];
    return custom;
}

void iswi_azure_custom_destroy(iswi_azure_custom *custom)
{
    if (custom)
        pthread_mutex_destroy(&custom->lock);
    iswi_free(custom);
}

iswi_trigger_list iswi_azure_custom_triggers(const iswi_azure_custom *custom)
{
    return custom->list;
}
