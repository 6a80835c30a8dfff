/* SPDX-License-Identifier: Apache-2.0 */
/* What libmicrohttpd is given to answer with: heads, and bodies that are there as a whole. */
#include "host/http/internal.h"

#include "url/fields.h"

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

struct MHD_Response *iswi_http_empty(void)
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
        response = iswi_http_empty();
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

/* A response that holds `body` and sees to its release. */
struct MHD_Response *iswi_http_whole(isw_bytes body, void (*release)(void *), void *user)
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

void iswi_http_close_after(iswi_http_request *request)
{
    if (request->response)
        MHD_add_response_header(request->response, MHD_HTTP_HEADER_CONNECTION, "close");
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
