/* SPDX-License-Identifier: Apache-2.0 */
/* What a front has on one reactor: memory that stays, and what the time is. */
#include "host/http/internal.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <stddef.h>

enum { TRIM_EVERY_NS = 2000000000, RETURN_LEAST_BYTES = 8 * 1024 * 1024 };

static void on_trim(iswi_timer *timer)
{
    iswi_http_loop *loop = (iswi_http_loop *)((char *)timer - offsetof(iswi_http_loop, trim));
    const bool small = iswi_http_small_trim(&loop->small);
    const bool left = iswi_http_pool_trim(&loop->pool);

    /* So many came with a rush that is over: blocks that come and go stay in the pool. */
    if (loop->pool.freed >= RETURN_LEAST_BYTES) {
        loop->pool.freed = 0;
        iswi_alloc_return();
    }
    if (left || small)
        iswi_reactor_set_timer(loop->reactor, timer,
                               iswi_reactor_now_ns(loop->reactor) + TRIM_EVERY_NS);
}

bool iswi_http_loop_init(iswi_http_loop *loop, iswi_http *http, iswi_reactor *reactor)
{
    loop->http = http;
    loop->reactor = reactor;
    loop->trim.due = on_trim;
    iswi_http_early_begin(loop);
    return reactor != NULL;
}

void iswi_http_loop_fini(iswi_http_loop *loop)
{
    while (loop->spare) {
        iswi_http_request *request = loop->spare;

        loop->spare = request->next;
        iswi_arena_fini(&request->arena);
        iswi_free(request);
    }
    iswi_http_pool_fini(&loop->pool);
    iswi_http_small_fini(&loop->small);
    iswi_buffer_fini(&loop->head);
}

iswi_http_block *iswi_http_loop_take(iswi_http_loop *loop, size_t size)
{
    return iswi_http_block_take(&loop->pool, size);
}

void iswi_http_loop_give(iswi_http_loop *loop, iswi_http_block *block)
{
    if (block && block->counted) {
        atomic_fetch_sub(&loop->http->bounds.bodies, (long long)block->counted);
        block->counted = 0;
    }
    iswi_http_block_give(&loop->pool, block);
    if (loop->pool.bytes && !loop->trim.is_set)
        iswi_reactor_set_timer(loop->reactor, &loop->trim,
                               iswi_reactor_now_ns(loop->reactor) + TRIM_EVERY_NS);
}

void iswi_http_loop_freed(iswi_http_loop *loop, size_t size)
{
    loop->pool.freed += size;
    if (loop->pool.freed >= RETURN_LEAST_BYTES && !loop->trim.is_set)
        iswi_reactor_set_timer(loop->reactor, &loop->trim,
                               iswi_reactor_now_ns(loop->reactor) + TRIM_EVERY_NS);
}

const char *iswi_http_loop_date(iswi_http_loop *loop)
{
    const int64_t now_s = iswi_wall_us() / 1000000;

    if (now_s != loop->date_s && iswi_http_date_write(now_s, loop->date))
        loop->date_s = now_s;
    return loop->date;
}

void iswi_http_note_change(iswi_http *http)
{
    if (!http->quiescing) /* nobody waits, and who will sees the counts */
        return;
    pthread_mutex_lock(&http->lock);
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->lock);
}
