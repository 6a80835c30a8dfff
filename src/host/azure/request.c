/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An invocation that comes with its request: that is a guest of the HTTP front, so that routes,
 * preflights, problems and names are as for any client; and what the front answers goes back. All
 * of it on the reactor.
 */
#include "host/azure/internal.h"
#include "host/engine/look.h"

#include "base/text.h"

#include <stdlib.h>

enum { OWN_HEADERS = 1, LEAST_FAILURE = 500 };

/* -- The request ------------------------------------------------------------------------------- */

/* Path and query of a URL. */
static isw_str target_of(isw_str url)
{
    const char *end = url.data + url.size;
    const char *at = url.data;

    for (; at + 2 < end; at++)
        if (at[0] == ':' && at[1] == '/' && at[2] == '/') {
            at += 3;
            while (at < end && *at != '/' && *at != '?')
                at++;
            return (isw_str){ at, (size_t)(end - at) };
        }
    return url;
}

static bool is_secure(isw_str url)
{
    return url.size > 8 && memcmp(url.data, "https://", 8) == 0;
}

static bool add_header(iswi_azure_call *call, isw_pair *out, isw_str name, isw_str value)
{
    char *small = iswi_arena_strndup(&call->arena, name.data, name.size);

    *out = (isw_pair){ { iswi_lower_case(small), name.size }, value };
    return small != NULL;
}

static int compare(const void *a, const void *b)
{
    return iswi_text_compare(((const isw_pair *)a)->name, ((const isw_pair *)b)->name);
}

/* Those that came, in either form, and whose invocation it is. They came as a map, which has no
 * order: they have one here, so that it is the same each time. */
static bool list_headers(iswi_azure_call *call, const iswi_rpc_http *http, isw_pairs *out)
{
    const iswi_rpc_nullable_named *nullable = http->nullable_headers.items;
    const size_t most = http->headers.count + http->nullable_headers.count + OWN_HEADERS;
    isw_pair *items = iswi_arena_calloc(&call->arena, most, sizeof *items);
    size_t count = 0;

    if (!items)
        return false;
    items[count++] = (isw_pair){ isw_str_of(ISWI_AZURE_HEADER), isw_str_of(call->id) };
    for (size_t i = 0; i < http->headers.count; i++)
        if (!isw_str_equal_nocase(http->headers.items[i].name, items[0].name) &&
            !add_header(call, &items[count++], http->headers.items[i].name,
                        http->headers.items[i].value))
            return false;
    for (size_t i = 0; i < http->nullable_headers.count; i++)
        if (!isw_str_equal_nocase(nullable[i].name, items[0].name) &&
            !add_header(call, &items[count++], nullable[i].name,
                        nullable[i].value ? nullable[i].value->value : (isw_str){ "", 0 }))
            return false;
    qsort(items, count, sizeof *items, compare);
    *out = (isw_pairs){ items, count };
    return true;
}

static isw_bytes body_of(const iswi_rpc_http *http)
{
    const iswi_rpc_data *body = http->body;

    if (!body || (body->which != ISWI_RPC_STRING && body->which != ISWI_RPC_JSON &&
                  body->which != ISWI_RPC_BYTES && body->which != ISWI_RPC_STREAM))
        return (isw_bytes){ NULL, 0 };
    return body->as.bytes; /* as a text has it, too */
}

/* -- The answer -------------------------------------------------------------------------------- */

static bool put_header(iswi_azure_call *call, isw_pair *out, size_t *count, const isw_pair *one)
{
    for (size_t i = 0; i < *count; i++) {
        isw_str *value = &out[i].value;
        char *joined;

        if (!isw_str_equal_nocase(out[i].name, one->name))
            continue;
        joined = iswi_arena_printf(&call->arena, "%.*s, %.*s", (int)value->size, value->data,
                                   (int)one->value.size, one->value.size ? one->value.data : "");
        *value = isw_str_of(joined);
        return joined != NULL;
    }
    out[*count].name.data = iswi_arena_strndup(&call->arena, one->name.data, one->name.size);
    out[*count].name.size = one->name.size;
    out[*count].value.data =
        iswi_arena_strndup(&call->arena, one->value.size ? one->value.data : "", one->value.size);
    out[*count].value.size = one->value.size;
    return out[*count].name.data && out[(*count)++].value.data;
}

static bool is_cookie(isw_str name)
{
    return isw_str_equal_nocase(name, isw_str_of("set-cookie"));
}

/* A header is there once, and has all values; of cookies, for which that does not hold, one is a
 * header and more are cookies. */
static bool keep_headers(iswi_azure_call *call, const isw_pairs *given, iswi_rpc_http *out)
{
    isw_pair *items = iswi_arena_calloc(&call->arena, given->count + 1, sizeof *items);
    size_t count = 0;
    size_t several = 0;

    for (size_t i = 0; i < given->count; i++)
        several += is_cookie(given->items[i].name);
    for (size_t i = 0; items && i < given->count; i++)
        if ((several < 2 || !is_cookie(given->items[i].name)) &&
            !put_header(call, items, &count, &given->items[i]))
            return false;
    out->headers = (isw_pairs){ items, count };
    return items && (several < 2 || iswi_azure_cookies(given, &call->arena, &out->cookies));
}

static iswi_rpc_http *begin_reply(iswi_azure_call *call, const iswi_http_guest_reply *reply)
{
    iswi_rpc_http *http = iswi_arena_calloc(&call->arena, 1, sizeof *http);
    char *code = iswi_arena_printf(&call->arena, "%u", reply->status);

    if (!http || !code || !keep_headers(call, &reply->headers, http))
        return NULL;
    http->status_code = isw_str_of(code);
    return http;
}

static void fail(iswi_azure_call *call, const char *message)
{
    call->outcome.known = true;
    call->outcome.status = ISWI_RPC_FAILURE;
    call->outcome.exception = (iswi_rpc_exception){ .message = isw_str_of(message),
                                                    .source = isw_str_of("isoworker") };
}

/* The record's end: nothing of its request is left. */
static void finish(iswi_azure_call *call)
{
    iswi_azure_calls *calls = &call->azure->calls;
    iswi_rpc_data body = { .which = ISWI_RPC_BYTES };
    iswi_rpc_data returned = { .which = 0 };

    pthread_mutex_lock(&calls->lock);
    iswi_azure_find_remove(calls, call);
    pthread_mutex_unlock(&calls->lock);
    if (!call->http && !(call->outcome.known && call->outcome.status == ISWI_RPC_FAILURE))
        fail(call, "no memory for the answer");
    else if (call->body.failed && call->cancelled)
        call->outcome = (iswi_azure_outcome){ .known = true, .status = ISWI_RPC_CANCELLED };
    else if (call->body.failed)
        fail(call, "the answer is cut off, or too large for the Azure Functions host");
    if (call->http) {
        body.as.bytes = (isw_bytes){ call->body.data, call->body.size };
        call->http->body = body.as.bytes.size ? &body : NULL;
        returned = (iswi_rpc_data){ .which = ISWI_RPC_HTTP, .as.http = call->http };
    }
    iswi_azure_answer(call, &returned);
}

static void on_answer(void *user, const iswi_http_guest_reply *reply)
{
    iswi_azure_call *call = user;

    call->guest = NULL; /* unless it streams, and then it ends with its call */
    if (reply->status)
        call->http = begin_reply(call, reply);
    if (!call->outcome.known && (call->cancelled || reply->status >= LEAST_FAILURE))
        iswi_azure_conclude_unheard(call, reply->status);
    iswi_buffer_append(&call->body, reply->body.data, reply->body.size);
    if (!reply->streams)
        finish(call);
}

static size_t on_piece(void *user, isw_bytes piece)
{
    iswi_azure_call *call = user;

    if (call->body.size + piece.size > ISWI_AZURE_MESSAGE_MAX)
        call->body.failed = true;
    if (!call->body.failed)
        iswi_buffer_append(&call->body, piece.data, piece.size);
    return piece.size;
}

static void on_end(void *user, bool complete)
{
    iswi_azure_call *call = user;

    call->body.failed = call->body.failed || !complete;
    finish(call);
}

static const iswi_http_guest_events events = { on_answer, on_piece, on_end };

/* That host passes on no body whose length is not said beforehand. Better a failure than a function
 * that sees none. */
static bool has_lost_body(const isw_http *data)
{
    const isw_str *coding = isw_pairs_find(&data->headers, "transfer-encoding");

    return coding && coding->size && !data->body.size;
}

/* NULL: there is none, since host.yaml switches HTTP off. */
static iswi_http *front_of(const iswi_azure *azure)
{
    void *self;

    for (size_t i = 0; i < iswi_host_trigger_count(azure->host); i++)
        if (strcmp(iswi_host_trigger(azure->host, i, &self)->type, "http") == 0)
            return iswi_http_guests_front(self);
    return NULL;
}

void iswi_azure_guest(iswi_azure_call *call, const iswi_rpc_http *http)
{
    iswi_http *front = front_of(call->azure);
    iswi_http_guest_request request = { .client = isw_str_of("127.0.0.1"),
                                        .tls = is_secure(http->url) };
    iswi_http_guest *guest;

    request.data.method = http->method;
    request.data.url = target_of(http->url);
    request.data.body = body_of(http);
    if (!front || !list_headers(call, http, &request.data.headers)) {
        on_answer(call, &(iswi_http_guest_reply){ .status = 0 });
        return;
    }
    if (has_lost_body(&request.data)) {
        fail(call, "its body came in pieces, without a length, which the Azure Functions host does not "
             "pass on in messages: have requests forwarded (--http forward)");
        finish(call);
        return;
    }
    guest = iswi_http_guest_begin(front, &request, &events, call);
    if (guest) /* else the record may be gone */
        call->guest = guest;
}
