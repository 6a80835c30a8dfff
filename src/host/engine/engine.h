/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_ENGINE_H
#define ISWI_HOST_ENGINE_ENGINE_H

/*
 * What a host is made of. A pool is one worker of host.yaml, a process is one of its processes, a
 * call is one invocation as the host sees it.
 *
 * Threads: the supervisor (iswi_host_run) alone starts and ends processes. Calls come from the
 * triggers' threads, responses from the links' threads. A process's lock guards its places, its
 * link and its state; no two locks of processes are ever held together, and nothing is answered
 * while one is held.
 */
#include "host/engine/call.h"
#include "host/engine/gather.h"
#include "host/engine/groups.h"
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/loop.h"
#include "host/engine/observers.h"
#include "host/engine/pools.h"
#include "host/engine/process.h"
#include "host/engine/reactors.h"
#include "host/engine/renew.h"
#include "host/engine/replace.h"
#include "host/engine/sink.h"
#include "host/engine/starts.h"
#include "host/engine/steer.h"
#include "host/engine/supervisor.h"
#include "host/engine/triggers.h"
#include "host/settings/settings.h"
#include "host/system/guard.h"
#include "host/system/runtime_folder.h"
#include "wire/frame.h"

#include <isoworker/sys/facts.h>

#include <pthread.h>
#include <stdatomic.h>

typedef struct iswi_pool iswi_pool;
typedef struct iswi_policy iswi_policy;

/* -- Functions --------------------------------------------------------------------------------- */

/* An output binding of a function. */
typedef struct iswi_host_output {
    const char *name;
    const iswi_sink *sink; /* NULL: it goes nowhere, and calls that put anything there fail */
    void *self;            /* its instance */
    const char *refused;   /* why, in words that end a sentence; NULL: they do not */
    const char *lost;      /* the same as a sentence with all names */
    isw_status refusal;    /* as what they do */
} iswi_host_output;

/* A function that some worker has. Made once, lives as long as the host; one that a program tells
 * otherwise than the program before it is another function of the same name. */
struct iswi_host_function {
    uint64_t number; /* in load and invoke */
    iswi_pool *pool;
    size_t place; /* among all that its pool ever had */
    atomic_bool current; /* it is served; else no program has it any more, or none yet */
    atomic_bool over;    /* and no process has it that runs */
    bool refused_now;    /* by its trigger, while functions are published */
    const char *name, *summary;
    iswi_description description; /* as it was told */
    const iswi_trigger *trigger;  /* NULL: this host has none of its type */
    iswi_entry entry;             /* without properties: the trigger does not hear of it */
    _Atomic(const char *) chain; /* "error_handling > auth", as it is in force */
    bool streams;                /* its body goes to it as it comes */
    atomic_bool preflights;      /* its chain answers those of browsers */
    _Atomic(const isw_cors *) cors; /* NULL: no policy for other sites */
    const iswi_host_output *outputs; /* its output bindings */
    const char *outputs_told;        /* the same as a text that tells them from others */
    size_t output_count;
    atomic_llong timeout_ms;     /* 0: none */
    uint64_t told_timeout_ms;    /* its own; the supervisor's */
    bool idempotent;
    atomic_uint cost_ns;           /* that its worker runs it for, the last times weighing most; 0:
                                      not known; choose.c */
    iswi_line line;                /* of calls of it that wait; queue.c */
    atomic_size_t backlog;         /* of calls that its trigger has no room to make; scale.c */
    _Atomic(const char *) refused; /* why it is not served; NULL if it is */
    _Atomic(const char *) unserved; /* the same as a sentence with all names, of what is a fault */
    atomic_ullong ended_calls[ISWI_ENDINGS];    /* calls of it that some process had, */
    atomic_ullong refused_calls[ISWI_REFUSALS]; /* and those that none had begun */
    atomic_ullong total_us, last_us; /* that they took */
    struct iswi_host_function *before; /* the one that was made before it */
};

/* -- Calls ------------------------------------------------------------------------------------- */

/* As iswi_call_start, in this process alone, which has loaded all and is not ready yet: a failure where
 * that ends. */
void iswi_call_start_in(iswi_process *process, const iswi_call *call);

/* Take up a call whose process was lost and had begun it, or had not, or answer it. Owns `call`. */
void iswi_call_lost(iswi_host *host, iswi_call *call, iswi_process *where);
void iswi_call_spared(iswi_host *host, iswi_call *call);

/* finish.c. Answer with a failure of the host's own and free. Owns `call`. */
void iswi_call_fail(iswi_host *host, iswi_call *call, isw_status status, const char *message);

/* The same, of a call for which there was no process: it does not count as one that failed, unless
 * one had begun it before. */
void iswi_call_refuse(iswi_host *host, iswi_call *call, iswi_refusal why, isw_status status,
                      const char *message);

/* The same, of one whose function is not what it was: that is no end of a call of it. */
void iswi_call_move(iswi_host *host, iswi_call *call, const isw_error *why);

/* outbox.c. Answer with what a worker sent, once what it put out is durable, and free; with a
 * failure, of which answer->message says why, if call->outbox_status does. Owns `call`. */
void iswi_call_conclude(iswi_host *host, iswi_call *call, iswi_answer *answer);

/* finish.c: it ends, or begins anew: what it has put out so far, and nobody took, was not. */
void iswi_call_take_back(iswi_call *call);

/* The same at once. */
void iswi_call_finish(iswi_host *host, iswi_call *call, const iswi_answer *answer);

/* reactors.c */
typedef struct iswi_reactors {
    iswi_reactor *list[ISWI_REACTORS_MAX];
    unsigned count;
} iswi_reactors;

iswi_reactor *iswi_reactors_of(const iswi_host *host, const iswi_process *process);
void iswi_reactors_stop(iswi_reactors *reactors);

/* gather.c: calls whose streams are to be widened. */
typedef struct iswi_gathers {
    pthread_mutex_t lock; /* taken with processes' locks held, so that none of those is taken with
                             it; guards what follows, and what gathers say of it */
    iswi_gather *owed;
} iswi_gathers;

/* Let workers send more of what they stream; the supervisor's thread. */
void iswi_gathers_widen(iswi_host *host);

struct iswi_host {
    iswi_config *config; /* that was taken last; the supervisor's, as renewal is */
    iswi_renewal renewal;
    _Atomic(const iswi_host_settings *) settings; /* in force; those of before stay, too */
    int64_t heartbeat_ms; /* 0: none */
    iswi_settings_groups groups; /* that host.yaml was read with */
    char *folder;          /* absolute */
    char runtime_folder[ISWI_RUNTIME_FOLDER_BYTES]; /* 0700, of the sockets */
    int runtime_lock;
    iswi_log_sink log;
    atomic_int level; /* lowest of lines of its own that are shown */
    bool from_text; /* and not from host.yaml */
    bool watches;   /* what workers are made of */
    _Atomic(iswi_probe_fn) probe; /* NULL: nobody knows yet */
    void *prober;
    iswi_log_sink listeners[ISWI_LISTENERS_MAX]; /* get all lines, too */
    size_t listener_count;
    iswi_observers observers;
    iswi_guard guard;
    iswi_groups groups_v2;     /* groups.c */
    iswi_pool *pools;          /* pools.c */
    atomic_size_t pool_count;  /* of them that were ever here */
    size_t pools_max;

    iswi_arena arena; /* of functions; only the supervisor */
    iswi_host_function **functions;
    size_t function_count, function_capacity;
    _Atomic(iswi_host_function *) newest; /* the head of all functions, for other threads */
    _Atomic(const iswi_policy *) policies; /* all that were ever told; facts.c */
    _Atomic(const isw_pairs *) secrets; /* as wire/frame.h has them; all that were ever told */
    iswi_triggers triggers; /* triggers.c */
    iswi_sink_list sinks;   /* that it can open */
    iswi_broker *broker;    /* of messages; made with the triggers */

    iswi_loop loop;            /* loop.c */
    iswi_starts starts;        /* starts.c */
    iswi_reactors reactors;    /* made before it runs */
    iswi_reloads reload;       /* reload.c */
    iswi_attention attention; /* attention.c */
    iswi_gathers gathers;
    atomic_int stops; /* how often iswi_host_stop was called */
    iswi_legacy *legacy;    /* of the host before, while this one is made; NULL: there is none */
    iswi_replacing replacing; /* replace.c */
    atomic_bool ending; /* the grace is over: what is in flight is cancelled, nothing is begun */
    atomic_uint calls;
    unsigned char id_prefix[8];    /* of invocation ids: random, and a number behind it */
    atomic_ullong next_invocation;
    atomic_ullong next_place; /* of ids of places and waits: none is given out twice in this host */
    atomic_bool settled;   /* each worker serves, or has failed once */
    atomic_bool draining;  /* as an operator asked; the triggers take nothing new */
    int64_t begun_ns;
    iswi_faults *faults;   /* of whoever runs it, for why it ends; may be NULL */
    pthread_mutex_t steering; /* held to drain and to resume */
    bool debug; /* somebody is at a breakpoint: no timeouts */
    bool awaits; /* some worker's process is awaited without a limit of time: guests.c */
    unsigned socket_number;
};

/* Whether lines of the host's own are shown at that level. Any thread. */
static inline bool iswi_host_shows(const iswi_host *host, isw_log_level level)
{
    return (int)level >= atomic_load_explicit(&host->level, memory_order_relaxed);
}

/* Whether somebody may be at a breakpoint there, so that nothing is to time out. Any thread. */
static inline bool iswi_pool_is_patient(const iswi_host *host, const iswi_pool *pool)
{
    return host->debug || pool->patient;
}

/* choose.c: its worker ran it for so long. Any thread. */
void iswi_function_learn(iswi_host_function *function, int64_t took_ns);

/* An id that no place and no wait had before, with a number of 16 bits in it. Any thread. */
static inline uint64_t iswi_host_next_id(iswi_host *host, unsigned number)
{
    uint64_t next = atomic_fetch_add_explicit(&host->next_place, 1, memory_order_relaxed) + 1;

    return next << 16 | number;
}

/* functions.c: the supervisor's thread. */
/* The function that is told so: one that the pool has or had, or a new one, which is not current.
 * NULL: no memory. */
iswi_host_function *iswi_function_of(iswi_host *host, iswi_pool *pool,
                                     const iswi_wire_function *wire);

/* Take over what a configuration can change of a function; *changed counts one with another chain.
 * The rest is the program's and stays as it was; whether it is as it was says the second. Errors:
 * ISW_E_NO_MEMORY. */
isw_status iswi_function_refresh(iswi_host *host, iswi_host_function *function,
                                 const iswi_wire_function *wire, unsigned *changed);
bool iswi_function_is_as_before(const iswi_host_function *function,
                                const iswi_wire_function *wire);

/* host.yaml says other timeouts. */
void iswi_functions_retime(iswi_host *host);

/* functions_sort.c: functions as a worker told them, by name; free with iswi_free. A name is what
 * routes, settings and lines of the log call a function by: each is one, and there once. NULL with
 * `error`. */
iswi_wire_function *iswi_functions_sort(const iswi_metadata *metadata, isw_error *error);

/* The one of them with that name; NULL: there is none. */
const iswi_wire_function *iswi_functions_among(const iswi_wire_function *sorted, size_t count,
                                               isw_str name);

/* functions_told.c: the supervisor's thread. */
/* Take the frame `metadata` of a process that starts: it has these functions, and is to load them.
 * Those of the first one of a pool are current from then on. Errors: ISW_E_PROTOCOL,
 * ISW_E_NO_MEMORY, ISW_E_FAILED if the worker said so. */
isw_status iswi_functions_learn(iswi_process *process, isw_bytes bytes, isw_error *error);

/* It is ready: from now on the functions that it has are those of its pool, unless one that was
 * started later has said so before; what is another is said. True: something is. */
bool iswi_functions_adopt(iswi_process *process);

/* Take one of a process that has read its configuration again: what that cannot change is said.
 * *changed have another chain now. Errors: as iswi_functions_learn. */
isw_status iswi_functions_take(iswi_process *process, isw_bytes bytes, unsigned *changed,
                               isw_error *error);

/* Calls of functions that are not current end with the last process that has them. */
void iswi_functions_tend(iswi_pool *pool);

/* facts.c: what functions tell of themselves. */
/* Take over what a function tells now. False: no memory. The supervisor's thread. */
bool iswi_facts_take(iswi_host *host, iswi_host_function *function, const iswi_wire_function *wire);

/* failure_line.c: log why a worker's response is no success. Any thread. */
void iswi_failure_say(const iswi_process *process, const iswi_call *call,
                      const iswi_answer *answer, const iswi_wire_status *status);

/* description.c: copy how a function is described. False: no memory. The supervisor's thread. */
bool iswi_description_take(iswi_host *host, iswi_host_function *function,
                           const iswi_wire_function *wire);

/* outputs.c: what functions put out. Any thread. */
/* A value for an output of the function that takes it at once; what goes nowhere, iswi_output_keep
 * has refused. */
void iswi_output_take(iswi_host *host, const iswi_host_function *function,
                      const char *invocation_id, isw_str name, const isw_value *value);

/* What stays with the call until its end, is for its trigger, or fails it, since it would be lost:
 * true. With the process's lock, or at its end. */
bool iswi_output_keep(iswi_host *host, iswi_call *call, isw_str name, const isw_value *value);

/* Copy it into call->put_out, for observers. With the process's lock. */
void iswi_output_note(iswi_call *call, const iswi_output *output);

/* Open the outputs of a function that was made just now; what cannot be is said. False: no memory.
 * The supervisor's thread. */
bool iswi_outputs_take(iswi_host *host, iswi_host_function *function,
                       const iswi_wire_function *wire);

/* Close all; nothing is put out any more. */
void iswi_outputs_close(iswi_host *host);

/* What a line about a call is about. */
static inline iswi_about iswi_about_call(const iswi_call *call)
{
    return (iswi_about){ call->function->name, call->invocation_id, call->request_id };
}

#endif
