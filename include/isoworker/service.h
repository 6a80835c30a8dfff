/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_SERVICE_H
#define ISOWORKER_SERVICE_H

/*
 * isw_service: something that handlers and middleware share and do not make themselves, such as a
 * connection pool or a transaction. A program says how it is made; it is made at its first use,
 * with what it needs itself, and destroyed in time. Services are asked for by name and type.
 *
 * They are also the hooks of a worker's life. What has to be done before its first call, or after
 * its last, is a service that is made at the start, with `type` NULL where it hands nothing out;
 * what tells whether the application can do its work is one that is made time and again:
 *
 *     static const char *const db[] = { "db", NULL };
 *     static const isw_service services[] = {
 *         { "db", "PGconn", ISW_EAGER_SINGLETON, connect_db, close_db },
 *         { .name = "caches", .lifetime = ISW_EAGER_SINGLETON, .create = fill, .destroy = save },
 *         { .name = "db answers", .lifetime = ISW_HEALTH_CHECK, .create = ask_db, .needs = db },
 *         { 0 },
 *     };
 *     static const isw_app app = { .functions = functions, .services = services };
 *
 *     int main(int argc, char **argv) { return isw_app_main(argc, argv, &app); }
 *
 *     static isw_status ask_db(isw_resolver *from, void *user, void **out, isw_error *error)
 *     {
 *         PGconn *db = ISW_NEED(from, PGconn, "db");
 *
 *         if (!db || answers(db))
 *             return db ? ISW_OK : ISW_E_UNAVAILABLE; // why it is not there is told
 *         return isw_error_set(error, ISW_E_UNAVAILABLE, "%s", PQerrorMessage(db));
 *     }
 */
#include <isoworker/export.h>
#include <isoworker/function.h>
#include <isoworker/status.h>

ISW_BEGIN_DECLS

typedef struct isw_worker isw_worker;

typedef enum isw_lifetime {
    ISW_SINGLETON = 0,      /* one for the worker, safe to use from several threads */
    ISW_PER_INVOCATION = 1, /* one for each invocation that asks, on its thread */
    ISW_PER_CALL = 2,       /* one for each time it is asked for; lives as long as who asked */
    /* A singleton that is there before the first call. If it cannot be made, the worker does not
     * start: its host says why, with the service's name, and tries again, later and later
     * (give_up_after of host.yaml). In the order of registration, but behind what they need. */
    ISW_EAGER_SINGLETON = 3,
    /* A health check: made anew every few seconds while the worker runs, on a thread for that, one
     * after the other, and destroyed at once. That it can be made is what is checked. What it fails
     * with says why the worker is unhealthy. That one then gets no new calls, finishes those that
     * it has, and comes back when it is healthy; one that does not end is a failure, too. How often,
     * how long, and after how many in a row is in `health` of host.yaml. Nobody can ask for it. */
    ISW_HEALTH_CHECK = 4,
    /* An eager singleton that processes may begin with: with `start: warm` in host.yaml it is made
     * once, by the process that forks those that serve (the template), and each of them has a copy;
     * else as any eager one. For what is read and computed, and then is memory alone, such as tables
     * and models. What starts a thread, or opens a file or a connection, cannot be copied: the worker
     * is then not forked, and its host says why. Random numbers that it draws are the same in all
     * copies. destroy is called in each process that has it, the template too. It may need services of
     * this lifetime alone. */
    ISW_PRELOADED_SINGLETON = 5
} isw_lifetime;

/* What a create function may ask. Valid until it returns. */
typedef struct isw_resolver isw_resolver;

/* One entry of a list that ends with a NULL name; it outlives the worker. */
typedef struct isw_service {
    const char *name; /* unique in the worker */
    const char *type; /* what it points to, as in ISW_SERVICE: "sqlite3". NULL: nobody asks for it,
                         and create need not set *out; of the last three lifetimes alone */
    isw_lifetime lifetime;
    /* Make one. `user` is that below. May block. Errors: any; the invocation that asked then fails
     * with it and the service's name, and the next one to ask tries again. Of a worker that starts:
     * ISW_E_CONFIG ends its program with status 78, which its host takes for good, and any other
     * with 69. The start's bound is start_timeout of host.yaml. */
    isw_status (*create)(isw_resolver *from, void *user, void **out, isw_error *error);
    /* Undo create; may be NULL. Singletons: when the worker is destroyed, after its last call and
     * after its middleware has stopped; a host kills what takes longer (stop_timeout of host.yaml).
     * Others: when the invocation ends, after its answer was sent and what was left by
     * isw_context_after. Always the youngest first, so that what a service needs outlives it. */
    void (*destroy)(void *service, void *user);
    void *user;
    const char *const *needs; /* names of services that create asks for; ends with NULL */
} isw_service;

/* Make a service known. Before the worker is configured, which checks that what services need is
 * there, that no service needs itself over others, and that no singleton needs what lives shorter.
 * Errors: ISW_E_INVALID without a name, type or create, or for a lifetime that this library does
 * not know, ISW_E_CONFLICT for a name that is taken. */
ISW_API isw_status isw_worker_add_service(isw_worker *worker, const isw_service *service,
                                          isw_error *error);

/* Put another one in the place of the service of that name, for tests. Before the worker is
 * configured. Errors: ISW_E_NOT_FOUND, ISW_E_INVALID, also for another type. */
ISW_API isw_status isw_worker_replace_service(isw_worker *worker, const isw_service *service,
                                              isw_error *error);

/* The service `name` of this worker, made now if this is its first use; NULL on failure, which is
 * then recorded on ctx: `if (!db) return ISW_E_UNAVAILABLE;` ends the handler with the right one.
 * On the invocation's thread. Blocks as long as create, and while another thread makes it. */
ISW_API void *isw_context_service(isw_context *ctx, const char *name, const char *type);
#define ISW_SERVICE(ctx, type, name) ((type *)isw_context_service((ctx), (name), #type))

/* The same for a create function, which names it in `needs`. NULL on failure, which becomes that of
 * the create function if it returns one without a message. */
ISW_API void *isw_resolver_service(isw_resolver *from, const char *name, const char *type);
#define ISW_NEED(from, type, name) ((type *)isw_resolver_service((from), (name), #type))

/* A create for something that is there already: `user`. */
ISW_API isw_status isw_service_user(isw_resolver *from, void *user, void **out, isw_error *error);

/* The invocation for which a service is made; NULL for a singleton or a health check. It may be
 * kept by a service of that invocation, whose destroy can so learn how it ended
 * (isw_context_failure). */
ISW_API isw_context *isw_resolver_context(const isw_resolver *from);

ISW_END_DECLS

#endif
