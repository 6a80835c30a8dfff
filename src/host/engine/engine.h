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
#include "host/engine/log.h"
#include "host/engine/look.h"
#include "host/engine/observers.h"
#include "host/system/guard.h"
#include "host/host.h"
#include "host/http/front.h"
#include "host/system/runtime_folder.h"
#include "host/settings/settings.h"
#include "host/system/spawn.h"
#include "link/link.h"
#include "wire/frame.h"

#include <isoworker/sys/facts.h>

#include <pthread.h>
#include <stdatomic.h>

typedef struct iswi_pool iswi_pool;
typedef struct iswi_policy iswi_policy;

/* -- Functions --------------------------------------------------------------------------------- */

/* An output binding of a function. */
typedef struct iswi_host_output {
    const char *name, *type;
    const char *path; /* property of "file" */
} iswi_host_output;

/* A function that some worker has. Made once, lives as long as the host. */
struct iswi_host_function {
    uint64_t number; /* in load and invoke */
    iswi_pool *pool;
    size_t place; /* among its pool's functions */
    const char *name, *summary, *trigger_type;
    const char *methods, *route; /* http */
    _Atomic(const char *) chain; /* "error_handling > auth", as it is in force */
    bool streams;                /* its body goes to it as it comes */
    atomic_bool preflights;      /* its chain answers those of browsers */
    _Atomic(const isw_cors *) cors; /* NULL: no policy for other sites */
    const iswi_host_output *outputs; /* its output bindings */
    size_t output_count;
    atomic_llong timeout_ms;     /* 0: none */
    bool idempotent;
    _Atomic(const char *) refused; /* why it is not served; NULL if it is */
    _Atomic(const char *) unserved; /* the same as a sentence with all names, of what is a fault */
    atomic_ullong ended, failed;   /* calls of it */
    atomic_ullong total_us, last_us; /* that they took */
    struct iswi_host_function *before; /* the one that was made before it */
};

/* The function `name` once a worker has told about it, else NULL. Any thread. */
iswi_host_function *iswi_host_find(iswi_host *host, const char *name);

/* -- Calls ------------------------------------------------------------------------------------- */

/* Take up a call whose process was lost, or answer it. Owns `call`. */
void iswi_call_lost(iswi_host *host, iswi_call *call, iswi_process *where, const char *why);

/* Answer with a failure of the host's own and free. Owns `call`. */
void iswi_call_fail(iswi_host *host, iswi_call *call, isw_status status, const char *message);

/* Answer with what a worker sent and free. Owns `call`. */
void iswi_call_finish(iswi_host *host, iswi_call *call, const iswi_answer *answer);

/* What tells one state of a file from another. */
typedef struct iswi_file_look {
    uint64_t device, inode;
    int64_t size, changed_ns; /* 0: there is no file */
} iswi_file_look;

/* -- Processes --------------------------------------------------------------------------------- */

/* An invocation as log lines name it; no function: it is not known. */
typedef struct iswi_author {
    const iswi_host_function *function;
    char invocation_id[33];
} iswi_author;

/* One place for an invocation. */
typedef struct iswi_place {
    uint64_t id;     /* 0: free */
    iswi_call *call; /* NULL: answered already, the worker's response is awaited */
    int64_t until_ns; /* of a call its deadline, else when the process is killed; 0: never */
    bool stopping;    /* its function was told that the host stops */
    iswi_author late; /* who it is, once its call was answered; else left as it was */
} iswi_place;

/* Where a process is with reading its configuration again (reload.c). */
typedef enum iswi_reloading {
    ISWI_RELOAD_NONE,
    ISWI_RELOAD_ASKED,  /* `reloaded` is awaited */
    ISWI_RELOAD_TAKEN,  /* it came: its functions are to be asked for */
    ISWI_RELOAD_READING /* metadata is awaited, or is there */
} iswi_reloading;

/* What a worker wrote to one of its outputs, up to the end of a line. */
typedef struct iswi_printed {
    iswi_buffer line;
    iswi_author author;
    int64_t since_ns; /* of the line's beginning */
    int64_t quiet_ns; /* when the pipe was last known to be empty */
} iswi_printed;

enum { ISWI_TOKEN_TOTAL = 2 * ISWI_TOKEN_BYTES };

struct iswi_process {
    iswi_host *host;
    iswi_pool *pool;
    unsigned index; /* in its pool */
    size_t number;  /* in the host */
    char label[ISWI_NAME_MAX + 8]; /* "orders" or "orders[2]" */

    pthread_mutex_t lock; /* guards what follows, but for what only the supervisor touches */
    iswi_process_state state;
    iswi_link *link;
    iswi_encoded outgoing; /* the frame that is being sent */
    unsigned char token[ISWI_TOKEN_TOTAL];
    iswi_place *places;
    unsigned place_count; /* grows to the largest credit */
    unsigned *free_places;
    unsigned free_count;
    unsigned credit, in_flight;
    uint64_t generation; /* of the last id that was given out here */
    unsigned loads_awaited;
    unsigned answered; /* since its start */
    uint64_t ended_calls, failed_calls; /* since the host's */
    unsigned starts;
    uint64_t resident_bytes, calls_running, calls_waiting; /* as its last status said */
    bool on_ring;
    bool wants_ring, wants_stream, can_reload; /* its hello named the capability */
    iswi_reloading reloading;
    bool hello_came, metadata_asked, loads_sent, closed, goodbye;
    bool described; /* it was asked for its functions, in this run */
    bool *lacks;    /* which of its pool's functions it could not load; NULL: it has all */
    bool told_to_end; /* by a terminate that could reach it */
    bool ended_early; /* neither that nor SIGKILL of ours: by itself */
    bool refused; /* it broke the protocol; only its link's events, which come one at a time */
    iswi_message *metadata; /* held until the supervisor has read it */
    isw_bytes metadata_frame;
    isw_error fault; /* why it was given up or killed */
    bool hopeless;   /* a restart would not help */
    iswi_buffer attention; /* attention.c: sentences, a line each */
    iswi_file_look program_look; /* what it was started from */
    bool refuses;    /* its last run refused its configuration */
    atomic_uint load; /* in_flight where it may be chosen, else UINT_MAX; read without lock */
    atomic_llong heard_ns;
    unsigned named; /* observers' capabilities in its hello, a bit each */
    iswi_author last;       /* the call that ended last here */
    int64_t ended_ns_of[2]; /* when it and the one before did; 0: there is none */

    atomic_bool prints; /* it has lately, or has not had time to */
    pthread_mutex_t printing; /* taken before the other one; guards the reading ends, and: */
    iswi_printed output_line, errors_line;
    char words[2][512]; /* the first and the last line of its errors since it was started */
    unsigned silent; /* responses since something was printed */

    /* Only the supervisor: */
    iswi_spawned os; /* with the lock, too, and what "(lock)" says */
    int ring; /* descriptor of the rings until they are handed down; -1: none */
    bool running;   /* os.pid is to be waited for (lock) */
    bool signalled; /* it was sent SIGKILL */
    unsigned reloads;         /* of its pool's, which it was asked for, or began with */
    unsigned missed;          /* heartbeats in a row */
    unsigned hoarding;        /* heartbeats in a row, see states.c */
    int64_t lent_ns;          /* of the heartbeat up to which loans are to be back */
    uint64_t lent_generation; /* of the last invocation then */
    int64_t ready_ns;         /* since when, in this run; 0: never (lock) */
    int64_t start_at_ns, started_ns; /* (lock) */
    int64_t state_until_ns, asked_ns, kill_at_ns, ended_ns;
    unsigned failures; /* in a row, without one answer */
};

struct iswi_pool {
    const iswi_worker_settings *settings;
    char *program;
    bool debugged; /* its process runs under a debugger */
    iswi_process *processes;
    unsigned count;
    atomic_bool indexed; /* its functions are known; set by the supervisor */
    /* Only the supervisor: */
    unsigned reloads; /* how often its configuration was to be read again */
    char *config;     /* the file that is watched */
    iswi_file_look config_look;
    bool config_there;       /* it was, at some time: without it nothing is started */
    atomic_bool config_gone; /* it was, and is not now */
    bool config_linked; /* there are symbolic links on the way to it */
    iswi_host_function **functions; /* set when indexed; read by the supervisor */
    size_t function_count;
};

struct iswi_host {
    iswi_config *config;
    const iswi_host_settings *settings;
    iswi_host_options options;
    iswi_http_settings http_settings;
    char *folder;          /* absolute */
    char runtime_folder[ISWI_RUNTIME_FOLDER_BYTES]; /* 0700, of the sockets */
    int runtime_lock;
    iswi_log_sink log;
    iswi_observers observers;
    iswi_guard guard;
    iswi_pool *pools;
    size_t pool_count;
    size_t process_count;

    iswi_arena arena; /* of functions; only the supervisor */
    iswi_host_function **functions;
    size_t function_count, function_capacity;
    _Atomic(iswi_host_function *) newest; /* the head of all functions, for other threads */
    _Atomic(const iswi_policy *) policies; /* all that were ever told; facts.c */
    _Atomic(const isw_pairs *) secrets; /* as wire/frame.h has them; all that were ever told */
    atomic_uint unread; /* processes that may run by a YAML whose facts are not known yet */
    iswi_routes **routes; /* all that were ever published; the last one serves */
    size_t route_count, route_capacity;
    iswi_http *http;

    int epoll, wake;
    int changes; /* inotify; -1: none */
    atomic_uint reloads; /* how often iswi_host_reload was called */
    unsigned reloads_seen;
    atomic_int stops; /* how often iswi_host_stop was called */
    atomic_bool ending; /* the grace is over: what is in flight is cancelled, nothing is begun */
    atomic_llong wake_at_ns; /* when the supervisor looks again at the latest */
    atomic_uint calls;
    unsigned char id_prefix[8];    /* of invocation ids: random, and a number behind it */
    atomic_ullong next_invocation;
    atomic_ullong next_place; /* of ids of places: none is ever given out twice in this host */
    bool table_shown;
    atomic_bool settled;   /* each worker serves, or has failed once */
    atomic_bool draining;  /* as an operator asked; the triggers take nothing new */
    atomic_ullong turns;   /* of the supervisor's loop, so that others see it turn */
    int64_t begun_ns;
    pthread_mutex_t attention_lock; /* guards the next two: sentences, a line each */
    iswi_buffer yaml_attention, match_attention;
    iswi_file_look yaml_look;
    iswi_faults *faults;   /* of whoever runs it, for why it ends; may be NULL */
    pthread_mutex_t steering; /* held to drain and to resume */
    bool debug; /* somebody is at a breakpoint: no timeouts */
    unsigned socket_number;
};

/* frames.c: the events of a process's link. */
void iswi_process_events(iswi_process *process, iswi_link_events *events);

/* places.c: places. These with the lock. */
void iswi_process_update_load(iswi_process *process);
bool iswi_process_grow_places(iswi_process *process, unsigned count);
iswi_place *iswi_process_find_place(iswi_process *process, uint64_t id); /* NULL: not in use */
void iswi_process_free_place(iswi_process *process, uint64_t id);

/* Whose place that is, also once it was answered. */
iswi_author iswi_process_who(iswi_process *process, uint64_t id);

/* Take the call out of a place that goes on to wait for the worker's response. */
iswi_call *iswi_place_take_call(iswi_place *place);

typedef enum iswi_placing {
    ISWI_PLACED,
    ISWI_PLACE_FULL,    /* it has as many as it takes */
    ISWI_PLACE_CLOSED,  /* it is not ready, or not any more */
    ISWI_PLACE_REFUSED, /* the frame cannot be sent anywhere; *failure says why */
} iswi_placing;

/* Put a call into a free place and send it. The process's lock is taken. */
iswi_placing iswi_process_invoke(iswi_process *process, iswi_call *call, isw_error *failure);

/* One more call ended there. With the lock. */
void iswi_process_count(iswi_process *process, bool succeeded);

/* Send a frame. With the lock. */
void iswi_process_send(iswi_process *process, const iswi_frame *frame);

/* Set the state; with the lock. */
void iswi_process_set_state(iswi_process *process, iswi_process_state state);

/* The same if it is still `from`: links' threads may have ended it meanwhile. Takes the lock. */
bool iswi_process_advance(iswi_process *process, iswi_process_state from, iswi_process_state to);

/* Take all calls out, for iswi_call_lost. The lock is taken. */
void iswi_process_lose_calls(iswi_process *process, const char *why);

/* Answer what is overdue, cancel it, and find processes that do not end what was cancelled. Returns
 * when to look again. The lock is taken. */
int64_t iswi_process_check_deadlines(iswi_process *process, int64_t now_ns);

/* life.c: the beginning and the end; the supervisor's thread. */
void iswi_process_start(iswi_process *process);
void iswi_process_kill(iswi_process *process, const char *format, ...) ISW_PRINTF(2, 3);
void iswi_process_ended(iswi_process *process); /* its pid_fd became readable */
int64_t iswi_process_bury(iswi_process *process, int64_t now_ns); /* when to look again */

/* Start it at once where it waits or was given up: what kept it may be mended. */
void iswi_process_retry(iswi_process *process);

/* states.c: the supervisor's thread. Sets *next_ns to when it wants to be called again, if that is
 * sooner. */
void iswi_process_tend(iswi_process *process, int64_t now_ns, int64_t *next_ns);

/* guard_watch.c: the supervisor's thread. From now on the guard is replaced when it ends. */
void iswi_guard_watch(iswi_host *host);
void iswi_guard_ended(iswi_host *host); /* its pid_fd became readable */
void iswi_guard_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns);

/* drain.c */
/* Take nothing new, or again; calls that are on their way are not touched. Any thread. */
void iswi_host_drain(iswi_host *host);
void iswi_host_resume(iswi_host *host);

/* What is on its way still; 0 once it is drained. Any thread. */
size_t iswi_host_in_flight(iswi_host *host);

/* shutdown.c: the supervisor's thread. */
/* Tell each function that runs that the host stops; once, however often this is called. */
void iswi_shutdown_cancel(iswi_host *host);

/* Answer what is left, and say what it was. */
void iswi_shutdown_lose(iswi_host *host);

/* reload.c: the supervisor's thread but for iswi_reload_answered. */
/* Watch the files of the workers' configurations; a host that cannot says so and goes on. */
void iswi_reload_watch(iswi_host *host);
void iswi_reload_unwatch(iswi_host *host);

/* See which files have changed, and whether somebody asked. */
void iswi_reload_look(iswi_host *host, bool files);

/* The file that a process is to be started with; NULL: none was ever there. Once one was, it has to
 * be: a worker would take none for an empty chain. */
const char *iswi_reload_config(const iswi_pool *pool);

/* Of a process that is ready. */
void iswi_reload_tend(iswi_process *process);

/* `reloaded` came; with the process's lock. False: nobody asked for it. */
bool iswi_reload_answered(iswi_process *process, const iswi_reloaded *answer);

iswi_file_look iswi_file_look_at(const char *path); /* path may be NULL; any thread */
bool iswi_file_look_same(const iswi_file_look *a, const iswi_file_look *b);

/* attention.c: what stands in `status` until it is mended. The supervisor's thread but for the
 * first two, with the process's lock, and the last. */
void iswi_attention_configured(iswi_process *process, const iswi_reloaded *answer);
void iswi_attention_cannot_read(iswi_process *process);
void iswi_attention_begin(iswi_host *host); /* host.yaml is as it was read */
void iswi_attention_look(iswi_host *host);  /* whether it has changed */
void iswi_attention_match(iswi_host *host); /* all functions are known: which settings match none */

/* printed.c: what the worker's process prints. Any thread, without the lock. */
/* Read once; the supervisor's thread. False when there is nothing to read now. */
bool iswi_process_read_output(iswi_process *process, bool errors);

/* Read what is there, before an invocation that may have printed it ends. */
void iswi_output_drain(iswi_process *process);

/* Show what nobody ended with a line feed. */
void iswi_output_tend(iswi_process *process, int64_t now_ns, int64_t *next_ns);

/* The same, and close both. */
void iswi_output_end(iswi_process *process);

/* A call has ended. With the lock. */
void iswi_output_note_end(iswi_process *process, const iswi_call *call);

/* functions.c: the supervisor's thread. */
isw_status iswi_functions_index(iswi_host *host, iswi_pool *pool, const iswi_metadata *metadata,
                                isw_error *error);

/* Take over what a configuration can change of a function; *changed counts one with another chain.
 * The rest is the program's and stays as it was; whether it is as it was says the second. Errors:
 * ISW_E_NO_MEMORY. */
isw_status iswi_function_refresh(iswi_host *host, iswi_host_function *function,
                                 const iswi_wire_function *wire, unsigned *changed);
bool iswi_function_is_as_before(const iswi_host_function *function,
                                const iswi_wire_function *wire);
void iswi_functions_publish(iswi_host *host); /* routes for what is known now */

/* functions_told.c: the supervisor's thread. */
/* Functions as a worker told them, by name; free with iswi_free. A name is what routes, settings
 * and lines of the log call a function by: each is one, and there once. NULL with `error`. */
iswi_wire_function *iswi_functions_sort(const iswi_metadata *metadata, isw_error *error);

/* Take a frame `metadata`: the first one of a pool makes its functions, later ones change them;
 * what cannot be changed while the host runs is said. *changed have another chain now. Errors:
 * ISW_E_PROTOCOL, ISW_E_NO_MEMORY, ISW_E_FAILED if the worker said so. */
isw_status iswi_functions_take(iswi_process *process, isw_bytes bytes, unsigned *changed,
                               isw_error *error);

/* facts.c: what functions tell of themselves. */
/* Take over what a function tells now. False: no memory. The supervisor's thread. */
bool iswi_facts_take(iswi_host *host, iswi_host_function *function, const iswi_wire_function *wire);

/* failure_line.c: log why a worker's response is no success. Any thread. */
void iswi_failure_say(const iswi_process *process, const iswi_call *call,
                      const iswi_answer *answer, const iswi_wire_status *status);

/* outputs.c: what functions put out. Any thread. */
/* A value for an output of the function; one that it did not declare is logged and dropped. */
void iswi_output_take(iswi_host *host, const iswi_host_function *function,
                      const char *invocation_id, isw_str name, const isw_value *value);

/* Why a host like this one does nothing with outputs of `type`; NULL if it does. */
const char *iswi_output_refusal(const iswi_host_output *output);

/* http_bridge.c */
isw_status iswi_bridge_start(iswi_host *host, isw_error *error);

/* Wake the supervisor. Any thread. */
void iswi_host_wake(iswi_host *host);
void iswi_host_wake_by(iswi_host *host, int64_t at_ns);

/* Keys of the supervisor's own events; those of processes are smaller. */
#define ISWI_KEY_WAKE UINT64_MAX
#define ISWI_KEY_CHANGES (UINT64_MAX - 1)
#define ISWI_KEY_GUARD (UINT64_MAX - 2)

/* Whether the descriptor of `what` is the process's pid (0), output (1) or errors (2). */
bool iswi_host_watch(iswi_host *host, iswi_process *process, int fd, unsigned what);
void iswi_host_unwatch(iswi_host *host, int fd);

#endif
