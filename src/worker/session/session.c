/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host says. Frames are handled on the link's thread and never wait for a function.
 * Invariant: nothing of the host is believed before its proof was right.
 */
#include "worker/session/internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <unistd.h>

/* -- Hello ------------------------------------------------------------------------------------- */

void iswi_session_hello(iswi_session *session)
{
    isw_pair capabilities[5 + ISWI_LINK_EXTRAS] = { { isw_str_of("stream"), isw_str_of("1") },
                                                    { isw_str_of("reload"), isw_str_of("1") },
                                                    { isw_str_of("metrics"), isw_str_of("1") } };
    size_t count = 3;
    iswi_frame frame = { .kind = ISWI_WORKER_HELLO };
    iswi_worker_hello *hello = &frame.as.worker_hello;

    if (iswi_link_can_upgrade(session->link))
        capabilities[count++] = (isw_pair){ isw_str_of("ring"), isw_str_of("1") };
    if (iswi_session_has_checks(session))
        capabilities[count++] = (isw_pair){ isw_str_of("health"), isw_str_of("1") };
    count += iswi_link_extras_name(iswi_link_extras(session->link), &capabilities[count]);
    hello->protocol_min = ISWI_PROTOCOL_MIN;
    hello->protocol_max = ISWI_PROTOCOL_MAX;
    hello->token = (isw_bytes){ session->token, ISWI_TOKEN_BYTES };
    hello->runtime = isw_str_of("isoworker-c");
    hello->runtime_version = isw_str_of(ISW_VERSION_STRING);
    hello->pid = (uint64_t)getpid();
    hello->capabilities = (isw_pairs){ capabilities, count };
    iswi_session_reply(session, &frame);
}

void iswi_session_credit(iswi_session *session, unsigned limit)
{
    iswi_frame frame = { .kind = ISWI_CREDIT, .as.credit.limit = limit };

    iswi_session_reply(session, &frame);
}

static void on_host_hello(iswi_session *session, const iswi_host_hello *hello)
{
    unsigned extras;

    if (session->greeted) {
        iswi_session_violation(session, &(isw_error){ ISW_E_PROTOCOL, "a second host_hello" });
        return;
    }
    if (!iswi_secret_equal(session->token + ISWI_TOKEN_BYTES, hello->proof.data,
                           ISWI_TOKEN_BYTES)) {
        iswi_session_fail(session, ISW_E_UNAUTHENTICATED, "the host could not prove who it is");
        return;
    }
    if (hello->protocol < ISWI_PROTOCOL_MIN || hello->protocol > ISWI_PROTOCOL_MAX) {
        iswi_session_fail(session, ISW_E_UNSUPPORTED,
                          "the host chose a protocol version that was not offered");
        return;
    }
    extras = iswi_link_extras_in(&hello->capabilities) & iswi_link_extras(session->link);
    if (iswi_link_can_upgrade(session->link) && isw_pairs_find(&hello->capabilities, "ring")) {
        iswi_dispatch_expect_help(&session->dispatch);
        iswi_link_upgrade(session->link, extras);
    } else if (extras && iswi_link_is_upgraded(session->link)) {
        iswi_link_upgrade(session->link, extras);
    }
    session->streams = isw_pairs_find(&hello->capabilities, "stream") != NULL;
    session->tells = isw_pairs_find(&hello->capabilities, "metrics") != NULL;
    iswi_session_set_levels(session, &hello->log_levels);
    pthread_mutex_lock(&session->lock);
    session->greeted = true;
    session->heartbeat_ms = hello->heartbeat_ms < INT32_MAX ? (int64_t)hello->heartbeat_ms : 0;
    pthread_mutex_unlock(&session->lock);
    iswi_session_credit(session, iswi_worker_limit(session->worker));
    iswi_session_begin_health(session, hello);
    iswi_session_wake(session);
}

/* -- Other frames ------------------------------------------------------------------------------ */

static void cancel(iswi_session *session, uint64_t id, isw_cancel_reason reason)
{
    iswi_dispatch_cancel(&session->dispatch, id, reason);
    iswi_shared_wake(&session->worker->shared);
}

static isw_cancel_reason reason_of(const iswi_cancel *cancel)
{
    switch (cancel->reason) {
    case ISWI_CANCEL_DEADLINE:
        return ISW_CANCEL_DEADLINE;
    case ISWI_CANCEL_CALLER_LEFT:
        return ISW_CANCEL_CALLER;
    case ISWI_CANCEL_SHUTDOWN:
        return ISW_CANCEL_SHUTDOWN;
    default:
        return ISW_CANCEL_OTHER;
    }
}

static void on_terminate(iswi_session *session, const iswi_terminate *terminate)
{
    int64_t grace_ms = terminate->grace_ms < INT32_MAX ? (int64_t)terminate->grace_ms : INT32_MAX;

    pthread_mutex_lock(&session->lock);
    session->terminating = true;
    session->grace_until_ns = iswi_now_ns() + grace_ms * 1000000;
    pthread_mutex_unlock(&session->lock);
    iswi_session_wake(session);
}

static void on_host_error(iswi_session *session, const iswi_wire_status *status)
{
    isw_status code = iswi_status_of_wire(status);
    char text[ISW_ERROR_MESSAGE_BYTES];

    snprintf(text, sizeof text, "the host ended the session: %.*s", (int)status->message.size,
             status->message.size ? status->message.data : "");
    iswi_session_fail(session, code == ISW_OK ? ISW_E_PROTOCOL : code, text);
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
        iswi_session_fail(session, ISW_E_PROTOCOL, "the host sent something before its hello");
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
            cancel(session, frame->id, reason_of(&frame->as.cancel));
        break;
    case ISWI_STATUS_REQUEST:
        iswi_session_on_status_request(session, frame->id);
        break;
    case ISWI_METRICS_REQUEST:
        iswi_session_on_metrics_request(session, frame->id);
        break;
    case ISWI_RELOAD:
        iswi_session_reload(session, frame->id, &frame->as.reload);
        break;
    case ISWI_WARMUP:
        iswi_session_reply(session, &(iswi_frame){ .kind = ISWI_WARMED, .id = frame->id });
        break;
    case ISWI_TERMINATE:
        on_terminate(session, &frame->as.terminate);
        break;
    case ISWI_STATUS:
        atomic_store(&session->fenced, true);
        iswi_session_wake(session);
        break;
    case ISWI_CHUNK:
    case ISWI_WINDOW:
        iswi_session_on_stream_frame(session, frame);
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
           kind == ISWI_CHUNK || kind == ISWI_WINDOW || kind == ISWI_ERROR ||
           kind > ISWI_KIND_CORE_MAX;
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
    isw_bytes bytes = message->bytes;
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
    if (iswi_dispatch_go(&session->dispatch) != ISW_OK)
        iswi_session_fail(session, ISW_E_NO_MEMORY, "no thread to run functions");
}

static void on_closed(void *user)
{
    iswi_session *session = user;

    pthread_mutex_lock(&session->lock);
    session->closed = true;
    pthread_mutex_unlock(&session->lock);
    iswi_dispatch_lose_streams(&session->dispatch);
    cancel(session, 0, ISW_CANCEL_SHUTDOWN);
    iswi_session_wake(session);
}

static void on_turn(void *user)
{
    iswi_session *session = user;

    iswi_dispatch_help(&session->dispatch);
}

void iswi_session_gather(void *user, bool on)
{
    iswi_link_gather(((iswi_session *)user)->link, on);
}

void iswi_session_more_waits(void *user)
{
    iswi_link_more_waits(((iswi_session *)user)->link);
}

static bool is_stuck(void *user)
{
    return iswi_dispatch_is_stuck(&((iswi_session *)user)->dispatch);
}

void iswi_session_on_idle(void *user)
{
    iswi_session *session = user;

    if (atomic_load(&session->leaving))
        iswi_session_wake(session);
}

void iswi_session_events(iswi_session *session, iswi_link_events *events)
{
    *events = (iswi_link_events){ .on_message = on_message,
                                  .on_closed = on_closed,
                                  .user = session,
                                  .on_turn = on_turn,
                                  .is_stuck = is_stuck };
}
