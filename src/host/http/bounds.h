/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_BOUNDS_H
#define ISWI_HOST_HTTP_BOUNDS_H

/*
 * What all connections together may hold: one may not have much, but there are thousands.
 *
 * Bodies of requests are counted until their requests are answered. What finds no room is refused,
 * and not made to wait: those that each hold a half of a body, and wait for the other one's, would
 * wait for ever. One that is alone always has room.
 *
 * Answers count once their clients let them wait. What they hold was worked for, and newcomers are
 * more likely to read than those who have not: so the one that has waited longest is cut off. Each
 * loop has its share, in which one that is alone has room as well. Inside the room.
 */
#include "host/http/pool.h"
#include "reactor/reactor.h"

#include <stdatomic.h>

struct iswi_http_loop;

/* Of a front. */
typedef struct iswi_http_bounds {
    atomic_llong bodies; /* bytes */
    atomic_ullong bodies_refused, answers_cut;
} iswi_http_bounds;

/* An answer; zero at first but for `cut`. */
typedef struct iswi_http_waiting {
    void (*cut)(struct iswi_http_waiting *waiting); /* end it, soon */
    struct iswi_http_waiting *next, **link;
    size_t bytes; /* 0: it does not wait */
} iswi_http_waiting;

/* Those of a loop, the oldest first; zero at first. */
typedef struct iswi_http_waiters {
    iswi_http_waiting *first, **end;
    int64_t bytes;
    iswi_task crowded; /* there are too many */
    bool is_crowded;
} iswi_http_waiters;

/* A block for a body, which is given back like others; `instead_of`, which may be NULL, will be
 * when its bytes were copied. NULL: there is no room, or no memory. */
iswi_http_block *iswi_http_body_take(struct iswi_http_loop *loop, size_t size,
                                     const iswi_http_block *instead_of);

/* An answer of so many bytes waits for its client, if it did not before; and does no more. */
void iswi_http_wait_for_client(struct iswi_http_loop *loop, iswi_http_waiting *waiting,
                               size_t bytes);
void iswi_http_wait_no_more(struct iswi_http_loop *loop, iswi_http_waiting *waiting);

#endif
