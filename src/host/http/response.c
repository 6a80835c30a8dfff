/* SPDX-License-Identifier: Apache-2.0 */
/* Answers. Invariant: `release` is called once, whatever happens: by libmicrohttpd when it is done
 * with the body, or here if it never gets it. */
#include "host/http/internal.h"

#include <assert.h>

/* A response without the body that a function may have given it; NULL: it has it, or no memory. */
static struct MHD_Response *bodiless(const iswi_http_request *request, const isw_http *answer,
                                     bool *is)
{
    uint64_t length = iswi_http_length_of(answer);
    bool said = iswi_http_wants_head(request) && !answer->body.size && length != MHD_SIZE_UNKNOWN;

    *is = true;
    switch (request->status) {
    case MHD_HTTP_NO_CONTENT:
    case MHD_HTTP_RESET_CONTENT:
        return iswi_http_empty();
    case MHD_HTTP_NOT_MODIFIED: /* a body that came along is that of the 200 */
        return iswi_http_head_alone(answer->body.size ? answer->body.size : length);
    default:
        *is = said;
        return said ? iswi_http_head_alone(length) : NULL;
    }
}

/* Catches a second answer, as long as it comes before the request is freed. */
static void check_unanswered(iswi_http_request *request)
{
    iswi_http_state state = request->state;

    assert(state == ISWI_HTTP_WAITING || state == ISWI_HTTP_RESTING ||
           state == ISWI_HTTP_ABANDONED || state == ISWI_HTTP_UPLOADING);
    (void)state;
}

void iswi_http_answer(iswi_http_request *request, const isw_http *response, void (*release)(void *),
                      void *release_user)
{
    check_unanswered(request);
    request->status = response->status ? (unsigned)response->status : MHD_HTTP_OK;
    if (response->status && (response->status < 200 || response->status > 599)) {
        iswi_http_set_problem(request, MHD_HTTP_BAD_GATEWAY, NULL,
                              "The function answered with a status outside 200 to 599.", NULL);
        if (release)
            release(release_user);
    } else {
        bool bare;
        struct MHD_Response *without = bodiless(request, response, &bare);

        request->response =
            bare ? without : iswi_http_whole(response->body, release, release_user);
        if (request->response)
            iswi_http_add_headers(request, &response->headers);
        if (bare && release)
            release(release_user);
    }
    iswi_http_stream_hurry(request);
    iswi_http_hand_back(request);
}

void iswi_http_answer_problem(iswi_http_request *request, int status, const char *title,
                              const char *detail, const char *invocation_id)
{
    check_unanswered(request);
    iswi_http_set_problem(request, status, title, detail, invocation_id);
    iswi_http_stream_hurry(request);
    iswi_http_hand_back(request);
}
