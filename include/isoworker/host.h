/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_HOST_H
#define ISOWORKER_HOST_H

/*
 * isw_host: the host as a part of any program. It starts workers and looks after them, and the
 * program calls their functions by name; a crash, a leak or a hang in them costs a process of
 * theirs, never the program. `isoworker run` is such a program. This header is the interface of a
 * library of its own: isoworker::host in CMake, isoworker-host for pkg-config.
 *
 *     isw_error error = { ISW_OK, "" };    // again before each call that may fail, see status.h
 *     isw_host_create(&options, &host, &error);
 *     isw_host_add_worker(host, &worker, &error);
 *     isw_host_start(host, &error);
 *     isw_host_invoke(host, "resize", &input, 500, &result, &error);
 *     isw_host_result_release(&result);
 *     isw_host_destroy(host);
 *
 * What it does to the program around it. It installs no signal handler, and the program's own never
 * run on its threads. It writes nothing to standard output or standard error unless asked to. It
 * has children, the workers and a guard that ends them should the program die, and waits for them
 * alone: SIGCHLD must not be ignored, and the program must not wait for just any child, as
 * waitpid(-1) does. A program that has threads may create and start a host. The guard is a fork of
 * the program that closes all its descriptors and does nothing but wait; it keeps memory as it was
 * then, so that a host is best started before the program fills gigabytes. A program that forks
 * without exec keeps the guard from noticing its end, until that child has ended as well. Where the
 * program has a group of cgroup v2 that was delegated to it, and is alone there, the host moves it
 * into one inside, to make others beside that for workers (host.cgroups: off does not). There may be
 * several hosts at a time. Linux alone.
 */
#include <isoworker/export.h>
#include <isoworker/failure.h>
#include <isoworker/log.h>
#include <isoworker/status.h>
#include <isoworker/value.h>

ISW_BEGIN_DECLS

typedef struct isw_host isw_host;

/* -- Events ------------------------------------------------------------------------------------ */

typedef enum isw_host_event_kind {
    ISW_HOST_WORKER_STARTED = 1, /* a process of it */
    ISW_HOST_WORKER_READY,       /* that one takes calls */
    ISW_HOST_WORKER_ENDED,       /* `text` says how; it is started again, unless the host stops */
    ISW_HOST_WORKER_GIVEN_UP,    /* after ISW_HOST_WORKER_ENDED: it is not started again; `text` says
                                    why */
    ISW_HOST_LOG /* a line of the host, of a worker, or of an invocation */
} isw_host_event_kind;

/* What it points to lives until the callback returns. */
typedef struct isw_host_event {
    size_t size;
    isw_host_event_kind kind;
    isw_str worker; /* "plugins", with several processes "plugins[2]"; "host" for its own lines */
    int64_t pid;    /* of the process; 0 for lines, and where it could not be started */
    isw_str text;   /* the line's message, or why */
    /* Of a line: */
    isw_log_level level;
    int64_t time_us; /* since 1970-01-01 UTC */
    isw_str category, function, invocation_id; /* empty: none */
    isw_map fields;
} isw_host_event;

/* Is told what happens; on any thread, on several at a time, with locks of the host held. So it
 * returns soon, and calls nothing of the host but isw_host_stop and isw_host_reload. */
typedef void (*isw_host_event_fn)(void *user, const isw_host_event *event);

/* -- Making one -------------------------------------------------------------------------------- */

/* Start from ISW_HOST_OPTIONS_INIT. All texts are copied. */
typedef struct isw_host_options {
    size_t size; /* sizeof(isw_host_options) */
    /* Where host.yaml is, for a host that is made from it. NULL: it is made from calls, takes its
     * relative paths from the current folder, and has no HTTP and no control socket unless `yaml`
     * or the options below ask for them. */
    const char *folder;
    /* Without a folder: what host.yaml might say (`isoworker explain host.yaml`), in block style.
     * Either it names the workers, or they are added. NULL: nothing. */
    const char *yaml;
    const char *listen;  /* address for HTTP, as http.listen has them, which it takes the place of:
                            "127.0.0.1:7071", "unix:/run/app.sock"; NULL: that */
    int port;            /* instead of its port, 0 for any free one; -1: that */
    const char *control; /* path of the control socket, instead of host.control; NULL: that */
    const char *record;  /* folder for recorded invocations (`WORKER invoke --replay`); NULL: none */
    bool debug;          /* no heartbeats and no timeouts: somebody is at a breakpoint */
    const char *debugged; /* function whose worker runs under gdb, in this terminal; starts before
                             the program has threads; NULL: none */
    int output;          /* descriptor that log lines are written to; -1: none */
    int json;            /* in JSON, instead of logging.format: 1 or 0; -1: as that says */
    bool color;          /* with colours, unless in JSON */
    isw_host_event_fn event; /* may be NULL */
    /* Gets each sentence of what is wrong, where isw_error has but the first one; on the thread of
     * the call that fails. May be NULL. */
    void (*fault)(void *user, const char *sentence);
    void *user; /* of both */
    const char *const *addresses; /* several, ends with NULL, instead of `listen`; NULL: that */
    bool watch; /* restart a worker whose program, shared object or modules have changed on disk */
    bool service; /* this host is what the program is for: tell the service manager that started it
                     (NOTIFY_SOCKET, sd_notify(3)) when it is ready, reloads, stops and lives */
    /* Take the place of a host that runs, with no connection lost: "": that of the folder, or of
     * `control`; else the one whose control socket is at this path. It gives its sockets, its clients
     * go on with it until the workers here are ready, and it ends then when it has finished what it
     * has. Where none runs this one starts as any other. NULL: none. */
    const char *replace;
    /* How another host takes the place of this one for `isoworker upgrade`: a command that starts
     * this program with `replace`, ends with NULL; the path of the control socket is put behind its
     * last word. NULL: it is not started here. */
    const char *const *successor;
    bool watched; /* somebody waits for the end of this process and is told by `replaced` alone: no
                     host but `successor` may take its place */
    void (*replaced)(void *user, int64_t pid); /* that process has taken its place; on a thread of
                                                  the host, once. May be NULL */
    /* Names of workers, ends with NULL, whose process the host does not start: it says at level info
     * how a person does, in an IDE or under a debugger, and serves with whoever comes so, again and
     * again; a remote one comes as ever. Nothing of such a worker has a time limit, and its calls
     * wait until it is there. A host with one takes no change of host.yaml. NULL: none. */
    const char *const *wait_for;
} isw_host_options;
#define ISW_HOST_OPTIONS_INIT                                                                  \
    {                                                                                          \
        sizeof(isw_host_options), NULL, NULL, NULL, -1, NULL, NULL, false, NULL, -1, -1, false, \
            NULL, NULL, NULL, NULL, false, false, NULL, NULL, false, NULL, NULL                \
    }

/* Make a host; `options` may be NULL. Reads host.yaml, and starts nothing. *out is the caller's to
 * destroy. Blocks on the file system. Any thread.
 * Errors: ISW_E_CONFIG with file:line:column, ISW_E_IO, ISW_E_NO_MEMORY. */
ISW_API isw_status isw_host_create(const isw_host_options *options, isw_host **out,
                                   isw_error *error);

/* A worker, as `workers` of host.yaml says it. Start from ISW_HOST_WORKER_INIT. */
typedef struct isw_host_worker {
    size_t size;      /* sizeof(isw_host_worker) */
    const char *name; /* unique in the host */
    const char *const *command; /* program and arguments, ends with NULL. A program without '/' is
                                   looked for beside this one, in PATH, and where isoworker is */
    const char *config;         /* its YAML; NULL: worker.yaml in its folder, if there is one */
    const char *directory;      /* where it runs; NULL: where the host's folder is */
    const char *const *environment; /* "NAME=value", ends with NULL; more variables; NULL: none */
    unsigned processes;             /* that share the work; 0: 1 */
    unsigned start_timeout_ms;      /* from its start until it is ready; 0: 10 s */
    unsigned restart_delay_ms; /* before a second restart in a row, doubled each time; 0: 100 ms */
    unsigned give_up_after;    /* ends in a row without one answer; 0: 8 */
    const char *isolation; /* "process", which NULL is, too; "none": the shared object FILE.so of the
                              command isoworker, worker, FILE.so runs on threads of this process,
                              whose end its crash is. Loads libisoworker.so */
    /* As many processes as the load needs, instead of `processes`, which is then 0: */
    unsigned processes_min;     /* at least; 0: none while there are no calls */
    unsigned processes_max;     /* at most; 0: it is `processes` */
    double processes_target;    /* part of the calls that they take that is to be in use; 0: 0.7 */
    unsigned processes_keep_ms; /* one that was not needed for so long ends; 0: 30 s */
    /* What bounds each process; host.yaml's manual says how it is held: */
    uint64_t memory_limit; /* bytes, with all that descends from it; 0: none */
    double cpu_limit;      /* processors, such as 0.5; holds in a cgroup alone; 0: all */
    unsigned pids_limit;   /* threads and processes; likewise; 0: no limit */
    /* When another process takes over from one, a tenth sooner or later; 0: never for that */
    uint64_t recycle_invocations; /* that it has answered */
    uint64_t recycle_age_ms;      /* since its start, at least 1,000 */
    uint64_t recycle_memory;      /* bytes, below memory_limit */
    int nice;                     /* from -20 to 19; 0: as this program */
    const char *user, *group;     /* whose it is, by name or number, where this program is root's;
                                     NULL: as this program's */
    const char *const *rlimits; /* "nofile=1024", "core=0", as `rlimits` of host.yaml has them; ends
                                   with NULL; NULL: as this program's */
    unsigned stop_timeout_ms; /* from its last call until it has ended; 0: 2 s */
    /* Its health checks (service.h), where it has any; 0: as those of host.yaml: */
    unsigned health_every_ms, health_timeout_ms, health_failures;
    unsigned health_restart_after_ms; /* another takes over from one that stays so; 0: never */
    const char *start; /* how its next processes begin: "spawn", which NULL is, too; "warm": forked by
                          one more, its template, as `start` of host.yaml has it. Just when one is
                          forked, orphans of this program's descendants come to it
                          (PR_SET_CHILD_SUBREAPER) */
} isw_host_worker;
#define ISW_HOST_WORKER_INIT                                                             \
    {                                                                                    \
        sizeof(isw_host_worker), NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, NULL, 0, 0, 0, 0, \
            0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, 0, 0, 0, 0, 0, NULL                   \
    }

/* Add a worker to a host that was made without a folder and is not started. All of it is copied.
 * The maker's thread. Errors: ISW_E_CONFIG with the worker's name for what cannot be, a program
 * that is not there as well; ISW_E_CONFLICT for a name in use, ISW_E_UNSUPPORTED for a host of a
 * folder or one that has begun, ISW_E_NO_MEMORY. */
ISW_API isw_status isw_host_add_worker(isw_host *host, const isw_host_worker *worker,
                                       isw_error *error);

/* -- Running it, once -------------------------------------------------------------------------- */

/* Start the workers and go on in a thread of the host's own. Does not wait for the workers. One
 * that could not be started can only be destroyed. The maker's thread.
 * Errors: ISW_E_CONFIG (also without any worker), ISW_E_CONFLICT for an address in use, ISW_E_IO,
 * ISW_E_CONFLICT too where another host keeps its place (`replace`), with its reason;
 * ISW_E_UNSUPPORTED where SIGCHLD is ignored or the host has begun before, ISW_E_NO_MEMORY. */
ISW_API isw_status isw_host_start(isw_host *host, isw_error *error);

/* The same in the calling thread, until isw_host_stop. Blocks. The program's signal handlers may
 * run on it. Errors: those of isw_host_start and of isw_host_wait. */
ISW_API isw_status isw_host_run(isw_host *host, isw_error *error);

/* Wait until each worker takes calls, at most `timeout_ms` (-1: as long as it takes). Blocks. Any
 * thread but those of callbacks. Errors: ISW_E_UNAVAILABLE with the reason when a worker was given
 * up or the host stops, ISW_E_TIMEOUT with the worker that is missing and what became of it. */
ISW_API isw_status isw_host_wait_ready(isw_host *host, int timeout_ms, isw_error *error);

/* Where HTTP is served, such as "http://127.0.0.1:7071" or "unix:/run/app.sock"; NULL if it is not,
 * or before the start. Lives as long as the host. Any thread. */
ISW_API const char *isw_host_url(const isw_host *host);

/* The same of each address, the first of which has index 0; NULL behind the last. */
ISW_API const char *isw_host_url_at(const isw_host *host, size_t index);

/* Read host.yaml again if the host was made of one and that has changed, and take what can be taken
 * of it; have every worker read its configuration again, try those again that were given up, and
 * open the access log anew, which may have been moved away. Any thread, any signal handler. */
ISW_API void isw_host_reload(isw_host *host);

/* Ask the host to end, and return at once. What is in flight may go on for host.shutdown_grace, is
 * then cancelled, and has host.cancel_grace to answer. A second call cancels it now, a third does
 * not wait for answers. Every call that was begun is answered. Any thread, any signal handler. */
ISW_API void isw_host_stop(isw_host *host);

/* Wait until a host that was started has ended. Blocks. One thread, not that of a callback.
 * Errors, when no worker could be brought to serve: ISW_E_CONFIG if another start would end alike,
 * else ISW_E_UNAVAILABLE; that also where it was to take the place of another host, and one of its
 * workers was not ready. */
ISW_API isw_status isw_host_wait(isw_host *host, isw_error *error);

/* Stop it if it runs, wait for that, and free it. Nobody else may be in a call of it, and results
 * have been released. Blocks. NULL is allowed. */
ISW_API void isw_host_destroy(isw_host *host);

/* -- Calling functions ------------------------------------------------------------------------- */

/* What came of a call. All it points to lives until isw_host_result_release. */
typedef struct isw_host_result {
    isw_outcome outcome;
    isw_status status; /* ISW_OK with ISW_OUTCOME_SUCCESS, else why */
    bool retriable;    /* the same call may succeed when it is made again */
    isw_str message;   /* a sentence for operators; empty with ISW_OK */
    isw_value result;  /* of type ISW_VALUE_NONE where there is none */
    isw_map outputs;   /* those that came with it; the host has done with them what they are for;
                          the call failed if one goes nowhere */
    uint64_t retry_after_ms;      /* with ISW_OUTCOME_RETRY_LATER */
    const char *invocation_id;    /* as log lines name it; "" if it came to no invocation */
    void *opaque;
} isw_host_result;

/* Run the function `name` of any worker, whatever its trigger; one that nothing else calls has
 * ISW_TRIGGER("call", NULL). `input` (NULL: none) is the trigger's
 * data as it stands; functions of the trigger http expect an ISW_VALUE_HTTP with method, url and
 * what else they read, and answer with one: `url` is matched with no route, so fill `params` and
 * `query` yourself. Text is to be UTF-8. One that streams its answer has it
 * gathered, up to ISW_ANSWER_MAX_BYTES.
 *
 * `timeout_ms` is what the call may take in all, 0 as long as the function's own timeout says. A
 * call that no process can take now, because its worker is not ready yet, has just crashed or has as
 * many as it takes, waits for one within that time, without a timeout for 30 s; as many may wait as
 * queue.limit of host.yaml says, 1000. It is not run twice unless the function is idempotent and its
 * worker died.
 *
 * Blocks. Returns the status of the result. *out (may be NULL) is filled on failure, too, and is
 * the caller's to release. Any thread but those of callbacks. Errors, beside what functions fail
 * with: ISW_E_NOT_FOUND with the nearest name, ISW_E_TIMEOUT, ISW_E_WORKER_LOST when it crashed,
 * ISW_E_UNAVAILABLE with the reason when as many wait as may, when the worker was given up, when an
 * operator drains the host, and before it starts or after it stops; ISW_E_NO_MEMORY. */
ISW_API isw_status isw_host_invoke(isw_host *host, const char *name, const isw_value *input,
                                   unsigned timeout_ms, isw_host_result *out, isw_error *error);

/* Gets the result of a call, which is its own to release, then or later and on any thread; copy the
 * struct to keep it. Called on any thread, perhaps before isw_host_invoke_async returns, with no
 * lock held. It should not block, and may begin other calls. */
typedef void (*isw_host_result_fn)(void *user, isw_host_result *result);

/* The same without waiting: `done` is called exactly once, whatever becomes of call, worker and
 * host. What `input` points to must live until then; `name` is copied. Does not block. Any thread,
 * that of a callback of results too. */
ISW_API void isw_host_invoke_async(isw_host *host, const char *name, const isw_value *input,
                                   unsigned timeout_ms, isw_host_result_fn done, void *user);

/* Let go of what came, and zero it. One that was released is left as it is. Any thread. */
ISW_API void isw_host_result_release(isw_host_result *result);

ISW_END_DECLS

#endif
