/* SPDX-License-Identifier: Apache-2.0 */
/* Between the HTTP front and calls: a request becomes the trigger's data, an answer a response. */
#include "host/http/bridge.h"

#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/reactors.h"
#include "host/http/dialect.h"
#include "host/http/trace.h"
#include "value/value.h"

#include <stdio.h>

/* Whether a result is the answer as it is. That of a failure must look like one. */
static bool is_reply(const isw_http *result, isw_outcome outcome)
{
    int least = outcome == ISW_OUTCOME_SUCCESS ? 200 : 400;

    return result && result->status >= least && result->status <= 599;
}

/* It is the function's fault, and nobody but the host can know. */
static void tell_no_answer(const iswi_http_request *request, const char *invocation_id,
                           const iswi_answer *answer)
{
    const iswi_host_function *function = answer->function;
    const isw_value *result = &answer->result;
    char status[48] = "";

    if (result->type == ISW_VALUE_HTTP)
        snprintf(status, sizeof status, " of the status %d", result->as.http->status);
    iswi_function_say(function, ISW_LOG_ERROR, invocation_id, iswi_http_request_id(request),
                      "its result, of the type %s%s, is no answer to an HTTP request: send json, "
                      "text, bytes, or http with a status of 200 to 599",
                      isw_value_type_name(result->type), status);
}

/* Whether there is no room for the headers of a function's answer; it is told then. */
static bool refuse_head(const iswi_http_request *request, const char *invocation_id,
                        const isw_pairs *headers)
{
    const iswi_entry *entry = iswi_http_request_target(request);
    size_t room;
    size_t size = iswi_http_head_excess(request, headers, &room);

    if (!size)
        return false;
    iswi_function_say(entry->function, ISW_LOG_ERROR, invocation_id, iswi_http_request_id(request),
                      "the headers of its answer have %zu bytes, more than the %zu that there is "
                      "room for: send fewer, or shorter ones", size, room);
    return true;
}

static void answer_500(iswi_http_request *request, const char *invocation_id,
                       const iswi_answer *answer)
{
    iswi_answer_release(answer->held);
    iswi_http_problem_is(request, ISW_E_FAILED, false);
    iswi_http_answer_problem(request, 500, NULL, NULL, invocation_id);
}

/* A result that is no HTTP reply still answers: text, JSON and bytes as such, nothing as 204. */
static void answer_plain(iswi_http_request *request, const char *invocation_id,
                         const iswi_answer *answer)
{
    isw_http response = { .status = 204 };
    isw_pair header = { { "content-type", 12 }, { "", 0 } };
    const char *type;

    if (!iswi_value_body(&answer->result, &response.body, &type)) {
        tell_no_answer(request, invocation_id, answer);
        answer_500(request, invocation_id, answer);
        return;
    }
    if (type) {
        header.value = isw_str_of(type);
        response.headers = (isw_pairs){ &header, 1 };
        response.status = 200;
    }
    iswi_http_answer(request, &response, iswi_answer_release, answer->held);
}

static void answer_failure(iswi_http_request *request, const char *invocation_id,
                           const iswi_answer *answer)
{
    bool later = answer->outcome == ISW_OUTCOME_RETRY_LATER;
    int status = later && answer->status != ISW_E_BUSY ? 503 : isw_status_http(answer->status);

    iswi_http_problem_is(request, answer->status, answer->retriable || later);
    /* What the chain gave it before it failed. */
    if (answer->result.type == ISW_VALUE_HTTP &&
        !refuse_head(request, invocation_id, &answer->result.as.http->headers))
        iswi_http_problem_has(request, &answer->result.as.http->headers);
    if (later)
        iswi_http_retry_after(request, answer->retry_after_ms);
    /* A worker's own words are for its operator; the host's are safe to show. */
    if (answer->held)
        iswi_http_answer_problem(request, status, NULL, NULL, invocation_id);
    else
        iswi_http_answer_problem(request, status, NULL, answer->message.data, invocation_id);
    iswi_answer_release(answer->held);
}

/* -- Streams ----------------------------------------------------------------------------------- */

static void on_waits(void *user, iswi_process *process, uint64_t id)
{
    iswi_http_set_tag(user, process, id);
}

/* Its body may come from now on. */
static void on_placed(void *user, iswi_process *process, uint64_t id)
{
    iswi_http_note_placed(user);
    iswi_http_set_tag(user, process, id);
    if (iswi_http_is_uploading(user))
        iswi_http_widen(user, ISWI_WINDOW_BYTES);
}

/* A head that is too large to be sent costs the connection: nothing else can be said any more. */
static isw_status on_head(void *user, const isw_http *head)
{
    refuse_head(user, "", &head->headers);
    return iswi_http_begin(user, head);
}

static isw_status on_chunk(void *user, isw_bytes bytes)
{
    return iswi_http_continue(user, bytes);
}

static void on_window(void *user, uint64_t bytes)
{
    if (bytes)
        iswi_http_widen(user, bytes);
    else
        iswi_http_want_body(user);
}

static const iswi_call_events call_events = { .waits = on_waits, .placed = on_placed,
                                               .head = on_head, .chunk = on_chunk,
                                               .window = on_window };

/* Do something to the call of a request, where it waits or was placed; it may go elsewhere while we
 * look. Without a frame its caller leaves. */
static isw_status send_about(const iswi_http_request *request, iswi_frame *frame)
{
    void *process = NULL;
    uint64_t id = 0;

    for (;;) {
        const void *seen_process = process;
        uint64_t seen = id;
        isw_status status;

        iswi_http_tag(request, &process, &id);
        if (!process || (process == seen_process && id == seen))
            return ISW_OK;
        status = frame ? iswi_call_send(process, id, frame) : iswi_call_leave(process, id);
        if (status != ISW_E_NOT_FOUND)
            return status;
    }
}

/* Who speaks another way is given bodies whole. */
static bool streams(void *user, void *target)
{
    (void)user;
    return !iswi_http_dialect_of(target) &&
           iswi_function_streams(((const iswi_entry *)target)->function);
}

static const isw_cors *policy(void *user, const void *target, const char *origin)
{
    const iswi_entry *entry = target;

    return iswi_facts_policy(user, entry ? entry->function : NULL, origin);
}

static bool preflights(void *user, void *target)
{
    (void)user;
    return iswi_function_preflights(((const iswi_entry *)target)->function);
}

static bool consents(void *user, void *target)
{
    (void)user;
    return iswi_http_dialect_of(target) != NULL;
}

static isw_status on_upload(void *user, iswi_http_request *request, isw_bytes bytes, bool end,
                            bool broken)
{
    iswi_frame frame = { .kind = ISWI_CHUNK };

    (void)user;
    frame.as.chunk.bytes = bytes;
    frame.as.chunk.end = end;
    if (broken)
        frame.as.chunk.status = iswi_status_to_wire(ISW_E_IO, "the client did not send all of it");
    return send_about(request, &frame);
}

static void on_taken(void *user, iswi_http_request *request, size_t bytes)
{
    iswi_frame frame = { .kind = ISWI_WINDOW, .as.window.bytes = bytes };

    (void)user;
    send_about(request, &frame);
}

/* The function need not go on; its answer is dropped by the front. */
static void on_left(void *user, iswi_http_request *request)
{
    (void)user;
    send_about(request, NULL);
}

/* Nobody's fault but a client's, of which there are many who only knock. */
static void on_unshaken(void *user, const char *client, const char *why)
{
    iswi_say(user, ISW_LOG_DEBUG, "no TLS with the client %s: %s", client, why);
}

/* -- Requests and answers ---------------------------------------------------------------------- */

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    iswi_http_request *request = user;
    const isw_http *reply =
        answer->result.type == ISW_VALUE_HTTP ? answer->result.as.http : NULL;
    isw_http whole;

    if (answer->moved) {
        iswi_http_again(request);
        return;
    }
    iswi_http_note_answered(request, invocation_id, answer->principal);
    if (answer->outcome != ISW_OUTCOME_SUCCESS) {
        iswi_http_note_reason(request, isw_status_name(answer->status));
        iswi_http_note_failed(request);
    }
    if (iswi_http_has_begun(request)) {
        iswi_http_end(request, answer->outcome == ISW_OUTCOME_SUCCESS);
        iswi_answer_release(answer->held);
        return;
    }
    if (reply && !reply->status && answer->outcome == ISW_OUTCOME_SUCCESS) {
        whole = *reply;
        whole.status = reply->body.size ? 200 : 204;
        reply = &whole;
    }
    if (is_reply(reply, answer->outcome) && refuse_head(request, invocation_id, &reply->headers))
        answer_500(request, invocation_id, answer);
    else if (is_reply(reply, answer->outcome))
        iswi_http_answer(request, reply, iswi_answer_release, answer->held);
    else if (answer->outcome != ISW_OUTCOME_SUCCESS)
        answer_failure(request, invocation_id, answer);
    else
        answer_plain(request, invocation_id, answer);
}

static iswi_call call_of(iswi_http_request *request)
{
    const isw_http *data = iswi_http_request_data(request);
    iswi_call call = { .function = ((iswi_entry *)iswi_http_request_target(request))->function,
                       .answer = on_answer,
                       .user = request,
                       .events = &call_events,
                       .passes_on = true };

    if (iswi_http_request_invocation(request))
        memcpy(call.invocation_id, iswi_http_request_invocation(request),
               sizeof call.invocation_id);
    call.trigger = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = data };
    call.trigger_metadata = iswi_http_request_metadata(request);
    call.body_follows = iswi_http_is_uploading(request);
    call.deadline_ns = iswi_http_request_deadline(request);
    call.request_id = iswi_http_request_id(request);
    call.trace = iswi_trace_of(data, iswi_http_request_arena(request));
    return call;
}

void iswi_http_call_of(iswi_http_request *request, iswi_call *out)
{
    *out = call_of(request);
}

void iswi_http_call(iswi_host *host, iswi_http_request *request, const iswi_call *call)
{
    iswi_http_set_apart(request, false);
    iswi_call_start(host, call);
}

static void on_request(void *user, void *target, iswi_http_request *request)
{
    const iswi_http_dialect *dialect = iswi_http_dialect_of(target);
    iswi_call call;

    if (dialect) {
        iswi_http_set_apart(request, true);
        dialect->request(user, target, request);
        return;
    }
    call = call_of(request);
    iswi_call_start(user, &call);
}

static bool probe(void *user, const char *what)
{
    return iswi_host_probe(user, strcmp(what, "ready") == 0     ? ISWI_PROBE_READY
                                 : strcmp(what, "startup") == 0 ? ISWI_PROBE_STARTUP
                                                                : ISWI_PROBE_HEALTH);
}

static void say(void *user, isw_log_level level, const char *text)
{
    iswi_say(user, level, "%s", text);
}

isw_status iswi_bridge_start(iswi_host *host, const iswi_http_options *options, iswi_http **out,
                             isw_error *error)
{
    iswi_reactor *reactors[ISWI_REACTORS_MAX];
    iswi_http_options own = *options;

    for (unsigned i = 0; i < own.threads; i++)
        if (iswi_host_reactor(host, i, &reactors[i], error) != ISW_OK)
            return error->status;
    own.reactors = reactors;
    own.streams = streams;
    own.preflights = preflights;
    own.consents = consents;
    own.policy = policy;
    own.upload = on_upload;
    own.taken = on_taken;
    own.left = on_left;
    own.unshaken = on_unshaken;
    own.say = say;
    own.probe = own.probes ? probe : NULL;
    return iswi_http_start(&own, NULL, on_request, host, out, error);
}
