/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals, and how they are told. */
#include "http1/internal.h"

#include <inttypes.h>

bool iswi_http1_refuse_at(iswi_http1_head *head, size_t at, int status, const char *what)
{
    head->refusal = (iswi_http1_refusal){ status, what, head->line, at - head->line_begin + 1 };
    return false;
}

bool iswi_http1_refuse_whole(iswi_http1_head *head, int status, const char *what)
{
    head->refusal = (iswi_http1_refusal){ .status = status, .what = what };
    return false;
}

bool iswi_http1_refuse_body(iswi_http1_body *body, int status, const char *what)
{
    body->refusal = (iswi_http1_refusal){ .status = status, .what = what, .byte = body->at + 1 };
    return false;
}

const char *iswi_http1_refusal_text(const iswi_http1_refusal *refusal, iswi_arena *arena)
{
    const char *text;

    if (refusal->line)
        text = iswi_arena_printf(arena, "%s (line %" PRIu32 ", byte %" PRIu64 ").", refusal->what,
                                 refusal->line, refusal->byte);
    else if (refusal->byte)
        text = iswi_arena_printf(arena, "%s (byte %" PRIu64 " of the body as it was sent).",
                                 refusal->what, refusal->byte);
    else
        text = iswi_arena_printf(arena, "%s.", refusal->what);
    return text ? text : refusal->what;
}
