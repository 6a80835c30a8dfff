/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_SESSION_DISPATCH_H
#define ISWI_WORKER_SESSION_DISPATCH_H

/*
 * A bounded pool of threads and the invocations that wait for one. Threads are made when there is
 * work for them, never more than `concurrency`. No more than `limit` invocations are unanswered; a
 * job is used for one invocation after the other, so that its memory stays warm.
 *
 * Functions are mostly quick, and waking a thread for each costs more than they do. So one thread
 * leads: it runs what waits, one after the other, while the others sleep, and one of them watches.
 * When a function takes longer than a watch, what waits is spread over all threads for a while; and
 * as long as functions are not quick on average. A lane's own thread can lead instead, see
 * iswi_dispatch_help.
 */
#include "link/message.h"
#include "worker/http/windows.h"

typedef struct iswi_job {
    isw_context ctx;
    iswi_message *message; /* held while the job is in use, if `frame` lies in it */
    iswi_buffer copy;      /* else it lies here */
    isw_bytes frame;
    uint64_t id;
    int64_t arrived_ns, began_ns;
    int64_t took_ns;           /* until its answer was made; 0: it was not; only its thread's */
    iswi_stream *stream;       /* with the lock, or by its thread; NULL: it has none */
    iswi_entry *entry;         /* only its thread's */
    bool helped;               /* the helping thread runs it */
    bool passed;               /* and hands it on: only its thread's */
    bool apart;                /* not for the helping thread */
    bool in_use;
    bool answered;             /* its response is sent, or about to be */
    struct iswi_job *next;     /* among the waiting, or the free */
    struct iswi_job *next_job; /* among all */
} iswi_job;

typedef struct iswi_dispatch {
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t work, tick;
    iswi_job *jobs;
    iswi_job *free;
    iswi_job *first, *last; /* waiting */
    unsigned unanswered, limit;
    unsigned waiting, running;
    pthread_t *threads;
    unsigned thread_count, concurrency;
    unsigned asleep;           /* without those that were called */
    unsigned called, starting; /* threads that were woken, or made, and have not looked yet */
    bool stopping;
    bool helped;            /* a lane's thread leads */
    bool alone;             /* no thread can be made for what it hands on */
    const void *leader;     /* else who leads; NULL: nobody */
    bool watched;           /* somebody looks whether the leader is held up */
    int64_t spread_until_ns; /* nobody leads before then: a function took long */
    int64_t average_ns;      /* of what functions take, the last ones weighing most */
    uint64_t taken;         /* jobs, by whoever leads */
    uint64_t taken_before;  /* when the lane last looked whether its thread is held up */

    int64_t gathering_ns;   /* since when the leader gathers answers; 0: it does not */

    void (*run)(void *user, iswi_job *job);
    /* Answers are to leave together until it is off; NULL: never. Under the lock if on. */
    void (*gather)(void *user, bool on);
    /* More waits behind what the helping thread begins; NULL: it need not be told. Under the lock. */
    void (*behind)(void *user);
    /* Nothing waits or runs any more; called on the thread that ran the last one. */
    void (*on_idle)(void *user);
    void *user;
} iswi_dispatch;

/* Errors: ISW_E_NO_MEMORY. */
isw_status iswi_dispatch_init(iswi_dispatch *dispatch, unsigned concurrency, unsigned limit);

/* Let what runs in the pool come to its end and join its threads. What waits, and what is submitted
 * from now on, is not begun, and its message is released. A second call finds nothing to do.
 * Blocks. */
void iswi_dispatch_stop(iswi_dispatch *dispatch);

/* Free, after stop. */
void iswi_dispatch_fini(iswi_dispatch *dispatch);

/* Hand on one invoke frame, which lies in `message` (kept or copied). Errors: ISW_E_BUSY beyond the
 * limit, ISW_E_NO_MEMORY. */
isw_status iswi_dispatch_submit(iswi_dispatch *dispatch, iswi_message *message, isw_bytes frame,
                                uint64_t id);

/* To be called after the last of some submits: see to it that a thread takes what waits. Errors:
 * ISW_E_NO_MEMORY when there is none. */
isw_status iswi_dispatch_go(iswi_dispatch *dispatch);

/* From now on the job no longer counts against the limit. To be called before its response is sent:
 * the host may answer that with the next invoke at once. Any number of times. */
void iswi_dispatch_answer(iswi_dispatch *dispatch, iswi_job *job);

/* Mark invocation `id` as cancelled, or all with 0. False if it is not here. */
bool iswi_dispatch_cancel(iswi_dispatch *dispatch, uint64_t id, isw_cancel_reason reason);

/* From now on a thread that is not ours calls iswi_dispatch_help after each submit, so that a
 * function begins with no thread woken for it. */
void iswi_dispatch_expect_help(iswi_dispatch *dispatch);

/* Run what waits, in the calling thread; one thread at a time. When functions have taken long, it
 * leaves them to the pool. */
void iswi_dispatch_help(iswi_dispatch *dispatch);

/* Whether the helping thread has been in one function since this was last asked. If so, the pool
 * is woken for what waits. */
bool iswi_dispatch_is_stuck(iswi_dispatch *dispatch);

/* For the thread that runs `job`, before it has begun: hand it on if that is the helping thread, so
 * that it returns at once and the pool runs the job. False: it is to run here. */
bool iswi_dispatch_pass(iswi_dispatch *dispatch, iswi_job *job);

/* -- Streams; dispatch_streams.c --------------------------------------------------------------- */

/* The stream of invocation `id`, held, for something that came for it; made if need be and `make`.
 * Errors: ISW_E_NOT_FOUND when the invocation is unknown, answered, or has none, ISW_E_NO_MEMORY.
 * On the link's thread. */
isw_status iswi_dispatch_stream(iswi_dispatch *dispatch, uint64_t id, bool make,
                                iswi_stream **out);

/* The stream of a running job, for its thread; made if need be. What waits behind the job is spread
 * over all threads: it will be long. NULL: no memory. */
iswi_stream *iswi_dispatch_open_stream(iswi_dispatch *dispatch, iswi_job *job);

/* The link is over: every stream is lost. */
void iswi_dispatch_lose_streams(iswi_dispatch *dispatch);

/* dispatch_threads.c: run what waits on all threads for a while. With the lock. */
void iswi_dispatch_spread(iswi_dispatch *dispatch);

/* How many run and wait now. */
void iswi_dispatch_count(iswi_dispatch *dispatch, unsigned *running, unsigned *waiting);

#endif
