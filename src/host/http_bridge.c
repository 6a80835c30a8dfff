/* SPDX-License-Identifier: Apache-2.0 */
/* Between the HTTP front and calls: a request becomes the trigger's data, an answer a response. */
#include "base/alloc.h"
#include "host/engine.h"
#include "host/trace.h"

#include <stdio.h>

static const char *content_type_of(isw_value_type type)
{
    switch (type) {
    case ISW_VALUE_JSON:
        return "application/json";
    case ISW_VALUE_STRING:
        return "text/plain; charset=utf-8";
    default:
        return "application/octet-stream";
    }
}

/* A result that is no HTTP reply still answers: text, JSON and bytes as such, nothing as 204. */
static void answer_plain(iswi_http_request *request, const char *invocation_id,
                         const iswi_answer *answer)
{
    isw_bytes body = isw_value_payload(&answer->result);
    isw_pair header = { isw_str_of("content-type"),
                        isw_str_of(content_type_of(answer->result.type)) };
    isw_http response = { .headers = { &header, 1 }, .body = body, .status = 200 };

    if (answer->result.type == ISW_VALUE_NONE) {
        response.headers.count = 0;
        response.status = 204;
    } else if (answer->result.type != ISW_VALUE_STRING && answer->result.type != ISW_VALUE_JSON &&
               answer->result.type != ISW_VALUE_BYTES) {
        iswi_answer_release(answer->held);
        iswi_http_answer_problem(request, 500, NULL,
                                 "the function's result is no answer to an HTTP request",
                                 invocation_id);
        return;
    }
    iswi_http_answer(request, &response, iswi_answer_release, answer->held);
}

static void answer_failure(iswi_http_request *request, const char *invocation_id,
                           const iswi_answer *answer)
{
    int status = answer->outcome == ISW_OUTCOME_RETRY_LATER ? 503 : isw_status_http(answer->status);

    /* A worker's own words are for its operator; the host's are safe to show. */
    if (answer->held)
        iswi_http_answer_problem(request, status, isw_status_text(answer->status), NULL,
                                 invocation_id);
    else
        iswi_http_answer_problem(request, status, NULL, answer->message.data, invocation_id);
    iswi_answer_release(answer->held);
}

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    iswi_http_request *request = user;
    const isw_http *reply =
        answer->result.type == ISW_VALUE_HTTP ? answer->result.as.http : NULL;

    if (reply && reply->status >= 200 && (answer->outcome == ISW_OUTCOME_SUCCESS ||
                                          reply->status >= 400))
        iswi_http_answer(request, reply, iswi_answer_release, answer->held);
    else if (answer->outcome != ISW_OUTCOME_SUCCESS)
        answer_failure(request, invocation_id, answer);
    else
        answer_plain(request, invocation_id, answer);
}

static void on_request(void *user, void *target, iswi_http_request *request)
{
    iswi_host *host = user;
    const isw_http *data = iswi_http_request_data(request);
    iswi_call call = { .function = target, .answer = on_answer, .user = request };

    call.trigger = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = data };
    call.trace = iswi_trace_of(data, iswi_http_request_arena(request));
    iswi_call_start(host, &call);
}

isw_status iswi_bridge_start(iswi_host *host, isw_error *error)
{
    const iswi_http_settings *settings = &host->http_settings;
    iswi_http_options options = {
        .listen = settings->listen,
        .prefix = settings->prefix,
        .body_limit_bytes = settings->body_limit,
        .header_timeout_ms = settings->header_timeout_ms,
        .body_timeout_ms = settings->body_timeout_ms,
        .idle_timeout_ms = settings->idle_timeout_ms,
        .connections = settings->connections,
        .connections_per_ip = settings->connections_per_address,
        .threads = (unsigned)settings->threads,
    };

    return iswi_http_start(&options, NULL, on_request, host, &host->http, error);
}
