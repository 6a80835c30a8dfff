/* SPDX-License-Identifier: Apache-2.0 */
/* Other sites and the answers that the front makes itself: without the headers of the function's
 * policy a page could not even see their status. */
#include "host/http/internal.h"
#include "url/preflight.h"

enum { DIGITS_BYTES = 24 };

static const char *text_of(iswi_http_request *request, const char *name)
{
    const isw_str *value = isw_pairs_find(&request->data.headers, name);

    return value ? iswi_arena_strndup(&request->arena, value->data, value->size) : NULL;
}

/* A page that may not ask would never learn why. Statuses below 500 but 404 and 429 are what the
 * preflight itself did wrong. */
static bool stands_for_a_later_answer(const iswi_http_request *request)
{
    const unsigned status = request->reply.status;

    return iswi_preflight_method(&request->data).size &&
           (status == 404 || status == 429 || status >= 500);
}

static const isw_cors *policy_of(const iswi_http_request *request, const char *origin)
{
    const iswi_http *http = request->http;

    if (request->is_beside) /* no browser comes that way */
        return NULL;
    return http->events.policy ? http->events.policy(http->user, request->target, origin) : NULL;
}

void iswi_http_keep_policy(iswi_http_request *request)
{
    const char *origin = text_of(request, "origin");
    const isw_cors *policy = policy_of(request, origin);
    char *digits = policy ? iswi_arena_alloc(&request->arena, DIGITS_BYTES) : NULL;
    iswi_http_reply *reply = &request->reply;
    isw_pair headers[ISW_CORS_HEADERS_MAX];
    bool preflight;
    size_t count;

    if (!digits)
        return;
    preflight = isw_cors_allows(policy, origin) && stands_for_a_later_answer(request);
    count = isw_cors_headers(policy, origin, preflight, digits, headers);
    if (preflight) {
        iswi_http_reply_release(reply);
        *reply = (iswi_http_reply){ .status = 204, .length = ISWI_HTTP_NO_LENGTH };
    }
    for (size_t i = 0; i < count && reply->own_count < ISWI_HTTP_OWN_HEADERS; i++)
        reply->own[reply->own_count++] = headers[i];
}
