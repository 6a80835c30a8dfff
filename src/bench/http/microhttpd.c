/* SPDX-License-Identifier: Apache-2.0 */
/*
 * isoworker-bench-microhttpd BYTES PARENT: a bare server on the listening descriptor 3, until the
 * process PARENT ends. As fast as libmicrohttpd goes: epoll, the handler on the thread that reads
 * and writes, the answer sent from where the body was gathered, no log. BYTES is what each
 * connection has for what comes; the library clears them after each request, so that more than are
 * needed cost time. The loop is ours, as the library's own sleeps after a batch of 128 events that
 * it has not looked at. A program of its own, as nothing else needs the library.
 */
#include "bench/clock.h"
#include "bench/process.h"
#include "bench/samples.h"

#include <malloc.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { CONNECTIONS = 2048, LOOK_AGAIN_MS = 50, KEPT_BYTES = 64 << 20 };

static const char hello[] = "Hello, World!\n";

typedef struct request {
    size_t have, size;
    char *bytes;
} request;

/* The length is known before the body: nothing is copied twice. */
static request *begin(struct MHD_Connection *connection)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_CONTENT_LENGTH);
    size_t size = length ? strtoul(length, NULL, 10) : 0;
    request *r = size <= ISWI_BENCH_PAYLOAD_MAX ? calloc(1, sizeof *r) : NULL;

    if (r && size) {
        r->size = size;
        r->bytes = malloc(size);
    }
    return r;
}

static enum MHD_Result answer(struct MHD_Connection *connection, request *r)
{
    bool echo = r->size > 0;
    struct MHD_Response *response;
    enum MHD_Result queued;

    if (echo && (r->have != r->size || iswi_bench_sum(r->bytes, r->size) != 0))
        return MHD_NO; /* the bench sends zeros */
    if (echo)
        response = MHD_create_response_from_buffer(r->size, r->bytes, MHD_RESPMEM_MUST_FREE);
    else
        response = MHD_create_response_from_buffer(sizeof hello - 1, (void *)hello,
                                                   MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    r->bytes = NULL;
    if (!echo)
        MHD_add_response_header(response, "content-type", "text/plain");
    queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **context)
{
    request *r = *context;

    (void)user;
    (void)url;
    (void)method;
    (void)version;
    if (!r) {
        *context = r = begin(connection);
        return r && (r->bytes || !r->size) ? MHD_YES : MHD_NO;
    }
    if (!*size)
        return answer(connection, r);
    if (*size > r->size - r->have)
        return MHD_NO;
    memcpy(r->bytes + r->have, data, *size);
    r->have += *size;
    *size = 0;
    return MHD_YES;
}

static void on_completed(void *user, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode how)
{
    request *r = *context;

    (void)user;
    (void)connection;
    (void)how;
    if (r)
        free(r->bytes);
    free(r);
    *context = NULL;
}

static bool serve(size_t bytes)
{
    struct MHD_OptionItem items[] = {
        { MHD_OPTION_LISTEN_SOCKET, ISWI_BENCH_FD, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)bytes, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, NULL },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, NULL,
                                                 MHD_OPTION_ARRAY, items, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    struct pollfd ready = { .events = POLLIN };

    if (!info)
        return false;
    ready.fd = info->epoll_fd;
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES); /* bodies that come and go cost no page faults */
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    while (!iswi_bench_is_over(INT64_MAX)) {
        MHD_UNSIGNED_LONG_LONG left_ms = LOOK_AGAIN_MS;

        if (MHD_get_timeout(daemon, &left_ms) == MHD_NO || left_ms)
            poll(&ready, 1, (int)left_ms);
        MHD_run(daemon);
    }
    MHD_stop_daemon(daemon);
    return true;
}

int main(int argc, char **argv)
{
    size_t bytes = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;

    if (!bytes)
        return EX_USAGE;
    signal(SIGINT, SIG_IGN); /* who measures decides when we end */
    return iswi_bench_stay_with_parent(argv[2], SIGKILL) && serve(bytes) ? EX_OK : EX_UNAVAILABLE;
}
