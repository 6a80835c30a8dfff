/* SPDX-License-Identifier: Apache-2.0 */
/* Replies. Invariant: a body is released once, whatever happens: when it was written, or when
 * nobody will write it. */
#include "host/http/internal.h"

bool iswi_http_wants_head(const iswi_http_request *request)
{
    return isw_str_equal(request->data.method, isw_str_of("HEAD"));
}

int64_t iswi_http_length_of(const isw_http *head)
{
    const isw_str *text = isw_pairs_find(&head->headers, "content-length");
    int64_t length = 0;

    if (!text || !text->size || text->size > 18)
        return ISWI_HTTP_NO_LENGTH;
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return ISWI_HTTP_NO_LENGTH;
        length = 10 * length + (text->data[i] - '0');
    }
    return length;
}

void iswi_http_reply_release(iswi_http_reply *reply)
{
    void (*release)(void *) = reply->release;

    reply->release = NULL;
    reply->body = (isw_bytes){ NULL, 0 };
    if (release)
        release(reply->release_user);
}

void iswi_http_reply_add(iswi_http_reply *reply, const char *name, const char *value)
{
    if (value && reply->own_count < ISWI_HTTP_OWN_HEADERS)
        reply->own[reply->own_count++] = (isw_pair){ isw_str_of(name), isw_str_of(value) };
}

size_t iswi_http_head_excess(const iswi_http_request *request, const isw_pairs *headers,
                             size_t *room)
{
    size_t size = 0;

    (void)request;
    for (size_t i = 0; i < headers->count; i++)
        size += headers->items[i].name.size + headers->items[i].value.size + 4;
    if (size <= ISWI_HEAD_MAX_BYTES)
        return 0;
    *room = ISWI_HEAD_MAX_BYTES;
    return size;
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
