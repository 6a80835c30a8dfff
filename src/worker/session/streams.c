/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in pieces and outputs on the way: what of them a session sends and receives
 * (PROTOCOL.md, section 3, Streams). */
#include "worker/session/internal.h"

/* -- From the host ----------------------------------------------------------------------------- */

static isw_status take(iswi_session *session, const iswi_frame *frame, isw_error *error)
{
    bool is_chunk = frame->kind == ISWI_CHUNK;
    iswi_stream *stream = NULL;
    isw_status status =
        iswi_dispatch_stream(&session->dispatch, frame->id, is_chunk, &stream);

    if (status == ISW_E_NOT_FOUND)
        return ISW_OK; /* it may have crossed the response */
    if (status != ISW_OK)
        return isw_error_set(error, status, "no memory for a body in pieces");
    if (is_chunk)
        status = iswi_stream_chunk(stream, &frame->as.chunk, error);
    else
        iswi_stream_grant(stream, frame->as.window.bytes);
    iswi_stream_release(stream);
    return status;
}

void iswi_session_on_stream_frame(iswi_session *session, const iswi_frame *frame)
{
    isw_error error = { ISW_OK, "" };
    isw_status status;

    if (session->streams)
        status = take(session, frame, &error);
    else
        status = isw_error_set(&error, ISW_E_PROTOCOL, "%s without the capability stream",
                               iswi_kind_name(frame->kind));
    if (status == ISW_E_NO_MEMORY)
        iswi_session_fail(session, status, error.message);
    else if (status != ISW_OK)
        iswi_session_violation(session, &error);
}

/* -- To the host ------------------------------------------------------------------------------- */

static iswi_stream *open_stream(void *user, isw_context *ctx)
{
    iswi_session *session = user;
    iswi_job *job = (iswi_job *)ctx; /* its first member */
    iswi_stream *stream = iswi_dispatch_open_stream(&session->dispatch, job);

    iswi_worker_note_streams(job->entry);
    if (job->helped)
        iswi_link_held_up(session->link);
    return stream;
}

static isw_status send(void *user, isw_context *ctx, iswi_frame *frame, isw_error *error)
{
    iswi_session *session = user;

    frame->id = ctx->id;
    return iswi_link_send_frame(session->link, frame, &ctx->outgoing, error);
}

iswi_host_side iswi_session_host_side(iswi_session *session)
{
    return (iswi_host_side){ open_stream, send, session };
}
