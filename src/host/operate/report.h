/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_REPORT_H
#define ISWI_HOST_OPERATE_REPORT_H

/* The state of a host as those outside see it. The host writes it by these tables, the command
 * reads it by the same. Times are in the unit that their names say, counts since the host began. */
#include "base/arena.h"

#include <isoworker/bind.h>

typedef struct iswi_report_head {
    int64_t pid;
    const char *version, *folder;
    const char *state; /* starting, serving, draining, stopping */
    int64_t uptime_ms;
    const char *url, *admin_url; /* NULL: none */
    int64_t in_flight, invocations, failures;
    int64_t refused; /* calls for which there was no process; not among the invocations */
    int64_t waiting; /* of those in flight, for a process */
} iswi_report_head;

typedef struct iswi_report_process {
    const char *worker, *process; /* "orders", "orders[2]" */
    int64_t pid; /* 0: does not run */
    const char *state; /* waiting, starting, loading, ready, unhealthy, leaving, ending, restarting,
                          given up, stopped; asleep: there is none, and a call starts one */
    const char *detail; /* why it does not serve; NULL if it does */
    const char *health; /* healthy, unhealthy; NULL: its application has no health checks, or it is
                           not ready */
    const char *lane;   /* ring, message */
    const char *start;     /* spawned, forked (by a template); NULL: it does not run */
    const char *isolation; /* process; none: it is a part of the host, pid and memory are those */
    int64_t credit, in_flight;
    int64_t running, waiting, resident_bytes; /* of these it told itself, at the last heartbeat */
    int64_t invocations, failures, restarts, uptime_ms;
    int64_t functions;
    bool functions_unknown; /* nobody of its worker has told them so far */
    int64_t memory_limit_bytes; /* 0: none */
    int64_t peak_bytes, cpu_ms; /* that it has used since its start, as the system says */
    double cpu_limit;           /* processors; 0: none */
    int64_t pids_limit, pids;   /* processes and threads; 0: none, and not known */
    int64_t throttled_ms;       /* that it has waited for cpu_limit */
    const char *limits;         /* all that bounds it, for people; NULL: nothing */
    const char *last_end;       /* of the process before it: why it ended; NULL: there was none */
    const char *last_end_cause; /* left, exit, signal, refused, killed, memory_limit, recycled,
                                   unhealthy, replaced, stopped */
    int64_t last_end_pid, last_end_ago_ms;
} iswi_report_process;

/* Whoever forks the processes of a worker with `start: warm`. */
typedef struct iswi_report_template {
    const char *worker;
    int64_t pid; /* 0: there is none now */
    const char *state;  /* waiting (to be started), starting, ready, ending, refused */
    const char *detail; /* why it is not ready, and processes are spawned; NULL: it is */
    int64_t resident_bytes;
    int64_t forked, spawned; /* processes: by it, and without it */
} iswi_report_template;

/* Calls that wait for a process of a worker, and what became of others that did. */
typedef struct iswi_report_queue {
    const char *worker;
    int64_t waiting, oldest_ms; /* now, and for how long the first one does */
    int64_t limit, wait_ms;     /* queue of host.yaml */
    int64_t waited, mean_us;    /* that found a place, and after which time on average */
    int64_t refused, expired;   /* that found no room, or no place in time */
} iswi_report_queue;

typedef struct iswi_report_function {
    const char *name, *worker, *trigger, *methods, *url;
    const char *where; /* its events come from, for people: "queue orders"; NULL: not told */
    const char *refused; /* why it is not served; NULL if it is */
    const char **chain;  /* outermost first */
    size_t chain_count;
    const char **lost;   /* of its outputs, which go nowhere, a sentence each */
    size_t lost_count;
    int64_t timeout_ms; /* 0: none */
    int64_t in_flight, waiting, invocations, failures;
    int64_t refused_calls; /* for which there was no process; not among the invocations */
    int64_t mean_us, last_us; /* from its call to its answer; 0: none has ended */
} iswi_report_function;

/* A number that a trigger tells of itself. */
typedef struct iswi_report_number {
    const char *name, *label, *value; /* "requests_total", "code", "200"; the last two may be NULL */
    int64_t number;
} iswi_report_number;

typedef struct iswi_report_trigger {
    const char *type, *url; /* NULL: it is found nowhere */
    const char **urls;      /* all of them */
    size_t url_count;
    iswi_report_number *numbers;
    size_t number_count;
} iswi_report_trigger;

typedef struct iswi_report_all {
    iswi_report_head host;
    iswi_report_process *processes;
    size_t process_count;
    iswi_report_template *templates; /* of those workers that have one */
    size_t template_count;
    iswi_report_queue *queues;
    size_t queue_count;
    iswi_report_function *functions;
    size_t function_count;
    iswi_report_trigger *triggers;
    size_t trigger_count;
    const char **attention; /* what is not as files say, a sentence each, until it is mended */
    size_t attention_count;
} iswi_report_all;

extern const isw_field iswi_report_fields[];

typedef struct iswi_host iswi_host;
typedef struct iswi_process iswi_process;

/* report_bounds.c: the last members of a process's. */
void iswi_report_bounds(const iswi_host *host, size_t worker, iswi_process *process,
                        iswi_report_process *out, iswi_arena *arena);

/* report_templates.c. False: no memory. */
bool iswi_report_templates(iswi_host *host, iswi_report_all *all, iswi_arena *arena);

/* Why a host is not ready, in no order. */
typedef struct iswi_readiness {
    bool ready;
    const char **reasons;
    size_t reason_count;
    const char **warnings; /* that keep it from nothing: the status's attention */
    size_t warning_count;
} iswi_readiness;

extern const isw_field iswi_readiness_fields[];

/* Whether each worker has served once, and which have not. */
typedef struct iswi_startup {
    bool started;
    const char **reasons;
    size_t reason_count;
} iswi_startup;

extern const isw_field iswi_startup_fields[];

/* How far a drain is. */
typedef struct iswi_drain {
    const char *state; /* as the host's */
    int64_t in_flight;
} iswi_drain;

extern const isw_field iswi_drain_fields[];

/* What has become of the restart of one worker. */
typedef struct iswi_restarted {
    const char *worker;
    const char *state; /* restarting, done, failed */
    int64_t replaced, total, took_ms; /* processes */
    const char *why;   /* it failed */
} iswi_restarted;

/* A line of it: a process that was replaced, or at last how all have ended. */
typedef struct iswi_restart_line {
    const char *process; /* "orders[2]"; NULL: it is the last one */
    int64_t before, pid, took_ms; /* who was there, who is now, and how long its start took */
    const char *state;   /* of all: restarting (the time is over), done, failed */
    iswi_restarted *workers;
    size_t worker_count;
} iswi_restart_line;

extern const isw_field iswi_restart_fields[];

/* What has become of the host that is to take this one's place. */
typedef struct iswi_succeeded {
    const char *state; /* starting (the time is over), done, failed */
    int64_t before, pid, took_ms;
    const char *why; /* it failed */
} iswi_succeeded;

extern const isw_field iswi_succeeded_fields[];
/* What is asked about queues of messages. */
typedef enum iswi_messages_action {
    ISWI_MESSAGES_LIST,   /* queues, or the one of that name */
    ISWI_MESSAGES_PEEK,   /* messages that live */
    ISWI_MESSAGES_DEAD,   /* dead ones */
    ISWI_MESSAGES_PUT,
    ISWI_MESSAGES_REPLAY, /* dead ones live again */
    ISWI_MESSAGES_PURGE,
    ISWI_MESSAGES_PAUSE,
    ISWI_MESSAGES_RESUME,
    ISWI_MESSAGES_ACTIONS
} iswi_messages_action;

/* Names of the actions, as commands say them; ends with NULL. */
extern const char *const iswi_messages_actions[];

/* A queue of messages. Times are those of the host's clock. */
typedef struct iswi_report_messages_queue {
    const char *name;
    bool paused;
    int64_t ready, delayed, claimed, dead, bytes;
    int64_t oldest_age_ms;  /* since the first of those that are due is so; 0: there is none */
    int64_t next_due_in_ms; /* of those that are delayed; 0: there is none */
    int64_t put, completed, abandoned, died, duplicates; /* since the host began */
} iswi_report_messages_queue;

/* A message; text that is NULL and 0: there is none. Times since 1970-01-01 UTC. */
typedef struct iswi_report_message {
    const char *id, *state, *key, *content_type, *last_error;
    int64_t attempts, priority, put_ms, due_ms, expires_ms, died_ms, size;
    const char *body; /* NULL: it is no text */
    isw_bytes body_bytes;
    const char **headers; /* "name: value" of a request that is to be sent */
    size_t header_count;
} iswi_report_message;

/* A line of what is told of queues (messages.h): queues, a message, or how many it were so far. */
typedef struct iswi_report_messages {
    iswi_report_messages_queue *queues;
    size_t queue_count;
    iswi_report_message *messages;
    size_t message_count;
    int64_t done, duplicates;
    bool over;
    const char *id; /* of what was put */
    const char *bytes_of; /* "stored": bytes of queues are with what the store has beside bodies;
                             NULL: of bodies alone */
} iswi_report_messages;

extern const isw_field iswi_messages_fields[];

/* What came of a function that somebody called by hand. */
typedef struct iswi_report_invoked {
    const char *invocation_id, *outcome; /* the second as typed.h names it */
    const char *status, *message;        /* of a failure: "ISW_E_INVALID", and why; NULL: of none */
    isw_value result;                    /* with its types (typed.h); none: there is none */
    int64_t took_us;                     /* from its call to its answer */
    int64_t retry_after_ms;
    bool late; /* it was cancelled when the time was over for which somebody waits */
    bool refused; /* no process has begun it */
} iswi_report_invoked;

extern const isw_field iswi_invoked_fields[];

#endif
