/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_LOOPS_H
#define ISWI_HOST_HTTP_LOOPS_H

/* What we know of one thread of libmicrohttpd, and how those on other threads wake it. Inside the
 * room. */
#include "host/http/internal.h"

struct iswi_http_loop {
    int bell; /* eventfd */
    atomic_bool sleeps;
    atomic_size_t answers; /* to requests that did not rest */
    /* Only the thread: */
    size_t taken; /* of these answers */
    size_t busy;  /* requests that are on their way in or out, for which the loop must turn */
    const iswi_http_request *looked_at; /* since when nothing else happened; NULL: something did */
    unsigned looks;
    int64_t spin_ns;
    unsigned spins;
};

/* That of the calling thread, which serves one front as long as it lives. */
iswi_http_loop *iswi_http_loop_own(iswi_http *http);

/* On its thread: whether the loop must turn for the request, on its way in or out; an answer was
 * found, or nobody will look for it any more; some have come that were not. */
void iswi_http_loop_set_busy(iswi_http_request *request, bool busy);
void iswi_http_loop_count_answer(iswi_http_request *request);
bool iswi_http_loop_has_answers(const iswi_http_loop *loop);

#endif
