/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event at a time: asked for, worked on, told what came of it. Invariant: `busy` counts a slot
 * from its event's coming until the API has heard of it, or cannot be told.
 */
#include "host/lambda/internal.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/clock.h"
#include "host/engine/log.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#define RUNTIME "/2018-06-01/runtime/invocation/"
#define AGAIN_NS INT64_C(50000000) /* until a question that failed is asked again, at first */

enum { ARENA_BYTES = 4096, ASKS_MOST = 5, TELLS_MOST = 3, PATH_BYTES = 256, SAID_MOST = 200 };
enum { ALONG_BYTES = 64 * 1024 }; /* of a result, at most, that the next question goes along with */

static void ask(iswi_lambda_slot *slot)
{
    slot->phase = ISWI_LAMBDA_ASKS;
    if (!iswi_lambda_api_asked_ahead(&slot->api))
        iswi_lambda_api_ask(&slot->api, &(iswi_lambda_question){ .method = "GET",
                                                                 .path = RUNTIME "next" });
}

static bool wants_events(const iswi_lambda *lambda)
{
    return !lambda->held && !lambda->stops && !atomic_load(&lambda->lost);
}

void iswi_lambda_slot_look(iswi_lambda_slot *slot)
{
    const iswi_lambda *lambda = slot->lambda;
    const bool wanted = wants_events(lambda);

    if (!wanted && (slot->phase == ISWI_LAMBDA_ASKS ||
                    (slot->phase == ISWI_LAMBDA_RESTS && slot->api.ahead))) {
        iswi_lambda_api_close(&slot->api);
        slot->phase = ISWI_LAMBDA_RESTS;
    }
    if (!wanted && slot->phase == ISWI_LAMBDA_RESTS)
        iswi_reactor_cancel_timer(lambda->reactor, &slot->again);
    else if (wanted && slot->phase == ISWI_LAMBDA_RESTS && !slot->again.is_set)
        ask(slot);
}

/* -- The end of an event ----------------------------------------------------------------------- */

void iswi_lambda_slot_over(iswi_lambda_slot *slot)
{
    iswi_lambda *lambda = slot->lambda;

    iswi_arena_reset(&slot->arena);
    iswi_buffer_fini(&slot->text);
    iswi_buffer_fini(&slot->out);
    *slot->failure = '\0';
    slot->entry = NULL;
    slot->guest = NULL;
    slot->gathers = slot->cut = false;
    slot->tells = 0;
    slot->sends = 0;
    slot->phase = ISWI_LAMBDA_RESTS;
    atomic_fetch_sub(&lambda->busy, 1);
    if (lambda->stops)
        sem_post(&lambda->idle);
    iswi_lambda_slot_look(slot);
}

/* Lambda need not hear any more of it. */
static void end(iswi_lambda_slot *slot)
{
    if (slot->api.ahead || !slot->lambda->waits(slot))
        iswi_lambda_slot_over(slot);
}

static void say_refusal(const iswi_lambda_slot *slot, const iswi_lambda_answer *answer)
{
    const int size = answer->body.size < SAID_MOST ? (int)answer->body.size : SAID_MOST;

    if (answer->status)
        iswi_say(slot->lambda->host, ISW_LOG_ERROR,
                 "the Runtime API does not take what came of event %.*s: status %d %.*s",
                 (int)slot->invocation.id.size, slot->invocation.id.data, answer->status, size,
                 size ? (const char *)answer->body.data : "");
    else
        iswi_say(slot->lambda->host, ISW_LOG_ERROR,
                 "the Runtime API could not be told what came of event %.*s: %s",
                 (int)slot->invocation.id.size, slot->invocation.id.data, answer->why);
}

/* -- Telling ----------------------------------------------------------------------------------- */

static void path_of(const iswi_lambda_slot *slot, const char *what, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, RUNTIME "%.*s/%s", (int)slot->invocation.id.size,
             slot->invocation.id.data, what);
}

static void set_failure(iswi_lambda_slot *slot, const char *type, isw_str message)
{
    snprintf(slot->failure, sizeof slot->failure, "%s", type);
    iswi_buffer_fini(&slot->out);
    iswi_lambda_failure_write(&slot->out, type, message);
}

/* What Lambda would not take is a failure of which it can say why. */
static void check_size(iswi_lambda_slot *slot)
{
    char text[128];

    if (slot->out.failed) {
        set_failure(slot, "Runtime.OutOfMemory", isw_str_of("there is no memory for the result"));
    } else if (slot->out.size > ISWI_LAMBDA_PAYLOAD_BYTES) {
        snprintf(text, sizeof text, "the result has %zu bytes as Lambda gets it, more than the %d "
                 "that it takes", slot->out.size, ISWI_LAMBDA_PAYLOAD_BYTES);
        set_failure(slot, "Function.ResponseSizeTooLarge", isw_str_of(text));
    }
}

/* The next question goes along, which saves both sides a turn: the API takes one after the other. Not
 * on a connection that may end with each answer, nor behind a result that may be refused unread, nor
 * while something is to be sent before the environment is frozen. */
static const char *along(iswi_lambda_slot *slot)
{
    return slot->api.used && slot->out.size <= ALONG_BYTES && wants_events(slot->lambda) &&
                   !slot->lambda->sends(slot)
               ? RUNTIME "next"
               : NULL;
}

static void tell(iswi_lambda_slot *slot)
{
    char path[PATH_BYTES];
    char fields[192];
    isw_bytes body;

    check_size(slot);
    slot->phase = ISWI_LAMBDA_TELLS;
    slot->tells++;
    path_of(slot, *slot->failure ? "error" : "response", path);
    snprintf(fields, sizeof fields, "Content-Type: %s\r\n%s%s%s",
             *slot->failure ? "application/json" : slot->content_type,
             *slot->failure ? "Lambda-Runtime-Function-Error-Type: " : "", slot->failure,
             *slot->failure ? "\r\n" : "");
    body = (isw_bytes){ slot->out.data, slot->out.size };
    iswi_lambda_api_ask(&slot->api, &(iswi_lambda_question){ .method = "POST",
                                                             .path = path,
                                                             .fields = fields,
                                                             .body = &body,
                                                             .next = along(slot) });
}

static void on_settled(iswi_task *task)
{
    tell((iswi_lambda_slot *)((char *)task - offsetof(iswi_lambda_slot, task)));
}

void iswi_lambda_slot_settle(iswi_lambda_slot *slot)
{
    if (iswi_reactor_is_own(slot->lambda->reactor)) {
        tell(slot);
        return;
    }
    slot->task.run = on_settled;
    iswi_reactor_post(slot->lambda->reactor, &slot->task);
}

void iswi_lambda_slot_fail(iswi_lambda_slot *slot, const char *type, isw_str message)
{
    set_failure(slot, type, message);
    iswi_lambda_slot_settle(slot);
}

/* Again on another connection, where none answered: what was told twice is refused, and no harm. */
static void on_told(iswi_lambda_slot *slot, const iswi_lambda_answer *answer)
{
    const bool fine = answer->status >= 200 && answer->status < 300;

    if (!answer->status && slot->tells < TELLS_MOST) {
        tell(slot);
        return;
    }
    if (!fine)
        say_refusal(slot, answer);
    end(slot);
}

/* -- Streams ----------------------------------------------------------------------------------- */

void iswi_lambda_slot_stream(iswi_lambda_slot *slot, const char *content_type)
{
    char path[PATH_BYTES];
    char fields[320];

    path_of(slot, "response", path);
    snprintf(fields, sizeof fields,
             "Content-Type: %s\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"
             "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n",
             content_type);
    slot->phase = ISWI_LAMBDA_STREAMS;
    iswi_lambda_api_begin(&slot->api, path, fields);
    iswi_lambda_slot_stream_on(slot);
}

void iswi_lambda_slot_stream_on(iswi_lambda_slot *slot)
{
    if (!slot->cut)
        iswi_lambda_api_put(&slot->api, (isw_bytes){ slot->out.data, slot->out.size });
    iswi_buffer_reset(&slot->out);
}

void iswi_lambda_slot_stream_end(iswi_lambda_slot *slot, const char *failure, const char *message)
{
    iswi_buffer trailer = { 0 };
    iswi_buffer body = { 0 };

    if (slot->cut)
        return;
    if (failure) {
        iswi_lambda_failure_write(&body, failure, isw_str_of(message));
        iswi_buffer_printf(&trailer, "Lambda-Runtime-Function-Error-Type: %s\r\n"
                           "Lambda-Runtime-Function-Error-Body: ", failure);
        iswi_base64_append(&trailer, (isw_bytes){ body.data, body.size });
        iswi_buffer_append_text(&trailer, "\r\n");
    }
    slot->phase = ISWI_LAMBDA_TELLS;
    slot->tells = TELLS_MOST; /* what has begun is not told again */
    iswi_lambda_api_end(&slot->api, iswi_buffer_text(&trailer) ? iswi_buffer_text(&trailer) : "");
    iswi_buffer_fini(&trailer);
    iswi_buffer_fini(&body);
}

/* Whoever has the stream may be up the stack: it is left once nobody is. */
static void on_cut(iswi_task *task)
{
    iswi_lambda_slot *slot = (iswi_lambda_slot *)((char *)task - offsetof(iswi_lambda_slot, task));

    if (slot->guest)
        iswi_http_guest_leave(slot->guest);
    end(slot);
}

/* The API has enough of it before its end. */
static void cut(iswi_lambda_slot *slot, const iswi_lambda_answer *answer)
{
    say_refusal(slot, answer);
    iswi_lambda_api_close(&slot->api);
    slot->cut = true;
    slot->task.run = on_cut;
    iswi_reactor_defer(slot->lambda->reactor, &slot->task);
}

static void on_taken(void *user)
{
    iswi_lambda_slot *slot = user;

    if (slot->phase == ISWI_LAMBDA_STREAMS && slot->guest && !slot->cut)
        iswi_http_guest_go_on(slot->guest);
}

/* -- Asking ------------------------------------------------------------------------------------ */

static void on_again(iswi_timer *timer)
{
    iswi_lambda_slot_look((iswi_lambda_slot *)((char *)timer - offsetof(iswi_lambda_slot, again)));
}

/* There will be no event any more: the host ends when those that it has are through. */
static void lose(iswi_lambda_slot *slot, const iswi_lambda_answer *answer)
{
    iswi_lambda *lambda = slot->lambda;
    const int size = answer->body.size < SAID_MOST ? (int)answer->body.size : SAID_MOST;

    if (atomic_load(&lambda->lost))
        return;
    if (answer->status)
        isw_error_set(&lambda->loss, ISW_E_CLOSED,
                      "the Runtime API at %s gives no event: status %d %.*s", lambda->place.text,
                      answer->status, size, size ? (const char *)answer->body.data : "");
    else
        isw_error_set(&lambda->loss, ISW_E_CLOSED, "the Runtime API at %s cannot be reached: %s",
                      lambda->place.text, answer->why);
    iswi_say(lambda->host, ISW_LOG_ERROR, "lambda: %s; it ends once what is under way is told",
             lambda->loss.message);
    atomic_store(&lambda->lost, true);
    iswi_host_tend_by(lambda->host, iswi_now_ns());
}

static void on_no_event(iswi_lambda_slot *slot, const iswi_lambda_answer *answer)
{
    iswi_reactor *reactor = slot->lambda->reactor;

    slot->phase = ISWI_LAMBDA_RESTS;
    if (answer->status || ++slot->failures == ASKS_MOST) {
        lose(slot, answer);
        return;
    }
    iswi_reactor_set_timer(reactor, &slot->again,
                           iswi_now_ns() + (AGAIN_NS << slot->failures));
}

static void on_event(iswi_lambda_slot *slot, const iswi_lambda_answer *answer)
{
    const iswi_lambda_answer broken = { .why = "it gave an event that has no request id" };

    slot->failures = 0;
    if (!iswi_lambda_invocation_read(&answer->headers, &slot->arena, &slot->invocation)) {
        on_no_event(slot, &broken);
        return;
    }
    slot->text = slot->api.content;
    slot->api.content = (iswi_buffer){ 0 };
    slot->content_type = "application/json";
    slot->phase = ISWI_LAMBDA_WORKS;
    atomic_fetch_add(&slot->lambda->busy, 1);
    slot->lambda->lead(slot);
}

static void on_answered(void *user, const iswi_lambda_answer *answer)
{
    iswi_lambda_slot *slot = user;

    if (slot->phase == ISWI_LAMBDA_ASKS && answer->status == 200)
        on_event(slot, answer);
    else if (slot->phase == ISWI_LAMBDA_ASKS)
        on_no_event(slot, answer);
    else if (slot->phase == ISWI_LAMBDA_STREAMS)
        cut(slot, answer);
    else
        on_told(slot, answer);
}

void iswi_lambda_slot_init(iswi_lambda_slot *slot, iswi_lambda *lambda)
{
    static const iswi_lambda_api_events events = { on_answered, on_taken };

    slot->lambda = lambda;
    slot->again.due = on_again;
    iswi_arena_init(&slot->arena, ARENA_BYTES);
    iswi_lambda_api_init(&slot->api, lambda->reactor, &lambda->place, &events, slot);
}

void iswi_lambda_slot_fini(iswi_lambda_slot *slot)
{
    iswi_lambda_api_fini(&slot->api);
    iswi_buffer_fini(&slot->text);
    iswi_buffer_fini(&slot->out);
    iswi_arena_fini(&slot->arena);
}
