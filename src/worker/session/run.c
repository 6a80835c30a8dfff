/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of isw_worker_run: it begins a session, waits for its end, and sees that what is in
 * flight is finished. Everything else happens on other threads, which wake it. */
#include "worker/session/internal.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <poll.h>
#include <unistd.h>

enum {
    HELLO_TIMEOUT_MS = 10000,
    GOODBYE_TIMEOUT_MS = 5000,
    FENCE_TIMEOUT_MS = 2000,
    ERROR_TIMEOUT_MS = 1000,
    SILENT_INTERVALS = 10
};

#define AN_HOUR_NS INT64_C(3600000000000)

/* Until then, or until somebody wakes us; and see to it that the link hears of its end, if it waits
 * for that nowhere else. */
static void wait_until(iswi_session *session, int64_t until_ns)
{
    struct pollfd fds[2] = { { .fd = session->worker->wake[0], .events = POLLIN },
                             { .fd = session->lifeline, .events = POLLRDHUP } };
    int64_t left_ms = (until_ns - iswi_now_ns() + 999999) / 1000000;
    char bytes[64];

    if (left_ms < 0)
        left_ms = 0;
    if (poll(fds, 2, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX) <= 0)
        return;
    if (fds[0].revents && read(fds[0].fd, bytes, sizeof bytes) < 0)
        return;
    if (!fds[1].revents)
        return;
    session->lifeline = -1;
    iswi_link_lost(session->link);
}

typedef struct snapshot {
    bool greeted, closed, terminating, failed;
    bool over; /* closed or failed */
    int64_t heartbeat_ms, grace_until_ns;
} snapshot;

static snapshot look(iswi_session *session)
{
    snapshot now;

    pthread_mutex_lock(&session->lock);
    now = (snapshot){ .greeted = session->greeted,
                      .closed = session->closed,
                      .terminating = session->terminating,
                      .failed = session->failure.status != ISW_OK,
                      .heartbeat_ms = session->heartbeat_ms,
                      .grace_until_ns = session->grace_until_ns };
    pthread_mutex_unlock(&session->lock);
    now.over = now.closed || now.failed;
    return now;
}

static void wait_for_hello(iswi_session *session)
{
    int64_t until = iswi_now_ns() + (int64_t)HELLO_TIMEOUT_MS * 1000000;
    snapshot now = look(session);

    while (!now.greeted && !now.over && iswi_now_ns() < until) {
        if (atomic_load(&session->worker->stop_asked))
            return;
        wait_until(session, until);
        now = look(session);
    }
    if (!now.greeted && !now.over)
        iswi_session_fail(session, ISW_E_TIMEOUT, "the host did not say hello in time");
}

/* How long the host has said nothing. When we were stopped ourselves it may have been, too, and
 * nobody could have spoken: so one that is late has an interval more, from when we see that. */
struct quiet {
    int64_t since_ns; /* when it was heard last */
    int64_t until_ns; /* then it is taken for gone; 0: it is not late */
};

/* False: it is gone. *next_ns is when to look again. */
static bool hear(struct quiet *quiet, int64_t heard_ns, int64_t interval_ns, int64_t *next_ns)
{
    const int64_t now_ns = iswi_now_ns();
    const int64_t late_ns = heard_ns + interval_ns * SILENT_INTERVALS;

    if (quiet->since_ns != heard_ns)
        quiet->until_ns = 0;
    quiet->since_ns = heard_ns;
    if (now_ns > late_ns && !quiet->until_ns)
        quiet->until_ns = now_ns + interval_ns;
    *next_ns = (quiet->until_ns ? quiet->until_ns : late_ns) + 1000000;
    return !quiet->until_ns || now_ns <= quiet->until_ns;
}

/* Until the session is to end: the host closes, terminates or falls silent, or we are stopped. A
 * host that waits for others has nothing to say before its first heartbeat. */
static void serve(iswi_session *session)
{
    struct quiet host = { .since_ns = 0 };

    for (;;) {
        snapshot now = look(session);
        int64_t heard = atomic_load(&session->heard_ns);
        bool counts = atomic_load(&session->asked) && now.heartbeat_ms;
        int64_t next_ns = iswi_now_ns() + AN_HOUR_NS;

        if (now.over || now.terminating || atomic_load(&session->worker->stop_asked))
            return;
        if (counts && !hear(&host, heard, now.heartbeat_ms * 1000000, &next_ns)) {
            iswi_session_fail(session, ISW_E_CLOSED, "the host fell silent");
            return;
        }
        wait_until(session, next_ns);
    }
}

static bool is_idle(iswi_session *session)
{
    unsigned running;
    unsigned waiting;

    iswi_dispatch_count(&session->dispatch, &running, &waiting);
    return running + waiting == 0;
}

static void wait_for_close(iswi_session *session, int64_t patience_ms)
{
    int64_t until = iswi_now_ns() + patience_ms * 1000000;

    while (!look(session).closed && iswi_now_ns() < until)
        wait_until(session, until);
}

/* Say that we take no more, and wait until the host has read that: what it sent before is in. */
static void close_the_door(iswi_session *session)
{
    int64_t until = iswi_now_ns() + (int64_t)FENCE_TIMEOUT_MS * 1000000;

    iswi_session_credit(session, 0);
    iswi_session_reply(session, &(iswi_frame){ .kind = ISWI_STATUS_REQUEST, .id = 1 });
    while (!atomic_load(&session->fenced) && !look(session).over && iswi_now_ns() < until)
        wait_until(session, until);
}

/* Finish what is in flight, say goodbye, and let the host close. */
static void leave(iswi_session *session)
{
    snapshot now = look(session);

    if (now.over || !now.greeted)
        return;
    if (!now.terminating)
        close_the_door(session);
    atomic_store(&session->leaving, true);
    while (!now.over && !is_idle(session) &&
           (!now.terminating || iswi_now_ns() < now.grace_until_ns)) {
        wait_until(session, now.terminating ? now.grace_until_ns : iswi_now_ns() + AN_HOUR_NS);
        now = look(session);
    }
    if (now.over || !is_idle(session))
        return;
    iswi_session_goodbye(session);
    wait_for_close(session, GOODBYE_TIMEOUT_MS);
}

static isw_status result_of(iswi_session *session, isw_error *error)
{
    snapshot now = look(session);
    bool meant = now.terminating || atomic_load(&session->worker->stop_asked);
    isw_error failure;

    pthread_mutex_lock(&session->lock);
    failure = session->failure;
    pthread_mutex_unlock(&session->lock);
    if (failure.status != ISW_OK)
        return isw_error_set(error, failure.status, "%s", failure.message);
    if (!meant)
        return isw_error_set(error, ISW_E_CLOSED, "the host went away%s",
                             now.greeted ? "" : " before it said hello; its log says why, unless it "
                                                "could not prove itself by its certificate");
    return ISW_OK;
}

static void fini(iswi_session *session)
{
    if (session->link) {
        iswi_link_close(session->link);
        iswi_link_lost(session->link); /* nobody waits for its end any more */
    }
    iswi_dispatch_cancel(&session->dispatch, 0, ISW_CANCEL_SHUTDOWN);
    iswi_shared_wake(&session->worker->shared);
    iswi_dispatch_stop(&session->dispatch); /* its threads may still send */
    iswi_session_end_reload(session);
    iswi_health_end(&session->health);
    iswi_link_destroy(session->link);       /* its events may still submit and cancel */
    iswi_dispatch_fini(&session->dispatch);
    iswi_arena_fini(&session->inbound);
    iswi_free(session->loaded);
    iswi_health_fini(&session->health);
    pthread_mutex_destroy(&session->telling);
    pthread_mutex_destroy(&session->lock);
}

isw_status iswi_session_run(isw_worker *worker, const unsigned char *token,
                            iswi_connect_fn connect, void *user, isw_error *error)
{
    iswi_session session = { .worker = worker, .lifeline = -1 };
    iswi_link_events events;
    isw_status status = iswi_dispatch_init(
        &session.dispatch, (unsigned)worker->settings.concurrency, iswi_worker_limit(worker));

    if (status != ISW_OK)
        return isw_error_set(error, status, "no memory for the worker's threads");
    session.dispatch.run = iswi_invocation_run;
    session.dispatch.gather = iswi_session_gather;
    session.dispatch.behind = iswi_session_more_waits;
    session.dispatch.on_idle = iswi_session_on_idle;
    session.dispatch.user = &session;
    session.sink = (iswi_log_sink){ iswi_session_log, iswi_session_threshold, &session };
    session.host_side = iswi_session_host_side(&session);
    memcpy(session.token, token, sizeof session.token);
    pthread_mutex_init(&session.lock, NULL);
    pthread_mutex_init(&session.telling, NULL);
    iswi_health_init(&session.health, worker->shared.services);
    iswi_arena_init(&session.inbound, 16 * 1024);
    atomic_store(&session.heard_ns, iswi_now_ns());
    iswi_session_events(&session, &events);
    status = connect(user, &events, &session.link, error);
    if (status == ISW_OK) {
        session.lifeline = iswi_link_lifeline(session.link);
        if (iswi_link_is_upgraded(session.link))
            iswi_dispatch_expect_help(&session.dispatch);
        iswi_session_hello(&session);
        iswi_link_read(session.link); /* the host wakes meanwhile */
        wait_for_hello(&session);
        serve(&session);
        leave(&session);
        if (look(&session).failed) /* PROTOCOL.md, section 4: let the host read why, then close */
            wait_for_close(&session, ERROR_TIMEOUT_MS);
        status = result_of(&session, error);
    }
    fini(&session);
    return status;
}
