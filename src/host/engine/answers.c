/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker says of an invocation: its answer, at once or in pieces, and what comes before it.
 * It is for the call in that place, if there is one still. */
#include "host/engine/answers.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/engine.h"

enum { CLOCKS_DIFFER_NS = 2000000 };

typedef struct held_answer {
    iswi_message *message;
    isw_bytes bytes; /* its frame, in the message */
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

/* Chunks and windows may have crossed what ended their call. */
static iswi_call *call_of(iswi_process *process, uint64_t id)
{
    const iswi_place *place = iswi_process_find_place(process, id);

    return place ? place->call : NULL;
}

isw_status iswi_answers_head(iswi_process *process, uint64_t id, const iswi_head *head,
                             isw_error *error)
{
    iswi_call *call = call_of(process, id);
    isw_status status = ISW_E_UNSUPPORTED;

    if (call)
        call->answer_streams = true;
    if (call && call->events && call->events->head)
        status = call->events->head(call->user, &head->http);
    if (!call || status == ISW_OK)
        return ISW_OK;
    return isw_error_set(error, ISW_E_PROTOCOL, "a head that cannot begin an answer (%s)",
                         isw_status_text(status));
}

isw_status iswi_answers_chunk(iswi_process *process, uint64_t id, const iswi_chunk *chunk,
                              isw_error *error)
{
    const iswi_call *call = call_of(process, id);
    isw_status status = ISW_E_CONFLICT;

    if (call && call->events && call->events->chunk)
        status = call->events->chunk(call->user, chunk->bytes);
    if (!call || status == ISW_OK)
        return ISW_OK;
    return isw_error_set(error, ISW_E_PROTOCOL, "%s",
                         status == ISW_E_TOO_LARGE ? "a chunk beyond its window"
                                                   : "a chunk before its head");
}

void iswi_answers_window(iswi_process *process, uint64_t id, const iswi_window *window)
{
    const iswi_call *call = call_of(process, id);

    if (call && call->events && call->events->window)
        call->events->window(call->user, window->bytes);
}

/* A worker that notices the end of the time, or obeys our cancel, may say no more than that it was
 * cancelled. Our clock and its own may differ by what `timeout_ms` was rounded by. */
static isw_status reason_of(const iswi_call *call, bool stopping)
{
    if (call->deadline_ns && iswi_now_ns() >= call->deadline_ns - CLOCKS_DIFFER_NS)
        return ISW_E_TIMEOUT;
    return stopping ? ISW_E_UNAVAILABLE : ISW_E_CANCELLED;
}

/* Why an invocation did not succeed whose response does not say it. */
static isw_status status_by(isw_outcome outcome)
{
    return outcome == ISW_OUTCOME_CANCELLED     ? ISW_E_CANCELLED
           : outcome == ISW_OUTCOME_RETRY_LATER ? ISW_E_UNAVAILABLE
                                                : ISW_E_FAILED;
}

static void fill_answer(held_answer *held, iswi_answer *answer)
{
    const iswi_response *response = &held->frame.as.response;

    *answer = (iswi_answer){ .outcome = response->outcome <= ISW_OUTCOME_RETRY_LATER
                                            ? (isw_outcome)response->outcome
                                            : ISW_OUTCOME_FAILED,
                             .status = iswi_status_of_wire(&response->status),
                             .retriable = response->status.retriable,
                             .message = response->status.message,
                             .told = &response->status,
                             .result = response->result,
                             .outputs = response->outputs,
                             .retry_after_ms = response->retry_after_ms,
                             .principal = response->principal,
                             .took_ns = response->took_ns < INT64_MAX ? (int64_t)response->took_ns
                                                                      : INT64_MAX,
                             .held = held };
    if (answer->outcome != ISW_OUTCOME_SUCCESS && answer->status == ISW_OK)
        answer->status = status_by(answer->outcome);
}

static void take_outputs(iswi_process *process, iswi_call *call, const isw_map *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        const isw_named_value *output = &outputs->items[i];

        if (!iswi_output_keep(process->host, call, output->name, &output->value))
            iswi_output_take(process->host, call->function, call->invocation_id, output->name,
                             &output->value);
    }
}

void iswi_answers_output(iswi_process *process, uint64_t id, const iswi_output *output)
{
    const iswi_host_function *function = NULL;
    char invocation[sizeof((iswi_call *)0)->invocation_id];
    iswi_call *call;

    pthread_mutex_lock(&process->lock);
    call = call_of(process, id);
    if (call && process->host->observers.look_at_outputs)
        iswi_output_note(call, output);
    if (call && !iswi_output_keep(process->host, call, output->name, &output->value)) {
        function = call->function;
        memcpy(invocation, call->invocation_id, sizeof invocation);
    }
    pthread_mutex_unlock(&process->lock);
    if (function)
        iswi_output_take(process->host, function, invocation, output->name, &output->value);
}

/* Keep and decode. What lies apart in memory that the worker can write stays there so far. */
static isw_status take_response(held_answer *held, iswi_message *message, isw_bytes bytes,
                                isw_error *error)
{
    size_t used;

    held->message = iswi_message_keep(message, &bytes);
    if (!held->message)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its response");
    held->bytes = bytes;
    return iswi_frame_decode_apart(bytes, iswi_message_apart(held->message), &held->arena,
                                   &held->frame, &used, error);
}

/* Whether nobody looks at what lies apart, but passes it on as it is. */
static bool is_passed_on(const iswi_process *process, const iswi_call *call,
                         const held_answer *held)
{
    return call->passes_on && !process->host->observers.look_at_answers &&
           isw_value_payload(&held->frame.as.response.result).data ==
               held->message->apart->bytes.data;
}

/* See to it that the answer is the host's own, but for what its caller only passes on. Errors:
 * ISW_E_NO_MEMORY. */
static isw_status own_apart(const iswi_process *process, const iswi_call *call, held_answer *held)
{
    size_t used;

    if (!held->message->apart || is_passed_on(process, call, held))
        return ISW_OK;
    if (iswi_message_own_apart(held->message) != ISW_OK)
        return ISW_E_NO_MEMORY;
    iswi_arena_reset(&held->arena);
    return iswi_frame_decode_apart(held->bytes, iswi_message_apart(held->message), &held->arena,
                                   &held->frame, &used, NULL);
}

/* Take the call out of its place. NULL: it was answered before, or *expected is false. */
static iswi_call *take_call(iswi_process *process, const iswi_frame *frame, bool *expected,
                            bool *stopping)
{
    iswi_place *place;
    iswi_call *call;

    pthread_mutex_lock(&process->lock);
    place = iswi_process_find_place(process, frame->id);
    call = place ? place->call : NULL;
    *expected = place != NULL;
    *stopping = place && place->stopping;
    if (call)
        iswi_process_count(process, frame->as.response.outcome == (uint64_t)ISW_OUTCOME_SUCCESS);
    if (place) {
        iswi_process_free_place(process, frame->id);
        process->answered++;
    }
    pthread_mutex_unlock(&process->lock);
    return call;
}

/* Why it is no success after all: the call's own words would be gone before what is held. */
static isw_str hold_why(const iswi_call *call, held_answer *held)
{
    const char *why =
        call->outbox_why ? iswi_arena_printf(&held->arena, "%s", call->outbox_why) : NULL;

    return isw_str_of(why ? why : "the function put out what cannot be kept");
}

static void answer_call(iswi_process *process, iswi_call *call, held_answer *held, bool stopping)
{
    iswi_answer answer;

    fill_answer(held, &answer);
    answer.function = call->function;
    if (answer.status == ISW_E_CANCELLED) {
        answer.status = reason_of(call, stopping);
        answer.retriable = isw_status_retriable(answer.status);
    }
    if (answer.took_ns)
        iswi_function_learn(call->function, answer.took_ns);
    answer.at_ns = atomic_load_explicit(&process->heard_ns, memory_order_relaxed);
    if (answer.outcome == ISW_OUTCOME_SUCCESS)
        take_outputs(process, call, &held->frame.as.response.outputs);
    else if (!held->frame.as.response.logged && !call->complained)
        iswi_failure_say(process, call, &answer, &held->frame.as.response.status);
    if (answer.outcome == ISW_OUTCOME_SUCCESS && call->outbox_status)
        answer.message = hold_why(call, held);
    iswi_call_conclude(process->host, call, &answer);
}

isw_status iswi_answers_response(iswi_process *process, iswi_message *message, isw_bytes bytes,
                                 isw_error *error)
{
    held_answer *held = iswi_calloc(1, sizeof *held);
    iswi_call *call = NULL;
    bool stopping = false;
    bool expected;
    isw_status status;

    if (!held)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for its response");
    iswi_arena_init(&held->arena, 1024);
    status = take_response(held, message, bytes, error);
    if (atomic_load_explicit(&process->printing.lately, memory_order_relaxed))
        iswi_printing_drain(process);
    if (status == ISW_OK) {
        call = take_call(process, &held->frame, &expected, &stopping);
        if (!expected)
            status = isw_error_set(error, ISW_E_PROTOCOL, "a response that nobody waits for");
    }
    if (call && own_apart(process, call, held) == ISW_OK) {
        answer_call(process, call, held, stopping);
        return ISW_OK;
    }
    iswi_answer_release(held);
    if (call)
        iswi_call_fail(process->host, call, ISW_E_NO_MEMORY, "no memory for its answer");
    return status;
}

void iswi_answers_log(iswi_process *process, uint64_t id, const iswi_log *log)
{
    iswi_logline line = { .level = log->level <= ISW_LOG_CRITICAL ? (isw_log_level)log->level
                                                                  : ISW_LOG_CRITICAL,
                          .time_us = (int64_t)log->time_us,
                          .source = isw_str_of(process->label),
                          .category = log->category,
                          .message = log->message,
                          .fields = log->fields.items,
                          .field_count = log->fields.count };
    iswi_author who;
    iswi_call *call;

    line.invocation_id = log->invocation;
    line.function = log->function;
    pthread_mutex_lock(&process->lock);
    who = iswi_process_who(process, id);
    call = call_of(process, id);
    if (call)
        call->complained = call->complained || line.level >= ISW_LOG_WARNING;
    pthread_mutex_unlock(&process->lock);
    if (who.function) {
        line.invocation_id = isw_str_of(who.invocation_id);
        line.function = isw_str_of(who.function->name); /* lives as long as the host */
    }
    iswi_log_line(process->host, &line, ISWI_SPEAKER_OTHERS);
}
