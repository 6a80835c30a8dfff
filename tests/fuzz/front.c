/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what a client sends to a front that runs: the first byte chooses the protocol, the
 * second how they are cut. The client sends no more then, and reads until the front closes, which
 * it must soon; and no request may be left behind. Its routes answer at once (echo), by pieces as
 * they come (stream), at length (large), and from another thread (hold).
 */
#include "host/http/front.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HELD_MAX = 128, LARGE_BYTES = 300000, PATIENCE_MS = 5000, WINDOW_BYTES = 100000 };

typedef enum route { ECHO, STREAM, LARGE, HOLD } route;

typedef struct subject {
    iswi_routes *routes;
    iswi_http *http;
    route targets[HOLD + 1];
    char large[LARGE_BYTES];
    char path[64];
    pthread_mutex_t lock; /* of what follows */
    iswi_http_request *held[HELD_MAX];
    size_t held_count;
} subject;

/* It lives as long as the program, which libFuzzer ends. */
static subject *running;

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* -- What answers ------------------------------------------------------------------------------ */

static void hold(subject *s, iswi_http_request *request)
{
    bool full;

    pthread_mutex_lock(&s->lock);
    full = s->held_count == HELD_MAX;
    if (!full)
        s->held[s->held_count++] = request;
    pthread_mutex_unlock(&s->lock);
    if (full)
        iswi_http_answer_problem(request, 503, NULL, NULL, NULL);
}

static void begin_stream(iswi_http_request *request)
{
    static const isw_http head = { .status = 200 };

    must(iswi_http_begin(request, &head) == ISW_OK);
    if (iswi_http_is_uploading(request))
        iswi_http_widen(request, WINDOW_BYTES);
    else
        iswi_http_end(request, true);
}

static void released(void *user)
{
    (void)user;
}

static void on_request(void *user, void *target, iswi_http_request *request)
{
    subject *s = user;
    isw_http answer = { .body = iswi_http_request_data(request)->body };

    switch (*(route *)target) {
    case ECHO:
        iswi_http_answer(request, &answer, NULL, NULL);
        break;
    case STREAM:
        begin_stream(request);
        break;
    case LARGE:
        answer.body = (isw_bytes){ s->large, LARGE_BYTES };
        iswi_http_answer(request, &answer, released, s);
        break;
    case HOLD:
        hold(s, request);
        break;
    }
}

static bool streams(void *user, void *target)
{
    (void)user;
    return *(route *)target == STREAM;
}

/* What does not fit is left out: the client may read slowly. */
static isw_status on_piece(void *user, iswi_http_request *request, isw_bytes bytes, bool end,
                           bool broken)
{
    (void)user;
    if (end || broken) {
        iswi_http_end(request, end);
        return ISW_OK;
    }
    iswi_http_continue(request, bytes);
    iswi_http_widen(request, bytes.size);
    return ISW_OK;
}

static void answer_held(subject *s)
{
    iswi_http_request *request = NULL;

    do {
        pthread_mutex_lock(&s->lock);
        request = s->held_count ? s->held[--s->held_count] : NULL;
        pthread_mutex_unlock(&s->lock);
        if (request)
            iswi_http_answer(request, &(isw_http){ .body = { "held", 4 } }, NULL, NULL);
    } while (request);
}

/* -- Its begin --------------------------------------------------------------------------------- */

static void add_route(subject *s, const char *pattern, route which)
{
    isw_error error = { ISW_OK, "" };

    s->targets[which] = which;
    must(iswi_routes_add(s->routes, NULL, pattern, &s->targets[which], &error) == ISW_OK);
}

static void end(void)
{
    iswi_http_stop(running->http);
    iswi_routes_destroy(running->routes);
    free(running);
}

static subject *begin(void)
{
    subject *s = calloc(1, sizeof *s);
    iswi_http_options options = { .streams = streams,
                                  .upload = on_piece,
                                  .body_limit_bytes = 100000 };
    isw_error error = { ISW_OK, "" };
    iswi_address address;
    char text[80];

    must(s != NULL);
    pthread_mutex_init(&s->lock, NULL);
    snprintf(s->path, sizeof s->path, "/tmp/isw-fuzz-front-%ld", (long)getpid());
    snprintf(text, sizeof text, "unix:%s", s->path);
    must(iswi_address_read(text, "listen", &address, &error) == ISW_OK);
    options.listen = &address;
    options.listen_count = 1;
    s->routes = iswi_routes_create();
    must(s->routes != NULL);
    add_route(s, "echo", ECHO);
    add_route(s, "stream", STREAM);
    add_route(s, "large", LARGE);
    add_route(s, "hold", HOLD);
    must(iswi_http_start(&options, s->routes, on_request, s, &s->http, &error) == ISW_OK);
    atexit(end);
    return s;
}

/* -- A client ---------------------------------------------------------------------------------- */

static int connect_to(const subject *s)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", s->path);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

/* Take what has come; false at the end. */
static bool drain(int fd, int flags)
{
    char bytes[16384];
    ssize_t size;

    do
        size = recv(fd, bytes, sizeof bytes, flags);
    while (size > 0 && flags);
    return size > 0 || (size < 0 && flags);
}

/* A request that is held keeps the front from reading on. */
static void send_all(subject *s, int fd, const uint8_t *bytes, size_t size, size_t piece)
{
    int waited_ms = 0;

    while (size) {
        ssize_t sent = send(fd, bytes, size < piece ? size : piece, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
            waited_ms = 0;
        } else if (poll(&(struct pollfd){ fd, POLLIN | POLLOUT, 0 }, 1, 1) <= 0) {
            must(++waited_ms < PATIENCE_MS);
            answer_held(s);
        }
        if (!drain(fd, MSG_DONTWAIT))
            return;
    }
}

/* A request may come to be held at any time. */
static void read_to_end(subject *s, int fd)
{
    int waited_ms = 0;

    for (;;) {
        answer_held(s);
        if (poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 1) > 0) {
            waited_ms = 0;
            if (!drain(fd, 0))
                return;
        } else {
            must(++waited_ms < PATIENCE_MS);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
    int fd;

    if (size < 2)
        return 0;
    if (!running)
        running = begin();
    fd = connect_to(running);
    if (data[0] & 1)
        send_all(running, fd, preface, sizeof preface, sizeof preface);
    send_all(running, fd, data + 2, size - 2, data[1] ? data[1] : SIZE_MAX);
    shutdown(fd, SHUT_WR);
    read_to_end(running, fd);
    close(fd);
    for (int tries = 0; iswi_http_in_flight(running->http); tries++) {
        must(tries < PATIENCE_MS);
        answer_held(running);
        poll(NULL, 0, 1);
    }
    return 0;
}
