/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a request through the front; http_internal.h has the map. Invariant: a request is let
 * go by libmicrohttpd's "completed" notification alone.
 */
#include "host/http/internal.h"

#include "base/problem.h"
#include "url/preflight.h"

#include <sys/socket.h>

static const char too_large[] = "The body is over the limit.";

/* ---- a request on its way ---- */

/* The request ends here, with this problem; the connection does, too. */
static enum MHD_Result refuse(iswi_http_request *request, int status, const char *detail)
{
    iswi_http_set_problem(request, status, NULL, detail, NULL);
    iswi_http_close_after(request);
    return iswi_http_queue(request);
}

/* An early response makes libmicrohttpd close the connection, which is right when a body is on its
 * way that nobody wants. Without a body, the response waits for the call that ends the request. */
static enum MHD_Result answered_here(iswi_http_request *request)
{
    iswi_http_watch_set(&request->http->watch, request->peer, ISWI_HTTP_FREE);
    request->state = ISWI_HTTP_ANSWERED;
    return request->has_body ? iswi_http_queue(request) : MHD_YES;
}

/* Whether `path` lies below the prefix; *rest is then what follows it. */
static bool strip_prefix(const iswi_http *http, isw_str path, isw_str *rest)
{
    size_t size = strlen(http->prefix);

    if (path.size < size || memcmp(path.data, http->prefix, size) != 0 ||
        (path.size > size && path.data[size] != '/'))
        return false;
    *rest = (isw_str){ path.data + size, path.size - size };
    return true;
}

/* What is there without a route. */
static bool is_built_in(iswi_http_request *request, isw_str path)
{
    bool get = isw_str_equal(request->data.method, isw_str_of("GET")) ||
               isw_str_equal(request->data.method, isw_str_of("HEAD"));

    if (get && request->http->events.bare)
        return false;
    if (get && isw_str_equal(path, isw_str_of("/")))
        iswi_http_set_text(request, MHD_HTTP_OK, "isoworker is running\n");
    else if (get && isw_str_equal(path, isw_str_of("/healthz")))
        iswi_http_set_text(request, MHD_HTTP_OK, "ok\n");
    else
        return false;
    return true;
}

/* A preflight goes to the function that it asks about, if that answers it. */
static bool find_preflight(iswi_http_request *request, isw_str rest)
{
    const iswi_http *http = request->http;
    isw_str method = iswi_preflight_method(&request->data);
    iswi_route_match match;

    if (!method.size || !http->events.preflights ||
        iswi_routes_match(atomic_load(&http->routes), method, rest, &request->arena, &match) !=
            ISWI_ROUTE_FOUND ||
        !http->events.preflights(http->user, match.target))
        return false;
    request->target = match.target;
    request->data.params = match.params;
    return true;
}

/* No route, or none with this method, though there may be one once all workers are up. */
static bool may_come(const iswi_http_request *request, iswi_route_result result, isw_str path)
{
    bool asks = isw_str_equal(request->data.method, isw_str_of("OPTIONS"));
    isw_str rest;

    return (result == ISWI_ROUTE_NOT_FOUND || (result == ISWI_ROUTE_WRONG_METHOD && !asks)) &&
           atomic_load(&request->http->expects_more) &&
           strip_prefix(request->http, path, &rest);
}

static bool find_target(iswi_http_request *request)
{
    isw_http *data = &request->data;
    const char *mark = memchr(data->url.data, '?', data->url.size);
    isw_str path = { data->url.data, mark ? (size_t)(mark - data->url.data) : data->url.size };
    iswi_route_match match = { .detail = NULL };
    iswi_route_result result = ISWI_ROUTE_NOT_FOUND;
    const iswi_routes *routes = atomic_load(&request->http->routes);
    isw_str rest;

    if (strip_prefix(request->http, path, &rest) && !routes) {
        iswi_http_set_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
                              "The functions are not ready yet.", NULL);
        return false;
    }
    if (routes && strip_prefix(request->http, path, &rest))
        result = iswi_routes_match(routes, data->method, rest, &request->arena, &match);
    if (may_come(request, result, path) && !is_built_in(request, path)) {
        iswi_http_set_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
                              "No function at this path is known, but one may be once all workers "
                              "are up.", NULL);
        return false;
    }
    if (request->response) /* a built-in one */
        return false;
    switch (result) {
    case ISWI_ROUTE_FOUND:
        request->target = match.target;
        data->params = match.params;
        return true;
    case ISWI_ROUTE_NOT_FOUND:
        if (!is_built_in(request, path))
            iswi_http_set_problem(request, MHD_HTTP_NOT_FOUND, NULL,
                                  request->http->events.bare ? "There is nothing at this path."
                                                             : "There is no function at this path.",
                                  NULL);
        return false;
    case ISWI_ROUTE_WRONG_METHOD:
        if (isw_str_equal(data->method, isw_str_of("OPTIONS"))) {
            if (find_preflight(request, rest))
                return true;
            iswi_http_set_options(request, match.allow);
            return false;
        }
        iswi_http_set_problem(request, MHD_HTTP_METHOD_NOT_ALLOWED, NULL,
                              request->http->events.bare
                                  ? "Not with this method."
                                  : "The function at this path does not take this method.",
                              NULL);
        if (request->response)
            MHD_add_response_header(request->response, "Allow", match.allow);
        return false;
    case ISWI_ROUTE_BAD_PATH:
        iswi_http_set_problem(request, MHD_HTTP_BAD_REQUEST, NULL, match.detail, NULL);
        return false;
    case ISWI_ROUTE_NO_MEMORY:
        break;
    }
    iswi_http_set_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, iswi_http_no_memory, NULL);
    return false;
}

/* Counted, and looked at once more then: whoever holds the front and sees the count at 0 after that
 * knows that nobody slipped through. */
static bool admit(iswi_http_request *request)
{
    iswi_http *http = request->http;

    if (!atomic_load(&http->held)) {
        atomic_fetch_add(&http->admitted, 1);
        request->admitted = !atomic_load(&http->held);
        if (request->admitted)
            return true;
        atomic_fetch_sub(&http->admitted, 1);
    }
    iswi_http_set_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
                          "The host is draining: it finishes what it has and takes nothing new.",
                          NULL);
    iswi_http_close_after(request);
    return false;
}

/* Hand over the head; the body follows as it comes. */
static enum MHD_Result begin_upload(iswi_http_request *request, int64_t length)
{
    if (!iswi_http_stream_upload(request, length))
        return refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, iswi_http_no_memory);
    iswi_http_watch_set(&request->http->watch, request->peer, ISWI_HTTP_BODY);
    return iswi_http_hand_over(request, ISWI_HTTP_UPLOADING);
}

/* What comes of a body that streams, also when its answer has begun or is there. */
static enum MHD_Result upload_goes_on(iswi_http_request *request, const char *upload,
                                      size_t *upload_size)
{
    if (*upload_size)
        return iswi_http_stream_more(request, upload, upload_size);
    return iswi_http_upload_is_whole(request);
}

static enum MHD_Result head_arrived(iswi_http_request *request, const char *method, const char *url,
                                    const char *version)
{
    iswi_http *http = request->http;
    iswi_http_framing framing;
    const char *problem = iswi_http_request_read_head(request, method, url, version, &framing);

    if (problem == iswi_http_no_memory)
        return refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, problem);
    if (problem == iswi_http_head_too_large)
        return refuse(request, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, problem);
    if (problem)
        return refuse(request, MHD_HTTP_BAD_REQUEST, problem);
    if (http->quiescing)
        return refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, "The server is shutting down.");
    request->has_body = framing.has_body;
    if (!find_target(request) || !admit(request))
        return answered_here(request);
    if (request->has_body && http->events.streams &&
        http->events.streams(http->user, request->target))
        return begin_upload(request, framing.content_length);
    if (framing.content_length > http->body_limit_bytes)
        return refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, too_large);
    request->state = ISWI_HTTP_AT_BODY;
    iswi_http_watch_set(&http->watch, request->peer,
                        request->has_body ? ISWI_HTTP_BODY : ISWI_HTTP_FREE);
    return MHD_YES;
}

/* libmicrohttpd takes no response in the middle of a body, so this one goes past it, which is safe
 * on its own thread with nothing else under way. The connection is closed when the client has
 * read it and closes, or after LINGER_MS: at once, the reset might overtake the answer. */
static void refuse_midway(iswi_http_request *request)
{
    iswi_buffer head = { 0 };
    iswi_buffer body = { 0 };
    int fd = request->peer->fd;

    iswi_problem_begin(&body, MHD_HTTP_CONTENT_TOO_LARGE, NULL, too_large);
    iswi_problem_end(&body, NULL);
    iswi_buffer_printf(&head,
                       "HTTP/1.1 413 %s\r\n"
                       "Connection: close\r\n"
                       "Content-Type: " ISWI_PROBLEM_TYPE "\r\n"
                       "Content-Length: %zu\r\n",
                       iswi_http_reason(MHD_HTTP_CONTENT_TOO_LARGE), body.size);
    iswi_http_write_policy(request, &head);
    iswi_buffer_append_text(&head, "\r\n");
    iswi_buffer_append(&head, body.data, body.size);
    (void)!send(fd, head.data, head.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    iswi_buffer_fini(&head);
    iswi_buffer_fini(&body);
    iswi_http_count_answer(request->http, MHD_HTTP_CONTENT_TOO_LARGE);
    request->state = ISWI_HTTP_REFUSED;
    iswi_buffer_fini(&request->body);
    iswi_http_watch_set(&request->http->watch, request->peer, ISWI_HTTP_LINGER);
}

static enum MHD_Result body_arrived(iswi_http_request *request, const char *bytes, size_t *size)
{
    int64_t left = request->http->body_limit_bytes - (int64_t)request->body.size;
    size_t taken = *size;

    *size = 0;
    if (request->state == ISWI_HTTP_REFUSED)
        return MHD_YES;
    if ((int64_t)taken > left) {
        refuse_midway(request);
        return MHD_YES;
    }
    return iswi_buffer_append(&request->body, bytes, taken) ? MHD_YES : MHD_NO;
}

/* ---- what libmicrohttpd calls ---- */

enum MHD_Result iswi_http_on_request(void *user, struct MHD_Connection *connection, const char *url,
                                     const char *method, const char *version, const char *upload,
                                     size_t *upload_size, void **context)
{
    iswi_http_request *request = *context;

    (void)user;
    (void)connection;
    if (!request)
        return MHD_NO;
    switch (atomic_load(&request->state)) {
    case ISWI_HTTP_AT_HEAD:
        return head_arrived(request, method, url, version);
    case ISWI_HTTP_AT_BODY:
        return *upload_size ? body_arrived(request, upload, upload_size)
                            : iswi_http_hand_over(request, ISWI_HTTP_WAITING);
    case ISWI_HTTP_UPLOADING:
        return upload_goes_on(request, upload, upload_size);
    case ISWI_HTTP_REFUSED:
        return *upload_size ? body_arrived(request, upload, upload_size) : MHD_NO;
    case ISWI_HTTP_ANSWERED:
        if (!request->handed_over)
            return iswi_http_queue(request);
        if (!iswi_http_stream_is_whole(request))
            return upload_goes_on(request, upload, upload_size);
        break;
    case ISWI_HTTP_STREAMING:
        if (!iswi_http_stream_is_whole(request))
            return upload_goes_on(request, upload, upload_size);
        break;
    case ISWI_HTTP_WAITING:
    case ISWI_HTTP_RESTING:
    case ISWI_HTTP_ABANDONED:
        break;
    }
    return iswi_http_look_again(request);
}

void *iswi_http_on_request_line(void *user, const char *target, struct MHD_Connection *connection)
{
    iswi_http_request *request = iswi_http_request_create(user, connection, target);

    if (request)
        iswi_http_comes_in(request);
    return request;
}

void iswi_http_on_completed(void *user, struct MHD_Connection *connection, void **context,
                            enum MHD_RequestTerminationCode code)
{
    iswi_http *http = user;
    iswi_http_request *request = *context;

    (void)connection;
    (void)code;
    *context = NULL;
    if (!request)
        return;
    iswi_http_watch_set(&http->watch, request->peer, ISWI_HTTP_NEXT);
    iswi_http_let_go(request);
}
