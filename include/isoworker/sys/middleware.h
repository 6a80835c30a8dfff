/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_SYS_MIDDLEWARE_H
#define ISOWORKER_SYS_MIDDLEWARE_H

/*
 * The contract for authors of middleware.
 *
 * A middleware is one file with one exported symbol, a const isw_middleware. The worker makes one
 * instance for each entry of the YAML list `middleware`, in that order, outermost first. For an
 * invocation the outermost `invoke` is called; it calls isw_next_run to run the rest, does not
 * call it to short-circuit, or calls it again to retry. It must not keep `next` or `ctx`.
 *
 *     start        once an instance, in list order, before the first invocation, on the thread of
 *                  isw_worker_configure. May block. Not ISW_OK: the worker does not start.
 *     invoke       once for each invocation that `when` admits, on any handler thread, several at
 *                  a time. May block as a handler may. Returns what isw_next_run returned unless
 *                  it means to change it.
 *     stop         once for each instance whose start succeeded, in reverse order, after the last
 *                  invocation.
 *     tell         whenever the host asks what there is, between start and stop, on any thread,
 *                  also while it is invoked. Says what others need to know of it (facts.h): names
 *                  that are secret, what other sites may do, and where in a chain it cannot be
 *                  meant to stand. Must not block; the same facts
 *                  each time.
 *
 * `when` (trigger types, function name patterns) and `plugin` (the shared object that it comes
 * from, see module.h) belong to the chain: a middleware never sees an invocation that its entry
 * does not admit, and declares no option of these names.
 */
#include <isoworker/context.h>
#include <isoworker/export.h>
#include <isoworker/status.h>
#include <isoworker/sys/facts.h>
#include <stdbool.h>
#include <stdint.h>

ISW_BEGIN_DECLS

/* -- Options ----------------------------------------------------------------------------------- */

/* What a YAML value becomes in the options struct. */
typedef enum isw_option_type {
    ISW_OPTION_BOOL,       /* bool */
    ISW_OPTION_INT,        /* int64_t, decimal, from min to max */
    ISW_OPTION_DOUBLE,     /* double */
    ISW_OPTION_STRING,     /* const char * */
    ISW_OPTION_ENUM,       /* int64_t, index into choices */
    ISW_OPTION_DURATION,   /* int64_t milliseconds from "250ms", "10s", "5m", "1h" or "0" */
    ISW_OPTION_SIZE,       /* int64_t bytes from "512", "64KiB", "16MiB" or "1GiB" */
    ISW_OPTION_SECRET,     /* const char *, from "env:NAME" or "file:PATH"; never printed */
    ISW_OPTION_PATH,       /* const char *, relative ones taken from the YAML file's folder */
    ISW_OPTION_STRINGS,    /* isw_option_strings */
    ISW_OPTION_GROUP,      /* a nested mapping: its struct lies at offset */
    ISW_OPTION_GROUP_LIST, /* isw_option_list of structs of group_size bytes */
    ISW_OPTION_PROPERTIES  /* isw_option_strings from a mapping of free names to texts or lists of
                              texts: name, value, name, value; a list is joined with spaces */
} isw_option_type;

typedef struct isw_option_strings {
    const char **items;
    size_t count;
} isw_option_strings;

typedef struct isw_option_list {
    const void *items; /* count structs, one after the other */
    size_t count;
} isw_option_list;

/* One row of an option table, which ends with a NULL name. A row without a default is required
 * unless it is optional; an optional one that is left out stays all zero. */
typedef struct isw_option {
    const char *name; /* lower case, words joined with '_' */
    isw_option_type type;
    size_t offset;             /* offsetof in the options struct, or in the group's struct */
    const char *default_value; /* as it would stand in YAML; NULL for none */
    bool optional;
    int64_t min, max;           /* INT, DURATION, SIZE: inclusive; both 0 means any >= 0 */
    const char *const *choices; /* ENUM: names, ends with NULL */
    const struct isw_option *group; /* GROUP, GROUP_LIST: the nested table */
    size_t group_size;              /* GROUP, GROUP_LIST: size of the nested struct */
    const char *help;               /* one line for people */
} isw_option;

/* -- The descriptor ---------------------------------------------------------------------------- */

/* One instance: an entry of the list with its options and state. */
typedef struct isw_instance isw_instance;

/* The rest of the chain. */
typedef struct isw_next isw_next;

typedef struct isw_middleware {
    size_t size; /* sizeof(isw_middleware) */
    const char *name;
    const char *summary;
    const isw_option *options; /* NULL for none */
    size_t options_size;       /* of the options struct */
    size_t instance_size;      /* of the state that lives as long as the worker; zeroed */
    size_t invocation_size;    /* of the state of one call of invoke; zeroed before each */
    isw_status (*start)(isw_instance *self, isw_error *error); /* may be NULL */
    void (*stop)(isw_instance *self);                          /* may be NULL */
    isw_status (*invoke)(isw_instance *self, isw_context *ctx, const isw_next *next);
    void (*tell)(isw_instance *self, isw_facts *facts); /* may be NULL */
} isw_middleware;

/* The options as the YAML gave them; constant after start. */
ISW_API const void *isw_instance_options(const isw_instance *self);

/* instance_size bytes, shared by all invocations: guard what changes after start. */
ISW_API void *isw_instance_state(isw_instance *self);

/* Where this entry stands in the YAML, as "file:line:column"; for messages of start. */
ISW_API const char *isw_instance_where(const isw_instance *self);

/* invocation_size bytes of the call of invoke that got `next`. */
ISW_API void *isw_next_state(const isw_next *next, isw_context *ctx);

/* Run the rest of the chain and the handler. Returns their status; a status other than ISW_OK is
 * also recorded as the context's failure if none is. */
ISW_API isw_status isw_next_run(const isw_next *next, isw_context *ctx);

/* The reference of a middleware for people, as `isoworker explain` prints it: what it is and its
 * options. `name` is that of one which comes with the library, or the path of a shared object, with
 * a '/', which is loaded for it; NULL lists all that come with the library. *out is the caller's to
 * give to isw_free. Errors: ISW_E_NOT_FOUND, which names those there are, ISW_E_CONFIG for a shared
 * object that a worker would refuse, ISW_E_NO_MEMORY. Blocks on files; any thread. */
ISW_API isw_status isw_middleware_explain(const char *name, char **out, isw_error *error);

/* The built-in middleware, for programs that link their own worker from parts. */
ISW_API extern const isw_middleware isw_middleware_circuit_breaker;
ISW_API extern const isw_middleware isw_middleware_cors;
ISW_API extern const isw_middleware isw_middleware_error_handling;
ISW_API extern const isw_middleware isw_middleware_idempotency;
ISW_API extern const isw_middleware isw_middleware_logging;
ISW_API extern const isw_middleware isw_middleware_metrics;
ISW_API extern const isw_middleware isw_middleware_rate_limit;
ISW_API extern const isw_middleware isw_middleware_retry;
ISW_API extern const isw_middleware isw_middleware_timeout;
ISW_API extern const isw_middleware isw_middleware_trace;
ISW_API extern const isw_middleware isw_middleware_validate;

ISW_END_DECLS

#endif
