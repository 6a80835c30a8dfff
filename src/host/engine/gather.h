/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_GATHER_H
#define ISWI_HOST_ENGINE_GATHER_H

/*
 * A call whose answer is wanted whole, also where its function sends it in pieces: what comes is
 * gathered, and is the result of its answer. Whoever calls has nothing to do with windows. Any
 * thread.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "host/engine/call.h"

typedef struct iswi_gather {
    iswi_host *host;
    iswi_answer_fn answer; /* of whoever started the call, with */
    void *user;
    iswi_arena arena; /* of the head, once it has begun */
    isw_http http;
    iswi_buffer body;
    bool begun, too_large;
    /* With the lock of the host's: */
    iswi_process *process; /* where it waits or was placed, under `id`; NULL: nowhere yet */
    uint64_t id;
    uint64_t owed; /* bytes that its window is to be widened by */
    struct iswi_gather *next_owed;
} iswi_gather;

/* Start `call`, whose events are ours, as iswi_call_start does. `gather` need not be anything yet;
 * what the answer's result points to lies there until iswi_gather_fini, which comes after it. What
 * is more than a result may be (ISW_ANSWER_MAX_BYTES) makes a failure of the answer. */
void iswi_gather_start(iswi_host *host, const iswi_call *call, iswi_gather *gather);

/* Whoever waits for the answer is gone: as iswi_call_leave. While `gather` is there for sure. */
void iswi_gather_leave(iswi_gather *gather);

void iswi_gather_fini(iswi_gather *gather);

#endif
