/* SPDX-License-Identifier: Apache-2.0 */
/* A request from its look-over to its end: tries, spans, and the time between them. */
#include "httpclient/internal.h"

#include <inttypes.h>
#include <isoworker/span.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static const char token[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "abcdefghijklmnopqrstuvwxyz";

/* -- What it is -------------------------------------------------------------------------------- */

static bool is_token(isw_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!text.data[i] || !strchr(token, text.data[i]))
            return false;
    return text.size > 0;
}

static bool is_value(isw_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (((unsigned char)text.data[i] < ' ' && text.data[i] != '\t') || text.data[i] == 0x7f)
            return false;
    return true;
}

static isw_status check(const isw_http_client_request *said, const char *method, isw_error *error)
{
    if (!said->url || !is_token(isw_str_of(method)))
        return isw_error_set(error, ISW_E_INVALID, "a request needs a URL, and a method that is a "
                             "token, such as GET");
    for (size_t i = 0; i < said->headers.count; i++)
        if (!is_token(said->headers.items[i].name) || !is_value(said->headers.items[i].value))
            return isw_error_set(error, ISW_E_INVALID, "header %zu of the request to %s cannot be "
                                 "sent: a name is a token, and a value has no control characters",
                                 i + 1, method);
    return ISW_OK;
}

static const char *part(isw_context *ctx, CURLU *url, CURLUPart what, unsigned flags)
{
    char *text = NULL;
    const char *copy = NULL;

    if (curl_url_get(url, what, &text, flags) == CURLUE_OK)
        copy = isw_context_strndup(ctx, text, strlen(text));
    curl_free(text);
    return copy;
}

/* False: it is none, or memory is out. */
static bool read_url(isw_context *ctx, CURLU *url, iswi_request *out)
{
    const char *scheme;
    const char *port;

    if (curl_url_set(url, CURLUPART_URL, out->said->url, 0) != CURLUE_OK)
        return false;
    scheme = part(ctx, url, CURLUPART_SCHEME, 0);
    port = part(ctx, url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    out->host = part(ctx, url, CURLUPART_HOST, 0);
    if (!scheme || !port || !out->host ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        return false;
    out->origin = isw_context_printf(ctx, "%s://%s:%s", scheme, out->host, port);
    curl_url_set(url, CURLUPART_USER, NULL, 0);
    curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(url, CURLUPART_QUERY, NULL, 0);
    curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
    out->shown = part(ctx, url, CURLUPART_URL, 0);
    return out->origin && out->shown && strlen(out->origin) < ISWI_ORIGIN_BYTES;
}

static isw_status look(isw_context *ctx, const isw_http_client_request *said, iswi_request *out,
                       isw_error *error)
{
    const char *method = said->method ? said->method : "GET";
    CURLU *url = curl_url();
    isw_status status = check(said, method, error);

    *out = (iswi_request){ .said = said, .method = method };
    if (status == ISW_OK && !url)
        status = isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a request");
    if (status == ISW_OK && !read_url(ctx, url, out))
        status = isw_error_set(error, ISW_E_INVALID, "a request of %s has a URL that is none of http "
                               "or https, or has no host", method);
    curl_url_cleanup(url);
    return status;
}

static bool is_idempotent(const iswi_request *request)
{
    static const char *const methods[] = { "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE" };

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(request->method, methods[i]) == 0)
            return true;
    return request->said->idempotent;
}

/* -- What came of a try ------------------------------------------------------------------------ */

static bool never_left(CURLcode code)
{
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
           code == CURLE_COULDNT_RESOLVE_PROXY;
}

static bool may_pass(const iswi_try *try)
{
    static const CURLcode passing[] = { CURLE_OPERATION_TIMEDOUT, CURLE_SEND_ERROR,
                                        CURLE_RECV_ERROR, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE,
                                        CURLE_HTTP2, CURLE_HTTP2_STREAM };

    if (try->cancelled || try->no_memory || try->too_large)
        return false;
    if (try->answer)
        return try->answer->status == 429 || (try->answer->status >= 502 &&
                                              try->answer->status <= 504);
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
        if (try->code == passing[i])
            return true;
    return never_left(try->code);
}

static iswi_verdict judge(const iswi_try *try)
{
    if (try->cancelled || try->no_memory || try->too_large)
        return ISWI_SAYS_NOTHING;
    return try->answer && try->answer->status < 500 ? ISWI_WENT_WELL : ISWI_WENT_WRONG;
}

static isw_status status_of(const iswi_try *try)
{
    if (try->answer)
        return ISW_OK;
    if (try->no_memory || try->code == CURLE_OUT_OF_MEMORY)
        return ISW_E_NO_MEMORY;
    if (try->cancelled)
        return ISW_E_CANCELLED;
    if (try->too_large || try->code == CURLE_WEIRD_SERVER_REPLY ||
        try->code == CURLE_UNSUPPORTED_PROTOCOL)
        return ISW_E_PROTOCOL;
    return try->code == CURLE_OPERATION_TIMEDOUT ? ISW_E_TIMEOUT : ISW_E_UNAVAILABLE;
}

static isw_status tell(const isw_http_client *client, const iswi_request *request,
                       const iswi_try *try, unsigned tries, isw_error *error)
{
    const isw_status status = status_of(try);
    const char *why = try->why[0] ? try->why : curl_easy_strerror(try->code);

    if (status == ISW_OK)
        return ISW_OK;
    if (status == ISW_E_CANCELLED)
        why = "the invocation was cancelled";
    else if (status == ISW_E_NO_MEMORY)
        why = "no memory";
    if (try->too_large)
        return isw_error_set(error, status, "%s %s: the answer has more than %zu bytes, or too many "
                             "headers", request->method, request->shown,
                             client->options.body_limit);
    return isw_error_set(error, status, "%s %s: %s (try %u)", request->method, request->shown, why,
                         tries);
}

/* -- Tries ------------------------------------------------------------------------------------- */

static unsigned begin_span(isw_context *ctx, const iswi_request *request, unsigned number)
{
    const unsigned span = isw_span_begin(ctx, request->method);
    const isw_value method = isw_value_string(request->method);
    const isw_value url = isw_value_string(request->shown);
    const isw_value kind = isw_value_string("client");
    const isw_value host = isw_value_string(request->host);
    const isw_value count = isw_value_int(number);

    if (!span)
        return 0;
    isw_span_set(ctx, span, "span.kind", &kind);
    isw_span_set(ctx, span, "http.request.method", &method);
    isw_span_set(ctx, span, "url.full", &url);
    isw_span_set(ctx, span, "server.address", &host);
    if (number)
        isw_span_set(ctx, span, "http.request.resend_count", &count);
    return span;
}

static void end_span(isw_context *ctx, unsigned span, const iswi_try *try)
{
    const isw_value status = isw_value_int(try->answer ? try->answer->status : 0);
    isw_status ended = status_of(try);

    if (span && try->answer)
        isw_span_set(ctx, span, "http.response.status_code", &status);
    if (try->answer && try->answer->status >= 400)
        ended = ISW_E_FAILED;
    isw_span_end(ctx, span, ended);
}

/* Milliseconds before the next try: what the answer says, or a random part of the back-off. */
static int64_t pause_of(const isw_http_client *client, const iswi_try *try, unsigned tries)
{
    const isw_str *said = try->answer ? isw_pairs_find(&try->answer->headers, "retry-after") : NULL;
    int64_t most_ms = (int64_t)client->options.backoff_ms << (tries < 16 ? tries - 1 : 15);
    int64_t seconds = 0;
    uint32_t random = 0;

    if (said && said->size && said->size < 9 && strspn(said->data, "0123456789") >= said->size) {
        for (size_t i = 0; i < said->size; i++)
            seconds = seconds * 10 + (said->data[i] - '0');
        return seconds * 1000;
    }
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        return most_ms;
    return most_ms ? 1 + random % most_ms : 0;
}

static int64_t left_of(const isw_context *ctx, int64_t until_us)
{
    const int64_t own_ms = (until_us - isw_now_us() + 999) / 1000;
    const int64_t left_ms = isw_context_remaining_ms(ctx);

    return left_ms < own_ms ? left_ms : own_ms;
}

/* One try. Not ISW_OK: it was not made. */
static isw_status try_once(isw_http_client *client, isw_context *ctx, const iswi_request *request,
                           int64_t until_us, unsigned tries, iswi_try *out, isw_error *error)
{
    const int64_t left_ms = left_of(ctx, until_us);
    iswi_visit visit = { .options = &client->options, .origin = request->origin };
    unsigned span;

    if (isw_context_cancelled(ctx))
        return isw_error_set(error, ISW_E_CANCELLED, "%s %s: the invocation was cancelled",
                             request->method, request->shown);
    if (left_ms <= 0)
        return isw_error_set(error, ISW_E_TIMEOUT, "%s %s: its time was over", request->method,
                             request->shown);
    if (!iswi_circuits_enter(&client->circuits, &visit))
        return isw_error_set(error, ISW_E_UNAVAILABLE, "%s %s: the circuit of %s is open for "
                             "another %" PRId64 " ms, since it failed again and again",
                             request->method, request->shown, request->origin, visit.wait_ms);
    span = begin_span(ctx, request, tries);
    iswi_transfer(client, ctx, request, left_ms, out);
    visit.verdict = judge(out);
    iswi_circuits_leave(&client->circuits, &visit);
    end_span(ctx, span, out);
    return ISW_OK;
}

isw_status isw_http_client_send(isw_http_client *client, isw_context *ctx,
                                const isw_http_client_request *said, const isw_http **answer,
                                isw_error *error)
{
    const uint32_t timeout_ms = said->timeout_ms ? said->timeout_ms : client->options.timeout_ms;
    const int64_t until_us = isw_now_us() + (int64_t)timeout_ms * 1000;
    iswi_request request;
    iswi_try try = { .code = CURLE_OK };
    unsigned tries = 0;
    isw_status status = look(ctx, said, &request, error);

    while (status == ISW_OK) {
        int64_t pause_ms;

        status = try_once(client, ctx, &request, until_us, tries, &try, tries ? NULL : error);
        if (status != ISW_OK && !tries)
            return status;
        if (status != ISW_OK || tries++ == client->options.retries || !may_pass(&try) ||
            (!is_idempotent(&request) && !never_left(try.code)))
            break;
        pause_ms = pause_of(client, &try, tries);
        if (pause_ms >= left_of(ctx, until_us) ||
            isw_context_sleep(ctx, (uint32_t)pause_ms) != ISW_OK)
            break;
    }
    if (!tries && status != ISW_OK)
        return status;
    try.cancelled = try.cancelled || isw_context_cancelled(ctx);
    status = tell(client, &request, &try, tries, error);
    if (status == ISW_OK)
        *answer = try.answer;
    return status;
}
