/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls by name. One of a function that is known goes to the engine, where it waits for a process if
 * need be; another waits here until its function is known, or its time is over. Invariant: a call is
 * with the engine, or in `waiting`, or was given to `done`; so it is answered exactly once. It lives
 * on in its result, until that is released.
 */
#include "host/library/library.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/gather.h"
#include "host/engine/look.h"

#include <stdio.h>

enum { WAIT_MS = 30000 };

struct iswi_library_call {
    isw_host *host;
    isw_value input;
    int64_t until_ns;    /* 0: as long as the function's timeout says */
    int64_t patience_ns; /* until when it waits for its function to be known, or a process */
    isw_host_result_fn done;
    void *user;
    iswi_library_call *next; /* that waits, as this one does */
    iswi_gather gather;
    /* Of its result: */
    char invocation_id[33];
    char *message;
    void *held;
    char name[];
};

/* -- Results ----------------------------------------------------------------------------------- */

static void finish(iswi_library_call *call, isw_host_result *result)
{
    result->invocation_id = call->invocation_id;
    result->opaque = call;
    call->done(call->user, result);
}

/* Answer with a sentence of ours. */
static void fail(iswi_library_call *call, const isw_error *why)
{
    isw_host_result result = { .outcome = ISW_OUTCOME_FAILED,
                               .status = why->status,
                               .retriable = isw_status_retriable(why->status),
                               .result = isw_value_none() };

    call->message = iswi_strdup(why->message);
    result.message = isw_str_of(call->message);
    finish(call, &result);
}

void isw_host_result_release(isw_host_result *result)
{
    iswi_library_call *call = result->opaque;

    if (call) {
        iswi_answer_release(call->held);
        iswi_free(call->message);
        iswi_gather_fini(&call->gather);
        iswi_free(call);
    }
    memset(result, 0, sizeof *result);
    result->invocation_id = "";
}

/* -- Waiting ----------------------------------------------------------------------------------- */

/* False: nothing waits any more. */
static bool wait_for_function(iswi_library_call *call)
{
    isw_host *host = call->host;
    bool waits;

    pthread_mutex_lock(&host->lock);
    waits = !host->ended && !atomic_load(&host->stops);
    if (waits) {
        call->next = NULL;
        *host->waiting_end = call;
        host->waiting_end = &call->next;
    }
    pthread_mutex_unlock(&host->lock);
    return waits;
}

static void give_up_waiting(iswi_library_call *call)
{
    isw_error error = { ISW_OK, "" };

    isw_error_set(&error, ISW_E_UNAVAILABLE, "%s",
                  atomic_load(&call->host->stops)            ? "the host stops"
                  : call->host->end.status != ISW_OK ? call->host->end.message
                                                             : "the host has ended");
    fail(call, &error);
}

/* -- In the engine ----------------------------------------------------------------------------- */

static void fill(iswi_library_call *call, const iswi_answer *answer, isw_host_result *result)
{
    *result = (isw_host_result){ .outcome = answer->outcome,
                                 .status = answer->outcome == ISW_OUTCOME_SUCCESS ? ISW_OK
                                                                                  : answer->status,
                                 .retriable = answer->retriable,
                                 .message = answer->message,
                                 .result = answer->result,
                                 .outputs = answer->outputs,
                                 .retry_after_ms = answer->retry_after_ms };
    call->held = answer->held;
    if (!answer->held && answer->message.size) { /* it lives on the stack of whoever answers */
        call->message = iswi_strndup(answer->message.data, answer->message.size);
        result->message = isw_str_of(call->message);
    }
}

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    iswi_library_call *call = user;
    isw_host_result result;

    if (answer->moved && wait_for_function(call)) { /* it may be there again, by this name */
        iswi_host_wake(atomic_load(&call->host->engine));
        return;
    }
    snprintf(call->invocation_id, sizeof call->invocation_id, "%s", invocation_id);
    fill(call, answer, &result);
    finish(call, &result);
}

static void start(iswi_library_call *call, iswi_host *engine, iswi_host_function *function)
{
    const iswi_call one = { .function = function,
                            .trigger = call->input,
                            .deadline_ns = call->until_ns,
                            .patience_ns = call->patience_ns,
                            .answer = on_answer,
                            .user = call };

    iswi_gather_start(engine, &one, &call->gather);
}

/* -- Which function ---------------------------------------------------------------------------- */

static bool is_known(iswi_host *engine, size_t worker)
{
    iswi_process_look look;

    iswi_process_look_at(iswi_host_first_process(engine, worker), &look, NULL);
    return look.functions_known;
}

/* Nobody has told of it: ISW_OK while somebody may, ISW_E_TIMEOUT of those in `late`. */
static isw_status look_for_teller(iswi_host *engine, const char *name, isw_error *error,
                                  isw_error *late)
{
    for (size_t i = 0; i < iswi_host_worker_count(engine); i++) {
        if (!iswi_host_has_worker(engine, i) || is_known(engine, i))
            continue;
        iswi_library_explain(engine, i, late);
        if (late->status == ISW_E_TIMEOUT)
            return ISW_OK;
    }
    if (late->status != ISW_OK)
        return isw_error_set(error, late->status, "function \"%s\" is not known: %s", name,
                             late->message);
    return iswi_host_refuse_function(engine, name, error);
}

/* Start it, or fill `error` if there is no hope; ISW_OK in the latter, and why in `late`, while it
 * has to wait. True: it was started. */
static bool try(iswi_library_call *call, iswi_host *engine, isw_error *error, isw_error *late)
{
    iswi_host_function *function = iswi_host_find(engine, call->name);

    if (iswi_host_phase(engine) == ISWI_PHASE_DRAINING)
        isw_error_set(error, ISW_E_UNAVAILABLE, "the host drains, as it was asked to");
    else if (!function)
        look_for_teller(engine, call->name, error, late);
    else
        start(call, engine, function);
    return function && error->status == ISW_OK;
}

/* -- The supervisor's thread ------------------------------------------------------------------- */

static iswi_library_call *take_waiting(isw_host *host)
{
    iswi_library_call *all;

    pthread_mutex_lock(&host->lock);
    host->turn++;
    pthread_cond_broadcast(&host->turned);
    all = host->waiting;
    host->waiting = NULL;
    host->waiting_end = &host->waiting;
    pthread_mutex_unlock(&host->lock);
    return all;
}

static void look_again(iswi_library_call *call, iswi_host *engine, int64_t now_ns,
                       int64_t *next_ns)
{
    isw_error error = { ISW_OK, "" };
    isw_error late = { ISW_OK, "" };
    int64_t until_ns = call->patience_ns;

    if (atomic_load(&call->host->stops)) {
        give_up_waiting(call);
        return;
    }
    if (try(call, engine, &error, &late))
        return;
    if (error.status == ISW_OK && now_ns >= until_ns)
        error = late;
    if (error.status != ISW_OK)
        fail(call, &error);
    else if (!wait_for_function(call))
        give_up_waiting(call);
    else if (until_ns < *next_ns)
        *next_ns = until_ns;
}

void iswi_library_tend(isw_host *host, int64_t now_ns, int64_t *next_ns)
{
    iswi_host *engine = atomic_load(&host->engine);
    iswi_library_call *call = take_waiting(host);

    while (call) {
        iswi_library_call *next = call->next;

        look_again(call, engine, now_ns, next_ns);
        call = next;
    }
}

void iswi_library_end(isw_host *host)
{
    iswi_library_call *call;

    pthread_mutex_lock(&host->lock);
    host->ended = true;
    pthread_mutex_unlock(&host->lock);
    call = take_waiting(host);
    while (call) {
        iswi_library_call *next = call->next;

        give_up_waiting(call);
        call = next;
    }
}

/* -- Calling ----------------------------------------------------------------------------------- */

static iswi_library_call *make(isw_host *host, const char *name, const isw_value *input,
                               unsigned timeout_ms)
{
    size_t size = strlen(name) + 1;
    iswi_library_call *call = iswi_calloc(1, sizeof *call + size);
    int64_t now_ns = iswi_now_ns();

    if (!call)
        return NULL;
    memcpy(call->name, name, size);
    call->host = host;
    call->input = input ? *input : isw_value_none();
    if (timeout_ms && !host->options.debug && !host->options.debugged)
        call->until_ns = now_ns + (int64_t)timeout_ms * 1000000;
    call->patience_ns = call->until_ns ? call->until_ns : now_ns + WAIT_MS * INT64_C(1000000);
    return call;
}

static bool has_ended(isw_host *host)
{
    bool ended;

    pthread_mutex_lock(&host->lock);
    ended = host->ended;
    pthread_mutex_unlock(&host->lock);
    return ended || atomic_load(&host->stops);
}

void isw_host_invoke_async(isw_host *host, const char *name, const isw_value *input,
                           unsigned timeout_ms, isw_host_result_fn done, void *user)
{
    iswi_host *engine = atomic_load(&host->engine);
    iswi_library_call *call = make(host, name, input, timeout_ms);
    isw_host_result no_memory = { .status = ISW_E_NO_MEMORY, .invocation_id = "" };
    isw_error error = { ISW_OK, "" };
    isw_error late = { ISW_OK, "" };

    if (!call) {
        done(user, &no_memory);
        return;
    }
    call->done = done;
    call->user = user;
    if (!engine)
        isw_error_set(&error, ISW_E_UNAVAILABLE, "the host is not started");
    else if (!has_ended(host) && try(call, engine, &error, &late))
        return;
    if (error.status != ISW_OK)
        fail(call, &error);
    else if (wait_for_function(call))
        iswi_host_wake(engine);
    else
        give_up_waiting(call);
}

typedef struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool is_here;
    isw_host_result result;
} waiter;

static void on_result(void *user, isw_host_result *result)
{
    waiter *w = user;

    pthread_mutex_lock(&w->lock);
    w->result = *result;
    w->is_here = true;
    pthread_cond_signal(&w->came);
    pthread_mutex_unlock(&w->lock);
}

isw_status isw_host_invoke(isw_host *host, const char *name, const isw_value *input,
                           unsigned timeout_ms, isw_host_result *out, isw_error *error)
{
    waiter w = { .lock = PTHREAD_MUTEX_INITIALIZER, .came = PTHREAD_COND_INITIALIZER };
    isw_status status;

    isw_host_invoke_async(host, name, input, timeout_ms, on_result, &w);
    pthread_mutex_lock(&w.lock);
    while (!w.is_here)
        pthread_cond_wait(&w.came, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.came);
    pthread_mutex_destroy(&w.lock);
    status = w.result.status;
    if (status != ISW_OK && w.result.message.size)
        isw_error_set(error, status, "%.*s", (int)w.result.message.size, w.result.message.data);
    else if (status != ISW_OK)
        isw_error_set(error, status, "%s", isw_status_text(status));
    if (out)
        *out = w.result;
    else
        isw_host_result_release(&w.result);
    return status;
}
