/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_SUPPORT_SCRIPTED_HOST_H
#define ISW_TESTS_SUPPORT_SCRIPTED_HOST_H

/*
 * A host that does what a test tells it, frame by frame, over the memory lane. The worker's session
 * runs in a thread of its own; the test's thread sends, and takes what came in order. Every wait
 * ends after half a minute with a failure.
 */
#include "link/link.h"
#include "wire/frame.h"
#include "worker/session/session.h"

typedef struct scripted_host {
    isw_worker *worker;
    unsigned ways; /* host_way */
    unsigned every_ms, timeout_ms, failures; /* of health checks, as its hello says; 0: does not */
    iswi_reactor *reactor; /* of the ring lane's socket; NULL: there is none */
    char folder[32];       /* likewise */
    iswi_link *link;
    pthread_t thread;
    isw_status status; /* of the session; after host_join */
    isw_error error;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct received *first, *last; /* in order of arrival */
    struct received *taken;        /* the last one that the test was given, or NULL */
    iswi_arena arena;              /* lists of decoded frames */
    const char *broken;            /* what came that no worker may send */
    bool closed;
} scripted_host;

/* The first half proves the worker, the second the host. */
extern const unsigned char scripted_token[2 * ISWI_TOKEN_BYTES];

/* What it offers: bodies in pieces; the ring lane instead of the memory lane; to take metrics, and
 * health. */
typedef enum host_way {
    HOST_STREAMS = 1,
    HOST_RING = 2,
    HOST_METRICS = 4,
    HOST_APART = 8, /* with HOST_RING */
    HOST_BEGUN = 16, /* likewise */
    HOST_HEALTH = 32
} host_way;

/* Start a session of `worker`, which stays the caller's. host_fini closes, joins and frees.
 * `ways` is a sum of host_way. */
void host_start(scripted_host *host, isw_worker *worker);
void host_start_with(scripted_host *host, isw_worker *worker, unsigned ways);
void host_fini(scripted_host *host);

/* Close the host's side. */
void host_close(scripted_host *host);

/* Wait for the session's end; gives its status. */
isw_status host_join(scripted_host *host);

/* -- Sending ----------------------------------------------------------------------------------- */

void host_send(scripted_host *host, const iswi_frame *frame);
void host_send_bytes(scripted_host *host, const void *bytes, size_t size);
void host_send_kind(scripted_host *host, iswi_kind kind, uint64_t id); /* an empty body */

/* A hello with the right proof and these log levels (may be NULL). */
void host_send_hello(scripted_host *host, const isw_pairs *log_levels);
void host_load(scripted_host *host, uint64_t number, const char *name);
void host_invoke(scripted_host *host, uint64_t id, uint64_t function, const isw_value *trigger);

/* -- Receiving --------------------------------------------------------------------------------- */

/* The next frame; it lives until host_fini. host_expect fails unless it is of this kind. */
const iswi_frame *host_next(scripted_host *host);
const iswi_frame *host_expect(scripted_host *host, iswi_kind kind);

/* Whether bytes of the frame that was last given lie apart. */
bool host_sees_apart(const scripted_host *host);

/* The next frame that is no log; it has to be a response. */
const iswi_frame *host_expect_answer(scripted_host *host);

/* Hello both ways and the first credit: the worker is ready. Returns the credit. */
uint64_t host_greet(scripted_host *host);

/* Wait for the worker to close; fails if a frame comes before. */
void host_expect_close(scripted_host *host);

#endif
