/* SPDX-License-Identifier: Apache-2.0 */
/* What whoever answers calls, on any thread: from his words to a reply, and on to the loop of the
 * request. */
#include "host/http/stream.h"

#include "base/alloc.h"

#include <assert.h>

/* -- At once ----------------------------------------------------------------------------------- */

/* What it says of its body: to HEAD, and with a status that has none, it has no more than that. */
static void measure(iswi_http_reply *reply, const isw_http *answer, bool wants_head)
{
    const int64_t said = iswi_http_length_of(answer);
    const size_t size = answer->body.size;

    reply->body = answer->body;
    reply->length = (int64_t)size;
    switch (reply->status) {
    case 204:
        reply->length = ISWI_HTTP_NO_LENGTH;
        break;
    case 205:
        reply->length = 0;
        break;
    case 304: /* a body that came along is that of the 200 */
        reply->length = size ? (int64_t)size : said;
        break;
    default:
        if (wants_head && !size && said != ISWI_HTTP_NO_LENGTH)
            reply->length = said;
        if (!wants_head)
            return;
    }
    reply->body.size = 0;
}

/* Catches a second answer, as long as it comes before the request is freed. */
static void check_unanswered(const iswi_http_request *request)
{
    assert(request->handed_over && !request->answered && !iswi_http_has_begun(request));
    (void)request;
}

void iswi_http_answer(iswi_http_request *request, const isw_http *response, void (*release)(void *),
                      void *release_user)
{
    check_unanswered(request);
    if (response->status && (response->status < 200 || response->status > 599)) {
        iswi_http_set_problem(request, 502, NULL,
                              "The function answered with a status outside 200 to 599.", NULL);
        if (release)
            release(release_user);
    } else {
        request->reply = (iswi_http_reply){ .status = response->status ? (unsigned)response->status
                                                                       : 200,
                                            .given = response->headers,
                                            .release = release,
                                            .release_user = release_user };
        measure(&request->reply, response, iswi_http_wants_head(request));
    }
    iswi_http_reply_whole(request);
}

void iswi_http_answer_problem(iswi_http_request *request, int status, const char *title,
                              const char *detail, const char *invocation_id)
{
    check_unanswered(request);
    iswi_http_set_problem(request, status, title, detail, invocation_id);
    iswi_http_reply_whole(request);
}

/* -- Piece by piece ---------------------------------------------------------------------------- */

void iswi_http_want_body(iswi_http_request *request)
{
    iswi_http_stream *stream = request->stream;

    if (!stream || !stream->uploads || atomic_exchange(&stream->wanted, true))
        return;
    iswi_http_tell(request, ISWI_HTTP_NEWS_WIDE);
}

void iswi_http_widen(iswi_http_request *request, uint64_t bytes)
{
    iswi_http_stream *stream = request->stream;
    unsigned long long window;

    if (!stream || !stream->uploads)
        return;
    window = atomic_load(&stream->window);
    do
        if (bytes > UINT64_MAX - window)
            return;
    while (!atomic_compare_exchange_weak(&stream->window, &window, window + bytes));
    iswi_http_tell(request, ISWI_HTTP_NEWS_WIDE);
}

isw_status iswi_http_begin(iswi_http_request *request, const isw_http *head)
{
    iswi_http_stream *stream = iswi_http_stream_of(request);

    if (!stream)
        return ISW_E_NO_MEMORY;
    if (stream->begun)
        return ISW_E_CONFLICT;
    if (head->status < 200 || head->status > 599 || head->status == 204 || head->status == 205 ||
        head->status == 304)
        return ISW_E_INVALID;
    stream->ring = iswi_alloc(ISWI_WINDOW_BYTES);
    if (!stream->ring)
        return ISW_E_NO_MEMORY;
    request->reply = (iswi_http_reply){ .status = (unsigned)head->status,
                                        .given = head->headers,
                                        .length = iswi_http_length_of(head),
                                        .streams = true };
    stream->begun = true;
    iswi_http_reply_head(request);
    return ISW_OK;
}

isw_status iswi_http_continue(iswi_http_request *request, isw_bytes bytes)
{
    iswi_http_stream *stream = request->stream;

    if (!stream || !stream->begun)
        return ISW_E_CONFLICT;
    if (!iswi_http_stream_put(stream, bytes))
        return ISW_E_TOO_LARGE;
    if (bytes.size)
        iswi_http_tell(request, ISWI_HTTP_NEWS_STREAM);
    return ISW_OK;
}

void iswi_http_end(iswi_http_request *request, bool complete)
{
    iswi_http_stream_end(request->stream, complete);
    iswi_http_tell(request, ISWI_HTTP_NEWS_STREAM | ISWI_HTTP_NEWS_LAST);
}
