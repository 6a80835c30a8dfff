/* SPDX-License-Identifier: Apache-2.0 */
/* Answers. Invariant: `release` is called once, whatever happens: by libmicrohttpd when it is done
 * with the body, or here if it never gets it. */
#include "host/http/internal.h"

#include "base/alloc.h"
#include "base/problem.h"
#include "url/fields.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static bool is_ours_to_set(isw_str name)
{
    static const char *const fields[] = {
        "Connection", "Content-Length", "Keep-Alive",        "Proxy-Connection",
        "TE",         "Trailer",        "Transfer-Encoding", "Upgrade"
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (isw_str_equal_nocase(name, isw_str_of(fields[i])))
            return true;
    return false;
}

/* What a 304 does not repeat (RFC 9110, section 15.4.5). */
static bool is_of_content(isw_str name)
{
    return isw_str_equal(name, isw_str_of("content-type")) ||
           isw_str_equal(name, isw_str_of("content-encoding"));
}

void iswi_http_add_headers(iswi_http_request *request, const isw_pairs *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        isw_pair header = headers->items[i];
        const char *name;
        const char *value;

        if (!iswi_field_is_token(header.name) || !iswi_field_is_value(header.value) ||
            is_ours_to_set(header.name) ||
            (request->status == MHD_HTTP_NOT_MODIFIED && is_of_content(header.name)))
            continue;
        name = iswi_arena_strndup(&request->arena, header.name.data, header.name.size);
        /* libmicrohttpd takes no value of nothing; space around a value is none of it. */
        value = header.value.size ? iswi_arena_strndup(&request->arena, header.value.data,
                                                       header.value.size)
                                  : " ";
        if (name && value)
            MHD_add_response_header(request->response, name, value);
    }
}

uint64_t iswi_http_length_of(const isw_http *head)
{
    const isw_str *text = isw_pairs_find(&head->headers, "content-length");
    uint64_t length = 0;

    if (!text || !text->size || text->size > 18)
        return MHD_SIZE_UNKNOWN;
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return MHD_SIZE_UNKNOWN;
        length = 10 * length + (uint64_t)(text->data[i] - '0');
    }
    return length;
}

static struct MHD_Response *empty_response(void)
{
    return MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
}

bool iswi_http_wants_head(const iswi_http_request *request)
{
    return isw_str_equal(request->data.method, isw_str_of("HEAD"));
}

/* libmicrohttpd reads nothing of a body that it does not send. */
static ssize_t read_nothing(void *user, uint64_t position, char *out, size_t most)
{
    (void)user;
    (void)position;
    (void)out;
    (void)most;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* Content-Length: 0 would be a lie, and so would chunks be, whose last one libmicrohttpd even
 * sends. Before 0.9.77 it can leave both out for nothing but the end of the connection. */
struct MHD_Response *iswi_http_head_alone(uint64_t length)
{
    struct MHD_Response *response;

#if MHD_VERSION >= 0x00097701
    if (length == MHD_SIZE_UNKNOWN) {
        response = empty_response();
        if (response)
            MHD_set_response_options(response, MHD_RF_HEAD_ONLY_RESPONSE, MHD_RO_END);
        return response;
    }
#endif
    response = MHD_create_response_from_callback(length, 1024, read_nothing, NULL, NULL);
    if (response && length == MHD_SIZE_UNKNOWN) {
        MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    return response;
}

/* A response without the body that a function may have given it; NULL: it has it, or no memory. */
static struct MHD_Response *bodiless(const iswi_http_request *request, const isw_http *answer,
                                     bool *is)
{
    uint64_t length = iswi_http_length_of(answer);
    bool said = iswi_http_wants_head(request) && !answer->body.size && length != MHD_SIZE_UNKNOWN;

    *is = true;
    switch (request->status) {
    case MHD_HTTP_NO_CONTENT:
    case MHD_HTTP_RESET_CONTENT:
        return empty_response();
    case MHD_HTTP_NOT_MODIFIED: /* a body that came along is that of the 200 */
        return iswi_http_head_alone(answer->body.size ? answer->body.size : length);
    default:
        *is = said;
        return said ? iswi_http_head_alone(length) : NULL;
    }
}

/* A response that holds `body` and sees to its release. */
static struct MHD_Response *response_of(isw_bytes body, void (*release)(void *), void *user)
{
    struct MHD_Response *response;

    if (!release)
        return MHD_create_response_from_buffer(body.size, (void *)body.data, MHD_RESPMEM_MUST_COPY);
    response = MHD_create_response_from_buffer_with_free_callback_cls(body.size, (void *)body.data,
                                                                      release, user);
    if (!response)
        release(user);
    return response;
}

void iswi_http_close_after(iswi_http_request *request)
{
    if (request->response)
        MHD_add_response_header(request->response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static void write_problem(iswi_buffer *out, const iswi_http_request *request, int status,
                          const char *title, const char *detail, const char *invocation_id)
{
    iswi_problem_begin(out, status, title, detail);
    if (request->error != ISW_OK)
        iswi_problem_failure(out, request->error, NULL, request->retriable);
    iswi_problem_end(out, invocation_id);
}

/* Status line, date, length and what closes the connection. */
enum { LINES_BYTES = 256, SMALL_HEAD_BYTES = 4096 };

/* What of the connection's memory the request has not taken. */
static size_t room_for_head(const iswi_http_request *request)
{
    size_t used = request->head_bytes + request->data.headers.count * ISWI_HTTP_FIELD_BYTES;
    size_t at = 0;

    for (const isw_pair *cookie;
         (cookie = isw_pairs_next(&request->data.headers, "cookie", &at));) {
        used += cookie->value.size + ISWI_HTTP_FIELD_BYTES;
        for (size_t i = 0; i < cookie->value.size; i++)
            used += cookie->value.data[i] == ';' ? ISWI_HTTP_FIELD_BYTES : 0;
    }
    used += LINES_BYTES;
    return used < ISWI_HTTP_CONNECTION_BYTES ? ISWI_HTTP_CONNECTION_BYTES - used : 0;
}

size_t iswi_http_head_excess(const iswi_http_request *request, const isw_pairs *headers,
                             size_t *room)
{
    size_t size = 0;

    for (size_t i = 0; i < headers->count; i++)
        size += headers->items[i].name.size + headers->items[i].value.size + 4;
    if (size < SMALL_HEAD_BYTES)
        return 0;
    *room = room_for_head(request);
    if (*room > ISWI_HEAD_MAX_BYTES)
        *room = ISWI_HEAD_MAX_BYTES;
    return size > *room ? size : 0;
}

void iswi_http_problem_is(iswi_http_request *request, isw_status error, bool retriable)
{
    request->error = error;
    request->retriable = retriable;
}

void iswi_http_retry_after(iswi_http_request *request, uint64_t ms)
{
    request->retry_after_ms = ms;
}

static void add_retry_after(iswi_http_request *request)
{
    uint64_t ms = request->retry_after_ms;
    char seconds[24] = "1";

    if (ms > 1000)
        snprintf(seconds, sizeof seconds, "%" PRIu64, ms / 1000 + (ms % 1000 != 0));
    MHD_add_response_header(request->response, "Retry-After", seconds);
}

void iswi_http_problem_has(iswi_http_request *request, const isw_pairs *headers)
{
    request->told = headers;
}

static bool was_told(const iswi_http_request *request, const char *name)
{
    return request->told && isw_pairs_find(request->told, name);
}

static void add_told(iswi_http_request *request)
{
    for (size_t i = 0; i < request->told->count; i++) {
        const isw_pair *one = &request->told->items[i];

        if (!iswi_field_of_body(one->name))
            iswi_http_add_headers(request, &(isw_pairs){ one, 1 });
    }
}

void iswi_http_set_problem(iswi_http_request *request, int status, const char *title,
                           const char *detail, const char *invocation_id)
{
    iswi_buffer text = { 0 };

    write_problem(&text, request, status, title, detail, invocation_id);
    request->status = (unsigned)status;
    if (!text.failed)
        request->response = response_of((isw_bytes){ text.data, text.size }, iswi_free, text.data);
    else
        iswi_buffer_fini(&text);
    if (request->response) {
        MHD_add_response_header(request->response, "Content-Type", ISWI_PROBLEM_TYPE);
        if (request->told)
            add_told(request);
        if (status == MHD_HTTP_UNAUTHORIZED && !was_told(request, "www-authenticate"))
            MHD_add_response_header(request->response, "WWW-Authenticate", "Bearer");
        if ((status == MHD_HTTP_TOO_MANY_REQUESTS || status == MHD_HTTP_SERVICE_UNAVAILABLE) &&
            !was_told(request, "retry-after"))
            add_retry_after(request);
        if (!request->told)
            iswi_http_keep_policy(request);
    }
}

void iswi_http_set_text(iswi_http_request *request, int status, const char *text)
{
    request->status = (unsigned)status;
    request->response = response_of((isw_bytes){ text, strlen(text) }, NULL, NULL);
    if (request->response)
        MHD_add_response_header(request->response, "Content-Type", "text/plain; charset=utf-8");
}

void iswi_http_set_options(iswi_http_request *request, const char *allow)
{
    const char *all = iswi_arena_printf(&request->arena, "%s, OPTIONS", allow);

    request->status = MHD_HTTP_NO_CONTENT;
    request->response = empty_response();
    if (request->response && all)
        MHD_add_response_header(request->response, "Allow", all);
}

void iswi_http_count_answer(iswi_http *http, unsigned code)
{
    unsigned at = code - 100;

    if (at < ISWI_HTTP_CODES)
        atomic_fetch_add_explicit(&http->answers[at], 1, memory_order_relaxed);
}

uint64_t iswi_http_answers(const iswi_http *http, int code)
{
    return atomic_load_explicit(&http->answers[code - 100], memory_order_relaxed);
}

enum MHD_Result iswi_http_queue(iswi_http_request *request)
{
    enum MHD_Result queued = MHD_NO;

    if (!request->response)
        return MHD_NO; /* memory is out: all that can be said is a closed connection */
    if (request->http->quiescing)
        iswi_http_close_after(request);
    iswi_http_count_answer(request->http, request->status);
    queued = MHD_queue_response(request->connection, request->status, request->response);
    MHD_destroy_response(request->response);
    request->response = NULL;
    return queued;
}

/* Catches a second answer, as long as it comes before the request is freed. */
static void check_unanswered(iswi_http_request *request)
{
    iswi_http_state state = request->state;

    assert(state == ISWI_HTTP_WAITING || state == ISWI_HTTP_RESTING ||
           state == ISWI_HTTP_ABANDONED || state == ISWI_HTTP_UPLOADING);
    (void)state;
}

void iswi_http_answer(iswi_http_request *request, const isw_http *response, void (*release)(void *),
                      void *release_user)
{
    check_unanswered(request);
    request->status = response->status ? (unsigned)response->status : MHD_HTTP_OK;
    if (response->status && (response->status < 200 || response->status > 599)) {
        iswi_http_set_problem(request, MHD_HTTP_BAD_GATEWAY, NULL,
                              "The function answered with a status outside 200 to 599.", NULL);
        if (release)
            release(release_user);
    } else {
        bool bare;
        struct MHD_Response *without = bodiless(request, response, &bare);

        request->response =
            bare ? without : response_of(response->body, release, release_user);
        if (request->response)
            iswi_http_add_headers(request, &response->headers);
        if (bare && release)
            release(release_user);
    }
    iswi_http_hand_back(request);
}

void iswi_http_answer_problem(iswi_http_request *request, int status, const char *title,
                              const char *detail, const char *invocation_id)
{
    check_unanswered(request);
    iswi_http_set_problem(request, status, title, detail, invocation_id);
    iswi_http_hand_back(request);
}
