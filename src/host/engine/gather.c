/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that come in pieces, made whole. A worker sends no more than its window, which cannot be
 * widened where a piece arrives, since a process's lock is held there: the call notes what it owes,
 * and the supervisor sends that.
 */
#include "host/engine/gather.h"

#include "host/engine/engine.h"
#include "value/copy.h"

#include <isoworker/context.h>

/* -- Events, with the lock of the call's process ----------------------------------------------- */

static void on_place(void *user, iswi_process *process, uint64_t id)
{
    iswi_gather *gather = user;

    pthread_mutex_lock(&gather->host->gathers.lock);
    gather->process = process;
    gather->id = id;
    pthread_mutex_unlock(&gather->host->gathers.lock);
}

static isw_status on_head(void *user, const isw_http *head)
{
    iswi_gather *gather = user;

    if (gather->begun)
        return ISW_E_CONFLICT;
    iswi_arena_init(&gather->arena, 1024);
    gather->begun = true;
    gather->http.status = head->status ? head->status : 200;
    if (!iswi_pairs_copy(&gather->arena, &head->headers, &gather->http.headers)) {
        gather->http.headers = (isw_pairs){ NULL, 0 };
        gather->body.failed = true;
    }
    return ISW_OK;
}

static void owe(iswi_gather *gather, uint64_t bytes)
{
    iswi_gathers *all = &gather->host->gathers;

    pthread_mutex_lock(&all->lock);
    if (!gather->owed) {
        gather->next_owed = all->owed;
        all->owed = gather;
    }
    gather->owed += bytes;
    pthread_mutex_unlock(&all->lock);
    iswi_host_wake(gather->host);
}

/* What is too much is counted as taken and forgotten: the function ends as it would. */
static isw_status on_chunk(void *user, isw_bytes bytes)
{
    iswi_gather *gather = user;

    if (!gather->begun)
        return ISW_E_CONFLICT;
    gather->too_large =
        gather->too_large || bytes.size > ISW_ANSWER_MAX_BYTES - gather->body.size;
    if (!gather->too_large)
        iswi_buffer_append(&gather->body, bytes.data, bytes.size);
    if (bytes.size)
        owe(gather, bytes.size);
    return ISW_OK;
}

/* There is no event of which anything could be said. */
static void on_told(void *user, isw_str name, const isw_value *value)
{
    (void)user;
    (void)name;
    (void)value;
}

static const iswi_call_events events = { .waits = on_place, .placed = on_place, .head = on_head,
                                         .chunk = on_chunk, .told = on_told };

/* -- The end ----------------------------------------------------------------------------------- */

/* It owes nothing more. */
static void forget(iswi_gather *gather)
{
    iswi_gathers *all = &gather->host->gathers;
    iswi_gather **at = &all->owed;

    pthread_mutex_lock(&all->lock);
    while (gather->owed && *at != gather)
        at = &(*at)->next_owed;
    if (gather->owed)
        *at = gather->next_owed;
    gather->owed = 0;
    pthread_mutex_unlock(&all->lock);
}

static void put_together(iswi_gather *gather, iswi_answer *answer)
{
    static const char too_large[] = "the answer that it streams is larger than a result may be";

    gather->http.body = (isw_bytes){ gather->body.data, gather->body.size };
    answer->result = (isw_value){ .type = ISW_VALUE_HTTP, .as.http = &gather->http };
    if (!gather->too_large && !gather->body.failed)
        return;
    answer->outcome = ISW_OUTCOME_FAILED;
    answer->status = gather->too_large ? ISW_E_TOO_LARGE : ISW_E_NO_MEMORY;
    answer->message = isw_str_of(gather->too_large ? too_large : "no memory for the answer");
    answer->result = isw_value_none();
}

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    iswi_gather *gather = user;
    iswi_answer whole = *answer;

    forget(gather);
    if (gather->begun && answer->outcome == ISW_OUTCOME_SUCCESS)
        put_together(gather, &whole);
    gather->answer(gather->user, invocation_id, &whole);
}

/* -- From outside ------------------------------------------------------------------------------ */

void iswi_gather_start(iswi_host *host, const iswi_call *call, iswi_gather *gather)
{
    iswi_call own = *call;

    *gather = (iswi_gather){ .host = host, .answer = call->answer, .user = call->user };
    own.events = &events;
    own.answer = on_answer;
    own.user = gather;
    iswi_call_start(host, &own);
}

/* It may go elsewhere while we look. */
void iswi_gather_leave(iswi_gather *gather)
{
    iswi_gathers *all = &gather->host->gathers;
    const iswi_process *seen_process = NULL;
    uint64_t seen = 0;

    for (;;) {
        iswi_process *process;
        uint64_t id;

        pthread_mutex_lock(&all->lock);
        process = gather->process;
        id = gather->id;
        pthread_mutex_unlock(&all->lock);
        if (!process || (process == seen_process && id == seen) ||
            iswi_call_leave(process, id) != ISW_E_NOT_FOUND)
            return;
        seen_process = process;
        seen = id;
    }
}

void iswi_gather_fini(iswi_gather *gather)
{
    if (gather->begun)
        iswi_arena_fini(&gather->arena);
    iswi_buffer_fini(&gather->body);
    gather->begun = false;
}

/* -- The supervisor's thread ------------------------------------------------------------------- */

/* The first of those that owe, as a frame; false: there is none. With the lock it is still alive,
 * without it no more. */
static bool take_owed(iswi_gathers *all, iswi_process **process, uint64_t *id, iswi_frame *frame)
{
    iswi_gather *gather;

    pthread_mutex_lock(&all->lock);
    gather = all->owed;
    if (gather) {
        all->owed = gather->next_owed;
        *process = gather->process;
        *id = gather->id;
        frame->as.window.bytes = gather->owed;
        gather->owed = 0;
    }
    pthread_mutex_unlock(&all->lock);
    return gather != NULL;
}

void iswi_gathers_widen(iswi_host *host)
{
    iswi_process *process;
    uint64_t id;

    for (;;) {
        iswi_frame frame = { .kind = ISWI_WINDOW };

        if (!take_owed(&host->gathers, &process, &id, &frame))
            return;
        iswi_call_send(process, id, &frame);
    }
}
