/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that outlive their invocation. Invariant: a saved reply is one block, its texts lie
 * behind its headers. */
#include "worker/context.h"

#include "base/alloc.h"
#include "worker/failure.h"

#include <isoworker/http.h>
#include <isoworker/stream.h>

struct isw_saved_reply {
    int status;
    isw_bytes body;
    size_t count;
    isw_pair headers[];
};

static size_t size_of(const isw_http *reply)
{
    size_t size = sizeof(isw_saved_reply) + reply->body.size + 1;

    for (size_t i = 0; i < reply->headers.count; i++)
        size += sizeof(isw_pair) + reply->headers.items[i].name.size +
                reply->headers.items[i].value.size + 2;
    return size;
}

static char *append(char **at, const void *data, size_t size)
{
    char *copy = *at;

    if (size)
        memcpy(copy, data, size);
    copy[size] = '\0';
    *at += size + 1;
    return copy;
}

isw_saved_reply *isw_http_save_reply(const isw_context *ctx, size_t *size)
{
    ISWI_ALIVE(ctx);
    const isw_http *reply = isw_http_response(ctx);
    isw_saved_reply *saved = NULL;
    char *at;

    if (reply && !isw_http_begun(ctx))
        saved = iswi_calloc(1, size_of(reply));
    if (!saved)
        return NULL;
    saved->status = reply->status;
    saved->count = reply->headers.count;
    at = (char *)&saved->headers[saved->count];
    for (size_t i = 0; i < saved->count; i++) {
        const isw_pair *pair = &reply->headers.items[i];

        saved->headers[i].name = (isw_str){ append(&at, pair->name.data, pair->name.size),
                                            pair->name.size };
        saved->headers[i].value = (isw_str){ append(&at, pair->value.data, pair->value.size),
                                             pair->value.size };
    }
    saved->body = (isw_bytes){ append(&at, reply->body.data, reply->body.size), reply->body.size };
    if (size)
        *size = size_of(reply);
    return saved;
}

isw_status isw_http_reply_saved(isw_context *ctx, const isw_saved_reply *saved)
{
    ISWI_ALIVE(ctx);
    char *body = isw_context_strndup(ctx, saved->body.data, saved->body.size);
    isw_status status = ISW_OK;

    if (!body)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a reply that was saved");
    for (size_t i = 0; status == ISW_OK && i < saved->count; i++)
        status = isw_http_add_header(ctx, saved->headers[i].name.data,
                                     saved->headers[i].value.data);
    return status == ISW_OK
               ? isw_http_reply_bytes(ctx, saved->status, NULL, body, saved->body.size)
               : status;
}
