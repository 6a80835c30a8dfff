/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP front's life. Invariant: it ends in the order that nobody is left behind: no new
 * connection, every request answered, no thread about to tell of one, connections closed on their
 * loops, memory freed. */
#include "host/http/connection.h"

#include "base/alloc.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

enum { STOP_GRACE_MS = 2000 };

/* -- Loops ------------------------------------------------------------------------------------- */

/* Who speaks HTTP/2 tells its client to go elsewhere. */
static void on_leaving(iswi_task *task)
{
    iswi_http_loop *loop = (iswi_http_loop *)((char *)task - offsetof(iswi_http_loop, leaving));

    atomic_store(&loop->leaves, false);
    for (iswi_http_connection *at = loop->connections; at; at = at->next)
        if (at->coming == ISWI_HTTP_IN_FRAMES)
            iswi_http_connection_wake(at);
}

static void leave(iswi_http_loop *loop)
{
    if (!atomic_exchange(&loop->leaves, true))
        iswi_reactor_post(loop->reactor, &loop->leaving);
}

static isw_status start_loops(iswi_http *http, const iswi_http_options *options, isw_error *error)
{
    const iswi_reactor_options how = { .name = "isw:http" };
    const unsigned count = options->threads > 1 ? options->threads : 1;

    http->owns_reactors = !options->reactors;
    http->loops = iswi_calloc(count, sizeof *http->loops);
    if (!http->loops)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for the HTTP server");
    for (; http->loop_count < count; http->loop_count++) {
        iswi_reactor *reactor = options->reactors ? options->reactors[http->loop_count] : NULL;

        if (!reactor && iswi_reactor_start(&how, &reactor, error) != ISW_OK)
            return error->status;
        iswi_http_loop_init(&http->loops[http->loop_count], http, reactor);
        http->loops[http->loop_count].leaving.run = on_leaving;
    }
    return ISW_OK;
}

static void close_connections(void *user)
{
    iswi_http_loop *loop = user;

    while (loop->connections)
        iswi_http_connection_close(loop->connections);
}

/* What was deferred before has run by then, and sets no timer any more by what it frees. */
static void end_timers(void *user)
{
    iswi_http_loop *loop = user;

    iswi_reactor_cancel_timer(loop->reactor, &loop->trim);
    iswi_http_early_end(loop);
}

static void stop_loops(iswi_http *http)
{
    for (unsigned i = 0; i < http->loop_count; i++) {
        iswi_http_loop *loop = &http->loops[i];

        iswi_reactor_call(loop->reactor, close_connections, loop);
        iswi_reactor_call(loop->reactor, end_timers, loop);
        if (http->owns_reactors)
            iswi_reactor_stop(loop->reactor);
        iswi_http_loop_fini(loop);
    }
}

/* -- Begin and end ----------------------------------------------------------------------------- */

static void destroy(iswi_http *http)
{
    stop_loops(http);
    iswi_http_listener_fini(http);
    pthread_cond_destroy(&http->changed);
    pthread_mutex_destroy(&http->lock);
    iswi_free(http->loops);
    iswi_http_terms_end(http);
    iswi_free(http);
}

static iswi_http *create(const iswi_http_options *options)
{
    iswi_http *http = iswi_calloc(1, sizeof *http);
    pthread_condattr_t monotonic;

    if (!http || !iswi_request_ids_init(&http->ids)) {
        iswi_free(http);
        return NULL;
    }
    pthread_mutex_init(&http->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&http->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    http->events = *options;
    http->tell = iswi_http_tell;
    http->lead_again = iswi_http_lead_again;
    iswi_http_peers_init(&http->listener.peers, 0);
    return http;
}

static isw_status set_terms(iswi_http *http, const iswi_http_options *options, isw_error *error)
{
    iswi_http_terms *terms;
    isw_status status = iswi_http_terms_make(options, &terms, error);

    if (status == ISW_OK)
        iswi_http_take_terms(http, terms);
    return status;
}

static isw_status start_listening(iswi_http *http, const iswi_http_options *options,
                                  iswi_http_doors **out, isw_error *error)
{
    http->listener.setting = options->setting ? options->setting : "http.listen";
    return iswi_http_doors_open(http, options, NULL, out, error);
}

isw_status iswi_http_start(const iswi_http_options *options, const iswi_routes *routes,
                           iswi_http_handler_fn handler, void *user, iswi_http **out,
                           isw_error *error)
{
    iswi_http *http = create(options);
    iswi_http_doors *doors = NULL;
    isw_error own = { ISW_OK, "" };
    isw_status status;
    sigset_t all;
    sigset_t before;

    if (!http)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for the HTTP server");
    atomic_init(&http->routes, routes);
    atomic_init(&http->expects_soon, !routes);
    http->handler = handler;
    http->user = user;
    /* Signals are the program's business: no thread of the front takes one. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = set_terms(http, options, &own);
    if (!status)
        status = start_listening(http, options, &doors, &own);
    if (!status)
        status = start_loops(http, options, &own);
    if (!status)
        status = iswi_http_listener_begin(http, doors, &own);
    else
        iswi_http_doors_free(doors);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!status) {
        *out = http;
        return ISW_OK;
    }
    destroy(http);
    return isw_error_set(error, status, "%s", own.message);
}

void iswi_http_set_routes(iswi_http *http, const iswi_routes *routes)
{
    atomic_store(&http->routes, routes);
    iswi_http_early_changed(http);
}

void iswi_http_expect_more(iswi_http *http, bool more, bool soon)
{
    atomic_store(&http->expects_more, more);
    atomic_store(&http->expects_soon, soon);
    iswi_http_early_changed(http);
}

void iswi_http_say_lost(iswi_http *http, const char *why)
{
    atomic_store(&http->lost, why);
}

const char *iswi_http_url(const iswi_http *http, size_t index)
{
    const iswi_listeners *sockets = &http->listener.doors->sockets;

    return index < sockets->count ? sockets->items[index].url : NULL;
}

isw_status iswi_http_doors_make(iswi_http *http, const iswi_http_options *options,
                                iswi_http_doors **out, isw_error *error)
{
    iswi_legacy now = { .items = NULL };
    isw_status status = iswi_http_listener_give(http, &now)
                            ? iswi_http_doors_open(http, options, &now, out, error)
                            : isw_error_set(error, ISW_E_NO_MEMORY, "no memory for addresses");

    iswi_legacy_fini(&now);
    return status;
}

void iswi_http_take_doors(iswi_http *http, iswi_http_doors *doors)
{
    iswi_http_listener_move(http, doors);
}

void iswi_http_open(iswi_http *http)
{
    iswi_http_listener_open(http);
}

bool iswi_http_give(iswi_http *http, iswi_legacy *legacy)
{
    return iswi_http_listener_give(http, legacy);
}

static void leave_all(iswi_http *http)
{
    for (unsigned i = 0; i < http->loop_count; i++)
        leave(&http->loops[i]);
}

void iswi_http_leave(iswi_http *http)
{
    if (atomic_exchange(&http->leaving, true))
        return;
    iswi_http_listener_leave(http);
    leave_all(http);
}

size_t iswi_http_connections(const iswi_http *http)
{
    return atomic_load(&http->listener.count);
}

void iswi_http_quiesce(iswi_http *http)
{
    atomic_store(&http->quiescing, true);
    iswi_http_listener_end(http);
    leave_all(http);
    iswi_http_early_changed(http);
}

void iswi_http_hold(iswi_http *http, bool on)
{
    atomic_store(&http->held, on);
    iswi_http_early_changed(http);
}

size_t iswi_http_admitted(const iswi_http *http)
{
    return atomic_load(&http->admitted);
}

size_t iswi_http_early(const iswi_http *http)
{
    return atomic_load(&http->early);
}

uint64_t iswi_http_unshaken(const iswi_http *http)
{
    return atomic_load(&http->unshaken);
}

size_t iswi_http_in_flight(iswi_http *http)
{
    size_t open = http->open;
    size_t unanswered = http->unanswered;

    return open > unanswered ? open : unanswered;
}

void iswi_http_stop(iswi_http *http)
{
    struct timespec until;

    iswi_http_quiesce(http);
    pthread_mutex_lock(&http->lock);
    while (http->unanswered || http->visitors)
        pthread_cond_wait(&http->changed, &http->lock);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STOP_GRACE_MS / 1000;
    while (http->open && pthread_cond_timedwait(&http->changed, &http->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&http->lock);
    destroy(http);
}
