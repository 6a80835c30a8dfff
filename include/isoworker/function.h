/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_FUNCTION_H
#define ISOWORKER_FUNCTION_H

/*
 * A function: a name, what triggers it, what it binds to, and the handler that runs. Workers
 * declare functions in constant tables that outlive the worker; the library only reads them.
 */
#include <isoworker/export.h>
#include <isoworker/status.h>
#include <stdbool.h>
#include <stdint.h>

ISW_BEGIN_DECLS

struct isw_field;

/* Everything about one invocation; see context.h. */
typedef struct isw_context isw_context;

/* Runs one invocation. Called on a thread of the worker's pool; may block, and should return soon
 * after isw_context_cancelled. ISW_OK means that the result set on `ctx` (or none) is the answer;
 * anything else means failure, best made with `return isw_fail(ctx, ...)`. */
typedef isw_status (*isw_handler_fn)(isw_context *ctx);

/* One entry of a list that ends with a NULL name. */
typedef struct isw_property {
    const char *name;
    const char *value;
} isw_property;

typedef struct isw_trigger {
    const char *type;    /* "http", "cloudevents", "timer", "queue", "file", "warmup", "call" of what a
                            program calls by name alone (host.h), or another that the host knows */
    const char *binding; /* name of the trigger's input; NULL means "trigger" */
    const char *methods; /* http: such as "GET" or "GET POST", of those that HTTP and its extensions
                            know, since another is a slip; NULL or "" means any. Of other types there
                            are none */
    const char *route;   /* where its events come from. http: such as "orders/{id}",
                            "files/{*path}", "list/{page?}", cloudevents likewise; queue: the queue's
                            name, which no other function of the host takes from. NULL means the
                            function's name. timer: its schedule; file: the folder. What stands here is
                            no property as well */
    const isw_property *properties; /* what else the type takes; NULL for none. The host says at its
                                       start what its trigger does not take, and does not serve the
                                       function */
} isw_trigger;

/* The trigger of a function that answers HTTP requests. ISW_HTTP("GET", "hello/{name}") matches
 * GET /api/hello/<one segment>. */
#define ISW_HTTP(http_methods, http_route)                                    \
    {                                                                         \
        "http", NULL, (http_methods), (http_route), NULL                      \
    }

/* The trigger of a function that gets the messages of a queue (queue.h). Its properties say how many
 * at a time, and when what failed is tried again: batch_size, batch_wait, concurrency, retry,
 * retry_delay, retry_delay_max. */
#define ISW_QUEUE(queue_name)                                                 \
    {                                                                         \
        "queue", NULL, NULL, (queue_name), NULL                               \
    }

/* The trigger of a function that gets the files which come into a folder, absolute or below that of
 * host.yaml: each once, also over restarts, when it was closed by who wrote it, or moved there. The
 * payload is a map (or JSON object) of path, name, size, modified_ms and found_ms. It is the message of
 * a queue, file.FUNCTION (queue.h): tried again as that says, until it is dead. One that has changed is
 * another one. For a pattern, folders below, and a folder for what is done, write the members out, with
 * the properties pattern, recursive, done, quiet, and those of ISW_QUEUE. */
#define ISW_FILE(folder)                                                      \
    {                                                                         \
        "file", NULL, NULL, (folder), NULL                                    \
    }

/* The trigger of a function that gets CloudEvents by HTTP, at a path as ISW_HTTP has it
 * (cloudevent.h). */
#define ISW_CLOUDEVENT(http_route)                                            \
    {                                                                         \
        "cloudevents", NULL, NULL, (http_route), NULL                         \
    }

/* A trigger of any other type; `list` is an isw_property array or NULL. A host that has none of the
 * type says so at its start, with the nearest one that it has, and serves the other functions. */
#define ISW_TRIGGER(trigger_type, list)                                       \
    {                                                                         \
        (trigger_type), NULL, NULL, NULL, (list)                              \
    }

/* The trigger of a function that runs when it is time: ISW_TIMER("0 30 9 * * Mon-Fri"), second,
 * minute, hour, day, month and weekday, or without the second as in a crontab, or @daily,
 * "@every 90s" and the like; in UTC. For another zone and the rest (isoworker(1), "Timers") write the
 * members out, with properties. */
#define ISW_TIMER(timer_schedule)                                             \
    {                                                                         \
        "timer", NULL, NULL, (timer_schedule), NULL                           \
    }

/* The trigger of a function that warms a process up: it runs once in each, before that gets any call,
 * also in one that is forked or takes the place of another; `start_timeout` bounds all of them. It has
 * neither a payload nor a caller. If it fails, the start of its process has failed, and is tried
 * again as that is. */
#define ISW_WARMUP                                                            \
    {                                                                         \
        "warmup", NULL, NULL, NULL, NULL                                      \
    }

typedef enum isw_direction { ISW_IN = 0, ISW_OUT = 1, ISW_INOUT = 2 } isw_direction;

/* An input or output beside the trigger. A list of them ends with a NULL name. What is declared so that
 * it holds for nothing, such as two of one name, keeps a worker from starting, as --check says. */
typedef struct isw_binding {
    const char *name; /* a letter or '_', then letters, digits, '_', '-' or '.', up to 127 bytes */
    const char *type; /* such as "queue" (queue.h), or "http": what is put there is the body of a
                         request that the host sends until its receiver takes it, with the property
                         "url", or where `webhooks` of host.yaml says (isoworker(1), "Webhooks") */
    isw_direction direction;
    const isw_property *properties; /* NULL for none */
} isw_binding;

/* A list of functions ends with a NULL name. Only name, trigger.type and handler are needed. */
typedef struct isw_function {
    const char *name; /* unique in the worker: a letter, then letters, digits, '_' or '-', up to
                         127 bytes. Unique in a host, whichever worker has it, where something lies
                         by that name: the files of a file trigger, the times of a timer, what
                         outputs of the types http and cloudevents send. The host serves one of
                         two, and refuses the other */
    const char *summary; /* one line for people; may be NULL */
    isw_trigger trigger;
    isw_handler_fn handler;
    const isw_binding *bindings;  /* NULL for none */
    const isw_property *metadata; /* for middleware: "auth_level", "roles", ...; NULL for none */
    uint32_t timeout_ms;          /* 0 means the host's default */
    bool idempotent; /* may run again when a worker died before it answered */
    bool streams; /* http: begins with the request's head and reads the body with isw_http_read */
    const char *const *with;    /* names of middleware that the YAML keeps for those who ask
                                   (`when: { on_request: true }`); ends with NULL; NULL: none */
    const char *const *without; /* names of middleware to leave out of this function's chain;
                                   ends with NULL; NULL: none */
    const struct isw_field *body;  /* what the payload is to be (bind.h), for the middleware
                                      validate; NULL: anything */
    const struct isw_field *query; /* http: the same of the query */
} isw_function;

/* The value of the first entry named `name` of `list` (may be NULL), or NULL. Borrowed. */
ISW_API const char *isw_property_find(const isw_property *list, const char *name);

ISW_END_DECLS

#endif
