/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_LIBRARY_GATHER_H
#define ISWI_HOST_LIBRARY_GATHER_H

/* A call of a function by its name, and what its answer is gathered from when it streams. */
#include "host/engine/call.h"
#include "host/library/library.h"

struct iswi_library_call {
    isw_host *host;
    isw_value input;
    int64_t until_ns;    /* 0: as long as the function's timeout says */
    int64_t patience_ns; /* until when it waits for its function to be known, or a process */
    isw_host_result_fn done;
    void *user;
    iswi_library_call *next; /* that waits, as this one does */

    iswi_process *process; /* where it was placed, under `id`; NULL: nowhere yet */
    uint64_t id;
    iswi_arena arena; /* of the head, once it is gathered */
    isw_http http;
    iswi_buffer body;
    bool gathered, too_large;
    uint64_t owed; /* bytes that its window is to be widened by; with the host's lock */
    iswi_library_call *next_owed;

    /* Of its result: */
    char invocation_id[33];
    char *message;
    void *held;
    char name[];
};

/* With the lock of the call's process. */
extern const iswi_call_events iswi_gather_events;

/* Nothing more comes. */
void iswi_gather_end(iswi_library_call *call);

/* Put what came into the result of a call that was gathered. */
void iswi_gather_result(iswi_library_call *call, isw_host_result *result);
void iswi_gather_fini(iswi_library_call *call);

/* Let workers send more of what they stream; on the supervisor's thread. */
void iswi_gather_widen(isw_host *host);

#endif
