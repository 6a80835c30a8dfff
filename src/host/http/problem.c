/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the host's own: problem details, and what else the front says itself. */
#include "host/http/internal.h"

#include "base/alloc.h"
#include "base/problem.h"
#include "url/fields.h"

#include <inttypes.h>
#include <stdio.h>
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
    char seconds[24] = "1";

    if (ms > 1000)
        snprintf(seconds, sizeof seconds, "%" PRIu64, ms / 1000 + (ms % 1000 != 0));
    MHD_add_response_header(request->response, "Retry-After", seconds);
}

void iswi_http_problem_has(iswi_http_request *request, const isw_pairs *headers)
{
    request->told = headers;
}

static bool was_told(const iswi_http_request *request, const char *name)
{
    return request->told && isw_pairs_find(request->told, name);
}

static void add_told(iswi_http_request *request)
{
    for (size_t i = 0; i < request->told->count; i++) {
        const isw_pair *one = &request->told->items[i];

        if (!iswi_field_of_body(one->name))
            iswi_http_add_headers(request, &(isw_pairs){ one, 1 });
    }
}

void iswi_http_set_problem(iswi_http_request *request, int status, const char *title,
                           const char *detail, const char *invocation_id)
{
    iswi_buffer text = { 0 };

    write_problem(&text, request, status, title, detail, invocation_id);
    request->status = (unsigned)status;
    if (!text.failed)
        request->response =
            iswi_http_whole((isw_bytes){ text.data, text.size }, iswi_free, text.data);
    else
        iswi_buffer_fini(&text);
    if (request->response) {
        MHD_add_response_header(request->response, "Content-Type", ISWI_PROBLEM_TYPE);
        if (request->told)
            add_told(request);
        if (status == MHD_HTTP_UNAUTHORIZED && !was_told(request, "www-authenticate"))
            MHD_add_response_header(request->response, "WWW-Authenticate", "Bearer");
        if ((status == MHD_HTTP_TOO_MANY_REQUESTS || status == MHD_HTTP_SERVICE_UNAVAILABLE) &&
            !was_told(request, "retry-after"))
            add_retry_after(request);
        if (!request->told)
            iswi_http_keep_policy(request);
    }
}

void iswi_http_set_text(iswi_http_request *request, int status, const char *text)
{
    request->status = (unsigned)status;
    request->response = iswi_http_whole((isw_bytes){ text, strlen(text) }, NULL, NULL);
    if (request->response)
        MHD_add_response_header(request->response, "Content-Type", "text/plain; charset=utf-8");
}

void iswi_http_set_options(iswi_http_request *request, const char *allow)
{
    const char *all = iswi_arena_printf(&request->arena, "%s, OPTIONS", allow);

    request->status = MHD_HTTP_NO_CONTENT;
    request->response = iswi_http_empty();
    if (request->response && all)
        MHD_add_response_header(request->response, "Allow", all);
}
