/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests whose function went while they waited for it: its worker has other functions now, or is
 * no more. They are led as if they came just now, but for their bodies, which are there, or come
 * still.
 */
#include "host/http/stream.h"

enum { TRIES_MOST = 50 };

#define PAUSE_NS INT64_C(20000000) /* before one that leads to where it came from */

void iswi_http_again(iswi_http_request *request)
{
    iswi_http_tell(request, ISWI_HTTP_NEWS_AGAIN);
}

static void refuse(iswi_http_request *request)
{
    iswi_http_set_problem(request, 503, NULL,
                          "The function at this path is another now; try again.", NULL);
    iswi_http_reply_whole(request);
}

/* A body that streams goes on to another function that streams, unless its end was told already. */
static bool suits(const iswi_http_request *request)
{
    if (!iswi_http_is_uploading(request))
        return true;
    return !request->stream->whole && iswi_http_comes_in_pieces(request);
}

/* Where the routes are what they were still, the function may be back, or they are others soon. */
static void hand_over(iswi_http_request *request, bool same)
{
    bool rested = request->rested;

    request->rested = same && !rested;
    if (++request->led_again > TRIES_MOST || !suits(request))
        refuse(request);
    else if (request->rested)
        iswi_http_early_rest(request, iswi_reactor_now_ns(request->loop->reactor) + PAUSE_NS);
    else
        iswi_http_handle(request);
}

void iswi_http_lead_again(iswi_http_request *request)
{
    const void *before = request->target;

    if (request->rested)
        request->early_until_ns = 0; /* as if it had not waited */
    if (!request->carried_by) { /* its client has left */
        iswi_http_reply_whole(request);
        return;
    }
    switch (iswi_http_route_again(request)) {
    case ISWI_HTTP_ROUTED:
        hand_over(request, request->target == before);
        break;
    case ISWI_HTTP_ANSWERED:
        iswi_http_reply_whole(request);
        break;
    case ISWI_HTTP_EARLY:
        break;
    }
}
