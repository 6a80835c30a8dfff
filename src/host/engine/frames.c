/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker says. Everything is checked against what was asked; one that breaks the protocol is
 * closed, and its calls are answered when the link reports the end.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "host/engine/answers.h"
#include "host/engine/engine.h"

static isw_status refuse(isw_error *error, const char *what)
{
    return isw_error_set(error, ISW_E_PROTOCOL, "%s", what);
}

static isw_status on_hello(iswi_process *process, const iswi_worker_hello *hello, isw_error *error)
{
    iswi_peer peer = iswi_link_peer(process->link);

    if (process->hello_came)
        return refuse(error, "a second hello");
    if (!iswi_secret_equal(process->token, hello->token.data, ISWI_TOKEN_BYTES))
        return isw_error_set(error, ISW_E_UNAUTHENTICATED, "the token is wrong");
    if (peer.pid && !process->pool->launcher.is(&process->os, peer.pid) &&
        !process->pool->debugged)
        return isw_error_set(error, ISW_E_UNAUTHENTICATED,
                             "process %ld is not one that this host started", (long)peer.pid);
    if (hello->protocol_max < ISWI_PROTOCOL_MIN || hello->protocol_min > ISWI_PROTOCOL_MAX) {
        process->hopeless = true;
        return isw_error_set(error, ISW_E_UNSUPPORTED,
                             "it speaks protocol %llu to %llu, this host speaks %d to %d; build "
                             "both from releases that share one",
                             (unsigned long long)hello->protocol_min,
                             (unsigned long long)hello->protocol_max, ISWI_PROTOCOL_MIN,
                             ISWI_PROTOCOL_MAX);
    }
    if (process->pool->guest)
        process->os.pid = peer.pid;
    process->hello_came = true;
    process->wants_ring = isw_pairs_find(&hello->capabilities, "ring") != NULL;
    process->wants_extras = iswi_link_extras_in(&hello->capabilities);
    process->wants_stream = isw_pairs_find(&hello->capabilities, "stream") != NULL;
    process->can_reload = isw_pairs_find(&hello->capabilities, "reload") != NULL;
    iswi_process_health_greeted(process, &hello->capabilities);
    process->named = iswi_observe_greeted(process, &hello->capabilities);
    iswi_host_wake(process->host);
    return ISW_OK;
}

static isw_status on_metadata(iswi_process *process, iswi_message *message, isw_bytes frame,
                              isw_error *error)
{
    if (!process->metadata_asked || process->metadata)
        return refuse(error, "metadata that nobody asked for");
    process->metadata_asked = false;
    process->metadata_frame = frame;
    process->metadata = iswi_message_keep(message, &process->metadata_frame);
    if (!process->metadata)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its metadata");
    iswi_host_wake(process->host);
    return ISW_OK;
}

/* Note that it cannot run the function, so that none is sent there. */
static void lack(iswi_process *process, const iswi_host_function *function,
                 const iswi_wire_status *status)
{
    iswi_say_of(process->host, ISW_LOG_ERROR, &(iswi_about){ function->name, "", { NULL, 0 } },
                "worker %s cannot run function %s, which answers 503: %.*s",
                process->label, function->name, (int)status->message.size,
                status->message.size ? status->message.data : "");
    process->lacks[function->place] = true;
}

static isw_status on_loaded(iswi_process *process, uint64_t id, const iswi_loaded *loaded,
                            isw_error *error)
{
    if (!process->loads_awaited || id == 0 || id > process->function_count ||
        process->functions[id - 1]->number != loaded->function)
        return refuse(error, "a loaded that nobody asked for");
    if (loaded->status.code)
        lack(process, process->functions[id - 1], &loaded->status);
    if (--process->loads_awaited == 0)
        iswi_host_wake(process->host);
    return ISW_OK;
}

static isw_status on_credit(iswi_process *process, const iswi_credit *credit, isw_error *error)
{
    if (credit->limit > ISWI_CREDIT_MAX)
        return refuse(error, "a credit above 65535");
    if (!iswi_process_grow_places(process, (unsigned)credit->limit))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its places");
    process->credit = (unsigned)credit->limit;
    iswi_process_set_alarm(process);
    iswi_process_update_load(process);
    iswi_host_wake(process->host);
    return ISW_OK;
}

/* Everything but responses, logs and outputs. With the lock. */
static isw_status on_frame(iswi_process *process, iswi_message *message, isw_bytes bytes,
                           const iswi_frame *frame, isw_error *error)
{
    if (!process->hello_came && frame->kind != ISWI_WORKER_HELLO)
        return refuse(error, "something before its hello");
    switch (frame->kind) {
    case ISWI_WORKER_HELLO:
        return on_hello(process, &frame->as.worker_hello, error);
    case ISWI_METADATA:
        return on_metadata(process, message, bytes, error);
    case ISWI_LOADED:
        return on_loaded(process, frame->id, &frame->as.loaded, error);
    case ISWI_CREDIT:
        return on_credit(process, &frame->as.credit, error);
    case ISWI_STATUS:
        process->resident_bytes = frame->as.status.resident_bytes;
        process->calls_running = frame->as.status.running;
        process->calls_waiting = frame->as.status.waiting;
        iswi_process_health_told(process, &frame->as.status);
        return ISW_OK;
    case ISWI_STATUS_REQUEST:
        if (!process->credit && process->ready_ns) /* PROTOCOL.md, section 3, Shutdown */
            iswi_process_retire(process, "it leaves by itself");
        iswi_process_send(process, &(iswi_frame){ .kind = ISWI_STATUS, .id = frame->id });
        return ISW_OK;
    case ISWI_GOODBYE:
        process->goodbye = true;
        iswi_observe_silent(process);
        if (!process->told_to_end)
            iswi_process_retire(process, "it leaves by itself");
        if (process->state != ISWI_PROCESS_KILLED)
            iswi_process_set_state(process, ISWI_PROCESS_LEAVING);
        iswi_host_wake(process->host);
        return ISW_OK;
    case ISWI_ERROR:
        return isw_error_set(error, ISW_E_PROTOCOL, "it gave up: %.*s",
                             (int)frame->as.error.status.message.size,
                             frame->as.error.status.message.size
                                 ? frame->as.error.status.message.data
                                 : "");
    case ISWI_HEAD:
        return iswi_answers_head(process, frame->id, &frame->as.head, error);
    case ISWI_CHUNK:
        return iswi_answers_chunk(process, frame->id, &frame->as.chunk, error);
    case ISWI_WINDOW:
        iswi_answers_window(process, frame->id, &frame->as.window);
        return ISW_OK;
    case ISWI_RELOADED:
        if (!iswi_reload_answered(process, &frame->as.reloaded))
            return refuse(error, "a reloaded that nobody asked for");
        return ISW_OK;
    case ISWI_WARMED:
        return refuse(error, "a warmed that nobody asked for");
    case ISWI_METRICS: /* there is no observer of theirs */
        return refuse(error, "metrics that nobody asked for");
    default:
        if (frame->kind > ISWI_KIND_CORE_MAX)
            return ISW_OK;
        return isw_error_set(error, ISW_E_PROTOCOL, "a worker does not send %s",
                             iswi_kind_name(frame->kind));
    }
}

static isw_status on_other(iswi_process *process, iswi_message *message, uint64_t kind,
                           uint64_t id, isw_bytes bytes, isw_error *error)
{
    const iswi_observing *observing = iswi_observers_of(&process->host->observers, kind);
    iswi_arena arena;
    iswi_frame frame;
    size_t used;
    isw_status status;

    if (observing && process->hello_came)
        return observing->observer->frame(observing->user, process, id, bytes, error);
    iswi_arena_init(&arena, 4096);
    status = iswi_frame_decode_apart(bytes, iswi_message_apart(message), &arena, &frame, &used,
                                     error);
    if (status == ISW_OK && frame.kind == ISWI_LOG && process->hello_came) {
        iswi_answers_log(process, frame.id, &frame.as.log);
    } else if (status == ISW_OK && frame.kind == ISWI_OUTPUT && process->hello_came) {
        iswi_answers_output(process, frame.id, &frame.as.output);
    } else if (status == ISW_OK) {
        pthread_mutex_lock(&process->lock);
        status = on_frame(process, message, bytes, &frame, error);
        pthread_mutex_unlock(&process->lock);
    }
    iswi_arena_fini(&arena);
    return status;
}

/* The worker broke the protocol, or could not be let in. */
static void give_up(iswi_process *process, const isw_error *error)
{
    iswi_frame frame = { .kind = ISWI_ERROR };

    process->refused = true;
    frame.as.error.status = iswi_status_to_wire(error->status, error->message);
    pthread_mutex_lock(&process->lock);
    isw_error_set(&process->fault, error->status, "%s", error->message);
    iswi_process_send(process, &frame);
    iswi_process_set_state(process, ISWI_PROCESS_KILLED);
    pthread_mutex_unlock(&process->lock);
    iswi_host_wake(process->host);
}

/* Bytes apart, which the worker can still write, are for those who only pass them on. */
static isw_status check_apart(const iswi_message *message, uint64_t kind, size_t size,
                              isw_error *error)
{
    if (!message->apart)
        return ISW_OK;
    if (kind != ISWI_RESPONSE && kind != ISWI_CHUNK)
        return isw_error_set(error, ISW_E_PROTOCOL, "%s with bytes apart", iswi_kind_name(kind));
    return size == message->bytes.size ? ISW_OK
                                       : refuse(error, "several frames with bytes apart");
}

static void on_message(void *user, iswi_message *message)
{
    iswi_process *process = user;
    isw_bytes left = message->bytes;
    isw_error error = { ISW_OK, "" };
    isw_status status = ISW_OK;

    if (process->refused) /* the session is over, PROTOCOL.md, section 9; one error is enough */
        return;
    atomic_store(&process->heard_ns, iswi_now_ns());
    while (left.size && status == ISW_OK) {
        isw_bytes one = left;
        uint64_t kind;
        uint64_t id;

        status = iswi_frame_peek_apart(left, iswi_message_apart(message), &kind, &id, &one.size,
                                       &error);
        if (status == ISW_OK)
            status = check_apart(message, kind, one.size, &error);
        if (status == ISW_OK && kind == ISWI_RESPONSE)
            status = iswi_answers_response(process, message, one, &error);
        else if (status == ISW_OK)
            status = on_other(process, message, kind, id, one, &error);
        left.data = (const char *)left.data + one.size;
        left.size -= one.size;
    }
    if (status != ISW_OK)
        give_up(process, &error);
    iswi_pool_serve(process->pool);
}

static void on_closed(void *user)
{
    iswi_process *process = user;

    pthread_mutex_lock(&process->lock);
    process->closed = true;
    iswi_observe_silent(process);
    if (process->state == ISWI_PROCESS_READY || process->state == ISWI_PROCESS_LOADING ||
        process->state == ISWI_PROCESS_STARTING)
        iswi_process_set_state(process, ISWI_PROCESS_LEAVING);
    pthread_mutex_unlock(&process->lock);
    iswi_process_lose_begun(process);
    iswi_host_wake(process->host);
}

/* Of a guest: from now on its time counts. */
static void on_connected(void *user)
{
    iswi_process *process = user;

    pthread_mutex_lock(&process->lock);
    process->connected = true;
    pthread_mutex_unlock(&process->lock);
    iswi_host_wake(process->host);
}

void iswi_process_events(iswi_process *process, iswi_link_events *events)
{
    *events = (iswi_link_events){
        .on_message = on_message, .on_closed = on_closed, .user = process,
        .on_connected = iswi_pool_waits(process->pool) ? on_connected : NULL,
        .has_guest = process->pool->confinement.has_user, .guest = process->pool->confinement.uid
    };
}
