/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that come in pieces, for a caller who wants them whole. A worker sends no more than its
 * window, which cannot be widened where a piece arrives, since a process's lock is held there: the
 * call notes what it owes, and the supervisor sends that.
 */
#include "host/library/gather.h"

#include <isoworker/context.h>

static void on_placed(void *user, iswi_process *process, uint64_t id)
{
    iswi_library_call *call = user;

    call->process = process;
    call->id = id;
}

static isw_str copy(iswi_arena *arena, isw_str text)
{
    const char *own = iswi_arena_strndup(arena, text.data, text.size);

    return own ? (isw_str){ own, text.size } : (isw_str){ "", 0 };
}

static isw_status on_head(void *user, const isw_http *head)
{
    iswi_library_call *call = user;
    isw_pair *pairs;

    if (call->gathered)
        return ISW_E_CONFLICT;
    iswi_arena_init(&call->arena, 1024);
    call->gathered = true;
    call->http.status = head->status ? head->status : 200;
    pairs = iswi_arena_calloc(&call->arena, head->headers.count + 1, sizeof *pairs);
    for (size_t i = 0; pairs && i < head->headers.count; i++)
        pairs[i] = (isw_pair){ copy(&call->arena, head->headers.items[i].name),
                               copy(&call->arena, head->headers.items[i].value) };
    call->http.headers = (isw_pairs){ pairs, pairs ? head->headers.count : 0 };
    return ISW_OK;
}

static void owe(iswi_library_call *call, uint64_t bytes)
{
    isw_host *host = call->host;

    pthread_mutex_lock(&host->lock);
    if (!call->owed) {
        call->next_owed = host->owed;
        host->owed = call;
    }
    call->owed += bytes;
    pthread_mutex_unlock(&host->lock);
    iswi_host_wake(atomic_load(&host->engine));
}

/* What is too much is counted as taken and forgotten: the function ends as it would. */
static isw_status on_chunk(void *user, isw_bytes bytes)
{
    iswi_library_call *call = user;

    if (!call->gathered)
        return ISW_E_CONFLICT;
    call->too_large = call->too_large || bytes.size > ISW_ANSWER_MAX_BYTES - call->body.size;
    if (!call->too_large)
        iswi_buffer_append(&call->body, bytes.data, bytes.size);
    if (bytes.size)
        owe(call, bytes.size);
    return ISW_OK;
}

const iswi_call_events iswi_gather_events = {
    .placed = on_placed, .head = on_head, .chunk = on_chunk
};

void iswi_gather_end(iswi_library_call *call)
{
    iswi_library_call **at = &call->host->owed;

    pthread_mutex_lock(&call->host->lock);
    while (call->owed && *at != call)
        at = &(*at)->next_owed;
    if (call->owed)
        *at = call->next_owed;
    call->owed = 0;
    pthread_mutex_unlock(&call->host->lock);
}

/* The first of those that owe, as a frame; false: there is none. With the lock it is still alive,
 * without it no more. */
static bool take_owed(isw_host *host, iswi_process **process, uint64_t *id, iswi_frame *frame)
{
    iswi_library_call *call;

    pthread_mutex_lock(&host->lock);
    call = host->owed;
    if (call) {
        host->owed = call->next_owed;
        *process = call->process;
        *id = call->id;
        frame->as.window.bytes = call->owed;
        call->owed = 0;
    }
    pthread_mutex_unlock(&host->lock);
    return call != NULL;
}

void iswi_gather_widen(isw_host *host)
{
    iswi_process *process;
    uint64_t id;

    for (;;) {
        iswi_frame frame = { .kind = ISWI_WINDOW };

        if (!take_owed(host, &process, &id, &frame))
            return;
        iswi_call_send(process, id, &frame);
    }
}

void iswi_gather_result(iswi_library_call *call, isw_host_result *result)
{
    static const char too_large[] = "the answer that it streams is larger than a result may be";
    bool failed = call->body.failed || call->too_large;

    if (result->status != ISW_OK)
        return;
    if (failed) {
        result->outcome = ISW_OUTCOME_FAILED;
        result->status = call->too_large ? ISW_E_TOO_LARGE : ISW_E_NO_MEMORY;
        result->message = isw_str_of(call->too_large ? too_large : "no memory for the answer");
        return;
    }
    call->http.body = (isw_bytes){ call->body.data, call->body.size };
    result->result.type = ISW_VALUE_HTTP;
    result->result.as.http = &call->http;
}

void iswi_gather_fini(iswi_library_call *call)
{
    if (!call->gathered)
        return;
    iswi_arena_fini(&call->arena);
    iswi_buffer_fini(&call->body);
}
