/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the host's own: problem details, and what else the front says itself. */
#include "host/http/internal.h"

#include "base/alloc.h"
#include "base/problem.h"

#include <inttypes.h>

static void write_problem(iswi_buffer *out, const iswi_http_request *request, int status,
                          const char *title, const char *detail, const char *invocation_id)
{
    iswi_problem_begin(out, status, title, detail);
    if (request->error != ISW_OK)
        iswi_problem_failure(out, request->error, NULL, request->retriable);
    iswi_problem_end(out, invocation_id);
}

void iswi_http_problem_is(iswi_http_request *request, isw_status error, bool retriable)
{
    request->error = error;
    request->retriable = retriable;
}

void iswi_http_retry_after(iswi_http_request *request, uint64_t ms)
{
    request->retry_after_ms = ms;
}

static void add_retry_after(iswi_http_request *request)
{
    uint64_t ms = request->retry_after_ms;

    iswi_http_reply_add(&request->reply, "Retry-After",
                        ms > 1000 ? iswi_arena_printf(&request->arena, "%" PRIu64,
                                                      ms / 1000 + (ms % 1000 != 0))
                                  : "1");
}

void iswi_http_problem_has(iswi_http_request *request, const isw_pairs *headers)
{
    request->told = headers;
}

static bool was_told(const iswi_http_request *request, const char *name)
{
    return request->told && isw_pairs_find(request->told, name);
}

/* A body of our own. False: no memory; the reply is empty then. */
static bool set_body(iswi_http_request *request, int status, iswi_buffer *text)
{
    iswi_http_reply *reply = &request->reply;

    iswi_http_reply_release(reply);
    *reply = (iswi_http_reply){ .status = 0 };
    if (text->failed) {
        iswi_buffer_fini(text);
        return false;
    }
    reply->status = (unsigned)status;
    reply->length = (int64_t)text->size;
    reply->body = (isw_bytes){ text->data, iswi_http_wants_head(request) ? 0 : text->size };
    reply->release = iswi_free;
    reply->release_user = text->data;
    return true;
}

void iswi_http_set_problem(iswi_http_request *request, int status, const char *title,
                           const char *detail, const char *invocation_id)
{
    iswi_http_reply *reply = &request->reply;
    iswi_buffer text = { 0 };

    iswi_http_note_reason(request, detail);
    write_problem(&text, request, status, title, detail, invocation_id);
    if (!set_body(request, status, &text))
        return;
    reply->is_problem = true;
    iswi_http_reply_add(reply, "Content-Type", ISWI_PROBLEM_TYPE);
    if (request->told)
        reply->given = *request->told;
    if (status == 401 && !was_told(request, "www-authenticate"))
        iswi_http_reply_add(reply, "WWW-Authenticate", "Bearer");
    if ((status == 429 || status == 503) && !was_told(request, "retry-after"))
        add_retry_after(request);
    if (!request->told)
        iswi_http_keep_policy(request);
}

void iswi_http_set_text(iswi_http_request *request, int status, const char *text)
{
    iswi_buffer copy = { 0 };

    iswi_buffer_append_text(&copy, text);
    if (set_body(request, status, &copy))
        iswi_http_reply_add(&request->reply, "Content-Type", "text/plain; charset=utf-8");
}

void iswi_http_set_options(iswi_http_request *request, const char *allow)
{
    request->reply = (iswi_http_reply){ .status = 204, .length = ISWI_HTTP_NO_LENGTH };
    if (allow)
        iswi_http_reply_add(&request->reply, "Allow",
                            iswi_arena_printf(&request->arena, "%s, OPTIONS", allow));
}
