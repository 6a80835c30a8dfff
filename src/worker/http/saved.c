/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that outlive their invocation. Invariant: a saved reply is one block, its texts lie
 * behind its headers. */
#include "worker/context/context.h"

#include "base/alloc.h"
#include "worker/context/failure.h"
#include "worker/http/reply.h"
#include "worker/http/saved.h"

#include <isoworker/http.h>
#include <isoworker/stream.h>

/* -- Which headers ----------------------------------------------------------------------------- */

static size_t count_of(const isw_pairs *headers, isw_str name, size_t before)
{
    size_t count = 0;

    for (size_t i = 0; i < before; i++)
        count += isw_str_equal(headers->items[i].name, name);
    return count;
}

/* Whether all that `before` has of the name comes first in `now`: it was left alone since. */
static bool was_left(const isw_pairs *before, const isw_pairs *now, isw_str name)
{
    size_t at = 0;

    for (size_t i = 0; i < before->count; i++) {
        const isw_pair *same;

        if (!isw_str_equal(before->items[i].name, name))
            continue;
        same = isw_pairs_next(now, name.data, &at);
        if (!same || !isw_str_equal(same->value, before->items[i].value))
            return false;
    }
    return true;
}

static bool is_new(const isw_pairs *before, const isw_pairs *now, size_t i)
{
    isw_str name = now->items[i].name;

    return count_of(now, name, i) >= count_of(before, name, before->count) ||
           !was_left(before, now, name);
}

/* Whether entry i is the first of a name that was taken away or replaced. */
static bool is_gone(const isw_pairs *before, const isw_pairs *now, size_t i)
{
    isw_str name = before->items[i].name;

    return count_of(before, name, i) == 0 && !was_left(before, now, name);
}

/* -- One block --------------------------------------------------------------------------------- */

static char *append(char **at, const void *data, size_t size)
{
    char *copy = *at;

    if (size)
        memcpy(copy, data, size);
    copy[size] = '\0';
    *at += size + 1;
    return copy;
}

static size_t size_of(const isw_pair *pair)
{
    return sizeof *pair + pair->name.size + pair->value.size + 2;
}

static void add(isw_saved_reply *saved, char **at, isw_str name, isw_str value)
{
    saved->headers[saved->count++] = (isw_pair){ { append(at, name.data, name.size), name.size },
                                                 { append(at, value.data, value.size),
                                                   value.size } };
}

/* `type` is a content type that comes on top; NULL: none. */
static isw_saved_reply *save(const isw_http *reply, const char *type, const isw_pairs *before,
                             size_t *total)
{
    const isw_pair more = { isw_str_of("content-type"), isw_str_of(type) };
    const isw_pairs *now = &reply->headers;
    size_t count = before->count + now->count + 1;
    size_t size = sizeof(isw_saved_reply) + size_of(&more) + reply->body.size + 1;
    isw_saved_reply *saved;
    char *at;

    for (size_t i = 0; i < before->count; i++)
        size += size_of(&before->items[i]);
    for (size_t i = 0; i < now->count; i++)
        size += size_of(&now->items[i]);
    saved = iswi_calloc(1, size);
    if (!saved)
        return NULL;
    at = (char *)&saved->headers[count];
    for (size_t i = 0; i < before->count; i++)
        if (is_gone(before, now, i))
            add(saved, &at, before->items[i].name, (isw_str){ "", 0 });
    saved->forgotten = saved->count;
    for (size_t i = 0; i < now->count; i++)
        if (is_new(before, now, i))
            add(saved, &at, now->items[i].name, now->items[i].value);
    if (type)
        add(saved, &at, more.name, more.value);
    saved->status = reply->status;
    saved->body = (isw_bytes){ append(&at, reply->body.data, reply->body.size), reply->body.size };
    if (total)
        *total = size;
    return saved;
}

isw_saved_reply *isw_http_save_reply(const isw_context *ctx, size_t *size)
{
    ISWI_ALIVE(ctx);
    static const isw_pairs none;
    const isw_http *reply = isw_http_response(ctx);

    return reply && !isw_http_begun(ctx) ? save(reply, NULL, &none, size) : NULL;
}

isw_saved_reply *isw_http_save_reply_since(const isw_context *ctx, const isw_mark *mark,
                                           size_t *size)
{
    ISWI_ALIVE(ctx);
    const isw_http *reply = isw_http_response(ctx);
    isw_pairs before = { mark->headers, mark->header_count };
    const char *type = NULL;
    isw_http made;

    if (isw_http_begun(ctx) || (!reply && !iswi_reply_of_result(ctx, &made, &type)))
        return NULL;
    if (reply && reply != &ctx->head.reply)
        before.count = 0; /* made by hand: the headers that were set are not in it */
    return save(reply ? reply : &made, type, &before, size);
}

isw_status isw_http_reply_saved(isw_context *ctx, const isw_saved_reply *saved)
{
    ISWI_ALIVE(ctx);
    isw_status status = iswi_context_may_answer(ctx);
    char *body;

    if (!saved)
        return iswi_needs(ctx, __func__, "saved reply", saved);
    body = isw_context_strndup(ctx, saved->body.data, saved->body.size);
    if (!body)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a reply that was saved");
    for (size_t i = 0; status == ISW_OK && i < saved->forgotten; i++)
        iswi_answer_head_forget(&ctx->head, saved->headers[i].name.data);
    for (size_t i = saved->forgotten; status == ISW_OK && i < saved->count; i++)
        status = isw_http_add_header(ctx, saved->headers[i].name.data,
                                     saved->headers[i].value.data);
    return status == ISW_OK
               ? isw_http_reply_bytes(ctx, saved->status, NULL, body, saved->body.size)
               : status;
}
