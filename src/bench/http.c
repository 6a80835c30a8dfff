/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bare server. As fast as libmicrohttpd goes here: epoll, the handler on the thread that reads
 * and writes, a buffer that holds a large body in few pieces, the answer sent from where the body
 * was gathered, no log. Invariant: hello is the same bytes, head and body, as our host sends for
 * the bench's worker.
 */
#include "bench/http.h"

#include "bench/clock.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTION_BYTES = 128 * 1024,
    CONNECTIONS = 512,
    BACKLOG = 128,
    LOOK_AGAIN_NS = 50000000
};

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

int iswi_bench_listen(unsigned *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

bool iswi_bench_echo_http(int fd, unsigned threads)
{
    struct MHD_OptionItem items[] = {
        { MHD_OPTION_LISTEN_SOCKET, fd, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, NULL },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, NULL },
        /* A pool of one is not allowed. */
        { threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, NULL,
                         MHD_OPTION_ARRAY, items, MHD_OPTION_END);

    if (!daemon)
        return false;
    while (!iswi_bench_is_over(INT64_MAX))
        iswi_bench_sleep_ns(LOOK_AGAIN_NS);
    MHD_stop_daemon(daemon);
    return true;
}
