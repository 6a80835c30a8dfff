/* SPDX-License-Identifier: Apache-2.0 */
/* The headers of an answer, from the first that is set until it leaves. Invariant: the reply shows
 * them as they are, whether it is made yet or not. */
#include "base/problem.h"
#include "url/fields.h"
#include "worker/context/failure.h"

/* Others see them as they are read: const. */
static isw_pair *headers_of(iswi_answer_head *head)
{
    return (isw_pair *)head->reply.headers.items;
}

/* -- Set --------------------------------------------------------------------------------------- */

/* Take out all of that name but the first `kept`; gives how many there were. */
static size_t take_out(iswi_answer_head *head, const char *name, size_t kept)
{
    isw_pair *headers = headers_of(head);
    size_t found = 0;
    size_t count = 0;

    for (size_t i = 0; i < head->reply.headers.count; i++)
        if (!iswi_field_equal(headers[i].name, name) || found++ < kept)
            headers[count++] = headers[i];
    head->reply.headers.count = count;
    return found;
}

void iswi_answer_head_forget(iswi_answer_head *head, const char *name)
{
    take_out(head, name, 0);
}

void iswi_answer_head_forget_body(iswi_answer_head *head)
{
    isw_pair *headers = headers_of(head);
    size_t count = 0;

    for (size_t i = 0; i < head->reply.headers.count; i++)
        if (!iswi_field_of_body(headers[i].name))
            headers[count++] = headers[i];
    head->reply.headers.count = count;
}

isw_status iswi_answer_head_add(isw_context *ctx, isw_pair header)
{
    isw_pairs *headers = &ctx->head.reply.headers;

    if (headers->count == ISWI_PAIRS_MAX)
        return iswi_misuse(ctx, ISW_E_TOO_LARGE, "a reply takes no more than %d headers",
                           ISWI_PAIRS_MAX);
    if (!iswi_context_grow(ctx, &headers->items, &ctx->head.capacity, headers->count,
                           sizeof *headers->items))
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for a header");
    headers_of(&ctx->head)[headers->count++] = header;
    return ISW_OK;
}

isw_status iswi_answer_head_put(isw_context *ctx, isw_pair header)
{
    isw_pair *at = headers_of(&ctx->head);

    if (take_out(&ctx->head, header.name.data, 1) == 0)
        return iswi_answer_head_add(ctx, header);
    while (!isw_str_equal(at->name, header.name))
        at++;
    *at = header;
    return ISW_OK;
}

void iswi_answer_head_cut(iswi_answer_head *head, size_t count)
{
    head->reply.headers.count = count;
}

/* -- Tries ------------------------------------------------------------------------------------- */

void iswi_answer_head_begin(iswi_answer_head *head)
{
    head->begun = true;
}

void iswi_answer_head_start_over(iswi_answer_head *head, const isw_mark *mark)
{
    if (head->begun)
        return;
    head->reply.headers.count = mark ? mark->header_count : 0; /* there were so many: it has room */
    if (head->reply.headers.count)
        memcpy(headers_of(head), mark->headers, mark->header_count * sizeof *mark->headers);
}

isw_status isw_context_mark(isw_context *ctx, isw_mark *mark)
{
    ISWI_ALIVE(ctx);
    const isw_pairs *headers = &ctx->head.reply.headers;
    isw_pair *copies = iswi_arena_calloc(&ctx->arena, headers->count, sizeof *copies);

    *mark = (isw_mark){ copies, headers->count };
    if (!copies)
        return iswi_fail(ctx, ISW_E_NO_MEMORY, "no memory for the headers so far");
    if (headers->count)
        memcpy(copies, headers->items, headers->count * sizeof *copies);
    return ISW_OK;
}
