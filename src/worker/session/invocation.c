/* SPDX-License-Identifier: Apache-2.0 */
/* One invocation from its frame to its response. Runs on a thread of the pool. */
#include "worker/session/internal.h"

#include "base/clock.h"
#include "base/text.h"
#include "worker/context/failure.h"
#include "worker/http/reply.h"
#include "worker/registry/call.h"

/* What can travel of it: it is for logs, and must not fail an answer. */
static isw_str principal_of(const isw_context *ctx)
{
    isw_str subject = ctx->principal ? ctx->principal->subject : (isw_str){ NULL, 0 };

    if (subject.size <= ISWI_PRINCIPAL_MAX && iswi_utf8_valid(subject.data, subject.size))
        return subject;
    return (isw_str){ NULL, 0 };
}

/* `headers` is room for those of an answer that the host makes. */
static void fill_response(isw_context *ctx, isw_status status, iswi_response *response,
                          isw_http *headers)
{
    bool success;

    response->outcome = (uint64_t)isw_context_outcome(ctx, status);
    success = response->outcome == ISW_OUTCOME_SUCCESS;
    response->logged = !success && ctx->failure_logged;
    if (!success && isw_context_failure(ctx))
        iswi_failure_to_wire(ctx, &response->status);
    if (iswi_reply_headers_alone(ctx, success, headers))
        response->result = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = headers };
    else if (iswi_context_sends_result(ctx))
        response->result = ctx->result;
    response->outputs = (isw_map){ ctx->outputs.items, ctx->outputs.count };
    if (response->outcome == ISW_OUTCOME_RETRY_LATER)
        response->retry_after_ms = ctx->retry_after_ms;
    response->principal = principal_of(ctx);
}

/* The response that can always be sent: `failure`, without its result if that is what cannot. */
static void send_failure(iswi_session *session, iswi_job *job, const iswi_response *failure)
{
    iswi_frame frame = { .kind = ISWI_RESPONSE, .id = job->id, .as.response = *failure };
    isw_error unused = { ISW_OK, "" };

    iswi_dispatch_answer(&session->dispatch, job);
    frame.as.response.outcome = ISW_OUTCOME_FAILED;
    if (failure->result.type != ISW_VALUE_NONE) {
        if (iswi_link_send_frame(session->link, &frame, &job->ctx.outgoing, &unused) == ISW_OK)
            return;
        frame.as.response.result = isw_value_none();
    }
    if (iswi_link_send_frame(session->link, &frame, &job->ctx.outgoing, NULL) != ISW_OK)
        iswi_link_close(session->link);
}

/* The same of an invocation that has not begun, and so has logged nothing. */
static void refuse(iswi_session *session, iswi_job *job, isw_status status, const char *message)
{
    iswi_response failure = { .status = iswi_status_to_wire(status, message) };

    send_failure(session, job, &failure);
}

static void respond(iswi_session *session, iswi_job *job, isw_status status)
{
    iswi_frame frame = { .kind = ISWI_RESPONSE, .id = job->id };
    isw_error error = { ISW_OK, "" };
    isw_http headers;
    iswi_response failure = { .logged = true };
    isw_status sent;

    fill_response(&job->ctx, status, &frame.as.response, &headers);
    job->took_ns = iswi_now_ns() - job->began_ns;
    frame.as.response.took_ns = (uint64_t)job->took_ns;
    iswi_dispatch_answer(&session->dispatch, job);
    sent = iswi_link_send_frame(session->link, &frame, &job->ctx.outgoing, &error);
    if (sent == ISW_OK)
        return;
    isw_log(&job->ctx, ISW_LOG_ERROR, "the answer cannot be sent, and its caller gets 500: %s",
            error.status ? error.message : isw_status_text(sent));
    failure.status = iswi_status_to_wire(ISW_E_FAILED, "the answer could not be sent");
    if (iswi_reply_headers_alone(&job->ctx, false, &headers))
        failure.result = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = &headers };
    send_failure(session, job, &failure);
}

static void run(iswi_session *session, iswi_job *job, const iswi_frame *frame)
{
    iswi_entry *entry = iswi_session_entry(session, frame->as.invoke.function);
    iswi_given given = { .log = &session->sink,
                         .host = session->streams ? &session->host_side : NULL,
                         .id = job->id,
                         .arrived_ns = job->arrived_ns,
                         .endless = session->worker->debugged,
                         .invoke = &frame->as.invoke };
    isw_context *ctx = &job->ctx;
    isw_status status;

    if (!entry) {
        refuse(session, job, ISW_E_NOT_FOUND, "no function was loaded by that number");
        return;
    }
    job->entry = entry;
    if (session->streams && atomic_load(&entry->streams) &&
        iswi_dispatch_pass(&session->dispatch, job))
        return; /* the thread that runs it here is to read what it will wait for */
    if (!iswi_call_begin(ctx, session->worker, entry, &given)) {
        refuse(session, job, ISW_E_NO_MEMORY, "no memory for the invocation");
        return;
    }
    status = iswi_call_run(ctx);
    respond(session, job, status);
    iswi_context_after(ctx);
}

static void fail(iswi_session *session, iswi_job *job, const isw_error *error)
{
    if (error->status == ISW_E_NO_MEMORY)
        refuse(session, job, ISW_E_NO_MEMORY, error->message);
    else
        iswi_session_violation(session, error);
}

void iswi_invocation_run(void *user, iswi_job *job)
{
    iswi_session *session = user;
    isw_error error = { ISW_OK, "" };
    iswi_frame frame;
    size_t used;

    iswi_link_mark(session->link, job->id);
    /* The lists of the decoded frame lie in the context's arena, and live as long. */
    if (iswi_frame_decode(job->frame.data, job->frame.size, &job->ctx.arena, &frame, &used,
                          &error) != ISW_OK)
        fail(session, job, &error);
    else if (frame.as.invoke.body_follows && !session->streams)
        fail(session, job, &(isw_error){ ISW_E_PROTOCOL, "a body that follows without the "
                                                         "capability stream" });
    else
        run(session, job, &frame);
    iswi_call_end(&job->ctx);
}
