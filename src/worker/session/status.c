/* SPDX-License-Identifier: Apache-2.0 */
/* How the worker is: when the host asks, and when its health is another than it was. */
#include "worker/session/internal.h"

#include <stdio.h>
#include <unistd.h>

static uint64_t resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file)
        return 0;
    if (fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* One at a time, so that what is said last is what was so last; and nothing behind goodbye. */
static void tell(iswi_session *session, uint64_t id)
{
    iswi_frame frame = { .kind = ISWI_STATUS, .id = id };
    iswi_status_frame *status = &frame.as.status;
    iswi_health_look health;
    unsigned running;
    unsigned waiting;

    iswi_dispatch_count(&session->dispatch, &running, &waiting);
    *status = (iswi_status_frame){ running, waiting, resident_bytes(), ISWI_HEALTH_UNTOLD,
                                   { NULL, 0 } };
    pthread_mutex_lock(&session->telling);
    iswi_health_look_at(&session->health, &health);
    status->health = health.state;
    status->why = isw_str_of(health.why);
    if (!session->said_goodbye)
        iswi_session_reply(session, &frame);
    pthread_mutex_unlock(&session->telling);
}

void iswi_session_on_status_request(iswi_session *session, uint64_t id)
{
    if (!atomic_exchange(&session->asked, true))
        iswi_session_wake(session);
    tell(session, id);
}

static void on_health(void *user)
{
    tell(user, 0);
}

void iswi_session_begin_health(iswi_session *session, const iswi_host_hello *hello)
{
    if (!isw_pairs_find(&hello->capabilities, "health") || !iswi_session_has_checks(session))
        return;
    session->health.changed = on_health;
    session->health.user = session;
    if (iswi_health_begin(&session->health, hello) != ISW_OK)
        iswi_session_fail(session, ISW_E_NO_MEMORY, "no thread for health checks");
}

bool iswi_session_has_checks(const iswi_session *session)
{
    const iswi_services *services = session->worker->shared.services;

    for (size_t i = 0; i < iswi_services_count(services); i++)
        if (iswi_services_at(services, i)->lifetime == ISW_HEALTH_CHECK)
            return true;
    return false;
}
