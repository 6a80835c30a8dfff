/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One try. The thread waits for sockets and, among them, for the descriptor by which its invocation
 * is cancelled. What comes is written to the invocation's memory: libcurl calls back on this thread.
 */
#include "httpclient/internal.h"

#include <isoworker/outgoing.h>
#include <string.h>

enum { HEADERS_MAX = 256, BODY_FIRST = 4096, TURN_MS = 1000 };

typedef struct transfer {
    isw_http_client *client;
    isw_context *ctx;
    iswi_try *out;
    isw_pair *headers;
    size_t header_count;
    char *body;
    size_t size, capacity;
} transfer;

/* -- What comes -------------------------------------------------------------------------------- */

/* What a callback returns to end a transfer is less than it was given. */
static size_t no_memory(transfer *t)
{
    t->out->no_memory = true;
    return 0;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *user)
{
    transfer *t = user;
    const size_t limit = t->client->options.body_limit;

    (void)one;
    if (size > limit - t->size) {
        t->out->too_large = true;
        return 0;
    }
    if (size > t->capacity - t->size) {
        size_t capacity = t->capacity ? t->capacity : BODY_FIRST;
        char *body;

        while (capacity < t->size + size)
            capacity *= 2;
        body = isw_context_alloc(t->ctx, capacity);
        if (!body)
            return no_memory(t);
        if (t->size)
            memcpy(body, t->body, t->size);
        t->body = body;
        t->capacity = capacity;
    }
    memcpy(t->body + t->size, bytes, size);
    t->size += size;
    return size;
}

static isw_str trimmed(const char *from, const char *end)
{
    while (from < end && strchr(" \t\r\n", *from))
        from++;
    while (end > from && strchr(" \t\r\n", end[-1]))
        end--;
    return (isw_str){ from, (size_t)(end - from) };
}

/* A line of the head; one without a colon begins a head, or ends it. */
static size_t on_header(char *bytes, size_t one, size_t size, void *user)
{
    transfer *t = user;
    const char *colon = memchr(bytes, ':', size);
    isw_str value;
    isw_pair *to;
    char *name;

    (void)one;
    if (size >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
        t->header_count = 0; /* what was before was for the way: 100, 103 */
    if (!colon || (size >= 5 && memcmp(bytes, "HTTP/", 5) == 0))
        return size;
    if (t->header_count == HEADERS_MAX) {
        t->out->too_large = true;
        return 0;
    }
    to = &t->headers[t->header_count];
    value = trimmed(colon + 1, bytes + size);
    name = isw_context_strndup(t->ctx, bytes, (size_t)(colon - bytes));
    to->value = (isw_str){ isw_context_strndup(t->ctx, value.data, value.size), value.size };
    if (!name || !to->value.data)
        return no_memory(t);
    for (char *c = name; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + ('a' - 'A'));
    to->name = isw_str_of(name);
    t->header_count++;
    return size;
}

/* -- What is sent ------------------------------------------------------------------------------ */

/* As curl has it: "name: value", or "name;" for a value of nothing. False: no memory. */
static bool add_line(isw_context *ctx, struct curl_slist **lines, const isw_pair *header)
{
    const char *line =
        header->value.size
            ? isw_context_printf(ctx, "%.*s: %.*s", (int)header->name.size, header->name.data,
                                 (int)header->value.size, header->value.data)
            : isw_context_printf(ctx, "%.*s;", (int)header->name.size, header->name.data);
    struct curl_slist *longer = line ? curl_slist_append(*lines, line) : NULL;

    if (longer)
        *lines = longer;
    return longer != NULL;
}

static bool is_said(const isw_pairs *said, isw_str name)
{
    for (size_t i = 0; i < said->count; i++)
        if (isw_str_equal_nocase(said->items[i].name, name))
            return true;
    return false;
}

/* False, with *lines to be freed all the same: no memory. */
static bool make_lines(isw_context *ctx, const isw_pairs *said, struct curl_slist **lines)
{
    /* Without these libcurl would have a type of its own, and wait for 100. */
    static const char *const unwanted[] = { "Content-Type", "Expect" };
    isw_pairs own;
    bool made = isw_context_outgoing(ctx, &own) == ISW_OK;

    for (size_t i = 0; made && i < said->count; i++)
        made = add_line(ctx, lines, &said->items[i]);
    for (size_t i = 0; made && i < own.count; i++)
        made = is_said(said, own.items[i].name) || add_line(ctx, lines, &own.items[i]);
    for (size_t i = 0; made && i < sizeof unwanted / sizeof unwanted[0]; i++) {
        const char *line = isw_context_printf(ctx, "%s:", unwanted[i]);
        struct curl_slist *longer;

        if (is_said(said, isw_str_of(unwanted[i])))
            continue;
        longer = line ? curl_slist_append(*lines, line) : NULL;
        *lines = longer ? longer : *lines;
        made = longer != NULL;
    }
    return made;
}

#define SET(option, value) code = code ? code : curl_easy_setopt(easy, option, value)

static CURLcode set_request(CURL *easy, const iswi_request *request, struct curl_slist *lines)
{
    const isw_bytes *body = &request->said->body;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, request->said->url);

    if (body->size || strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->size);
        SET(CURLOPT_POSTFIELDS, body->size ? body->data : "");
    }
    if (strcmp(request->method, "HEAD") == 0)
        SET(CURLOPT_NOBODY, 1L);
    else
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    SET(CURLOPT_HTTPHEADER, lines);
    return code;
}

static CURLcode set_all(CURL *easy, transfer *t, const iswi_request *request,
                        struct curl_slist *lines, int64_t left_ms)
{
    const isw_http_client *client = t->client;
    const int64_t connect_ms = client->options.connect_timeout_ms;
    CURLcode code = set_request(easy, request, lines);

    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)left_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_ms < left_ms ? connect_ms : left_ms));
    SET(CURLOPT_ERRORBUFFER, t->out->why);
    SET(CURLOPT_USERAGENT, client->user_agent);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    if (client->ca_file)
        SET(CURLOPT_CAINFO, client->ca_file);
    return code;
}

#undef SET

/* -- The whole --------------------------------------------------------------------------------- */

static CURLcode result_of(CURLM *multi)
{
    int rest;
    const CURLMsg *message = curl_multi_info_read(multi, &rest);

    return message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
}

static void run(transfer *t, iswi_lines *lines)
{
    struct curl_waitfd cancel = { isw_context_cancel_fd(t->ctx), CURL_WAIT_POLLIN, 0 };
    int running = 1;

    if (curl_multi_add_handle(lines->multi, lines->easy) != CURLM_OK) {
        t->out->no_memory = true;
        return;
    }
    while (!t->out->cancelled && curl_multi_perform(lines->multi, &running) == CURLM_OK && running) {
        curl_multi_poll(lines->multi, &cancel, cancel.fd >= 0, TURN_MS, NULL);
        t->out->cancelled = isw_context_cancelled(t->ctx);
    }
    t->out->code = result_of(lines->multi);
    curl_multi_remove_handle(lines->multi, lines->easy);
}

static void take_answer(transfer *t, CURL *easy)
{
    isw_http *answer = isw_context_alloc(t->ctx, sizeof *answer);
    long status = 0;

    if (!answer) {
        t->out->no_memory = true;
        return;
    }
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    *answer = (isw_http){ .status = (int)status,
                          .headers = { t->headers, t->header_count },
                          .body = { t->body, t->size } };
    t->out->answer = answer;
}

void iswi_transfer(isw_http_client *client, isw_context *ctx, const iswi_request *request,
                   int64_t left_ms, iswi_try *out)
{
    transfer t = { .client = client, .ctx = ctx, .out = out };
    iswi_lines *lines = iswi_lines_take(client);
    struct curl_slist *head = NULL;

    *out = (iswi_try){ .code = CURLE_FAILED_INIT };
    t.headers = isw_context_alloc(ctx, HEADERS_MAX * sizeof *t.headers);
    if (!lines || !t.headers || !make_lines(ctx, &request->said->headers, &head) ||
        set_all(lines->easy, &t, request, head, left_ms) != CURLE_OK)
        out->no_memory = true;
    else
        run(&t, lines);
    if (lines) {
        if (out->code == CURLE_OK)
            take_answer(&t, lines->easy);
        curl_easy_reset(lines->easy);
        iswi_lines_give(client, lines);
    }
    curl_slist_free_all(head);
}
