/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP front's life. Invariant: it ends in the order that nobody is left behind: no new
 * connection, every request answered, our thread joined, libmicrohttpd stopped, memory freed. */
#include "host/http/internal.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

enum {
    LINGER_MS = 1000,
    STOP_GRACE_MS = 2000,
    SPARE_CONNECTIONS = 64 /* so that our limit, which answers, is met before libmicrohttpd's */
};

/* Once for each connection: writing an address as text costs more than routing a request. */
static void name_client(iswi_http_peer *peer, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    const void *bytes = NULL;

    if (address && address->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)address)->sin_addr;
    else if (address && address->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (bytes)
        inet_ntop(address->sa_family, bytes, peer->client, sizeof peer->client);
}

static void on_connection(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    iswi_http *http = user;
    const union MHD_ConnectionInfo *info;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *context = iswi_http_watch_add(&http->watch, info->connect_fd);
        if (*context)
            name_client(*context, connection);
        else
            shutdown(info->connect_fd, SHUT_RDWR);
    } else if (*context) {
        iswi_http_watch_remove(&http->watch, *context);
    }
}

/* Targets and queries are decoded by us, after the checks; libmicrohttpd leaves them as they are.
 */
static size_t keep_escapes(void *user, struct MHD_Connection *connection, char *text)
{
    (void)user;
    (void)connection;
    return strlen(text);
}

static int64_t or_default(int64_t value, int64_t standard)
{
    return value > 0 ? value : standard;
}

/* libmicrohttpd's timer is for clients that stop reading their response; those that stop sending
 * meet our deadlines first. */
static unsigned stall_seconds(const int64_t timeout_ms[ISWI_HTTP_PHASES])
{
    int64_t longest = timeout_ms[ISWI_HTTP_NEXT];

    if (timeout_ms[ISWI_HTTP_BODY] > longest)
        longest = timeout_ms[ISWI_HTTP_BODY];
    longest = longest / 1000 + 2;
    return longest > 86400 ? 86400 : (unsigned)longest;
}

static isw_status start_daemon(iswi_http *http, const iswi_http_options *options, unsigned stall,
                               isw_error *error)
{
    unsigned threads = http->loop_count;
    int64_t per_ip = options->connections_per_ip;
    struct MHD_OptionItem items[] = {
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, ISWI_HTTP_CONNECTION_BYTES, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)(http->connections + SPARE_CONNECTIONS * threads),
          NULL },
        { MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_ip > 0 ? (intptr_t)per_ip : 0, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, stall, NULL },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)iswi_http_on_request_line, http },
        { MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)iswi_http_on_completed, http },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, http },
        /* A pool of one is not allowed. */
        { threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    http->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                                        MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC,
                                    0, NULL, NULL, iswi_http_on_request, http, MHD_OPTION_ARRAY,
                                    items, MHD_OPTION_END);
    if (!http->daemon)
        return isw_error_set(error, ISW_E_IO, "cannot start the HTTP server: %s", strerror(errno));
    return ISW_OK;
}

isw_status iswi_http_prefix_check(const char *prefix, isw_error *error)
{
    static const char valid[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._~/";

    if (prefix[strspn(prefix, valid)] || strstr(prefix, "//") || strstr(prefix, ".."))
        return isw_error_set(error, ISW_E_CONFIG,
                             "http.prefix: \"%s\" is not a path; write segments of letters, "
                             "digits and -._~ with single '/' between them, such as \"api/v1\"",
                             prefix);
    return ISW_OK;
}

/* "/api" for "api", "/api" or "api/"; "" for none. */
static isw_status set_prefix(iswi_http *http, const char *prefix, isw_error *error)
{
    isw_status status;
    size_t size;

    prefix = prefix ? prefix : "api";
    status = iswi_http_prefix_check(prefix, error);
    if (status != ISW_OK)
        return status;
    prefix += prefix[0] == '/';
    size = strlen(prefix);
    size -= size && prefix[size - 1] == '/';
    http->prefix = iswi_calloc(1, size + 2);
    if (!http->prefix)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for the HTTP server");
    if (size) {
        http->prefix[0] = '/';
        memcpy(http->prefix + 1, prefix, size);
    }
    return ISW_OK;
}

static void destroy(iswi_http *http)
{
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    iswi_listen_fini(&http->listeners);
    iswi_http_loops_fini(http);
    iswi_http_leave_fini(&http->leave);
    iswi_http_watch_fini(&http->watch);
    pthread_cond_destroy(&http->changed);
    pthread_mutex_destroy(&http->lock);
    iswi_free(http->polled);
    iswi_free(http->prefix);
    iswi_free(http);
}

static iswi_http *create(const iswi_http_options *options, const int64_t timeout_ms[], void *user)
{
    iswi_http *http = iswi_calloc(1, sizeof *http);
    pthread_condattr_t monotonic;

    if (http && !iswi_http_watch_init(&http->watch, timeout_ms)) {
        iswi_free(http);
        http = NULL;
    }
    if (!http)
        return NULL;
    pthread_mutex_init(&http->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&http->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    http->body_limit_bytes = or_default(options->body_limit_bytes, 100 * 1024 * 1024);
    http->connections = (size_t)or_default(options->connections, 10000);
    http->layout_known = strcmp(MHD_get_version(), "0.9.75") == 0;
    if (iswi_http_leave_init(&http->leave, options->left, user) &&
        iswi_http_loops_init(http, options->threads > 1 ? options->threads : 1))
        return http;
    destroy(http);
    return NULL;
}

static isw_status start_listening(iswi_http *http, const iswi_http_options *options,
                                  isw_error *error)
{
    const iswi_listen_options how = { .setting = options->setting ? options->setting
                                                                  : "http.listen",
                                      .folder = options->folder,
                                      .mode = options->socket_mode ? options->socket_mode : 0660 };
    iswi_address standard;

    if (options->listen)
        return iswi_listen_open(options->listen, options->listen_count, &how, &http->listeners,
                                error);
    iswi_address_read("127.0.0.1:7071", how.setting, &standard, NULL);
    return iswi_listen_open(&standard, 1, &how, &http->listeners, error);
}

isw_status iswi_http_start(const iswi_http_options *options, const iswi_routes *routes,
                           iswi_http_handler_fn handler, void *user, iswi_http **out,
                           isw_error *error)
{
    int64_t header_ms = or_default(options->header_timeout_ms, 10000);
    int64_t timeout_ms[ISWI_HTTP_PHASES] = {
        [ISWI_HTTP_HEAD] = header_ms,
        [ISWI_HTTP_BODY] = or_default(options->body_timeout_ms, 60000),
        [ISWI_HTTP_NEXT] = or_default(options->idle_timeout_ms, 75000) + header_ms,
        [ISWI_HTTP_LINGER] = LINGER_MS,
    };
    iswi_http *http = create(options, timeout_ms, user);
    isw_status status;
    sigset_t all;
    sigset_t before;

    if (!http)
        return isw_error_set(error, ISW_E_NO_MEMORY, "out of memory for the HTTP server");
    atomic_init(&http->routes, routes);
    http->handler = handler;
    http->user = user;
    http->events = *options;
    /* Signals are the program's business: no thread of the front takes one. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = set_prefix(http, options->prefix, error);
    if (!status)
        status = start_listening(http, options, error);
    if (!status)
        status = start_daemon(http, options, stall_seconds(timeout_ms), error);
    if (!status)
        status = iswi_http_acceptor_start(http, error);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status)
        destroy(http);
    else
        *out = http;
    return status;
}

void iswi_http_set_routes(iswi_http *http, const iswi_routes *routes)
{
    atomic_store(&http->routes, routes);
}

void iswi_http_expect_more(iswi_http *http, bool more)
{
    atomic_store(&http->expects_more, more);
}

const char *iswi_http_url(const iswi_http *http, size_t index)
{
    return index < http->listeners.count ? http->listeners.items[index].url : NULL;
}

void iswi_http_quiesce(iswi_http *http)
{
    pthread_mutex_lock(&http->lock);
    /* The kernel refuses connections from here on; the acceptor closes the socket. */
    for (size_t i = 0; i < http->listeners.count && !http->quiescing; i++)
        shutdown(http->listeners.items[i].fd, SHUT_RDWR);
    http->quiescing = true;
    pthread_mutex_unlock(&http->lock);
    iswi_http_watch_wake(&http->watch);
}

void iswi_http_hold(iswi_http *http, bool on)
{
    atomic_store(&http->held, on);
}

size_t iswi_http_admitted(const iswi_http *http)
{
    return atomic_load(&http->admitted);
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
    while (http->unanswered)
        pthread_cond_wait(&http->changed, &http->lock);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STOP_GRACE_MS / 1000;
    while (http->open && pthread_cond_timedwait(&http->changed, &http->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&http->lock);
    http->stopping = true;
    iswi_http_acceptor_join(http);
    destroy(http);
}
