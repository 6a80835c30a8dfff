/* SPDX-License-Identifier: Apache-2.0 */
/* From libmicrohttpd's view of a request to isw_http. Invariant: everything in request->data lives
 * in the request's arena or body, never in libmicrohttpd's buffers. */
#include "host/http/internal.h"

#include "base/alloc.h"
#include "base/text.h"
#include "url/fields.h"
#include "url/query.h"

enum { ARENA_BYTES = 2048 };

const char iswi_http_no_memory[] = "There is no memory for the request.";
const char iswi_http_head_too_large[] = "The request line and the header fields have more than 16 "
                                        "KiB.";

/* Headers as libmicrohttpd lists them, while it does. */
typedef struct header_list {
    iswi_arena *arena;
    isw_pair *items;
    size_t count;
    size_t capacity;
    bool failed;
} header_list;

iswi_http_request *iswi_http_request_create(iswi_http *http, struct MHD_Connection *connection,
                                            const char *target)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    iswi_http_request *request;

    if (!info || !info->socket_context)
        return NULL;
    request = iswi_calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->http = http;
    request->connection = connection;
    request->peer = info->socket_context;
    request->state = ISWI_HTTP_AT_HEAD;
    iswi_arena_init(&request->arena, ARENA_BYTES);
    request->data.url = isw_str_of(target);
    request->data.url.data = iswi_arena_strndup(&request->arena, target, request->data.url.size);
    if (request->data.url.data)
        return request;
    iswi_http_request_destroy(request);
    return NULL;
}

void iswi_http_request_destroy(iswi_http_request *request)
{
    if (request->response)
        MHD_destroy_response(request->response);
    iswi_http_stream_release(request->stream);
    iswi_buffer_fini(&request->body);
    iswi_arena_fini(&request->arena);
    iswi_free(request);
}

static enum MHD_Result add_header(void *user, enum MHD_ValueKind kind, const char *name,
                                  size_t name_size, const char *value, size_t value_size)
{
    header_list *list = user;

    (void)kind;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        isw_pair *items = iswi_arena_alloc(list->arena, capacity * sizeof *items);

        if (!items) {
            list->failed = true;
            return MHD_NO;
        }
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] =
        (isw_pair){ { name, name_size }, { value ? value : "", value_size } };
    return MHD_YES;
}

/* A copy as UTF-8, which is what the wire and the functions have. RFC 9110, section 5.5, lets a
 * value have any byte, and a browser sends cookies that a neighbour has set in Latin-1: refused,
 * they would lock a user out of a function that never reads them. */
static isw_str keep_value(iswi_arena *arena, isw_str value)
{
    char *text;

    if (iswi_utf8_valid(value.data, value.size))
        return (isw_str){ iswi_arena_strndup(arena, value.data, value.size), value.size };
    text = iswi_arena_alloc(arena, 2 * value.size);
    return (isw_str){ text, text ? iswi_utf8_mend(value, text) : 0 };
}

/* Copy the headers, their names in lower case. */
static bool keep_headers(iswi_http_request *request, header_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        isw_pair *header = &list->items[i];
        isw_str value = keep_value(&request->arena, iswi_field_trim(header->value));
        char *name = iswi_arena_strndup(&request->arena, header->name.data, header->name.size);

        if (!name)
            return false;
        iswi_lower_case(name);
        if (!value.data)
            return false;
        header->name.data = name;
        header->value = value;
    }
    request->data.headers = (isw_pairs){ list->items, list->count };
    return true;
}

/* NULL, or a sentence for the client. */
static const char *read_query(iswi_http_request *request, isw_str query)
{
    size_t bad;

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

const char *iswi_http_request_read_head(iswi_http_request *request, const char *method,
                                        const char *url, const char *version,
                                        iswi_http_framing *framing)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    header_list list = { .arena = &request->arena };
    isw_str target = request->data.url;
    const char *mark = memchr(target.data, '?', target.size);
    iswi_http_head head;
    const char *problem;

    request->head_bytes = info ? info->header_size : ISWI_HTTP_HEAD_BYTES;
    if (info && info->header_size > ISWI_HTTP_HEAD_BYTES)
        return iswi_http_head_too_large;
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, add_header, &list);
    head = (iswi_http_head){ .method = isw_str_of(method),
                             .target = target,
                             .version = isw_str_of(version),
                             .headers = { list.items, list.count },
                             .target_place = url,
                             .size = info ? info->header_size : 0 };
    problem = iswi_http_strict_check(&head, framing);
    if (problem)
        return problem;
    if (request->http->layout_known && !iswi_http_strict_layout(&head))
        return "A line of the head is folded, does not end with CR LF, or has stray spaces or "
               "NULs.";
    request->data.method = head.method;
    request->data.method.data = iswi_arena_strndup(&request->arena, method, head.method.size);
    request->data.client = isw_str_of(iswi_arena_strndup(&request->arena, request->peer->client,
                                                         strlen(request->peer->client)));
    if (list.failed || !request->data.method.data || !request->data.client.data ||
        !keep_headers(request, &list))
        return iswi_http_no_memory;
    if (!mark)
        return NULL;
    return read_query(request,
                      (isw_str){ mark + 1, target.size - (size_t)(mark + 1 - target.data) });
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

void *iswi_http_request_target(const iswi_http_request *request)
{
    return request->target;
}

iswi_arena *iswi_http_request_arena(iswi_http_request *request)
{
    return &request->arena;
}

const isw_http *iswi_http_request_data(const iswi_http_request *request)
{
    return &request->data;
}
