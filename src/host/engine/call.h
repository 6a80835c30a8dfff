/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_CALL_H
#define ISWI_HOST_ENGINE_CALL_H

/*
 * Calls as triggers see them: the only door through which they do. A trigger is given functions, as
 * its table asks for them (trigger.h), starts a call of one when something came in, hears of it by
 * its events, and gets exactly one answer, whatever becomes of the worker. It needs to know neither
 * processes nor how a call is tried again.
 *
 * Threads: all of it from any, but where it says otherwise.
 */
#include "wire/frame.h"

#include <isoworker/log.h>
#include <isoworker/sys/facts.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_process iswi_process;
typedef struct iswi_host_function iswi_host_function; /* lives as long as the host */
typedef struct iswi_outbox iswi_outbox; /* sink.h */

/* -- What a trigger may ask of a function ------------------------------------------------------ */

/* Whether its body is to go to it as it comes. */
bool iswi_function_streams(const iswi_host_function *function);

/* Whether its chain answers the preflights of browsers (src/url/preflight.h). */
bool iswi_function_preflights(const iswi_host_function *function);

/* The policy that an answer of the host's own for the function keeps to; NULL for none. Without a
 * function the first of any that allows the origin. */
const isw_cors *iswi_facts_policy(iswi_host *host, const iswi_host_function *function,
                                  const char *origin);

/* A line of the host's log about a call of it, behind its name; "" for an id that is not known. */
void iswi_function_say(const iswi_host_function *function, isw_log_level level,
                       const char *invocation_id, isw_str request_id, const char *format, ...)
    ISW_PRINTF(5, 6);

/* -- A call ------------------------------------------------------------------------------------ */

/* How a call ended. `held` keeps alive what the views point to. */
typedef struct iswi_answer {
    const iswi_host_function *function; /* of a worker's answer; else NULL */
    isw_outcome outcome;
    isw_status status;
    bool retriable;
    isw_str message;
    const iswi_wire_status *told; /* what its worker said of a failure; NULL: the host says it */
    isw_value result;
    isw_map outputs; /* with the response */
    uint64_t retry_after_ms;
    int64_t took_ns; /* that its worker ran it; 0: not told */
    isw_str principal; /* whom the worker found to be calling; empty: nobody */
    int64_t at_ns; /* when it came; 0: now */
    bool refused; /* no process had begun it */
    bool bystander; /* its process ended for what another call did there */
    bool late;      /* its time was over before its process ended */
    bool moved;   /* the same, since its function is another now, or is gone: who looks for it again
                     may find it. It is counted as no call */
    iswi_outbox *outbox; /* of a success, to a caller that takes_outbox; it owns it. NULL: nothing
                            was put out that is kept until the end */
    void *held; /* give to iswi_answer_release; may be NULL */
} iswi_answer;

void iswi_answer_release(void *held);

/* What is tried again after being a bystander has made no attempt, so often in a row; then it has. */
enum { ISWI_BYSTANDER_MAX = 5 };

/* Called exactly once for each call, on any thread, with no lock held. Owns answer->held. */
typedef void (*iswi_answer_fn)(void *user, const char *invocation_id, const iswi_answer *answer);

/* What happens to a call before its answer, with the caller's `user`; a process's lock is held, so
 * nothing of calls or processes may be called. NULL: the caller does not care. */
typedef struct iswi_call_events {
    /* No process takes it now: it waits, under this id, where iswi_call_leave finds it with that
     * process, until it is placed or answered. */
    void (*waits)(void *user, iswi_process *process, uint64_t id);
    /* It was given to a process, under this id: where iswi_call_send finds it. Comes again where
     * the call is tried again, perhaps after another wait. */
    void (*placed)(void *user, iswi_process *process, uint64_t id);
    /* Its answer begins, goes on, and may be sent more of its body. Not ISW_OK: the worker broke
     * the protocol. */
    isw_status (*head)(void *user, const isw_http *head);
    isw_status (*chunk)(void *user, isw_bytes bytes);
    void (*window)(void *user, uint64_t bytes);
    /* The function says something of the event itself, under a name that begins with '$': an output
     * that no binding has. */
    void (*told)(void *user, isw_str name, const isw_value *value);
} iswi_call_events;

typedef struct iswi_call iswi_call;

/* Why a call was answered before any process had begun it. */
typedef enum iswi_refusal {
    ISWI_REFUSED_FULL, /* as many waited as may */
    ISWI_REFUSED_LATE, /* it waited for as long as it may */
    ISWI_REFUSED_LEFT, /* its caller left meanwhile */
    ISWI_REFUSED_GONE, /* nobody will take it: its worker was given up, or the host stops */
    ISWI_REFUSALS,
    ISWI_NOT_REFUSED = ISWI_REFUSALS
} iswi_refusal;

/* How a call ended that some process had. */
typedef enum iswi_ending {
    ISWI_ENDED_SUCCESS,
    ISWI_ENDED_FAILURE,
    ISWI_ENDED_CANCELLED,
    ISWI_ENDED_RETRY_LATER,
    ISWI_ENDED_TIMEOUT, /* ISW_E_TIMEOUT, by whoever's clock */
    ISWI_ENDED_LOST,    /* its process ended before it answered */
    ISWI_ENDINGS
} iswi_ending;

/* Of a call that no process takes: it may also be that none can be told it. */
static inline iswi_refusal iswi_refusal_of(isw_status status)
{
    return status == ISW_E_UNAVAILABLE ? ISWI_REFUSED_GONE : ISWI_NOT_REFUSED;
}

/* Of a call that waits for a process; the engine's own, queue.h. */
typedef struct iswi_queued {
    iswi_call *before, *behind; /* in its line */
    iswi_call *same;            /* in its bucket */
    uint64_t id;
    int64_t since_ns, until_ns;
} iswi_queued;

struct iswi_call {
    /* Whoever starts it says these, and leaves the rest zero: */
    iswi_host_function *function;
    isw_value trigger; /* borrowed from the caller until the answer, as is what follows */
    isw_map trigger_metadata;
    isw_map inputs; /* what the event brings beside that, by the names of the function's bindings */
    iswi_wire_trace trace;
    isw_str request_id; /* what its caller calls it, for the host's log; may be empty */
    iswi_wire_retry retry; /* which try of the event it is; the engine's own tries come on top */
    bool body_follows; /* in chunks, none before it is placed; such a call is tried once */
    bool once; /* by the engine, also of a function that is idempotent: the caller counts the tries */
    bool is_part; /* of an event that is several calls of one invocation: what becomes of that is said
                     by whoever has started them */
    bool to_its_end; /* it is not answered while it may still run: at its deadline it is cancelled,
                        and answered when it has ended, by itself or with its process */
    bool takes_outbox; /* answer->outbox is the caller's; else what it has is put, durably, before
                          the answer */
    int64_t deadline_ns; /* when its answer is of no use any more; 0: as the function's timeout
                            says, which counts where it is sooner; 0 in the end: none */
    int64_t patience_ns; /* until when it may wait for a process; 0: as queue.wait says */
    char invocation_id[33]; /* by iswi_call_name; empty: it is given one */
    const iswi_call_events *events; /* may be NULL */
    bool passes_on; /* the bytes of its result, HTTP's body or bytes as such, are only passed on by
                       whoever gets them: its worker may still write them where they lie. Else they
                       are the host's own, like everything else of an answer */
    iswi_answer_fn answer;
    void *user;
    /* The engine's own: */
    int64_t begun_ns, placed_ns; /* when it was started, and last given to a process */
    uint32_t cost_ns;    /* that it adds to what its process has to do */
    bool complained;     /* its worker has logged a warning or worse about it; tried once, too */
    bool answer_streams; /* it has begun; with the process's lock, or at its end */
    bool bystander;      /* its process was ended by another call, which is known */
    bool late;           /* it was cancelled at its deadline, and its process ended without an answer */
    unsigned tries;      /* that were begun and ended without an answer */
    unsigned moves;      /* from processes that ended before they had begun it */
    iswi_process *avoid; /* where the last one was lost */
    iswi_queued wait;
    bool body_over, body_broken; /* while it waited: its body was empty */
    iswi_buffer put_out;      /* copies of it, as frames `output`; only for observers that ask */
    unsigned put_out_try;     /* the try that it is of */
    bool put_out_cut;         /* there is more */
    iswi_outbox *outbox;      /* what it put out so far; with the process's lock, or at its end */
    isw_status outbox_status; /* likewise; of the first that could not be kept there */
    char *outbox_why;         /* likewise, in words; NULL: no memory for them */
};

/* An id for one call, for whoever wants to know it before that begins: unique across hosts. */
void iswi_call_name(iswi_host *host, char invocation_id[33]);

/* Invoke `function`. Copies the struct; the data it points to lives until the answer, which may
 * come before this returns. Does not block. Where no process takes it now, because none is ready (a
 * trigger hears of functions before the first one is) or all have what they take, it waits for one:
 * queue of host.yaml says how many calls may, and how long. Answered with ISW_E_UNAVAILABLE when it
 * may not, or has waited too long, or its worker was given up; `moved` when its function is another
 * now, or there no more, before any process had begun it; with ISW_E_WORKER_LOST when its
 * process ended, ISW_E_TIMEOUT when its time was over, ISW_E_CANCELLED when its caller left before
 * it was placed; else it is the function's own. Nothing is logged of an answer but what the worker
 * says: iswi_function_say is for the trigger. */
void iswi_call_start(iswi_host *host, const iswi_call *call);

/* Send a frame about a call that was placed there, a chunk of its body or a window for that of its
 * answer. ISW_E_BUSY: not now; so is each piece of the body of one that waits, but not its end.
 * ISW_E_NOT_FOUND: it is there no more, perhaps since it was placed elsewhere meanwhile. */
isw_status iswi_call_send(iswi_process *process, uint64_t id, iswi_frame *frame);

/* Whoever waited for its answer is gone: the function need not go on, and is told so; one that
 * waits for a process does so no more. The answer comes all the same, but not within this call.
 * ISW_E_NOT_FOUND as above. */
isw_status iswi_call_leave(iswi_process *process, uint64_t id);

/* Nobody waits for the answers to calls of that invocation any more: their functions are told, and
 * they are answered now, with ISW_E_CANCELLED; one that is `to_its_end` is so at its end. How many
 * there are. Looks at all that run. */
size_t iswi_calls_give_up(iswi_host *host, const char *invocation_id);

#endif
