/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of a session with one process: its places, and the frames it sends. Everything
 * that a worker says is checked against what was asked; one that breaks the protocol is closed, and
 * its calls are answered when the link reports the end.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine.h"

#include <stdio.h>
#include <unistd.h>

typedef struct held_answer {
    iswi_message *message;
    iswi_arena arena;
    iswi_frame frame;
} held_answer;

void iswi_answer_release(void *held)
{
    held_answer *answer = held;

    if (!answer)
        return;
    iswi_message_release(answer->message);
    iswi_arena_fini(&answer->arena);
    iswi_free(answer);
}

/* -- Sending and places; with the lock --------------------------------------------------------- */

void iswi_process_send(iswi_process *process, const iswi_frame *frame)
{
    iswi_buffer bytes = { 0 };

    if (!process->link)
        return;
    if (iswi_frame_encode(frame, &bytes, NULL) != ISW_OK ||
        iswi_link_send(process->link, bytes.data, bytes.size) != ISW_OK)
        iswi_link_close(process->link);
    iswi_buffer_fini(&bytes);
}

static void update_load(iswi_process *process)
{
    bool open = process->state == ISWI_PROCESS_READY && process->credit;

    atomic_store_explicit(&process->load, open ? process->in_flight : UINT32_MAX,
                          memory_order_relaxed);
}

void iswi_process_set_state(iswi_process *process, iswi_process_state state)
{
    process->state = state;
    update_load(process);
}

static void free_place(iswi_process *process, uint64_t id)
{
    unsigned number = (unsigned)(id & 0xffff);

    process->places[number] = (iswi_place){ .id = 0 };
    process->free_places[process->free_count++] = number;
    process->in_flight--;
    update_load(process);
}

static iswi_place *find_place(iswi_process *process, uint64_t id)
{
    unsigned number = (unsigned)(id & 0xffff);

    if (id == 0 || number >= process->place_count || process->places[number].id != id)
        return NULL;
    return &process->places[number];
}

static bool grow_places(iswi_process *process, unsigned count)
{
    iswi_place *places;
    unsigned *free_places;

    if (count <= process->place_count)
        return true;
    places = iswi_realloc(process->places, count * sizeof *places);
    if (places)
        process->places = places;
    free_places = iswi_realloc(process->free_places, count * sizeof *free_places);
    if (free_places)
        process->free_places = free_places;
    if (!places || !free_places)
        return false;
    for (unsigned i = count; i-- > process->place_count;) {
        places[i] = (iswi_place){ .id = 0 };
        free_places[process->free_count++] = i;
    }
    process->place_count = count;
    return true;
}

static isw_status encode_invoke(const iswi_call *call, uint64_t id, iswi_buffer *bytes,
                                isw_error *error)
{
    iswi_frame frame = { .kind = ISWI_INVOKE, .id = id };
    iswi_invoke *invoke = &frame.as.invoke;
    int64_t left_ms = call->deadline_ns ? (call->deadline_ns - iswi_now_ns()) / 1000000 : 0;

    invoke->function = call->function->number;
    invoke->invocation_id = isw_str_of(call->invocation_id);
    invoke->trigger = call->trigger;
    invoke->timeout_ms = call->deadline_ns ? (uint64_t)(left_ms > 0 ? left_ms : 1) : 0;
    invoke->trace = call->trace;
    invoke->retry.count = call->tries;
    return iswi_frame_encode(&frame, bytes, error);
}

/* With the lock. */
static iswi_placing invoke(iswi_process *process, iswi_call *call, isw_error *failure)
{
    iswi_buffer bytes = { 0 };
    unsigned number;
    uint64_t id;
    isw_status status;

    if (process->state != ISWI_PROCESS_READY)
        return ISWI_PLACE_CLOSED;
    if (process->in_flight >= process->credit || !process->free_count)
        return ISWI_PLACE_FULL;
    number = process->free_places[process->free_count - 1];
    id = ++process->generation << 16 | number;
    status = encode_invoke(call, id, &bytes, failure);
    if (status == ISW_OK)
        status = iswi_link_send(process->link, bytes.data, bytes.size);
    iswi_buffer_fini(&bytes);
    if (status == ISW_E_CLOSED)
        return ISWI_PLACE_CLOSED;
    if (status == ISW_E_BUSY)
        return ISWI_PLACE_FULL;
    if (status != ISW_OK) {
        isw_error_set(failure, status, "%s", isw_status_text(status));
        return ISWI_PLACE_REFUSED;
    }
    process->free_count--;
    process->in_flight++;
    process->places[number] = (iswi_place){ id, call, call->deadline_ns };
    update_load(process);
    return ISWI_PLACED;
}

iswi_placing iswi_process_invoke(iswi_process *process, iswi_call *call, isw_error *failure)
{
    int64_t deadline = call->deadline_ns;
    iswi_placing placing;

    pthread_mutex_lock(&process->lock);
    placing = invoke(process, call, failure);
    pthread_mutex_unlock(&process->lock);
    if (placing == ISWI_PLACED && deadline) /* `call` may be answered and gone by now */
        iswi_host_wake_by(process->host, deadline);
    return placing;
}

void iswi_process_lose_calls(iswi_process *process, const char *why)
{
    for (;;) {
        iswi_call *call = NULL;

        pthread_mutex_lock(&process->lock);
        for (unsigned i = 0; i < process->place_count && !call; i++) {
            call = process->places[i].call;
            if (process->places[i].id)
                free_place(process, process->places[i].id);
        }
        pthread_mutex_unlock(&process->lock);
        if (!call)
            return;
        iswi_call_lost(process->host, call, process, why);
    }
}

/* -- Deadlines --------------------------------------------------------------------------------- */

/* Take the call out of an overdue place and ask the worker to stop it. With the lock. */
static iswi_call *expire(iswi_process *process, iswi_place *place, int64_t now_ns)
{
    iswi_call *call = place->call;
    int64_t grace_ms = process->host->options.cancel_grace_ms;
    iswi_frame frame = { .kind = ISWI_CANCEL, .id = place->id };

    frame.as.cancel.reason = ISWI_CANCEL_DEADLINE;
    frame.as.cancel.grace_ms = (uint64_t)grace_ms;
    iswi_process_send(process, &frame);
    place->call = NULL;
    place->until_ns = now_ns + grace_ms * 1000000;
    return call;
}

/* One overdue call, NULL when there is none; *overdue when the grace of another one is over. */
static iswi_call *next_expired(iswi_process *process, int64_t now_ns, int64_t *next_ns,
                               bool *overdue)
{
    iswi_call *call = NULL;

    pthread_mutex_lock(&process->lock);
    *next_ns = INT64_MAX;
    for (unsigned i = 0; i < process->place_count && !call; i++) {
        iswi_place *place = &process->places[i];

        if (!place->id || !place->until_ns)
            continue;
        if (place->until_ns <= now_ns && place->call)
            call = expire(process, place, now_ns);
        else if (place->until_ns <= now_ns)
            *overdue = true;
        else if (place->until_ns < *next_ns)
            *next_ns = place->until_ns;
    }
    pthread_mutex_unlock(&process->lock);
    return call;
}

int64_t iswi_process_check_deadlines(iswi_process *process, int64_t now_ns)
{
    int64_t next_ns = INT64_MAX;
    bool overdue = false;
    iswi_call *call;

    while ((call = next_expired(process, now_ns, &next_ns, &overdue)) != NULL) {
        iswi_console_say(&process->host->console, ISW_LOG_WARNING,
                         "%s took longer than its %lld ms (%s)", call->function->name,
                         (long long)call->function->timeout_ms, call->invocation_id);
        iswi_call_fail(process->host, call, ISW_E_TIMEOUT, "the function took too long");
    }
    if (overdue && process->state != ISWI_PROCESS_KILLED)
        iswi_process_kill(process, "a function did not stop %lld ms after it was cancelled",
                          (long long)process->host->options.cancel_grace_ms);
    return next_ns;
}

/* -- Frames ------------------------------------------------------------------------------------ */

static isw_status refuse(isw_error *error, const char *what)
{
    return isw_error_set(error, ISW_E_PROTOCOL, "%s", what);
}

static isw_status on_hello(iswi_process *process, const iswi_worker_hello *hello, isw_error *error)
{
    iswi_peer peer = iswi_link_peer(process->link);
    unsigned char difference = 0;

    if (process->hello_came)
        return refuse(error, "a second hello");
    for (size_t i = 0; i < ISWI_TOKEN_BYTES; i++)
        difference |= process->token[i] ^ ((const unsigned char *)hello->token.data)[i];
    if (difference)
        return isw_error_set(error, ISW_E_UNAUTHENTICATED, "the token is wrong");
    if (peer.pid && getpgid(peer.pid) != process->os.pid)
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
    process->hello_came = true;
    iswi_host_wake(process->host);
    return ISW_OK;
}

static isw_status on_metadata(iswi_process *process, iswi_message *message, isw_bytes frame,
                              isw_error *error)
{
    if (!process->metadata_asked || process->metadata)
        return refuse(error, "metadata that nobody asked for");
    process->metadata_asked = false;
    process->metadata = iswi_message_hold(message);
    process->metadata_frame = frame;
    iswi_host_wake(process->host);
    return ISW_OK;
}

static isw_status on_loaded(iswi_process *process, const iswi_loaded *loaded, isw_error *error)
{
    if (!process->loads_awaited)
        return refuse(error, "a loaded that nobody asked for");
    if (loaded->status.code)
        iswi_console_say(&process->host->console, ISW_LOG_ERROR,
                         "worker %s cannot run function number %llu: %.*s", process->label,
                         (unsigned long long)loaded->function, (int)loaded->status.message.size,
                         loaded->status.message.size ? loaded->status.message.data : "");
    if (--process->loads_awaited == 0)
        iswi_host_wake(process->host);
    return ISW_OK;
}

static isw_status on_credit(iswi_process *process, const iswi_credit *credit, isw_error *error)
{
    if (credit->limit > ISWI_CREDIT_MAX)
        return refuse(error, "a credit above 65535");
    if (!grow_places(process, (unsigned)credit->limit))
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its places");
    process->credit = (unsigned)credit->limit;
    update_load(process);
    iswi_host_wake(process->host);
    return ISW_OK;
}

/* Everything but invocations' frames. With the lock. */
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
        return on_loaded(process, &frame->as.loaded, error);
    case ISWI_CREDIT:
        return on_credit(process, &frame->as.credit, error);
    case ISWI_STATUS:
        process->resident_bytes = frame->as.status.resident_bytes;
        return ISW_OK;
    case ISWI_STATUS_REQUEST:
        iswi_process_send(process, &(iswi_frame){ .kind = ISWI_STATUS, .id = frame->id });
        return ISW_OK;
    case ISWI_GOODBYE:
        process->goodbye = true;
        iswi_process_set_state(process, ISWI_PROCESS_LEAVING);
        iswi_host_wake(process->host);
        return ISW_OK;
    case ISWI_ERROR:
        return isw_error_set(error, ISW_E_PROTOCOL, "it gave up: %.*s",
                             (int)frame->as.error.status.message.size,
                             frame->as.error.status.message.size
                                 ? frame->as.error.status.message.data
                                 : "");
    case ISWI_RELOADED:
    case ISWI_WARMED:
        return ISW_OK;
    default:
        if (frame->kind > ISWI_KIND_CORE_MAX)
            return ISW_OK;
        return isw_error_set(error, ISW_E_PROTOCOL, "a worker does not send %s",
                             iswi_kind_name(frame->kind));
    }
}

static void fill_answer(held_answer *held, iswi_answer *answer)
{
    const iswi_response *response = &held->frame.as.response;

    *answer = (iswi_answer){ .outcome = response->outcome <= ISW_OUTCOME_RETRY_LATER
                                            ? (isw_outcome)response->outcome
                                            : ISW_OUTCOME_FAILED,
                             .status = iswi_status_of_wire(&response->status),
                             .message = response->status.message,
                             .result = response->result,
                             .retry_after_ms = response->retry_after_ms,
                             .held = held };
    if (answer->outcome != ISW_OUTCOME_SUCCESS && answer->status == ISW_OK)
        answer->status = ISW_E_FAILED;
}

static isw_status on_response(iswi_process *process, iswi_message *message, isw_bytes bytes,
                              isw_error *error)
{
    held_answer *held = iswi_calloc(1, sizeof *held);
    iswi_place *place;
    iswi_call *call;
    iswi_answer answer;
    size_t used;
    isw_status status;

    if (!held)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its response");
    iswi_arena_init(&held->arena, 1024);
    held->message = iswi_message_hold(message);
    status = iswi_frame_decode(bytes.data, bytes.size, &held->arena, &held->frame, &used, error);
    pthread_mutex_lock(&process->lock);
    place = status == ISW_OK ? find_place(process, held->frame.id) : NULL;
    call = place ? place->call : NULL;
    if (place) {
        free_place(process, held->frame.id);
        process->answered++;
    }
    pthread_mutex_unlock(&process->lock);
    if (status == ISW_OK && !place)
        status = refuse(error, "a response that nobody waits for");
    if (!call) {
        iswi_answer_release(held);
        return status;
    }
    fill_answer(held, &answer);
    iswi_call_finish(process->host, call, &answer);
    return ISW_OK;
}

static void show_log(iswi_process *process, uint64_t id, const iswi_log *log)
{
    iswi_logline line = { .level = log->level <= ISW_LOG_CRITICAL ? (isw_log_level)log->level
                                                                  : ISW_LOG_CRITICAL,
                          .time_us = (int64_t)log->time_us,
                          .source = isw_str_of(process->label),
                          .category = log->category,
                          .message = log->message,
                          .fields = log->fields.items,
                          .field_count = log->fields.count };
    char invocation[sizeof((iswi_call *)0)->invocation_id] = "";
    const iswi_place *place;

    pthread_mutex_lock(&process->lock);
    place = find_place(process, id);
    if (place && place->call)
        memcpy(invocation, place->call->invocation_id, sizeof invocation);
    pthread_mutex_unlock(&process->lock);
    line.invocation_id = isw_str_of(invocation);
    iswi_console_line(&process->host->console, &line);
}

static isw_status on_other(iswi_process *process, iswi_message *message, isw_bytes bytes,
                           isw_error *error)
{
    iswi_arena arena;
    iswi_frame frame;
    size_t used;
    isw_status status;

    iswi_arena_init(&arena, 4096);
    status = iswi_frame_decode(bytes.data, bytes.size, &arena, &frame, &used, error);
    if (status == ISW_OK && frame.kind == ISWI_LOG && process->hello_came) {
        show_log(process, frame.id, &frame.as.log);
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

    frame.as.error.status = iswi_status_to_wire(error->status, error->message);
    pthread_mutex_lock(&process->lock);
    isw_error_set(&process->fault, error->status, "%s", error->message);
    iswi_process_send(process, &frame);
    iswi_process_set_state(process, ISWI_PROCESS_KILLED);
    pthread_mutex_unlock(&process->lock);
    iswi_host_wake(process->host);
}

static void on_message(void *user, iswi_message *message)
{
    iswi_process *process = user;
    isw_bytes left = iswi_message_bytes(message);
    isw_error error = { ISW_OK, "" };
    isw_status status = ISW_OK;

    atomic_store(&process->heard_ns, iswi_now_ns());
    while (left.size && status == ISW_OK) {
        isw_bytes one = left;
        uint64_t kind;
        uint64_t id;

        status = iswi_frame_peek(left.data, left.size, &kind, &id, &one.size, &error);
        if (status == ISW_OK && kind == ISWI_RESPONSE)
            status = on_response(process, message, one, &error);
        else if (status == ISW_OK)
            status = on_other(process, message, one, &error);
        left.data = (const char *)left.data + one.size;
        left.size -= one.size;
    }
    if (status != ISW_OK)
        give_up(process, &error);
}

static void on_closed(void *user)
{
    iswi_process *process = user;

    pthread_mutex_lock(&process->lock);
    process->closed = true;
    if (process->state == ISWI_PROCESS_READY || process->state == ISWI_PROCESS_LOADING)
        iswi_process_set_state(process, ISWI_PROCESS_LEAVING);
    pthread_mutex_unlock(&process->lock);
    iswi_process_lose_calls(process, "the worker ended before it answered");
    iswi_host_wake(process->host);
}

void iswi_process_events(iswi_process *process, iswi_link_events *events)
{
    *events = (iswi_link_events){ on_message, on_closed, process };
}
