/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_LOOK_H
#define ISWI_HOST_ENGINE_LOOK_H

/*
 * What a host may be asked by what stands beside its engine: copies and counts, never the structs.
 * Any thread, unless said otherwise. Workers have numbers from 0 up, and their processes have, that
 * stay as long as the host lives.
 */
#include "broker/broker.h"
#include "host/engine/call.h"
#include "host/settings/settings.h"
#include "wire/frame.h"

#include <sys/types.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_process iswi_process;
typedef struct iswi_host_function iswi_host_function;

/* -- The host ---------------------------------------------------------------------------------- */

typedef enum iswi_phase {
    ISWI_PHASE_STARTING,
    ISWI_PHASE_SERVING, /* each worker serves, or has failed once */
    ISWI_PHASE_DRAINING,
    ISWI_PHASE_STOPPING
} iswi_phase;

iswi_phase iswi_host_phase(const iswi_host *host);
const char *iswi_host_folder(const iswi_host *host); /* absolute; lives as long as the host */
const char *iswi_host_data_folder(const iswi_host *host); /* where it writes by a relative path: the
                                                             same mostly (ISWI_TRIGGER_CONFINES) */
bool iswi_host_is_confined(const iswi_host *host);
bool iswi_host_store_goes(const iswi_host *host); /* queues.store is a file there, which is gone when
                                                     this host is: it is confined */
const iswi_host_settings *iswi_host_settings_of(const iswi_host *host);
int64_t iswi_host_begun_ns(const iswi_host *host);
uint64_t iswi_host_turns(const iswi_host *host); /* of its loop, so that others see it turn */
unsigned iswi_host_reloads(const iswi_host *host); /* that were begun by a wish; the supervisor's
                                                      thread */

/* What probes of platforms ask, and who knows: set before the host runs, and asked on any thread, which
 * it does not block. Until somebody knows, nothing is so. */
typedef enum iswi_probe {
    ISWI_PROBE_HEALTH,  /* it tends its workers */
    ISWI_PROBE_READY,   /* it takes calls, and each worker serves */
    ISWI_PROBE_STARTUP  /* each worker has served once */
} iswi_probe;

typedef bool (*iswi_probe_fn)(void *user, iswi_probe probe);
void iswi_host_probed_by(iswi_host *host, iswi_probe_fn probe, void *user);
bool iswi_host_probe(const iswi_host *host, iswi_probe probe);

/* Where messages and records lie; it opens nothing before it is asked something. It ends before the
 * triggers do. */
iswi_broker *iswi_host_broker(const iswi_host *host);

/* -- Its functions, which live as long as it --------------------------------------------------- */

/* The one that was made last, and the one before, of those that are served; NULL: there is none.
 * Their numbers go down, with gaps where functions were that are no more; and above all numbers. */
iswi_host_function *iswi_host_newest_function(const iswi_host *host);
iswi_host_function *iswi_function_before(const iswi_host_function *function);
size_t iswi_function_number(const iswi_host_function *function);
size_t iswi_host_function_numbers(const iswi_host *host);

/* Calls by the number of their function. There is room for `size` functions; those that were made
 * since are left out. */
typedef struct iswi_by_function {
    int64_t *calls;
    size_t size;
} iswi_by_function;

/* The function `name` once a worker has told about it, else NULL. */
iswi_host_function *iswi_host_find(iswi_host *host, const char *name);

/* The function that somebody means by its name, or WORKER/NAME: of several workers' the one that is
 * served. NULL in *out: there is none. Errors: ISW_E_CONFLICT where two are served, which says how
 * to name them. */
isw_status iswi_host_find_meant(iswi_host *host, const char *words, iswi_host_function **out,
                                isw_error *error);

const char *iswi_host_function_name(const iswi_host_function *function);

/* That no worker has a function of that name, and which one was perhaps meant: ISW_E_NOT_FOUND. */
isw_status iswi_host_refuse_function(const iswi_host *host, const char *name, isw_error *error);

/* How its program has described it; lives as long as the host. */
typedef struct iswi_description {
    const char *trigger_type, *trigger_binding; /* the second "trigger" where nothing was said */
    isw_pairs given;    /* to its trigger */
    isw_pairs metadata; /* for middleware, such as auth_level */
    const iswi_wire_binding *bindings;
    size_t binding_count;
} iswi_description;

const iswi_description *iswi_function_description(const iswi_host_function *function);

/* How it is now; text lives as long as the host. */
typedef struct iswi_function_look {
    const char *name, *trigger_type;
    const char *chain;    /* "error_handling > auth" */
    const char *refused;  /* why it is not served; NULL if it is */
    const char *unserved; /* the same as a sentence with all names, of what is a fault; or NULL */
    int64_t timeout_ms;   /* 0: none */
    uint64_t ended, failed; /* calls that some process had; the second without success */
    uint64_t ended_calls[ISWI_ENDINGS]; /* the same, by how: call.h */
    uint64_t refused_calls[ISWI_REFUSALS]; /* and others: call.h */
    uint64_t total_us, last_us; /* that they took */
    bool patient; /* nothing of it times out: a person is at its process, or is to start that */
} iswi_function_look;

void iswi_function_look_at(const iswi_host_function *function, iswi_function_look *out);

/* What the function gave its trigger, by that one's table; NULL: it was refused, or no trigger has
 * its type. */
const void *iswi_function_properties(const iswi_host_function *function);

/* That its output `index`, as it declares them, goes nowhere, and why, in a sentence; "" if it goes
 * where it says, NULL if it has no more of them. Lives as long as the host. */
const char *iswi_function_lost(const iswi_host_function *function, size_t index);

/* What the function's worker is called. */
const char *iswi_function_worker(const iswi_host_function *function);

/* How many calls of it its worker takes at the same time, of all processes that serve now. */
unsigned iswi_function_capacity(const iswi_host_function *function);

/* What is secret to its functions, as wire/frame.h has it, NULL if nothing was told; and whether
 * some of it may be not known yet. */
const isw_pairs *iswi_host_secrets(const iswi_host *host);
bool iswi_host_has_unread_secrets(const iswi_host *host);

/* All that stands in the status until it is mended (attention.c), in the arena; NULL when memory is
 * out. */
const char **iswi_attention_gather(iswi_host *host, iswi_arena *arena, size_t *count);

/* -- Its workers and their processes ----------------------------------------------------------- */

/* Numbers of workers that were given out so far, never to be another's; so many there may ever be;
 * and whether one is there: host.yaml names it, or what it had is not finished. */
size_t iswi_host_worker_count(const iswi_host *host);
size_t iswi_host_worker_most(const iswi_host *host);
bool iswi_host_has_worker(const iswi_host *host, size_t worker);

/* Whether it was there at the start, or has served since it came, and host.yaml names it: the host
 * is not whole without it. */
bool iswi_host_needs_worker(const iswi_host *host, size_t worker);
const char *iswi_host_worker_name(const iswi_host *host, size_t worker);

/* How many it is to have; for how many there is room, of which most are spare; and the one that
 * speaks for it when none serves. */
unsigned iswi_host_worker_processes(const iswi_host *host, size_t worker);
unsigned iswi_host_worker_places(const iswi_host *host, size_t worker);
unsigned iswi_host_worker_places_most(const iswi_host *host, size_t worker);
iswi_process *iswi_host_process(const iswi_host *host, size_t worker, unsigned index);
iswi_process *iswi_host_first_process(const iswi_host *host, size_t worker);

/* How often one of its processes was started again. */
uint64_t iswi_host_worker_restarts(const iswi_host *host, size_t worker);

const char *iswi_host_worker_program(const iswi_host *host, size_t worker); /* a path */

/* Bounds of how long calls wait: each at most so long, and the last one longer. */
enum { ISWI_WAITS = 14 };
#define ISWI_WAIT_BOUNDS_MS { 0.1, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10000 }

/* Its calls that found no place at any process of it. Those that wait are added to `by_function`,
 * by function number; it may be NULL. */
typedef struct iswi_queue_look {
    unsigned waiting, limit; /* of them, and how many may be */
    int64_t wait_ms;   /* how long at most */
    int64_t oldest_ns; /* since when the first one does; 0: none */
    uint64_t waited, waited_us; /* that found a place, and how long that took */
    uint64_t refused, expired;  /* that found no room, or no place in time */
    uint64_t waits[ISWI_WAITS]; /* those that have waited, by how long */
} iswi_queue_look;

void iswi_worker_queue_look_at(const iswi_host *host, size_t worker, iswi_queue_look *out,
                               const iswi_by_function *by_function);

/* The template of a worker with `start: warm`, which forks its processes. */
typedef enum iswi_template_state {
    ISWI_TEMPLATE_NONE,     /* there is none now */
    ISWI_TEMPLATE_STARTING,
    ISWI_TEMPLATE_READY,
    ISWI_TEMPLATE_ENDING,
    ISWI_TEMPLATE_REFUSED   /* there is none until what it is made from is another */
} iswi_template_state;

typedef struct iswi_template_look {
    iswi_template_state state;
    pid_t pid; /* 0: it does not run */
    uint64_t resident_bytes;
    uint64_t forked, spawned; /* processes since the host began: by it, and without it */
    char why[ISW_ERROR_MESSAGE_BYTES]; /* it is not ready; "" if it is, or nothing is known */
} iswi_template_look;

/* False: its worker has `start: spawn`. Reads a file of the operating system. */
bool iswi_host_template_look_at(iswi_host *host, size_t worker, iswi_template_look *out);

/* Somebody debugs it: it has one process, which need not be a child of ours. Before the host
 * runs. */
void iswi_host_debug_worker(iswi_host *host, size_t worker);

/* A person starts the process of the worker of that name, any number of times: the host says where
 * it finds the host (guests.c). Before the host runs. Errors: ISW_E_CONFIG for one that is not
 * there, or cannot be so started. */
isw_status iswi_host_await(iswi_host *host, const char *name, isw_error *error);
bool iswi_host_awaits(const iswi_host *host); /* any worker so */
bool iswi_host_has_guests(const iswi_host *host); /* likewise, of this machine */
bool iswi_host_awaits_functions(const iswi_host *host); /* any whose functions nobody knows yet */

/* The socket at which that process of a remote worker is waited for, as a path. False: it is there,
 * or is not to come now. Any thread. */
bool iswi_host_awaited(iswi_host *host, size_t worker, unsigned index, char *out, size_t size);

size_t iswi_process_worker(const iswi_process *process);
unsigned iswi_process_index(const iswi_process *process); /* among its worker's */
/* "orders", "orders[2]"; its own while it runs, so that others ask iswi_process_look_at. Lives as
 * long as the host. The supervisor's thread, and links'. */
const char *iswi_process_label(const iswi_process *process);

typedef enum iswi_process_state {
    ISWI_PROCESS_WAITING,  /* to be started at start_at_ns */
    ISWI_PROCESS_STARTING, /* spawned, hello awaited */
    ISWI_PROCESS_LOADING,  /* greeted: metadata, loads */
    ISWI_PROCESS_READY,
    ISWI_PROCESS_LEAVING, /* terminate was sent, or goodbye came */
    ISWI_PROCESS_KILLED,  /* its end is awaited */
    ISWI_PROCESS_GONE,    /* given up, or the host stops */
    ISWI_PROCESS_SPARE    /* nobody is there; for a successor, or if more are wanted */
} iswi_process_state;

enum { ISWI_HEALTH_WHY_BYTES = 512 };

typedef struct iswi_process_look {
    const char *label;
    iswi_process_state state;
    const char *retiring; /* why it gets no calls any more and ends soon; NULL: it does not */
    bool serves; /* calls are given to it */
    bool tells_health; /* its application has health checks */
    bool unhealthy;    /* as they say, or as long as they have said nothing yet */
    char why_unhealthy[ISWI_HEALTH_WHY_BYTES];
    const char *warming;  /* the function that warms it up now; NULL: none does */
    bool functions_known; /* some process of its worker has told them */
    pid_t pid; /* 0: it does not run */
    bool guest; /* a person starts it */
    bool in_process; /* of the host's own: the pid is the host's, and the memory is */
    bool forked; /* by its template */
    unsigned starts;
    int64_t started_ns, start_at_ns;
    isw_error fault; /* why it does not serve */
    bool on_ring;
    unsigned credit, in_flight;
    uint64_t running, waiting, resident_bytes; /* as it said at its last heartbeat */
    uint64_t ended, failed; /* calls, since the host began */
} iswi_process_look;

/* How it is now. Calls in flight there are added to `in_flight`, by function number; it may be
 * NULL. */
void iswi_process_look_at(iswi_process *process, iswi_process_look *out,
                          const iswi_by_function *in_flight);

/* -- What bounds it, and how processes have ended ---------------------------------------------- */

typedef enum iswi_end_cause {
    ISWI_END_LEFT,     /* by itself, as is proper; or nothing is known */
    ISWI_END_EXIT,     /* by itself, and before its time */
    ISWI_END_SIGNAL,   /* by a signal that was not the host's: a crash, mostly */
    ISWI_END_REFUSED,  /* it could not be started, or refused its configuration */
    ISWI_END_KILLED,   /* by the host, for what it did or did not do */
    ISWI_END_MEMORY,   /* by the host or the kernel, above memory_limit */
    ISWI_END_RECYCLED, /* another has taken over, by memory_limit or recycle_after */
    ISWI_END_UNHEALTHY, /* the same, by health.restart_after */
    ISWI_END_REPLACED, /* the same, since somebody wanted it */
    ISWI_END_STOPPED   /* the host stops */
} iswi_end_cause;

enum { ISWI_ENDS = ISWI_END_STOPPED + 1, ISWI_END_WHY_BYTES = 256 };

/* "exit", "signal", "memory_limit". */
const char *iswi_end_name(iswi_end_cause cause);

/* How the process that ended last in a seat did so. */
typedef struct iswi_end_look {
    iswi_end_cause cause;
    char why[ISWI_END_WHY_BYTES];
    pid_t pid; /* 0: it could not be started */
    int64_t ended_ns; /* 0: none has ended there */
} iswi_end_look;

void iswi_process_last_end(iswi_process *process, iswi_end_look *out);

/* By cause, of all processes of a worker that ever ran. */
void iswi_host_worker_ends(const iswi_host *host, size_t worker, uint64_t counts[ISWI_ENDS]);

/* What it has used so far, asked of the operating system; all 0 for what does not run, or runs in
 * the host's own process. Reads files: not for each call. */
typedef struct iswi_usage_look {
    uint64_t resident_bytes, peak_bytes; /* with all that descends from it */
    int64_t cpu_ns;                      /* likewise in a group of its own, else its threads' */
    int64_t throttled_ns;                /* that it has waited for cpu_limit */
    uint64_t pids; /* processes and threads; 0: not known, without a group */
} iswi_usage_look;

void iswi_process_usage(iswi_process *process, iswi_usage_look *out);

/* Processor time of all its processes, with those that have ended; and how long they have waited for
 * cpu_limit, of which throttled_ns may be NULL. */
int64_t iswi_host_worker_cpu_ns(const iswi_host *host, size_t worker, int64_t *throttled_ns);

/* Which of a worker's limits are held by groups of cgroup v2: ISWI_CGROUP_... */
unsigned iswi_host_worker_groups(const iswi_host *host, size_t worker);

const iswi_worker_settings *iswi_host_worker_settings(const iswi_host *host, size_t worker);
void iswi_host_worker_confinement(const iswi_host *host, size_t worker, iswi_confinement *out);

/* The same, but for what needs its lock: whether calls are given to it, and whether nobody is
 * there. */
bool iswi_process_serves(const iswi_process *process);
bool iswi_process_is_spare(const iswi_process *process);

/* Make what a process is to be told; false: nothing. With its lock. */
typedef bool (*iswi_tell_fn)(void *user, iswi_process *process, iswi_frame *frame);

/* Send a process what `make` makes, if it is ready: it stays so from before that to behind it. */
void iswi_process_tell(iswi_process *process, iswi_tell_fn make, void *user);

#endif
