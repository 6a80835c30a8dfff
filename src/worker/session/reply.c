/* SPDX-License-Identifier: Apache-2.0 */
/* What every part of a session may say: a frame, and why it is over. */
#include "worker/session/internal.h"

#include <stdio.h>

void iswi_session_reply(iswi_session *session, const iswi_frame *frame)
{
    iswi_encoded encoded = { .splice_count = 0 };

    if (iswi_link_send_frame(session->link, frame, &encoded, NULL) != ISW_OK)
        iswi_link_close(session->link);
    iswi_buffer_fini(&encoded.bytes);
}

void iswi_session_wake(iswi_session *session)
{
    iswi_worker_wake(session->worker);
}

/* Record why the session ends; false if it has failed before. */
static bool record(iswi_session *session, isw_status status, const char *message)
{
    bool first;

    pthread_mutex_lock(&session->lock);
    first = session->failure.status == ISW_OK;
    isw_error_set(&session->failure, status, "%s", message);
    pthread_mutex_unlock(&session->lock);
    return first;
}

void iswi_session_fail(iswi_session *session, isw_status status, const char *message)
{
    record(session, status, message);
    iswi_link_close(session->link);
}

void iswi_session_violation(iswi_session *session, const isw_error *error)
{
    iswi_frame frame = { .kind = ISWI_ERROR };
    char text[ISW_ERROR_MESSAGE_BYTES + 64];

    snprintf(text, sizeof text, "the host broke the protocol: %s", error->message);
    if (!record(session, ISW_E_PROTOCOL, text))
        return;
    frame.as.error.status = iswi_status_to_wire(ISW_E_PROTOCOL, error->message);
    iswi_session_reply(session, &frame);
    iswi_session_wake(session); /* not closed at once, so that the host can read why */
}
