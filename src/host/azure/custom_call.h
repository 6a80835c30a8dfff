/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_AZURE_CUSTOM_CALL_H
#define ISWI_HOST_AZURE_CUSTOM_CALL_H

/*
 * One call by the contract of custom handlers, and what is gathered for its answer while it runs:
 * lines of the log and outputs, which are found by its invocation id. It begins with a request of
 * the foreign host, and goes when the answer to that was written. Inside the room.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "broker/broker.h"
#include "host/azure/boxes.h"
#include "host/azure/custom.h"
#include "host/http/dialect.h"
#include "host/http/guest.h"
#include "reactor/reactor.h"

#include <pthread.h>

enum {
    ISWI_CUSTOM_BUCKETS = 256,
    ISWI_CUSTOM_LOGS_MAX = 1 << 20 /* bytes of lines in one answer */
};

typedef struct iswi_custom_call iswi_custom_call;

/* All values that were put out by one name. */
typedef struct iswi_custom_output {
    struct iswi_custom_output *next;
    char *name;
    iswi_buffer values; /* JSON, with ',' between them */
    size_t count;
} iswi_custom_output;

struct iswi_azure_custom {
    iswi_trigger http; /* the first of the list */
    iswi_http_dialect events; /* CloudEvents, the second */
    const iswi_trigger *list[ISWI_TRIGGERS_MAX + 1]; /* ends with NULL */
    iswi_sink sent_here[ISWI_AZURE_SENT_HERE];
    const iswi_sink *sinks[ISWI_AZURE_SENT_HERE + 8]; /* ends with NULL */
    iswi_http_side side;
    bool forwarding;
    /* Once there is one: */
    iswi_host *host;
    iswi_http *front; /* NULL: `http` of host.yaml is switched off */
    iswi_reactor *reactor; /* of its first loop, where guests live */
    pthread_mutex_t lock;  /* guards what follows, and what calls say so of */
    iswi_custom_call *running[ISWI_CUSTOM_BUCKETS]; /* by invocation id */
};

struct iswi_custom_call {
    iswi_azure_custom *custom;
    iswi_host_function *function;
    const char *type; /* of its trigger */
    iswi_http_request *request;
    char invocation_id[33];
    iswi_arena arena; /* of what came, and of what is said of it */
    isw_value trigger;
    isw_map metadata;
    iswi_wire_retry retry;
    iswi_delivery *message; /* of a queue, instead of the trigger's value; NULL: it is none */
    isw_value result;       /* of a message: what its function gave back, in the arena */
    iswi_buffer answer; /* its body */
    /* With the lock of the custom handler: */
    iswi_custom_call *same; /* in its bucket */
    iswi_buffer logs;       /* JSON texts, with ',' between them */
    size_t lines_left_out;
    iswi_custom_output *outputs, **outputs_end;
    /* Of an HTTP request within: */
    iswi_http_guest_request guest;
    iswi_task task;
    int status;
    isw_pairs headers;
    iswi_buffer body;
    bool failed, too_large;
};

/* ---- custom_call.c ---- */

/* NULL: no memory. */
iswi_custom_call *iswi_custom_call_create(iswi_azure_custom *custom,
                                          iswi_host_function *function,
                                          iswi_http_request *request);
void iswi_custom_call_destroy(iswi_custom_call *call);

/* It runs from now on, so that lines and outputs find it; and no more. */
void iswi_custom_call_enter(iswi_custom_call *call);
void iswi_custom_call_leave(iswi_custom_call *call);

/* That of an invocation which runs; NULL: there is none. With the lock, as long as it is held. */
iswi_custom_call *iswi_custom_call_find(iswi_azure_custom *custom, isw_str invocation_id);

/* Keep a line for the answer of an invocation, if that is one of ours that runs. */
void iswi_custom_keep_line(iswi_azure_custom *custom, isw_str invocation_id, isw_str line);

/* ---- custom_request.c ---- */

/* Fill the trigger's value, its metadata and the try that it is from the body of its request. Errors:
 * ISW_E_INVALID, which says what the contract has there, ISW_E_NO_MEMORY. */
isw_status iswi_custom_read(iswi_custom_call *call, isw_error *error);

/* A member of a map, as the foreign host names it; NULL: it is not there, or `map` is none. */
const isw_value *iswi_custom_member(const isw_value *map, const char *name);

/* What a text says that holds JSON, for those that are encoded twice; else as it is. */
isw_value iswi_custom_decoded(iswi_arena *arena, const isw_value *value);

/* ---- custom_run.c ---- */

/* Have its function called, if its trigger is not HTTP, and answer. */
void iswi_custom_run(iswi_custom_call *call);

/* ---- custom_http.c ---- */

/* Have the request that is its trigger's value led to its function, and answer. Any thread. */
void iswi_custom_run_http(iswi_custom_call *call);

/* ---- custom_answer.c: each answers its request, once, and ends it ---- */

/* With what its function gave back, and what it put out. */
void iswi_custom_answer(iswi_custom_call *call, const isw_value *result);
void iswi_custom_answer_http(iswi_custom_call *call);

/* With a problem; `detail` may be NULL. */
void iswi_custom_refuse(iswi_custom_call *call, int status, const char *detail);

#endif
