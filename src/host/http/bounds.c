/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that all connections share. Invariant: what is counted of a body is in its block, so
 * that it is counted no more once that is given back, wherever that happens. */
#include "host/http/internal.h"

#include <stddef.h>

/* Said once, so that a flood of them is none in the log. */
static void tell(iswi_http *http, atomic_ullong *count, const char *text)
{
    if (!atomic_fetch_add(count, 1) && http->events.say)
        http->events.say(http->user, ISW_LOG_WARNING, text);
}

/* -- Bodies ------------------------------------------------------------------------------------ */

iswi_http_block *iswi_http_body_take(iswi_http_loop *loop, size_t size,
                                     const iswi_http_block *instead_of)
{
    iswi_http *http = loop->http;
    iswi_http_bounds *bounds = &http->bounds;
    const int64_t less = instead_of ? (int64_t)instead_of->counted : 0;
    iswi_http_block *block = iswi_http_loop_take(loop, size);
    int64_t others;

    if (!block)
        return NULL;
    others = atomic_fetch_add(&bounds->bodies, (long long)block->size) - less;
    block->counted = block->size;
    if (others <= 0 || others + (int64_t)block->size <= http->terms->body_memory_bytes)
        return block;
    iswi_http_loop_give(loop, block);
    tell(http, &bounds->bodies_refused,
         "HTTP: bodies of requests take all of body_memory, and what finds no room is refused with "
         "503. Further ones are counted as bodies_refused_total");
    return NULL;
}

/* -- Answers ----------------------------------------------------------------------------------- */

static void take_out(iswi_http_waiters *waiters, iswi_http_waiting *waiting)
{
    *waiting->link = waiting->next;
    if (waiting->next)
        waiting->next->link = waiting->link;
    else
        waiters->end = waiting->link;
    waiters->bytes -= (int64_t)waiting->bytes;
    waiting->bytes = 0;
}

/* Not at once: whoever lets one more wait may be in the midst of another's end. */
static void on_crowded(iswi_task *task)
{
    iswi_http_loop *loop = (iswi_http_loop *)((char *)task - offsetof(iswi_http_loop, waiters) -
                                              offsetof(iswi_http_waiters, crowded));
    iswi_http_waiters *waiters = &loop->waiters;
    iswi_http *http = loop->http;
    const int64_t share = http->terms->answer_memory_bytes / http->loop_count;

    waiters->is_crowded = false;
    while (waiters->bytes > share && waiters->first->next) {
        iswi_http_waiting *oldest = waiters->first;

        take_out(waiters, oldest);
        tell(http, &http->bounds.answers_cut,
             "HTTP: answers that their clients do not take fill answer_memory, and the one that "
             "has waited longest is cut off. Further ones are counted as answers_cut_total");
        oldest->cut(oldest);
    }
}

void iswi_http_wait_for_client(iswi_http_loop *loop, iswi_http_waiting *waiting, size_t bytes)
{
    iswi_http_waiters *waiters = &loop->waiters;

    if (waiting->bytes || !bytes)
        return;
    if (!waiters->first)
        waiters->end = &waiters->first;
    waiting->bytes = bytes;
    waiting->next = NULL;
    waiting->link = waiters->end;
    *waiters->end = waiting;
    waiters->end = &waiting->next;
    waiters->bytes += (int64_t)bytes;
    if (waiters->is_crowded ||
        waiters->bytes <= loop->http->terms->answer_memory_bytes / loop->http->loop_count)
        return;
    waiters->is_crowded = true;
    waiters->crowded.run = on_crowded;
    iswi_reactor_defer(loop->reactor, &waiters->crowded);
}

void iswi_http_wait_no_more(iswi_http_loop *loop, iswi_http_waiting *waiting)
{
    if (waiting->bytes)
        take_out(&loop->waiters, waiting);
}

uint64_t iswi_http_bodies_refused(const iswi_http *http)
{
    return atomic_load(&http->bounds.bodies_refused);
}

uint64_t iswi_http_answers_cut(const iswi_http *http)
{
    return atomic_load(&http->bounds.answers_cut);
}
