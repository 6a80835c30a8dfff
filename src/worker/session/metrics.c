/* SPDX-License-Identifier: Apache-2.0 */
/* What the worker has counted, when the host asks and before goodbye. */
#include "worker/session/internal.h"

/* With the lock `telling`. An answer is sent even if it is empty, the last words are not. */
static void tell(iswi_session *session, uint64_t id)
{
    iswi_metrics_at at = { .begun = false };
    iswi_arena arena;
    bool more = true;

    iswi_arena_init(&arena, 16 * 1024);
    while (more) {
        iswi_frame frame = { .kind = ISWI_METRICS, .id = id };

        more = iswi_metrics_tell(session->worker->shared.metrics, &at, &arena, &frame.as.metrics);
        if (id || frame.as.metrics.families.count)
            iswi_session_reply(session, &frame);
        iswi_arena_reset(&arena);
    }
    iswi_arena_fini(&arena);
}

void iswi_session_on_metrics_request(iswi_session *session, uint64_t id)
{
    pthread_mutex_lock(&session->telling);
    if (!session->said_goodbye)
        tell(session, id);
    pthread_mutex_unlock(&session->telling);
}

void iswi_session_goodbye(iswi_session *session)
{
    pthread_mutex_lock(&session->telling);
    if (session->tells)
        tell(session, 0);
    session->said_goodbye = true;
    iswi_session_reply(session, &(iswi_frame){ .kind = ISWI_GOODBYE });
    pthread_mutex_unlock(&session->telling);
}
