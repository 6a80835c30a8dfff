/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls by hand. Invariant: the whole goes when both have let go of it, whoever asks and the call;
 * so whoever asks may leave at any time, and the call has what it was begun with until its answer.
 */
#include "host/operate/invoke.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/gather.h"
#include "host/engine/look.h"
#include "host/operate/command.h"
#include "host/operate/control.h"
#include "host/operate/report.h"
#include "value/copy.h"
#include "value/typed.h"

#include <stdatomic.h>
#include <stdio.h>

enum { MS = 1000000 };

struct iswi_invoking {
    iswi_host *host;
    iswi_arena arena; /* of the event, then of the line */
    const char *function;
    iswi_made_up event;
    int64_t begun_ns, until_ns;
    bool called, commanded; /* it is on its way, by one or the other */
    bool limited;           /* by a timeout of the function's own, which comes before */
    bool patient;           /* by nothing: whoever asks has less time than the call */
    iswi_command command;
    iswi_gather gather;
    atomic_uint holders;
    /* Of the answer, once it is `answered`: */
    atomic_bool answered;
    iswi_answer answer;
    char invocation_id[33];
    char message[ISW_ERROR_MESSAGE_BYTES]; /* where nothing holds it */
    int64_t took_ns;
};

/* -- Life -------------------------------------------------------------------------------------- */

static void let_go(iswi_invoking *invoking)
{
    if (atomic_fetch_sub(&invoking->holders, 1) != 1)
        return;
    iswi_answer_release(invoking->answer.held);
    iswi_gather_fini(&invoking->gather);
    iswi_arena_fini(&invoking->arena);
    iswi_free(invoking);
}

static bool copy_event(iswi_invoking *invoking, const iswi_made_up *event)
{
    iswi_arena *arena = &invoking->arena;
    iswi_made_up *own = &invoking->event;

    return iswi_value_copy(arena, &event->data, &own->data) &&
           iswi_str_copy(arena, event->content_type, &own->content_type) &&
           iswi_str_copy(arena, event->method, &own->method) &&
           iswi_pairs_copy(arena, &event->params, &own->params) &&
           iswi_pairs_copy(arena, &event->query, &own->query) &&
           iswi_pairs_copy(arena, &event->headers, &own->headers);
}

isw_status iswi_invoking_begin(iswi_host *host, const char *function, const iswi_made_up *event,
                               int64_t wait_ms, iswi_invoking **out, isw_error *error)
{
    iswi_invoking *invoking = iswi_calloc(1, sizeof *invoking);

    if (!invoking)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a call");
    iswi_arena_init(&invoking->arena, 4096);
    atomic_init(&invoking->holders, 1);
    invoking->host = host;
    invoking->begun_ns = iswi_now_ns();
    invoking->until_ns = invoking->begun_ns + wait_ms * MS;
    invoking->function = iswi_arena_strndup(&invoking->arena, function, strlen(function));
    if (!invoking->function || !copy_event(invoking, event)) {
        let_go(invoking);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a call");
    }
    *out = invoking;
    return ISW_OK;
}

void iswi_invoking_leave(iswi_invoking *invoking)
{
    if (!invoking)
        return;
    if (invoking->called && !atomic_load(&invoking->answered))
        iswi_gather_leave(&invoking->gather);
    let_go(invoking);
}

/* -- Calling ----------------------------------------------------------------------------------- */

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    iswi_invoking *invoking = user;

    invoking->answer = *answer;
    if (!answer->held && answer->message.size) { /* it lives on the stack of whoever answers */
        snprintf(invoking->message, sizeof invoking->message, "%.*s", (int)answer->message.size,
                 answer->message.data);
        invoking->answer.message = isw_str_of(invoking->message);
    }
    (void)invocation_id; /* call() has named it */
    invoking->took_ns = iswi_now_ns() - invoking->begun_ns;
    atomic_store(&invoking->answered, true);
    let_go(invoking);
}

static isw_status call(iswi_invoking *invoking, iswi_host_function *function, isw_error *error)
{
    iswi_call one = { .deadline_ns = invoking->until_ns,
                      .patience_ns = invoking->until_ns,
                      .answer = on_answer,
                      .user = invoking };
    iswi_function_look look;
    isw_status status = iswi_host_make_up(invoking->host, function, &invoking->event,
                                          &invoking->arena, &one, error);

    if (status != ISW_OK)
        return status;
    iswi_function_look_at(function, &look);
    invoking->limited =
        look.timeout_ms && iswi_now_ns() + look.timeout_ms * MS < invoking->until_ns;
    invoking->patient = look.patient;
    iswi_call_name(invoking->host, one.invocation_id);
    memcpy(invoking->invocation_id, one.invocation_id, sizeof one.invocation_id);
    invoking->called = true;
    atomic_fetch_add(&invoking->holders, 1);
    iswi_gather_start(invoking->host, &one, &invoking->gather);
    return ISW_E_BUSY;
}

/* It is run as its trigger does, by what that knows: its name alone. */
static isw_status command(iswi_invoking *invoking, iswi_host_function *function, const char *type,
                          const char *verb, isw_error *error)
{
    const iswi_made_up *event = &invoking->event;
    const char *name = iswi_host_function_name(function);
    iswi_function_look look;

    iswi_function_look_at(function, &look);
    if (look.unserved)
        return isw_error_set(error, ISW_E_UNSUPPORTED, "%s", look.unserved);
    if (event->data.type != ISW_VALUE_NONE || event->method.size || event->params.count ||
        event->query.count || event->headers.count)
        return isw_error_set(error, ISW_E_INVALID, "function %s is run by its trigger \"%s\", "
                             "which has nothing to give it: leave out the data", name, type);
    invoking->commanded = true;
    invoking->command = (iswi_command){ type, { verb, name, false } };
    return ISW_E_BUSY;
}

/* ISW_E_BUSY: it has begun, or its function may become known. */
static isw_status begin(iswi_invoking *invoking, isw_error *error)
{
    iswi_phase phase = iswi_host_phase(invoking->host);
    iswi_host_function *function;
    const char *type;
    const char *verb;

    if (phase == ISWI_PHASE_DRAINING || phase == ISWI_PHASE_STOPPING)
        return isw_error_set(error, ISW_E_UNAVAILABLE,
                             phase == ISWI_PHASE_STOPPING ? "the host stops"
                                                          : "the host drains, as it was asked to");
    if (iswi_host_find_meant(invoking->host, invoking->function, &function, error) != ISW_OK)
        return error->status;
    if (!function &&
        (phase == ISWI_PHASE_STARTING || iswi_host_awaits_functions(invoking->host)))
        return ISW_E_BUSY;
    if (!function)
        return iswi_host_refuse_function(invoking->host, invoking->function, error);
    verb = iswi_host_run_verb(function, &type);
    return verb ? command(invoking, function, type, verb, error) : call(invoking, function, error);
}

/* -- Telling ----------------------------------------------------------------------------------- */

static void tell_answer(iswi_invoking *invoking, iswi_buffer *out)
{
    const iswi_answer *answer = &invoking->answer;
    iswi_report_invoked line = { .invocation_id = invoking->invocation_id,
                                 .outcome = iswi_outcome_name(answer->outcome),
                                 .result = isw_value_none(),
                                 .took_us = invoking->took_ns / 1000,
                                 .retry_after_ms = (int64_t)answer->retry_after_ms };

    if (answer->outcome != ISW_OUTCOME_SUCCESS) {
        line.status = isw_status_name(answer->status);
        line.message = answer->message.size
                           ? iswi_arena_strndup(&invoking->arena, answer->message.data,
                                                answer->message.size)
                           : isw_status_text(answer->status);
        line.refused = answer->refused;
        line.late = answer->status == ISW_E_TIMEOUT && !invoking->limited;
    }
    if (answer->result.type != ISW_VALUE_NONE && iswi_typed_encode(&invoking->arena,
                                                                   &answer->result,
                                                                   &line.result) != ISW_OK)
        out->failed = true;
    iswi_report_struct(iswi_invoked_fields, &line, &invoking->arena, out);
}

/* Nobody waits for it any more, and no answer says so: leaving cancels what runs. */
static isw_status tell_late(iswi_invoking *invoking, iswi_buffer *out)
{
    const iswi_report_invoked line = {
        .invocation_id = invoking->invocation_id,
        .outcome = iswi_outcome_name(ISW_OUTCOME_CANCELLED),
        .status = isw_status_name(ISW_E_TIMEOUT),
        .message = invoking->called ? "its worker has not answered in time"
                                    : "no worker with it has come in time",
        .result = isw_value_none(),
        .took_us = (iswi_now_ns() - invoking->begun_ns) / 1000,
        .late = true,
    };

    iswi_report_struct(iswi_invoked_fields, &line, &invoking->arena, out);
    return ISW_E_FAILED;
}

/* What a command has appended so far counts once it is over, or its time is. */
static isw_status tell_command(iswi_invoking *invoking, iswi_buffer *out, isw_error *error)
{
    size_t before = out->size;
    isw_status status = iswi_command_try(invoking->host, &invoking->command, out, error);

    if (status != ISW_E_BUSY)
        return status;
    if (iswi_now_ns() >= invoking->until_ns)
        return ISW_OK;
    out->size = before;
    return ISW_E_BUSY;
}

/* A call that times out is answered so, by and by. */
static bool is_late(const iswi_invoking *invoking)
{
    return (!invoking->called || invoking->patient) && iswi_now_ns() >= invoking->until_ns;
}

isw_status iswi_invoking_tell(iswi_invoking *invoking, iswi_buffer *out, isw_error *error)
{
    isw_status begun = invoking->called || invoking->commanded ? ISW_E_BUSY
                                                               : begin(invoking, error);

    if (begun != ISW_E_BUSY)
        return begun;
    if (invoking->commanded)
        return tell_command(invoking, out, error);
    if (!invoking->called || !atomic_load(&invoking->answered))
        return is_late(invoking) ? tell_late(invoking, out) : ISW_E_BUSY;
    if (invoking->answer.moved) { /* it may be there again, by this name */
        invoking->called = false;
        iswi_answer_release(invoking->answer.held);
        invoking->answer = (iswi_answer){ .held = NULL };
        atomic_store(&invoking->answered, false);
        return ISW_E_BUSY;
    }
    tell_answer(invoking, out);
    return invoking->answer.outcome == ISW_OUTCOME_SUCCESS ? ISW_OK : ISW_E_FAILED;
}
