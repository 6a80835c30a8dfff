/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_WORKER_H
#define ISOWORKER_WORKER_H

/*
 * A worker: functions, services (service.h) and a middleware chain, run under a host. isw_main is
 * the whole worker for most programs, isw_app_main for nearly all; the other calls are for those
 * who need them. A worker belongs to the thread that made it, except isw_worker_stop and
 * isw_worker_invoke.
 */
#include <isoworker/value.h>
#include <isoworker/export.h>
#include <isoworker/failure.h>
#include <isoworker/function.h>
#include <isoworker/log.h>
#include <isoworker/service.h>
#include <isoworker/status.h>

ISW_BEGIN_DECLS

typedef struct isw_worker isw_worker;

/* Run a worker with `functions` as a program and return its exit status (sysexits.h: 0 done, 64
 * usage, 69 no host, or an eager service that cannot be made, 76 protocol, 78 configuration).
 * Blocks until the host ends the session.
 * The same program answers, without any host:
 *   --describe [--json]              its functions, their chains, its services, and the options of
 *                                    middleware
 *   --check                          whether its configuration is right
 *   invoke NAME [--data TEXT|@FILE|-]  one invocation through the full chain, in this process
 * --config FILE chooses the YAML; otherwise the host's choice or worker.yaml in the current
 * folder is taken, and no file at all means an empty chain. */
ISW_API int isw_main(int argc, char **argv, const isw_function *functions);

/* The same for a worker that was prepared with isw_worker_create and the calls below. Does not
 * destroy `worker`. */
ISW_API int isw_worker_main(isw_worker *worker, int argc, char **argv);

/* Where to find a host. Start from ISW_WORKER_OPTIONS_INIT. All texts are copied. */
typedef struct isw_worker_options {
    size_t size;             /* sizeof(isw_worker_options) */
    const char *config_path; /* NULL: $ISOWORKER_CONFIG, else worker.yaml if there is one */
    const char *config_text; /* not NULL: this YAML, and no file */
    const char *url;         /* NULL: $ISOWORKER_URL */
    int token_fd;            /* -1: $ISOWORKER_TOKEN_FD; read once, then closed */
} isw_worker_options;
#define ISW_WORKER_OPTIONS_INIT                                             \
    {                                                                       \
        sizeof(isw_worker_options), NULL, NULL, NULL, -1                          \
    }

/* Make a worker. `options` may be NULL. *out is the caller's to destroy.
 * Under a host it has standard output written at once, as standard error is, since it is a pipe
 * that C would buffer by the block: the host shows each line when it is there, with function and
 * invocation where only one runs in the process, also those of a process that crashes. A program
 * may buffer it again with setvbuf. Errors: ISW_E_NO_MEMORY. */
ISW_API isw_status isw_worker_create(const isw_worker_options *options, isw_worker **out,
                                     isw_error *error);

/* Add one function, which must outlive the worker. Before the worker is configured.
 * Errors: ISW_E_INVALID for a bad name or no handler, ISW_E_CONFLICT for a name in use. */
ISW_API isw_status isw_worker_add_function(isw_worker *worker, const isw_function *function,
                                           isw_error *error);

/* Make a middleware known, so that the YAML can name it; sys/middleware.h says what it is. The
 * built-in ones are known already. Errors: ISW_E_INVALID, ISW_E_CONFLICT. */
struct isw_middleware;
ISW_API isw_status isw_worker_add_middleware(isw_worker *worker,
                                             const struct isw_middleware *middleware,
                                             isw_error *error);

/* What an application is made of: lists that outlive the worker. One constant of this type serves
 * the program and its tests. */
typedef struct isw_app {
    const isw_function *functions;                    /* ends with a NULL name */
    const isw_service *services;                      /* likewise; NULL for none */
    const struct isw_middleware *const *middleware;   /* its own; ends with NULL; NULL for none */
} isw_app;

/* Add all of `app`. Errors: those of the three calls for its parts. */
ISW_API isw_status isw_worker_add_app(isw_worker *worker, const isw_app *app, isw_error *error);

/* isw_main for more than functions. */
ISW_API int isw_app_main(int argc, char **argv, const isw_app *app);

/* Read the YAML, make every function's chain and start the middleware. isw_worker_run and
 * isw_worker_invoke do it when it has not been done. May block as long as a middleware's start.
 * Errors: ISW_E_CONFIG with file:line:column, ISW_E_IO. */
ISW_API isw_status isw_worker_configure(isw_worker *worker, isw_error *error);

/* Read the YAML again, of a worker that is configured, and from then on begin invocations with what
 * it says now; those that run keep what they began with. A middleware whose entry says what it said
 * (beside `when`) is kept with its state; of others the new one starts before the old one stops. On
 * failure all stays as it was. What `worker:` says holds from the next start on, and a shared
 * object that is loaded stays. Any thread, also while the worker runs; blocks as
 * isw_worker_configure. Errors: those of isw_worker_configure. */
ISW_API isw_status isw_worker_reload(isw_worker *worker, isw_error *error);

/* Make the eager services (service.h), connect to the host, and serve until it ends the session or
 * isw_worker_stop. Blocks.
 * Errors: ISW_E_UNAVAILABLE when no host is there, ISW_E_PROTOCOL when host and worker do not
 * agree, ISW_E_CLOSED when the host went away, those of isw_worker_configure and of services. */
ISW_API isw_status isw_worker_run(isw_worker *worker, isw_error *error);

/* Ask isw_worker_run to finish what is in flight and return. Any thread and any signal handler. */
ISW_API void isw_worker_stop(isw_worker *worker);

/* What came of one invocation. Everything it points to lives until isw_invocation_free. */
typedef struct isw_invocation {
    isw_outcome outcome;
    isw_failure failure; /* status is ISW_OK when there was none */
    isw_value result;
    const isw_named_value *outputs;
    size_t output_count;
    int64_t duration_us;
    void *opaque;
} isw_invocation;

/* Run one invocation of `name` through its full chain in the calling thread, with no host: for
 * tests and debuggers. The first one makes the eager services. `input` is the trigger's data and
 * must live until isw_invocation_free; log lines go to standard error. Any thread once configured.
 * Blocks as long as the handler. Errors: ISW_E_NOT_FOUND, ISW_E_NO_MEMORY, and those of
 * isw_worker_configure and of services; a handler that fails is no error here, see `outcome`. */
ISW_API isw_status isw_worker_invoke(isw_worker *worker, const char *name, const isw_value *input,
                                     isw_invocation *out, isw_error *error);
ISW_API void isw_invocation_free(isw_invocation *invocation);

/* Stop the middleware and free everything. Not while isw_worker_run is running. NULL is allowed. */
ISW_API void isw_worker_destroy(isw_worker *worker);

ISW_END_DECLS

#endif
