/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's side of a session. Frames are handled on the link's thread and never wait for a
 * function; the thread of isw_worker_run only waits for the end. Invariant: nothing of the host is
 * believed before its proof was right.
 */
#include "worker/session.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    HELLO_TIMEOUT_MS = 10000,
    GOODBYE_TIMEOUT_MS = 5000,
    ERROR_TIMEOUT_MS = 1000,
    SILENT_INTERVALS = 10
};

#define AN_HOUR_NS INT64_C(3600000000000)

isw_status iswi_session_send(iswi_session *session, const iswi_frame *frame, iswi_buffer *scratch,
                             isw_error *error)
{
    isw_status status;

    iswi_buffer_reset(scratch);
    status = iswi_frame_encode(frame, scratch, error);
    if (status == ISW_OK)
        status = iswi_link_send(session->link, scratch->data, scratch->size);
    return status;
}

void iswi_session_reply(iswi_session *session, const iswi_frame *frame)
{
    iswi_buffer bytes = { 0 };

    if (iswi_session_send(session, frame, &bytes, NULL) != ISW_OK)
        iswi_link_close(session->link);
    iswi_buffer_fini(&bytes);
}

static void wake(iswi_session *session)
{
    sem_post(&session->worker->wake);
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

static void fail(iswi_session *session, isw_status status, const char *message)
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
    wake(session); /* not closed at once, so that the host can read why */
}

/* -- Hello ------------------------------------------------------------------------------------- */

static void send_hello(iswi_session *session)
{
    const isw_pair ring = { isw_str_of("ring"), isw_str_of("1") };
    iswi_frame frame = { .kind = ISWI_WORKER_HELLO };
    iswi_worker_hello *hello = &frame.as.worker_hello;

    hello->protocol_min = ISWI_PROTOCOL_MIN;
    hello->protocol_max = ISWI_PROTOCOL_MAX;
    hello->token = (isw_bytes){ session->token, ISWI_TOKEN_BYTES };
    hello->runtime = isw_str_of("isoworker-c");
    hello->runtime_version = isw_str_of(ISW_VERSION_STRING);
    hello->pid = (uint64_t)getpid();
    if (iswi_link_can_upgrade(session->link))
        hello->capabilities = (isw_pairs){ &ring, 1 };
    iswi_session_reply(session, &frame);
}

static void send_credit(iswi_session *session, unsigned limit)
{
    iswi_frame frame = { .kind = ISWI_CREDIT, .as.credit.limit = limit };

    iswi_session_reply(session, &frame);
}

/* Every byte is compared, so that time tells nothing about where they differ. */
static bool proof_is_right(const unsigned char *expected, const unsigned char *given)
{
    unsigned char difference = 0;

    for (size_t i = 0; i < ISWI_TOKEN_BYTES; i++)
        difference |= expected[i] ^ given[i];
    return difference == 0;
}

static void on_host_hello(iswi_session *session, const iswi_host_hello *hello)
{
    if (session->greeted) {
        iswi_session_violation(session, &(isw_error){ ISW_E_PROTOCOL, "a second host_hello" });
        return;
    }
    if (!proof_is_right(session->token + ISWI_TOKEN_BYTES, hello->proof.data)) {
        fail(session, ISW_E_UNAUTHENTICATED, "the host could not prove who it is");
        return;
    }
    if (hello->protocol < ISWI_PROTOCOL_MIN || hello->protocol > ISWI_PROTOCOL_MAX) {
        fail(session, ISW_E_UNSUPPORTED, "the host chose a protocol version that was not offered");
        return;
    }
    if (iswi_link_can_upgrade(session->link) && isw_pairs_find(&hello->capabilities, "ring")) {
        iswi_dispatch_expect_help(&session->dispatch);
        iswi_link_upgrade(session->link);
    }
    iswi_session_set_levels(session, &hello->log_levels);
    pthread_mutex_lock(&session->lock);
    session->greeted = true;
    session->heartbeat_ms = hello->heartbeat_ms < INT32_MAX ? (int64_t)hello->heartbeat_ms : 0;
    pthread_mutex_unlock(&session->lock);
    send_credit(session, iswi_worker_limit(session->worker));
    wake(session);
}

/* -- Other frames ------------------------------------------------------------------------------ */

static void cancel(iswi_session *session, uint64_t id)
{
    iswi_gate *gate = &session->worker->gate;

    iswi_dispatch_cancel(&session->dispatch, id);
    pthread_mutex_lock(&gate->lock);
    pthread_cond_broadcast(&gate->cancelled);
    pthread_mutex_unlock(&gate->lock);
}

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

static void on_status_request(iswi_session *session, uint64_t id)
{
    iswi_frame frame = { .kind = ISWI_STATUS, .id = id };
    unsigned running;
    unsigned waiting;

    iswi_dispatch_count(&session->dispatch, &running, &waiting);
    frame.as.status = (iswi_status_frame){ running, waiting, resident_bytes() };
    iswi_session_reply(session, &frame);
}

static void on_reload(iswi_session *session, uint64_t id, const iswi_reload *reload)
{
    iswi_frame frame = { .kind = ISWI_RELOADED, .id = id };
    iswi_arena *arena = &session->inbound;

    for (size_t i = 0; i < reload->environment.count; i++) {
        const isw_pair *pair = &reload->environment.items[i];
        const char *name = iswi_arena_strndup(arena, pair->name.data, pair->name.size);
        const char *value = iswi_arena_strndup(arena, pair->value.data, pair->value.size);

        if (!name || !value || (*value ? setenv(name, value, 1) : unsetenv(name)) != 0)
            frame.as.reloaded.status = iswi_status_to_wire(ISW_E_INVALID, "a variable was refused");
    }
    if (reload->directory.size) {
        const char *path =
            iswi_arena_strndup(arena, reload->directory.data, reload->directory.size);

        if (!path || chdir(path) != 0)
            frame.as.reloaded.status = iswi_status_to_wire(ISW_E_IO, "the folder was refused");
    }
    iswi_session_reply(session, &frame);
}

static void on_terminate(iswi_session *session, const iswi_terminate *terminate)
{
    int64_t grace_ms = terminate->grace_ms < INT32_MAX ? (int64_t)terminate->grace_ms : INT32_MAX;

    pthread_mutex_lock(&session->lock);
    session->terminating = true;
    session->grace_until_ns = iswi_now_ns() + grace_ms * 1000000;
    pthread_mutex_unlock(&session->lock);
    wake(session);
}

static void on_host_error(iswi_session *session, const iswi_wire_status *status)
{
    isw_status code = iswi_status_of_wire(status);
    char text[ISW_ERROR_MESSAGE_BYTES];

    snprintf(text, sizeof text, "the host ended the session: %.*s", (int)status->message.size,
             status->message.size ? status->message.data : "");
    fail(session, code == ISW_OK ? ISW_E_PROTOCOL : code, text);
}

static void on_frame(iswi_session *session, const iswi_frame *frame)
{
    isw_error error = { ISW_OK, "" };

    if (frame->kind == ISWI_ERROR) {
        on_host_error(session, &frame->as.error.status);
        return;
    }
    if (frame->kind == ISWI_HOST_HELLO) {
        on_host_hello(session, &frame->as.host_hello);
        return;
    }
    if (!session->greeted) {
        fail(session, ISW_E_PROTOCOL, "the host sent something before its hello");
        return;
    }
    switch (frame->kind) {
    case ISWI_METADATA_REQUEST:
        iswi_session_describe(session, frame->id);
        break;
    case ISWI_LOAD:
        iswi_session_load(session, frame->id, &frame->as.load);
        break;
    case ISWI_CANCEL:
        if (frame->id)
            cancel(session, frame->id);
        break;
    case ISWI_STATUS_REQUEST:
        on_status_request(session, frame->id);
        break;
    case ISWI_RELOAD:
        on_reload(session, frame->id, &frame->as.reload);
        break;
    case ISWI_WARMUP:
        iswi_session_reply(session, &(iswi_frame){ .kind = ISWI_WARMED, .id = frame->id });
        break;
    case ISWI_TERMINATE:
        on_terminate(session, &frame->as.terminate);
        break;
    case ISWI_STATUS:
        break;
    default:
        if (frame->kind > ISWI_KIND_CORE_MAX)
            break;
        isw_error_set(&error, ISW_E_PROTOCOL, "a host does not send %s",
                      iswi_kind_name(frame->kind));
        iswi_session_violation(session, &error);
    }
}

/* -- Events of the link ------------------------------------------------------------------------ */

/* What a host may send while the worker is draining (PROTOCOL.md, section 3). */
static bool may_follow_terminate(uint64_t kind)
{
    return kind == ISWI_CANCEL || kind == ISWI_STATUS_REQUEST || kind == ISWI_STATUS ||
           kind == ISWI_ERROR || kind > ISWI_KIND_CORE_MAX;
}

static isw_status submit(iswi_session *session, iswi_message *message, isw_bytes frame,
                         uint64_t id, isw_error *error)
{
    isw_status status;

    if (id == 0)
        return isw_error_set(error, ISW_E_PROTOCOL, "an invoke without an id");
    status = iswi_dispatch_submit(&session->dispatch, message, frame, id);
    if (status == ISW_E_BUSY)
        return isw_error_set(error, ISW_E_PROTOCOL, "an invoke beyond the credits");
    return status;
}

static isw_status handle(iswi_session *session, iswi_message *message, isw_bytes bytes,
                         size_t *used, isw_error *error)
{
    iswi_frame frame;
    uint64_t kind;
    uint64_t id;
    isw_status status = iswi_frame_peek(bytes.data, bytes.size, &kind, &id, used, error);

    if (status != ISW_OK)
        return status;
    bytes.size = *used;
    if (session->terminating && !may_follow_terminate(kind))
        return isw_error_set(error, ISW_E_PROTOCOL, "%s after terminate", iswi_kind_name(kind));
    if (kind == ISWI_INVOKE && session->greeted)
        return submit(session, message, bytes, id, error);
    status = iswi_frame_decode(bytes.data, bytes.size, &session->inbound, &frame, used, error);
    if (status == ISW_OK)
        on_frame(session, &frame);
    iswi_arena_reset(&session->inbound);
    return status;
}

static bool has_failed(iswi_session *session)
{
    bool failed;

    pthread_mutex_lock(&session->lock);
    failed = session->failure.status != ISW_OK;
    pthread_mutex_unlock(&session->lock);
    return failed;
}

static void on_message(void *user, iswi_message *message)
{
    iswi_session *session = user;
    isw_bytes bytes = iswi_message_bytes(message);
    isw_error error = { ISW_OK, "" };

    atomic_store(&session->heard_ns, iswi_now_ns());
    for (unsigned frames = 0; bytes.size && !has_failed(session); frames++) {
        size_t used;
        isw_status status;

        if (frames == ISWI_MESSAGE_MAX_FRAMES)
            status = isw_error_set(&error, ISW_E_PROTOCOL, "a message of too many frames");
        else
            status = handle(session, message, bytes, &used, &error);
        if (status != ISW_OK) {
            isw_error_set(&error, status, "%s", isw_status_text(status));
            iswi_session_violation(session, &error);
            return;
        }
        bytes.data = (const char *)bytes.data + used;
        bytes.size -= used;
    }
}

static void on_closed(void *user)
{
    iswi_session *session = user;

    pthread_mutex_lock(&session->lock);
    session->closed = true;
    pthread_mutex_unlock(&session->lock);
    cancel(session, 0);
    wake(session);
}

static void on_turn(void *user)
{
    iswi_session *session = user;

    iswi_dispatch_help(&session->dispatch, &session->helping);
}

static bool is_stuck(void *user)
{
    return iswi_dispatch_is_stuck(&((iswi_session *)user)->dispatch);
}

static void on_idle(void *user)
{
    iswi_session *session = user;

    if (atomic_load(&session->leaving))
        wake(session);
}

/* -- The thread that waits --------------------------------------------------------------------- */

static void wait_until(iswi_session *session, int64_t until_ns)
{
    struct timespec at = { until_ns / 1000000000, until_ns % 1000000000 };

    sem_clockwait(&session->worker->wake, CLOCK_MONOTONIC, &at);
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
        fail(session, ISW_E_TIMEOUT, "the host did not say hello in time");
}

/* Until the session is to end: the host closes, terminates or falls silent, or we are stopped. */
static void serve(iswi_session *session)
{
    for (;;) {
        snapshot now = look(session);
        int64_t heard = atomic_load(&session->heard_ns);
        int64_t silent = now.heartbeat_ms * SILENT_INTERVALS * 1000000;

        if (now.over || now.terminating || atomic_load(&session->worker->stop_asked))
            return;
        if (silent && iswi_now_ns() - heard > silent) {
            fail(session, ISW_E_CLOSED, "the host fell silent");
            return;
        }
        wait_until(session, silent ? heard + silent + 1000000 : iswi_now_ns() + AN_HOUR_NS);
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

/* Finish what is in flight, say goodbye, and let the host close. */
static void leave(iswi_session *session)
{
    snapshot now = look(session);

    if (now.over || !now.greeted)
        return;
    if (!now.terminating)
        send_credit(session, 0);
    atomic_store(&session->leaving, true);
    while (!now.over && !is_idle(session) &&
           (!now.terminating || iswi_now_ns() < now.grace_until_ns)) {
        wait_until(session, now.terminating ? now.grace_until_ns : iswi_now_ns() + AN_HOUR_NS);
        now = look(session);
    }
    if (now.over || !is_idle(session))
        return;
    iswi_session_reply(session, &(iswi_frame){ .kind = ISWI_GOODBYE });
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
        return isw_error_set(error, ISW_E_CLOSED, "the host went away");
    return ISW_OK;
}

static void fini(iswi_session *session)
{
    if (session->link)
        iswi_link_close(session->link);
    iswi_dispatch_cancel(&session->dispatch, 0);
    pthread_mutex_lock(&session->worker->gate.lock);
    pthread_cond_broadcast(&session->worker->gate.cancelled);
    pthread_mutex_unlock(&session->worker->gate.lock);
    iswi_dispatch_stop(&session->dispatch); /* its threads may still send */
    iswi_link_destroy(session->link);       /* its events may still submit and cancel */
    iswi_dispatch_fini(&session->dispatch);
    iswi_arena_fini(&session->inbound);
    iswi_buffer_fini(&session->helping);
    iswi_free(session->loaded);
    pthread_mutex_destroy(&session->lock);
}

isw_status iswi_session_run(isw_worker *worker, const unsigned char *token,
                            iswi_connect_fn connect, void *user, isw_error *error)
{
    iswi_session session = { .worker = worker };
    iswi_link_events events = { .on_message = on_message,
                                .on_closed = on_closed,
                                .user = &session,
                                .on_turn = on_turn,
                                .is_stuck = is_stuck };
    isw_status status = iswi_dispatch_init(
        &session.dispatch, (unsigned)worker->settings.concurrency, iswi_worker_limit(worker));

    if (status != ISW_OK)
        return isw_error_set(error, status, "no memory for the worker's threads");
    session.dispatch.run = iswi_invocation_run;
    session.dispatch.on_idle = on_idle;
    session.dispatch.user = &session;
    session.sink = (iswi_log_sink){ iswi_session_log, iswi_session_threshold, &session };
    memcpy(session.token, token, sizeof session.token);
    pthread_mutex_init(&session.lock, NULL);
    iswi_arena_init(&session.inbound, 16 * 1024);
    atomic_store(&session.heard_ns, iswi_now_ns());
    status = connect(user, &events, &session.link, error);
    if (status == ISW_OK) {
        send_hello(&session);
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
