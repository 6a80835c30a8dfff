/* SPDX-License-Identifier: Apache-2.0 */
/* A request, from when its first bytes came until it is answered and written. */
#include "host/http/internal.h"

#include "base/alloc.h"
#include "host/http/deadline.h"
#include "host/http/stream.h"
#include "url/query.h"

#include <stdio.h>

enum { ARENA_BYTES = 2048, ARENA_KEPT_BYTES = 8192, SPARE_MOST = 256 };

const char iswi_http_no_memory[] = "There is no memory for the request.";

iswi_http_request *iswi_http_request_create(iswi_http_loop *loop, const iswi_http_carrier *carrier,
                                            void *carried_by)
{
    iswi_http_request *request = loop->spare;
    iswi_arena arena;

    if (request) {
        loop->spare = request->next;
        loop->spare_count--;
        arena = request->arena;
    } else {
        request = iswi_alloc(sizeof *request);
        iswi_arena_init(&arena, ARENA_BYTES);
    }
    if (!request)
        return NULL;
    memset(request, 0, sizeof *request);
    request->http = loop->http;
    request->loop = loop;
    request->carrier = carrier;
    request->carried_by = carried_by;
    request->arena = arena;
    iswi_http_record_begin(request);
    return request;
}

static const char *read_query(iswi_http_request *request)
{
    isw_str url = request->data.url;
    const char *mark = memchr(url.data, '?', url.size);
    isw_str query;
    size_t bad;

    if (!mark)
        return NULL;
    query = (isw_str){ mark + 1, url.size - (size_t)(mark + 1 - url.data) };
    switch (iswi_query_read(query, &request->arena, &request->data.query, &bad)) {
    case ISWI_QUERY_OK:
        return NULL;
    case ISWI_QUERY_BAD_ESCAPE:
        return "The query holds a '%' that begins no escape.";
    case ISWI_QUERY_NUL:
        return "The query holds an encoded NUL.";
    case ISWI_QUERY_NOT_UTF8:
        return "The query is not UTF-8.";
    case ISWI_QUERY_NO_MEMORY:
        break;
    }
    return iswi_http_no_memory;
}

/* Whether it is the first time that we are unsure of that one, and there is room to remember it. */
static bool is_new(iswi_http *http, const char *name)
{
    size_t at = 0;
    bool found = false;

    pthread_mutex_lock(&http->lock);
    while (!found && at < ISWI_HTTP_UNSURE_MAX && http->unsure_of[at][0])
        found = strcmp(http->unsure_of[at++], name) == 0;
    if (!found && at < ISWI_HTTP_UNSURE_MAX)
        snprintf(http->unsure_of[at], sizeof http->unsure_of[at], "%s", name);
    pthread_mutex_unlock(&http->lock);
    return !found && at < ISWI_HTTP_UNSURE_MAX;
}

/* Said once of each proxy, so that one that does so with each request is no flood. */
static void note_unsure(iswi_http *http, const iswi_http_peer *peer, const char *why)
{
    char text[512];

    atomic_fetch_add(&http->unsure, 1);
    if (!http->events.say || !is_new(http, peer->name))
        return;
    snprintf(text, sizeof text, "what the trusted proxy %s says of whom it serves is not believed, "
             "and the request counts as its own: %s. Further ones are counted as "
             "forwarded_refused_total", peer->name, why);
    http->events.say(http->user, ISW_LOG_WARNING, text);
}

/* False: no memory. */
static bool meet(iswi_http_request *request, const iswi_http_peer *peer, const char **scheme)
{
    iswi_http *http = request->http;
    isw_http *data = &request->data;
    const char *unsure;

    switch (iswi_http_caller_find(peer, http->terms->trust, data, &request->arena, scheme,
                                  &unsure)) {
    case ISWI_HTTP_CALLER_NO_MEMORY:
        return false;
    case ISWI_HTTP_CALLER_UNSURE:
        note_unsure(http, peer, unsure);
        break;
    case ISWI_HTTP_CALLER_KNOWN:
        break;
    }
    return http->events.bare ||
           iswi_request_id_set(&http->ids, data, &request->arena, &request->id);
}

int iswi_http_request_arrived(iswi_http_request *request, const iswi_http_peer *peer,
                              const iswi_tls_session *tls, const char **why)
{
    const char *scheme = "http";
    bool met = meet(request, peer, &scheme) && iswi_http_know_scheme(request, scheme, tls);

    *why = met ? read_query(request) : iswi_http_no_memory;
    if (!*why && peer->has_deadlines)
        *why = iswi_http_deadline_read(&request->data.headers, &request->deadline_ns);
    if (*why)
        return *why == iswi_http_no_memory ? 503 : 400;
    return 0;
}

/* What was refused before it could say a name gets one as well: there is a line in the access log
 * to be found by it. */
void iswi_http_request_name_reply(iswi_http_request *request)
{
    static const char name[] = "X-Request-Id";
    iswi_http_reply *reply = &request->reply;

    if (request->http->events.bare || isw_pairs_find(&reply->given, name))
        return;
    if (!request->id.size && !iswi_request_id_set(&request->http->ids, &request->data,
                                                  &request->arena, &request->id))
        return;
    if (reply->own_count < ISWI_HTTP_OWN_HEADERS)
        reply->own[reply->own_count++] = (isw_pair){ { name, sizeof name - 1 }, request->id };
}

isw_str iswi_http_request_id(const iswi_http_request *request)
{
    return request->id;
}

uint64_t iswi_http_unsure(const iswi_http *http)
{
    return atomic_load(&http->unsure);
}

/* Its memory is kept for the next one, but for what was more than usual. */
void iswi_http_request_free(iswi_http_request *request)
{
    iswi_http_loop *loop = request->loop;

    request->dead = true;
    if (request->lookers || atomic_load(&request->news))
        return;
    iswi_http_reply_release(&request->reply);
    iswi_http_stream_free(request->stream);
    for (size_t i = 0; i < sizeof request->blocks / sizeof request->blocks[0]; i++)
        iswi_http_loop_give(loop, request->blocks[i]);
    iswi_arena_reset(&request->arena);
    if (request->arena.block_bytes > ARENA_KEPT_BYTES || loop->spare_count == SPARE_MOST) {
        iswi_arena_fini(&request->arena);
        iswi_free(request);
        return;
    }
    request->next = loop->spare;
    loop->spare = request;
    loop->spare_count++;
}

void iswi_http_request_look(iswi_http_request *request)
{
    request->lookers++;
}

void iswi_http_request_unlook(iswi_http_request *request)
{
    if (--request->lookers == 0 && request->dead)
        iswi_http_request_free(request);
}

bool iswi_http_comes_in_pieces(const iswi_http_request *request)
{
    const iswi_http *http = request->http;

    return !request->is_beside && http->events.streams &&
           http->events.streams(http->user, request->target);
}

void iswi_http_handle(iswi_http_request *request)
{
    const iswi_http *http = request->http;
    const iswi_http_side *side = http->events.side;

    if (request->is_beside)
        side->handle(side->user, request->target, request);
    else
        http->handler(http->user, request->target, request);
}

void iswi_http_hand_over(iswi_http_request *request)
{
    iswi_http *http = request->http;

    request->handed_over = true;
    atomic_fetch_add(&http->unanswered, 1);
    atomic_fetch_add(&http->open, 1);
    iswi_http_handle(request);
}

void iswi_http_set_apart(iswi_http_request *request, bool on)
{
    request->is_apart = on;
}

/* Of those that came by a socket. */
static void tell_unheard(const iswi_http_request *request)
{
    const iswi_http_side *side = request->http->events.side;

    if (side && side->unheard && !request->carrier->inside)
        side->unheard(side->user, &request->data, request->reply.status);
}

void iswi_http_request_done(iswi_http_request *request)
{
    iswi_http *http = request->http;
    const bool handed_over = request->handed_over;

    request->carried_by = NULL;
    if (request->is_early)
        iswi_http_early_leave(request);
    if (request->admitted)
        atomic_fetch_sub(&http->admitted, 1);
    request->admitted = false;
    if (!handed_over || request->is_apart)
        tell_unheard(request);
    if (!handed_over || request->answered)
        iswi_http_request_free(request);
    if (!handed_over)
        return;
    atomic_fetch_sub(&http->open, 1);
    iswi_http_note_change(http);
}

void iswi_http_request_abandon(iswi_http_request *request)
{
    iswi_http *http = request->http;

    request->carried_by = NULL;
    if (request->handed_over && !request->answered) {
        iswi_http_request_look(request);
        iswi_http_stream_broken(request);
        if (http->events.left)
            http->events.left(http->user, request);
        request->lookers--;
    }
    if (request->handed_over && request->is_early) { /* again.c: nobody will answer it */
        request->answered = true;
        atomic_fetch_sub(&http->unanswered, 1);
    }
    iswi_http_request_done(request);
}

void iswi_http_set_tag(iswi_http_request *request, void *pointer, uint64_t number)
{
    atomic_store_explicit(&request->tag_pointer, pointer, memory_order_relaxed);
    atomic_store_explicit(&request->tag_number, number, memory_order_relaxed);
}

void iswi_http_tag(const iswi_http_request *request, void **pointer, uint64_t *number)
{
    *pointer = atomic_load_explicit(&request->tag_pointer, memory_order_relaxed);
    *number = atomic_load_explicit(&request->tag_number, memory_order_relaxed);
}

isw_map iswi_http_request_metadata(const iswi_http_request *request)
{
    return request->metadata;
}

const iswi_tls_peer *iswi_http_request_certificate(const iswi_http_request *request)
{
    return request->certificate;
}

void *iswi_http_request_target(const iswi_http_request *request)
{
    return request->target;
}

iswi_arena *iswi_http_request_arena(iswi_http_request *request)
{
    return &request->arena;
}

int64_t iswi_http_request_deadline(const iswi_http_request *request)
{
    return request->deadline_ns;
}

const isw_http *iswi_http_request_data(const iswi_http_request *request)
{
    return &request->data;
}

const char *iswi_http_request_invocation(const iswi_http_request *request)
{
    return request->invocation_id;
}

void iswi_http_note_failed(iswi_http_request *request)
{
    request->failed = true;
}
