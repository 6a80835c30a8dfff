/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the Runtime API, and bytes. Invariant: `asks` from the first byte of a question until
 * its answer is given to `answered`, or the connection was closed by us. */
#include "host/lambda/api.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ARENA_BYTES = 16384, READ_BYTES = 64 * 1024, KEPT_BYTES = 256 * 1024 };

/* A buffer that was large once gives its memory back. */
static void empty(iswi_buffer *buffer)
{
    if (buffer->capacity > KEPT_BYTES || buffer->failed)
        iswi_buffer_fini(buffer);
    else
        iswi_buffer_reset(buffer);
}

void iswi_lambda_api_close(iswi_lambda_api *api)
{
    if (api->watch.fd >= 0) {
        iswi_watch_end(api->reactor, &api->watch);
        close(api->watch.fd);
    }
    api->watch.fd = -1;
    api->asks = api->used = api->has_head = false;
    empty(&api->in);
    api->from = api->ahead = 0;
}

static void answer(iswi_lambda_api *api, int status, const char *why)
{
    iswi_lambda_answer told = { .status = status, .why = why };

    if (status) {
        told.headers = api->head.fields;
        told.body = (isw_bytes){ api->content.data, api->content.size };
    }
    api->asks = false;
    api->events->answered(api->user, &told);
}

static void fail(iswi_lambda_api *api, const char *what, const char *cause)
{
    snprintf(api->why, sizeof api->why, "%s%s%s", what, *cause ? ": " : "", cause);
    iswi_lambda_api_close(api);
    answer(api, 0, api->why);
}

/* -- Sending ----------------------------------------------------------------------------------- */

static void watch_for(iswi_lambda_api *api, uint32_t events)
{
    if (api->watched != events)
        iswi_watch_change(api->reactor, &api->watch, events);
    api->watched = events;
}

/* As far as it is taken. False: the connection is gone, with errno. */
static bool flush(iswi_lambda_api *api)
{
    while (api->sent < api->out.size) {
        ssize_t size = send(api->watch.fd, api->out.data + api->sent, api->out.size - api->sent,
                            MSG_NOSIGNAL);

        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && (errno == EAGAIN || errno == ENOTCONN || errno == EINPROGRESS)) {
            watch_for(api, EPOLLIN | EPOLLOUT);
            return true;
        }
        if (size < 0)
            return false;
        api->sent += (size_t)size;
    }
    watch_for(api, EPOLLIN);
    return true;
}

static void on_ready(iswi_watch *watch, uint32_t events);

static bool open_connection(iswi_lambda_api *api)
{
    const int on = 1;

    api->watch.fd = socket(api->place->address.ss_family,
                           SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (api->watch.fd < 0)
        return false;
    setsockopt(api->watch.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    api->watch.ready = on_ready;
    api->watched = EPOLLIN | EPOLLOUT;
    if ((connect(api->watch.fd, (const struct sockaddr *)&api->place->address,
                 api->place->size) == 0 || errno == EINPROGRESS) &&
        iswi_watch_begin(api->reactor, &api->watch, api->watched))
        return true;
    close(api->watch.fd);
    api->watch.fd = -1;
    return false;
}

static void prepare(iswi_lambda_api *api)
{
    empty(&api->content);
    iswi_arena_reset(&api->arena);
    api->asks = true;
    api->has_head = false;
}

/* Send what is in `out`, on the connection that there is or on a new one. */
static void start(iswi_lambda_api *api)
{
    prepare(api);
    api->sent = 0;
    if (api->out.failed)
        fail(api, "there is no memory for a question", "");
    else if (api->watch.fd < 0 && !open_connection(api))
        fail(api, "no connection", strerror(errno));
    else if (!flush(api) && !api->used)
        fail(api, "no connection", strerror(errno)); /* else its end is read, and says more */
}

static void put_line(iswi_lambda_api *api, const char *method, const char *path)
{
    iswi_buffer *out = &api->out;

    iswi_buffer_append_text(out, method);
    iswi_buffer_append_text(out, " ");
    iswi_buffer_append_text(out, path);
    iswi_buffer_append_text(out, " HTTP/1.1\r\nHost: ");
    iswi_buffer_append_text(out, api->place->text);
    iswi_buffer_append_text(out, "\r\nUser-Agent: isoworker\r\n");
}

void iswi_lambda_api_ask(iswi_lambda_api *api, const iswi_lambda_question *question)
{
    const isw_bytes *body = question->body;

    empty(&api->out);
    put_line(api, question->method, question->path);
    iswi_buffer_append_text(&api->out, question->fields ? question->fields : "");
    if (body) {
        iswi_buffer_printf(&api->out, "Content-Length: %zu\r\n\r\n", body->size);
        iswi_buffer_append(&api->out, body->data, body->size);
    } else {
        iswi_buffer_append_text(&api->out, "\r\n");
    }
    api->ahead = question->next ? api->out.size : 0;
    if (question->next) {
        put_line(api, "GET", question->next);
        iswi_buffer_append_text(&api->out, "\r\n");
    }
    api->whole = true;
    api->repeats = false;
    start(api);
}

void iswi_lambda_api_begin(iswi_lambda_api *api, const char *path, const char *fields)
{
    empty(&api->out);
    put_line(api, "POST", path);
    iswi_buffer_printf(&api->out, "Transfer-Encoding: chunked\r\n%s\r\n", fields);
    api->whole = false;
    api->ahead = 0;
    start(api);
}

/* More of what is sent already. */
static void go_on(iswi_lambda_api *api)
{
    if (!api->asks || api->watch.fd < 0)
        return;
    if (api->out.failed)
        fail(api, "there is no memory for a body", "");
    else if (!flush(api))
        fail(api, "the connection broke", strerror(errno));
}

/* What was sent makes room. */
static void forget_sent(iswi_lambda_api *api)
{
    if (api->sent == api->out.size) {
        iswi_buffer_reset(&api->out);
        api->sent = 0;
    }
}

void iswi_lambda_api_put(iswi_lambda_api *api, isw_bytes piece)
{
    if (!piece.size)
        return;
    forget_sent(api);
    iswi_buffer_printf(&api->out, "%zx\r\n", piece.size);
    iswi_buffer_append(&api->out, piece.data, piece.size);
    iswi_buffer_append_text(&api->out, "\r\n");
    go_on(api);
}

void iswi_lambda_api_end(iswi_lambda_api *api, const char *trailer)
{
    forget_sent(api);
    iswi_buffer_printf(&api->out, "0\r\n%s\r\n", trailer);
    go_on(api);
}

size_t iswi_lambda_api_pending(const iswi_lambda_api *api)
{
    return api->out.size - api->sent;
}

/* -- Answers ----------------------------------------------------------------------------------- */

/* The answer is whole. Whoever hears of it may ask again. */
static void conclude(iswi_lambda_api *api)
{
    const int status = api->head.status;
    const bool more = api->from < api->in.size; /* the answer to what was sent along, or nonsense */

    if (!api->head.keep_alive || (more && !api->ahead) || iswi_lambda_api_pending(api))
        iswi_lambda_api_close(api);
    api->used = api->watch.fd >= 0;
    answer(api, status, NULL);
}

/* Its fields outlive the bytes that came. */
static bool keep_head(iswi_lambda_api *api)
{
    const size_t size = api->head.size;
    char *copy = iswi_arena_strndup(&api->arena, (const char *)api->in.data, size);
    const char *what;

    return copy && iswi_http1_answer_read(copy, size, &api->arena, &api->head, &what) ==
                       ISWI_HTTP1_DONE;
}

/* False: more is needed, or it is over. */
static bool take_head(iswi_lambda_api *api)
{
    const char *what;

    iswi_arena_reset(&api->arena);
    switch (iswi_http1_answer_read((char *)api->in.data, api->in.size, &api->arena, &api->head,
                                   &what)) {
    case ISWI_HTTP1_MORE:
        return false;
    case ISWI_HTTP1_REFUSED:
        fail(api, "what answered is no Runtime API", what);
        return false;
    case ISWI_HTTP1_DONE:
        break;
    }
    if (!keep_head(api)) {
        fail(api, "there is no memory for an answer", "");
        return false;
    }
    api->has_head = true;
    api->from = api->head.size;
    iswi_http1_body_begin(&api->body, &api->head.body, INT64_MAX);
    return true;
}

static void take_body(iswi_lambda_api *api)
{
    iswi_http1_result result = api->head.body.framing == ISWI_HTTP1_NO_BODY ? ISWI_HTTP1_DONE
                                                                            : ISWI_HTTP1_MORE;

    while (result == ISWI_HTTP1_MORE && api->from < api->in.size) {
        isw_bytes piece;
        size_t used;

        result = iswi_http1_body_read(&api->body, (const char *)api->in.data + api->from,
                                      api->in.size - api->from, &used, &piece);
        api->from += used;
        if (piece.size)
            iswi_buffer_append(&api->content, piece.data, piece.size);
    }
    if (api->content.failed)
        fail(api, "there is no memory for an answer", "");
    else if (result == ISWI_HTTP1_REFUSED)
        fail(api, "what answered is no Runtime API", api->body.refusal.what);
    else if (result == ISWI_HTTP1_DONE)
        conclude(api);
}

/* What was taken makes room. */
static bool make_room(iswi_lambda_api *api)
{
    if (api->from == api->in.size)
        api->in.size = api->from = 0;
    return iswi_buffer_reserve(&api->in, READ_BYTES);
}

/* The other side has ended the connection. One that was kept open may have ended before it saw the
 * question, which is asked once more then. */
static void ended(iswi_lambda_api *api, const char *how)
{
    const bool again = api->asks && api->used && api->whole && !api->repeats && !api->has_head &&
                       !api->in.size;

    if (!api->asks) {
        iswi_lambda_api_close(api);
    } else if (again) {
        const size_t ahead = api->ahead;

        iswi_lambda_api_close(api);
        api->ahead = ahead;
        api->repeats = true;
        start(api);
    } else {
        fail(api, "the connection broke", how);
    }
}

/* False: nothing more comes now. */
static bool fill(iswi_lambda_api *api)
{
    ssize_t size;

    if (!make_room(api)) {
        fail(api, "there is no memory for an answer", "");
        return false;
    }
    size = recv(api->watch.fd, api->in.data + api->in.size, READ_BYTES, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR || errno == EINPROGRESS))
        return false;
    if (size <= 0) {
        ended(api, size < 0 ? strerror(errno) : "the other side has ended it");
        return false;
    }
    api->in.size += (size_t)size;
    return true;
}

/* Once for each time that something is there: what is left rings again. */
static void take(iswi_lambda_api *api)
{
    if (!fill(api))
        return;
    if (!api->asks) /* nobody has asked for that */
        iswi_lambda_api_close(api);
    else if (api->has_head || take_head(api))
        take_body(api);
}

/* What has come already begins with its answer. */
bool iswi_lambda_api_asked_ahead(iswi_lambda_api *api)
{
    const size_t left = api->in.size - api->from;

    if (!api->ahead)
        return false;
    api->out.size -= api->ahead;
    memmove(api->out.data, api->out.data + api->ahead, api->out.size);
    api->sent = api->out.size;
    api->ahead = 0;
    if (left)
        memmove(api->in.data, api->in.data + api->from, left);
    api->in.size = left;
    api->from = 0;
    prepare(api);
    if (left && take_head(api))
        take_body(api);
    return true;
}

static void on_ready(iswi_watch *watch, uint32_t events)
{
    iswi_lambda_api *api = (iswi_lambda_api *)((char *)watch - offsetof(iswi_lambda_api, watch));
    const bool waited = iswi_lambda_api_pending(api) > 0;
    int cause = 0;
    socklen_t size = sizeof cause;

    if (events & EPOLLERR && getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &cause, &size) == 0 &&
        cause && api->asks && !api->used) {
        fail(api, "no connection", strerror(cause));
        return;
    }
    if (events & EPOLLOUT && !flush(api) && !(events & EPOLLIN)) {
        ended(api, strerror(errno));
        return;
    }
    if (waited && !iswi_lambda_api_pending(api) && !api->whole && api->asks)
        api->events->taken(api->user);
    if (watch->fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        take(api);
}

void iswi_lambda_api_init(iswi_lambda_api *api, iswi_reactor *reactor,
                          const iswi_lambda_place *place, const iswi_lambda_api_events *events,
                          void *user)
{
    *api = (iswi_lambda_api){ .reactor = reactor,
                              .place = place,
                              .events = events,
                              .user = user,
                              .watch = { .fd = -1 } };
    iswi_arena_init(&api->arena, ARENA_BYTES);
}

void iswi_lambda_api_fini(iswi_lambda_api *api)
{
    iswi_lambda_api_close(api);
    iswi_buffer_fini(&api->out);
    iswi_buffer_fini(&api->in);
    iswi_buffer_fini(&api->content);
    iswi_arena_fini(&api->arena);
}
