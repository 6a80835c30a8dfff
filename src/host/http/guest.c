/* SPDX-License-Identifier: Apache-2.0 */
/* Guests: the carrier of requests that come by no socket. Invariant: a guest goes with its request's
 * answer, or when whoever gave it leaves. */
#include "host/http/guest.h"

#include "base/alloc.h"
#include "host/http/stream.h"
#include "url/fields.h"
#include "url/target.h"

#include <stdio.h>

struct iswi_http_guest {
    iswi_http_request *request;
    const iswi_http_guest_events *events;
    void *user;
    isw_str client;
    size_t received;
    uint64_t body_sent;
    bool begins;   /* iswi_http_guest_begin is up the stack, */
    bool over;     /* and frees it */
    bool streams;
};

/* -- Its end ----------------------------------------------------------------------------------- */

static void record(const iswi_http_guest *guest, bool answered, bool whole)
{
    const iswi_http_figures figures = { .client = guest->client,
                                        .protocol = isw_str_of("HTTP/1.1"),
                                        .received = guest->received,
                                        .sent = guest->body_sent,
                                        .body_sent = guest->body_sent,
                                        .answered = answered,
                                        .cut = !whole };

    iswi_http_record_end(guest->request, &figures);
}

static void drop(iswi_http_guest *guest)
{
    guest->over = true;
    guest->request = NULL;
    if (!guest->begins)
        iswi_free(guest);
}

/* Nothing more of its answer is wanted; `whole`: there is nothing more. */
static void finish(iswi_http_guest *guest, bool whole)
{
    iswi_http_request *request = guest->request;

    record(guest, true, whole);
    drop(guest);
    if (whole || !request->reply.streams)
        iswi_http_request_done(request);
    else
        iswi_http_request_abandon(request);
}

/* -- Answers ----------------------------------------------------------------------------------- */

/* In the request's arena; false: no memory. */
static bool list_headers(iswi_http_request *request, isw_pairs *out)
{
    const iswi_http_reply *reply = &request->reply;
    isw_pair *pairs = iswi_arena_alloc(
        &request->arena, (reply->own_count + reply->given.count + 1) * sizeof *pairs);
    size_t count = 0;

    if (!pairs)
        return false;
    for (size_t i = 0; i < reply->own_count; i++)
        pairs[count++] = reply->own[i];
    for (size_t i = 0; i < reply->given.count; i++)
        if (iswi_http_head_takes(reply, &reply->given.items[i])) {
            pairs[count] = reply->given.items[i];
            pairs[count].value = iswi_field_trim(pairs[count].value);
            count++;
        }
    *out = (isw_pairs){ pairs, count };
    return true;
}

static void answer(iswi_http_request *request)
{
    iswi_http_guest *guest = request->carried_by;
    const iswi_http_reply *reply = &request->reply;
    iswi_http_guest_reply told = { .length = ISWI_HTTP_NO_LENGTH };

    iswi_http_request_name_reply(request);
    if (reply->status && list_headers(request, &told.headers)) {
        told.status = reply->status;
        told.streams = reply->streams && !iswi_http_wants_head(request);
        told.body = reply->streams ? (isw_bytes){ NULL, 0 } : reply->body;
        told.length = reply->length;
        told.failed = request->failed || reply->is_problem;
        iswi_http_count_answer(request->http, reply->status);
    }
    guest->streams = told.streams;
    guest->body_sent = told.body.size;
    guest->events->answer(guest->user, &told);
    if (!guest->streams)
        finish(guest, !reply->streams);
}

/* Hand on what there is, as far as it is taken. */
static void pump(iswi_http_guest *guest)
{
    iswi_http_request *request = guest->request;
    struct iovec parts[2];
    bool complete;
    bool ended;

    iswi_http_request_look(request);
    while (iswi_http_stream_look(request->stream, parts, &ended, &complete)) {
        const size_t taken = guest->events->piece(
            guest->user, (isw_bytes){ parts[0].iov_base, parts[0].iov_len });

        guest->body_sent += taken;
        if (taken)
            iswi_http_stream_take(request, taken);
        if (taken < parts[0].iov_len) {
            iswi_http_request_unlook(request);
            return;
        }
    }
    if (ended) {
        guest->events->end(guest->user, complete);
        finish(guest, complete);
    }
    iswi_http_request_unlook(request);
}

static void go_on(iswi_http_request *request)
{
    iswi_http_guest *guest = request->carried_by;

    if (guest->streams)
        pump(guest);
}

/* -- Requests ---------------------------------------------------------------------------------- */

static void answer_here(iswi_http_request *request, int status, const char *why)
{
    iswi_http_set_problem(request, status, NULL, why, NULL);
    answer(request);
}

static void lead(iswi_http_request *request)
{
    switch (iswi_http_route(request)) {
    case ISWI_HTTP_ROUTED:
        if ((int64_t)request->data.body.size > request->http->terms->body_limit_bytes)
            answer_here(request, 413, "The body is over the limit.");
        else
            iswi_http_hand_over(request);
        break;
    case ISWI_HTTP_ANSWERED:
        answer(request);
        break;
    case ISWI_HTTP_EARLY:
        break;
    }
}

/* Its body is there as a whole: what may have changed is that its function is known. */
static void widen(iswi_http_request *request)
{
    if (!request->handed_over && !request->is_early)
        lead(request);
}

static const iswi_http_carrier carrier = { answer, go_on, widen, true };

/* A sentence on what is wrong with its head; NULL: nothing. */
static const char *check(const isw_http *data)
{
    if (!iswi_field_is_token(data->method))
        return "The method is not a token.";
    if (!iswi_target_valid(data->url))
        return "The path does not begin with '/', or holds a character that must be "
               "percent-encoded.";
    for (size_t i = 0; i < data->headers.count; i++)
        if (!iswi_field_is_token(data->headers.items[i].name) ||
            !iswi_field_is_value(data->headers.items[i].value))
            return "A header field has a name that is no token, or holds a control character.";
    return NULL;
}

/* What else is told of it comes behind what follows from how it came. */
static bool add_metadata(iswi_http_request *request, const isw_map *more)
{
    const isw_map own = request->metadata;
    isw_named_value *all;

    if (!more->count)
        return true;
    all = iswi_arena_alloc(&request->arena, (own.count + more->count) * sizeof *all);
    if (!all)
        return false;
    if (own.count)
        memcpy(all, own.items, own.count * sizeof *all);
    memcpy(all + own.count, more->items, more->count * sizeof *all);
    request->metadata = (isw_map){ all, own.count + more->count };
    return true;
}

/* 0, or the status to refuse it with and a sentence in *why. */
static int arrive(iswi_http_request *request, const iswi_http_guest_request *given,
                  const char **why)
{
    iswi_http_peer peer = { .tls = given->tls };
    int status;

    snprintf(peer.name, sizeof peer.name, "%.*s", (int)given->client.size,
             given->client.size ? given->client.data : "");
    *why = check(&given->data);
    if (*why)
        return 400;
    status = iswi_http_request_arrived(request, &peer, NULL, why);
    if (status)
        return status;
    request->deadline_ns = given->deadline_ns;
    request->invocation_id = given->invocation_id;
    if (add_metadata(request, &given->metadata))
        return 0;
    *why = iswi_http_no_memory;
    return 503;
}

static void begin(iswi_http_guest *guest, const iswi_http_guest_request *given)
{
    iswi_http_request *request = guest->request;
    const char *why;
    int status;

    request->data = given->data;
    iswi_http_request_look(request);
    status = arrive(request, given, &why);
    if (status)
        answer_here(request, status, why);
    else
        lead(request);
    iswi_http_request_unlook(request);
}

iswi_http_guest *iswi_http_guest_begin(iswi_http *http, const iswi_http_guest_request *request,
                                       const iswi_http_guest_events *events, void *user)
{
    iswi_http_guest *guest = iswi_calloc(1, sizeof *guest);

    if (guest)
        guest->request = iswi_http_request_create(&http->loops[0], &carrier, guest);
    if (!guest || !guest->request) {
        iswi_free(guest);
        events->answer(user, &(iswi_http_guest_reply){ .status = 0 });
        return NULL;
    }
    guest->events = events;
    guest->user = user;
    guest->client = request->client;
    guest->received = request->data.body.size;
    guest->begins = true;
    begin(guest, request);
    guest->begins = false;
    if (!guest->over)
        return guest;
    iswi_free(guest);
    return NULL;
}

void iswi_http_guest_go_on(iswi_http_guest *guest)
{
    if (guest->streams)
        pump(guest);
}

void iswi_http_guest_leave(iswi_http_guest *guest)
{
    iswi_http_request *request = guest->request;

    record(guest, guest->streams, false);
    drop(guest);
    iswi_http_request_abandon(request);
}
