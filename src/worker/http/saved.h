/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_HTTP_SAVED_H
#define ISWI_WORKER_HTTP_SAVED_H

/* A reply that outlives its invocation: one block, its texts lie behind its headers. */
#include <isoworker/http.h>

struct isw_saved_reply {
    int status;
    isw_bytes body;
    size_t forgotten; /* the first of the headers: names that are to go before the others come */
    size_t count;
    isw_pair headers[];
};

#endif
