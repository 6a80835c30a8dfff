/* SPDX-License-Identifier: Apache-2.0 */
/* Other sites and the answers that the front makes itself: without the headers of the function's
 * policy a page could not even see their status. */
#include "host/http/internal.h"
#include "url/preflight.h"

static const char *text_of(iswi_http_request *request, const char *name)
{
    const isw_str *value = isw_pairs_find(&request->data.headers, name);

    return value ? iswi_arena_strndup(&request->arena, value->data, value->size) : NULL;
}

/* A page that may not ask would never learn why. Statuses below 500 but 404 and 429 are what the
 * preflight itself did wrong. */
static bool stands_for_a_later_answer(const iswi_http_request *request)
{
    return iswi_preflight_method(&request->data).size &&
           (request->status == MHD_HTTP_NOT_FOUND ||
            request->status == MHD_HTTP_TOO_MANY_REQUESTS || request->status >= 500);
}

static void answer_preflight(iswi_http_request *request)
{
    struct MHD_Response *empty = iswi_http_empty();

    if (!empty)
        return;
    MHD_destroy_response(request->response);
    request->response = empty;
    request->status = MHD_HTTP_NO_CONTENT;
}

static const isw_cors *policy_of(const iswi_http_request *request, const char *origin)
{
    const iswi_http *http = request->http;

    return http->events.policy ? http->events.policy(http->user, request->target, origin) : NULL;
}

void iswi_http_keep_policy(iswi_http_request *request)
{
    const char *origin = text_of(request, "origin");
    const isw_cors *policy = policy_of(request, origin);
    isw_pair headers[ISW_CORS_HEADERS_MAX];
    char digits[24];
    bool preflight;
    size_t count;

    if (!policy || !request->response)
        return;
    preflight = isw_cors_allows(policy, origin) && stands_for_a_later_answer(request);
    count = isw_cors_headers(policy, origin, preflight, digits, headers);
    if (preflight)
        answer_preflight(request);
    iswi_http_add_headers(request, &(isw_pairs){ headers, count });
}

void iswi_http_write_policy(iswi_http_request *request, iswi_buffer *out)
{
    const char *origin = text_of(request, "origin");
    const isw_cors *policy = policy_of(request, origin);
    isw_pair headers[ISW_CORS_HEADERS_MAX];
    char digits[24];
    size_t count = policy ? isw_cors_headers(policy, origin, false, digits, headers) : 0;

    for (size_t i = 0; i < count; i++)
        iswi_buffer_printf(out, "%s: %s\r\n", headers[i].name.data, headers[i].value.data);
}
