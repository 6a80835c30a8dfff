/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request leads: to a function, or to an answer of the front's own. */
#include "host/http/internal.h"

#include "url/preflight.h"

/* Whether `path` lies below the prefix; *rest is then what follows it. */
static bool strip_prefix(const iswi_http *http, isw_str path, isw_str *rest)
{
    const char *prefix = http->terms->prefix;
    size_t size = strlen(prefix);

    if (path.size < size || memcmp(path.data, prefix, size) != 0 ||
        (path.size > size && path.data[size] != '/'))
        return false;
    *rest = (isw_str){ path.data + size, path.size - size };
    return true;
}

static bool has_method(const iswi_http_request *request, const char *method)
{
    return isw_str_equal(request->data.method, isw_str_of(method));
}

/* For platforms, which look at the status. */
static bool is_probe(iswi_http_request *request, isw_str path)
{
    static const char *const names[] = { "health", "ready", "startup" };
    const iswi_http *http = request->http;

    for (size_t i = 0; http->events.probe && i < sizeof names / sizeof names[0]; i++) {
        if (path.size < 2 || !isw_str_equal((isw_str){ path.data + 1, path.size - 1 },
                                            isw_str_of(names[i])))
            continue;
        if (http->events.probe(http->user, names[i]))
            iswi_http_set_text(request, 200, "ok\n");
        else
            iswi_http_set_text(request, 503, "no\n");
        return true;
    }
    return false;
}

/* What is there without a route. */
static bool is_built_in(iswi_http_request *request, isw_str path)
{
    if (isw_str_equal(path, isw_str_of("*")))
        iswi_http_set_options(request, NULL); /* no other method has that target */
    else if (request->http->events.bare || !(has_method(request, "GET") ||
                                             has_method(request, "HEAD")))
        return false;
    else if (isw_str_equal(path, isw_str_of("/")))
        iswi_http_set_text(request, 200, "isoworker is running\n");
    else if (isw_str_equal(path, isw_str_of("/healthz")))
        iswi_http_set_text(request, 200, "ok\n");
    else
        return is_probe(request, path);
    return true;
}

/* A request about another one goes to the function of that, if it answers it. */
static bool find_about(iswi_http_request *request, isw_str rest, isw_str method,
                       bool (*answers)(void *user, void *target))
{
    const iswi_http *http = request->http;
    iswi_route_match match;

    if (!method.size || !answers ||
        iswi_routes_match(atomic_load(&http->routes), method, rest, &request->arena, &match) !=
            ISWI_ROUTE_FOUND ||
        !answers(http->user, match.target))
        return false;
    request->target = match.target;
    request->data.params = match.params;
    return true;
}

/* OPTIONS before something else: a browser's preflight, or a sender of events that asks. */
static bool find_asked(iswi_http_request *request, isw_str rest)
{
    const bool sends = isw_pairs_find(&request->data.headers, "webhook-request-origin");

    return find_about(request, rest, iswi_preflight_method(&request->data),
                      request->http->events.preflights) ||
           find_about(request, rest, isw_str_of(sends ? "POST" : NULL),
                      request->http->events.consents);
}

static void set_unavailable(iswi_http_request *request, const char *detail)
{
    iswi_http_set_problem(request, 503, NULL, detail, NULL);
}

/* No function: why not. */
static void explain(iswi_http_request *request, iswi_route_result result,
                    const iswi_route_match *match)
{
    const bool bare = request->http->events.bare;

    switch (result) {
    case ISWI_ROUTE_WRONG_METHOD:
        iswi_http_set_problem(request, 405, NULL,
                              bare ? "Not with this method."
                                   : "The function at this path does not take this method.",
                              NULL);
        iswi_http_reply_add(&request->reply, "Allow", match->allow);
        break;
    case ISWI_ROUTE_BAD_PATH:
        iswi_http_set_problem(request, 400, NULL, match->detail, NULL);
        break;
    case ISWI_ROUTE_NO_MEMORY:
        set_unavailable(request, iswi_http_no_memory);
        break;
    default:
        iswi_http_set_problem(request, 404, NULL,
                              bare ? "There is nothing at this path."
                                   : "There is no function at this path.",
                              NULL);
    }
}

/* It may be for a function that is not known yet. */
static iswi_http_routed come_early(iswi_http_request *request, const char *detail)
{
    const char *lost;

    if (iswi_http_early_wait(request))
        return ISWI_HTTP_EARLY;
    lost = atomic_load(&request->http->lost);
    set_unavailable(request, lost ? lost : detail);
    return ISWI_HTTP_ANSWERED;
}

/* `rest` of its path is below the prefix. */
static iswi_http_routed find_function(iswi_http_request *request, isw_str path, isw_str rest)
{
    const iswi_routes *routes = atomic_load(&request->http->routes);
    iswi_route_match match = { .detail = NULL };
    iswi_route_result result;
    bool asks = has_method(request, "OPTIONS");

    if (!routes)
        return come_early(request, "The functions are not ready yet.");
    result = iswi_routes_match(routes, request->data.method, rest, &request->arena, &match);
    if (result == ISWI_ROUTE_FOUND) {
        request->target = match.target;
        request->data.params = match.params;
        return ISWI_HTTP_ROUTED;
    }
    if (result == ISWI_ROUTE_NOT_FOUND && is_built_in(request, path))
        return ISWI_HTTP_ANSWERED;
    /* There may be one once all workers are up. */
    if ((result == ISWI_ROUTE_NOT_FOUND || (result == ISWI_ROUTE_WRONG_METHOD && !asks)) &&
        atomic_load(&request->http->expects_more))
        return come_early(request, "No function at this path is known, but one may be once all "
                                   "workers are up.");
    if (result == ISWI_ROUTE_WRONG_METHOD && asks && find_asked(request, rest))
        return ISWI_HTTP_ROUTED;
    if (result == ISWI_ROUTE_WRONG_METHOD && asks)
        iswi_http_set_options(request, match.allow);
    else
        explain(request, result, &match);
    return ISWI_HTTP_ANSWERED;
}

static const iswi_http_side *side_of(const iswi_http_request *request)
{
    const iswi_http_side *side = request->http->events.side;

    return request->carrier->inside || !side || !side->find ? NULL : side;
}

/* What the side has for it. */
static bool find_beside(iswi_http_request *request, isw_str path)
{
    const iswi_http_side *side = side_of(request);
    void *target = side->find(side->user, &request->data, path);

    request->is_beside = target != NULL;
    if (target)
        request->target = target;
    return target != NULL;
}

/* Its path is not below the prefix. */
static iswi_http_routed find_outside(iswi_http_request *request, isw_str path)
{
    const iswi_http *http = request->http;
    const iswi_http_side *side = side_of(request);

    if (side && !side->first && find_beside(request, path))
        return ISWI_HTTP_ROUTED;
    if (is_built_in(request, path))
        return ISWI_HTTP_ANSWERED;
    if (side && (!atomic_load(&http->routes) || atomic_load(&http->expects_more)))
        return come_early(request, "No function of this name is known, but one may be once all "
                                   "workers are up.");
    explain(request, ISWI_ROUTE_NOT_FOUND, NULL);
    return ISWI_HTTP_ANSWERED;
}

static iswi_http_routed find_target(iswi_http_request *request)
{
    const iswi_http_side *side = side_of(request);
    const isw_str url = request->data.url;
    const char *mark = memchr(url.data, '?', url.size);
    isw_str path = { url.data, mark ? (size_t)(mark - url.data) : url.size };
    isw_str rest;

    request->is_beside = false;
    if (side && side->first && find_beside(request, path))
        return ISWI_HTTP_ROUTED;
    if (strip_prefix(request->http, path, &rest))
        return find_function(request, path, rest);
    return find_outside(request, path);
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
    request->last = true;
    set_unavailable(request,
                    "The host is draining: it finishes what it has and takes nothing new.");
    return false;
}

iswi_http_routed iswi_http_route_again(iswi_http_request *request)
{
    if (!request->http->quiescing)
        return find_target(request);
    set_unavailable(request, "The server is shutting down.");
    return ISWI_HTTP_ANSWERED;
}

iswi_http_routed iswi_http_route(iswi_http_request *request)
{
    iswi_http_routed routed = iswi_http_route_again(request);

    return routed == ISWI_HTTP_ROUTED && !admit(request) ? ISWI_HTTP_ANSWERED : routed;
}
