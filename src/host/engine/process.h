/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_PROCESS_H
#define ISWI_HOST_ENGINE_PROCESS_H

/*
 * Processes of workers: their places for calls (places.c) and what becomes of those that get no
 * answer (losses.c), what they say (frames.c), what they go through (states.c), how they begin and
 * end (life.c), and how many there are to be (staff.c). A pool is one worker of host.yaml, with its
 * processes. Inside the engine; look.h is for the others.
 *
 * A process's lock guards its places, its link and its state; no two locks of processes are ever
 * held together, and nothing is answered while one is held.
 */
#include "host/engine/attention.h"
#include "host/engine/bounds.h"
#include "host/engine/ends.h"
#include "host/engine/groups.h"
#include "host/engine/health.h"
#include "host/engine/look.h"
#include "host/engine/printed.h"
#include "host/engine/queue.h"
#include "host/engine/rebuilt.h"
#include "host/engine/reload.h"
#include "host/engine/roll.h"
#include "host/engine/scale.h"
#include "host/engine/staff.h"
#include "host/engine/template.h"
#include "host/engine/warmup.h"
#include "host/system/launch.h"
#include "link/link.h"
#include "wire/frame.h"

#include <pthread.h>
#include <stdatomic.h>

/* One place for an invocation. */
typedef struct iswi_place {
    uint64_t id;     /* 0: free */
    iswi_call *call; /* NULL: answered already, the worker's response is awaited */
    uint32_t cost_ns; /* that it adds to what its process has to do */
    int64_t until_ns; /* of a call its deadline, else when the process is killed; 0: never */
    bool spared;      /* its process has ended, and had not begun it */
    bool stopping;    /* its function was told that the host stops, */
    bool expired;     /* or that its time is over */
    iswi_author late; /* who it is, once its call was answered; else left as it was */
} iswi_place;

enum { ISWI_TOKEN_TOTAL = 2 * ISWI_TOKEN_BYTES };

struct iswi_process {
    iswi_host *host;
    iswi_pool *pool;
    unsigned index; /* in its pool */
    iswi_seat *seat;   /* staff.c; kept when it becomes spare */
    const char *label; /* that of its seat */
    atomic_bool spare; /* nobody is there; read without lock */

    pthread_mutex_t lock; /* guards what follows, but for what only the supervisor touches */
    iswi_process_state state;
    const char *due;      /* why it is to be replaced; NULL: it is not */
    const char *retiring; /* why it gets no call any more, and ends when it has none; NULL: it does
                             not */
    iswi_link *link;
    iswi_encoded outgoing; /* the frame that is being sent */
    unsigned char token[ISWI_TOKEN_TOTAL];
    iswi_place *places;
    unsigned place_count; /* grows to the largest credit */
    unsigned *free_places;
    unsigned free_count;
    unsigned credit, in_flight;
    unsigned alarm, peak; /* so many in flight wake the supervisor (0: none do); the most since it
                             looked; scale.c */
    uint64_t generation; /* of the last id that was given out here */
    unsigned loads_awaited;
    unsigned answered; /* since its start */
    uint64_t ended_calls, failed_calls; /* since it took its seat */
    unsigned starts; /* of its seat, so far */
    uint64_t resident_bytes, calls_running, calls_waiting; /* as its last status said */
    bool on_ring;
    bool wants_ring, wants_stream, can_reload; /* its hello named the capability */
    unsigned wants_extras;                     /* of its link, likewise */
    iswi_reloading reload; /* reload.c */
    bool hello_came, metadata_asked, loads_sent, closed, goodbye;
    iswi_host_function **functions; /* that it told of, in this run; NULL: it has not yet */
    size_t function_count;
    bool *lacks; /* which of its pool's functions, by place, it has not, or could not load; NULL: it
                    has all */
    size_t lacks_count; /* and none behind those */
    bool told_to_end; /* by a terminate that could reach it */
    bool ended_early; /* neither that nor SIGKILL of ours: by itself */
    bool refused; /* it broke the protocol; only its link's events, which come one at a time */
    iswi_message *metadata; /* held until the supervisor has read it */
    isw_bytes metadata_frame;
    isw_error fault; /* why it was given up or killed */
    bool hopeless;   /* a restart would not help */
    iswi_process_attention attention; /* attention.c */
    bool refuses;    /* its last run refused its configuration */
    atomic_uint load; /* in_flight where it may be chosen, else UINT_MAX; read without lock */
    atomic_llong due_ns;   /* how long it may take for what is in flight; read without lock */
    atomic_llong busy_ns;  /* since when there is something in flight; likewise */
    atomic_llong heard_ns;
    unsigned named; /* observers' capabilities in its hello, a bit each */
    iswi_author last;       /* the call that ended last here */
    iswi_author lost;       /* of the calls that its end has lost the last one, */
    unsigned lost_calls;    /* and how many they were */
    char culprit[33];       /* the invocation that has ended this run of it; "": nobody knows */
    int64_t ended_ns_of[2]; /* when it and the one before did; 0: there is none */

    iswi_printing printing; /* printed.c */

    iswi_process_health health; /* health.c */
    iswi_warmup warmup;         /* warmup.c */
    iswi_bounds bounds; /* bounds.c */
    iswi_cgroup group;  /* that it and its descendants are in, if any; the supervisor writes it
                           (lock) */
    iswi_end_cause cause; /* why it is ended, once that is known */

    /* Only the supervisor: */
    iswi_spawned os; /* with the lock, too, and what "(lock)" says */
    unsigned socket; /* number of the one that it is waited for at; 0: guests.c names it (lock) */
    bool connected;  /* a guest is there (lock) */
    int ring; /* descriptor of the rings until they are handed down; -1: none */
    int arena; /* and of the wide arenas, likewise */
    int bell; /* that of its link, to be handed down with them; -1: none */
    bool running;   /* os.pid is to be waited for (lock) */
    bool forked;    /* by the template of its pool (lock) */
    bool signalled; /* it was sent SIGKILL */
    int64_t heartbeat_ms;     /* as it was told; 0: none */
    unsigned missed;          /* heartbeats in a row */
    unsigned hoarding;        /* heartbeats in a row, see states.c */
    int64_t lent_ns;          /* of the heartbeat up to which loans are to be back */
    uint64_t lent_generation; /* of the last invocation then */
    int64_t retired_ns;       /* since when it gets no call */
    bool seen_off;            /* its calls were cancelled, since its place is needed */
    int64_t ready_ns;         /* since when, in this run; 0: never (lock) */
    int64_t start_at_ns, started_ns; /* (lock) */
    int64_t state_until_ns, asked_ns, kill_at_ns, ended_ns;
    unsigned failures; /* in a row, without one answer */
    unsigned edition;  /* of its pool, when it was started; roll.c */
    bool trial;        /* a successor that is not ready yet, and is not started again */
    iswi_process *succeeds; /* whom; NULL: that one is gone */
};

struct iswi_pool {
    size_t number; /* in the host */
    atomic_int presence; /* iswi_presence: pools.h */
    atomic_bool joins;   /* it has come while the host ran, and was not ready yet */
    _Atomic(const iswi_worker_settings *) settings; /* in force; those of before stay, too */
    _Atomic(const char *) program; /* likewise */
    char *module; /* the shared object of one that is not apart; else NULL */
    iswi_launcher launcher;
    iswi_confinement confinement; /* of its processes that start; the supervisor writes it, with the
                                     lock of its ends */
    bool debugged; /* its process runs under a debugger */
    bool guest;    /* likewise, and a person starts it here; guests.c */
    bool patient;  /* somebody may be at a breakpoint there: no timeouts */
    int store;     /* memory that its processes share, which we never look into; -1: none */
    iswi_process *processes;
    atomic_uint count;   /* of them, with those that are spare; grows when more are wanted */
    unsigned places_max; /* there is memory for so many from the beginning */
    iswi_seat *seats;
    unsigned seat_count; /* as many as were wanted at the same time so far */
    unsigned seats_max;
    atomic_uint wanted;  /* processes, of which each has a seat */
    atomic_ullong restarts;
    bool said_full; /* that all its places are taken */
    iswi_queue queue; /* of calls that find no place at any */
    atomic_bool indexed; /* its functions are known; set by the supervisor */
    iswi_reloadable reload; /* reload.c */
    iswi_roll roll;
    iswi_scale scale;
    iswi_ends ends; /* ends.c */
    iswi_rebuilt watch;
    iswi_template template; /* template.c */
    /* The supervisor's: */
    bool dismissed; /* it leaves, and its processes were told so */
    iswi_host_function **functions; /* all that it ever had, by place */
    size_t function_count, function_capacity;
    int64_t adopted_ns; /* start of the process whose functions are current; 0: of none that was
                           ready */
    bool outdated; /* some function is not current, and not over */
};

static inline bool iswi_pool_is(const iswi_pool *pool, int presence)
{
    return atomic_load_explicit(&pool->presence, memory_order_acquire) == presence;
}

/* Whether the host does not start its processes, but waits for them: guests of this machine, and
 * those that are remote. */
static inline bool iswi_pool_waits(const iswi_pool *pool)
{
    return pool->launcher.guest;
}

/* The file that its code is in. */
static inline const char *iswi_pool_file(const iswi_pool *pool)
{
    return pool->module ? pool->module : pool->program;
}

/* -- frames.c ---------------------------------------------------------------------------------- */

/* The events of a process's link. */
void iswi_process_events(iswi_process *process, iswi_link_events *events);

/* -- process.c --------------------------------------------------------------------------------- */

/* With the lock: send a frame; set the state; whether and how well it may be chosen has changed;
 * one more call ended there. */
void iswi_process_send(iswi_process *process, const iswi_frame *frame);
void iswi_process_set_state(iswi_process *process, iswi_process_state state);
void iswi_process_update_load(iswi_process *process);
void iswi_process_count(iswi_process *process, bool succeeded);

/* Set the state if it is still `from`: links' threads may have ended it meanwhile. Takes the lock,
 * as do the next two. */
bool iswi_process_advance(iswi_process *process, iswi_process_state from, iswi_process_state to);

/* The supervisor's thread: end it, for a reason that is told unless there was one before; and start
 * it at once where it waits or was given up, for what kept it may be mended. */
void iswi_process_kill(iswi_process *process, const char *format, ...) ISW_PRINTF(2, 3);

/* The same where it has only taken too long: one that runs in this process cannot be ended without
 * it, so that this is said and it goes on. */
void iswi_process_overrun(iswi_process *process, const char *format, ...) ISW_PRINTF(2, 3);
void iswi_process_retry(iswi_process *process);

/* Ask one that has a session to end within so long; it leaves from then on. With the lock. */
void iswi_process_tell_to_end(iswi_process *process, int64_t grace_ms);

/* It gets no call from now on, finishes those that it has, with their streams, and is asked to end;
 * then its place is spare. A successor is started if one is wanted. `why` is static text. Nothing
 * where it retires or is over already, or runs in this process. With the lock; any thread. */
void iswi_process_retire(iswi_process *process, const char *why);
bool iswi_process_retires(iswi_process *process); /* takes it */

/* -- places.c, with the lock ------------------------------------------------------------------- */

bool iswi_process_grow_places(iswi_process *process, unsigned count);
iswi_place *iswi_process_find_place(iswi_process *process, uint64_t id); /* NULL: not in use */
void iswi_process_free_place(iswi_process *process, uint64_t id);

/* Whose place that is, also once it was answered. */
iswi_author iswi_process_who(iswi_process *process, uint64_t id);

/* Take the call out of a place that goes on to wait for the worker's response. */
iswi_call *iswi_place_take_call(iswi_place *place);

/* Who alone can have done something there since then, running now or ended since; with no function
 * if several can, or nobody. Takes the lock. */
iswi_author iswi_process_only_author(iswi_process *process, int64_t since_ns);

typedef enum iswi_placing {
    ISWI_PLACED,
    ISWI_PLACE_FULL,    /* it has as many as it takes */
    ISWI_PLACE_CLOSED,  /* it is not ready, or not any more */
    ISWI_PLACE_LACKS,   /* it cannot run the function */
    ISWI_PLACE_GONE,    /* it was given up, or the host stops */
    ISWI_PLACE_REFUSED, /* the frame cannot be sent anywhere; *failure says why */
    ISWI_PLACE_MOVED    /* its function is not what it was; *failure says how */
} iswi_placing;

/* Put a call into a free place and send it. Takes the lock. */
iswi_placing iswi_process_invoke(iswi_process *process, iswi_call *call, isw_error *failure);

/* The same before it is ready, when it has loaded all. */
iswi_placing iswi_process_invoke_early(iswi_process *process, iswi_call *call, isw_error *failure);

/* Send a frame about a call that is in a place there; as iswi_call_send. Takes the lock. */
isw_status iswi_process_send_about(iswi_process *process, uint64_t id, iswi_frame *frame);

/* -- Pools; no lock is held -------------------------------------------------------------------- */

/* choose.c: give a call to the process that suits it best, else to any. ISWI_PLACE_FULL: none takes
 * it now. ISWI_PLACE_LACKS: the same, but those that are ready never would. ISWI_PLACE_REFUSED:
 * none takes it now or later; *failure says why, and is set then and with ISWI_PLACE_MOVED. */
iswi_placing iswi_pool_place(iswi_pool *pool, iswi_call *call, isw_error *failure);

/* pool.c: whether nobody will ever serve, since all were given up, or the host stops. Takes locks;
 * any thread. */
bool iswi_pool_is_over(iswi_pool *pool);

/* The one that speaks for the pool: that of the first seat that is taken. Any thread. */
iswi_process *iswi_pool_first(const iswi_pool *pool);

/* For scale.c, any thread: a call waits, or most of what there is is in use; and, with the lock of a
 * process, its credit has changed, and with it how many in flight there ring. */
void iswi_pool_ring(iswi_pool *pool);
void iswi_process_set_alarm(iswi_process *process);

/* A place may have become free, or a process ready. */
static inline void iswi_pool_serve(iswi_pool *pool)
{
    if (atomic_load_explicit(&pool->queue.waiting, memory_order_relaxed))
        iswi_queue_serve(pool);
}

/* -- losses.c; both take the lock -------------------------------------------------------------- */

/* Its link is over: take out the calls that it had begun, for iswi_call_lost. It may still begin
 * the others while it lives. */
void iswi_process_lose_begun(iswi_process *process);

/* It has ended, so that it begins nothing more: note what it had not, while its link is there. */
void iswi_process_note_spared(iswi_process *process);

/* It has ended, and its link, too: take out all that is left, for iswi_call_lost, or of what was
 * spared for iswi_call_spared. */
void iswi_process_lose_all(iswi_process *process);

/* Answer what is overdue, cancel it, and find processes that do not end what was cancelled. Returns
 * when to look again. The supervisor's thread. */
int64_t iswi_process_check_deadlines(iswi_process *process, int64_t now_ns);

/* -- life.c, end_of_life.c and states.c; the supervisor's thread ---------------------------------------------- */

void iswi_process_start(iswi_process *process);
void iswi_process_ended(iswi_process *process); /* its pid_fd became readable */
int64_t iswi_process_bury(iswi_process *process, int64_t now_ns); /* when to look again */

/* Go on with it. Sets *next_ns to when it wants to be called again, if that is sooner. */
void iswi_process_tend(iswi_process *process, int64_t now_ns, int64_t *next_ns);

#endif
