/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_REGISTRY_WORKER_H
#define ISWI_WORKER_REGISTRY_WORKER_H

/* What an isw_worker is made of. */
#include "worker/registry/generation.h"
#include "worker/registry/store.h"

#include <isoworker/worker.h>

/* What the YAML says of the functions whose name matches. */
typedef struct iswi_function_settings {
    const char *name; /* pattern */
    isw_option_strings with, without;
    isw_option_strings metadata; /* name, value, name, value */
    int64_t timeout_ms;          /* 0: as it says itself */
} iswi_function_settings;

/* What is to be there before the first call. */
typedef enum iswi_begun { ISWI_BEGUN_NOT, ISWI_BEGUN, ISWI_BEGUN_IN_VAIN } iswi_begun;

struct isw_worker {
    char *config_path; /* NULL: find it */
    char *config_text; /* not NULL: instead of a file */
    char *url;
    int token_fd;

    iswi_registry registry;
    const isw_function **functions; /* in order of registration */
    const isw_function **sorted;    /* the same by name */
    size_t function_count, function_capacity, sorted_capacity;
    iswi_shared shared; /* with all invocations */
    iswi_stores stores; /* of all generations */

    atomic_int begun;    /* iswi_begun */
    bool debugged; /* the host says that somebody is at a breakpoint */
    bool configured;
    pthread_mutex_t reload_lock; /* one reading of the YAML at a time */
    _Atomic(iswi_generation *) generation; /* in force, once configured; older ones hang on it */
    iswi_settings settings; /* of the first one: they hold until the worker ends */
    iswi_arena arena;       /* what lives as long as the worker */
    iswi_entry *entries;    /* one for each function, sorted by name */

    int wake[2];            /* a pipe: a byte in it wakes isw_worker_run */
    atomic_bool stop_asked; /* isw_worker_stop */
};

/* -- What other rooms ask of it; worker.c ------------------------------------------------------ */

/* Read this YAML instead of what the options said. Before configure. False: no memory. */
bool iswi_worker_set_config(isw_worker *worker, const char *path);

/* Have isw_worker_run look, which waits at wake[0]. Any thread, and signal handlers. */
void iswi_worker_wake(isw_worker *worker);

/* This process is a child that was forked from the one that configured the worker, with one thread:
 * make its own what cannot be shared. Errors: ISW_E_IO. */
isw_status iswi_worker_forked(isw_worker *worker, isw_error *error);

/* The descriptor of the host's token as the options gave it, once; -1: none. */
int iswi_worker_take_token_fd(isw_worker *worker);

/* Somebody may be at a breakpoint: limits do not count. Before it runs. */
void iswi_worker_set_debugged(isw_worker *worker);

/* From now on functions log by the thresholds of `sink`. Any thread. */
void iswi_worker_set_levels(isw_worker *worker, const iswi_log_sink *sink);

/* The function of `entry` streams, as it has shown. Any thread. */
void iswi_worker_note_streams(iswi_entry *entry);

/* The entry of `name`, or NULL. After configure. */
iswi_entry *iswi_worker_entry(const isw_worker *worker, isw_str name);

/* settings.c: read the YAML that the worker is to use, if there is any: fills settings, config and
 * pipeline. */
isw_status iswi_generation_read(isw_worker *worker, iswi_generation *generation,
                                const iswi_generation *old, iswi_faults *faults,
                                isw_error *error);

/* isw_worker_add_app (app.c), isw_worker_configure and isw_worker_reload; `faults` (may be NULL)
 * gets all that is wrong, where `error` holds the first alone. */
isw_status iswi_worker_add_app(isw_worker *worker, const isw_app *app, iswi_faults *faults,
                               isw_error *error);
isw_status iswi_worker_configure(isw_worker *worker, iswi_faults *faults, isw_error *error);
isw_status iswi_worker_reload(isw_worker *worker, iswi_faults *faults, isw_error *error);

/* Make what the worker has to have before its first call; at once where it was made before. Once it
 * is configured; any thread; blocks as long as its services. Errors: those of a service, with its
 * name. */
isw_status iswi_worker_start(isw_worker *worker, isw_error *error);

/* declared.c: what `route` of the function's trigger is called among its properties, and what it is
 * where it was left out; NULL: its properties say all. */
const char *iswi_trigger_route_name(const isw_function *function, const char **route);

/* Refuse what a function declares that would hold for nothing: ISW_E_CONFIG, all of it if
 * there are faults. */
isw_status iswi_function_check(const isw_function *function, iswi_faults *faults, isw_error *error);

/* triggers.c: refuse functions that no host could serve as they ask for: a route that is none, or
 * two functions on one. Errors: ISW_E_CONFIG, ISW_E_CONFLICT, which names both, ISW_E_NO_MEMORY. */
isw_status iswi_worker_check_triggers(const isw_worker *worker, iswi_faults *faults,
                                      isw_error *error);

/* modules.c: make known what the YAML `file` of `generation` names in modules. Errors: ISW_E_CONFIG
 * with the place. */
isw_status iswi_generation_load_modules(isw_worker *worker, iswi_generation *generation,
                                        const char *file, isw_error *error);

/* settings.c: add a sentence for each thing that the configuration in force says, and that holds
 * only when the worker starts again. */
void iswi_worker_waits(isw_worker *worker, iswi_faults *out);

/* doubts.c: add a sentence for each order of middleware in force that cannot be meant. */
void iswi_worker_warn_of_doubts(isw_worker *worker, iswi_faults *out);

/* function_settings.c */
extern const isw_option iswi_function_rows[];

/* `names` (a function's `with` or `without`) with `more` behind them; NULL when memory is out. */
const char *const *iswi_names_join(iswi_arena *arena, const char *const *names,
                                   const isw_option_strings *more);

/* Refuse a row of function_settings that matches no function. */
isw_status iswi_generation_check_rows(const isw_worker *worker, iswi_generation *generation,
                                      isw_error *error);

/* Refuse a row that names middleware which is not in the list. */
isw_status iswi_generation_check_names(iswi_generation *generation, isw_error *error);

/* Replace *function by a copy that has what the YAML says of it, if it says anything; and check the
 * names of middleware that it adds and leaves out. */
isw_status iswi_generation_adjust(iswi_generation *generation, const isw_function **function,
                                  isw_error *error);

/* Unanswered invocations that the worker holds at most. */
unsigned iswi_worker_limit(const isw_worker *worker);

/* Append the reference of the worker's YAML for people, without the options of its middleware. */
isw_status iswi_worker_reference(isw_worker *worker, iswi_buffer *out);

#endif
