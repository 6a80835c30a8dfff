/* SPDX-License-Identifier: Apache-2.0 */
/* How endpoints answer, now or when what they wait for is over. */
#include "base/alloc.h"
#include "base/clock.h"
#include "host/engine/look.h"
#include "host/operate/admin.h"

enum { MS = 1000000, WAIT_MOST_S = 3600 };

/* -- Answers ----------------------------------------------------------------------------------- */

void iswi_admin_answer_text(iswi_http_request *request, int status, const char *type,
                            iswi_buffer *body)
{
    isw_pair headers[] = { { isw_str_of("content-type"), isw_str_of(type) },
                           { isw_str_of("cache-control"), isw_str_of("no-store") } };
    isw_http response = { .headers = { headers, 2 },
                          .body = { body->data, body->size },
                          .status = status };

    if (body->failed) {
        iswi_buffer_fini(body);
        iswi_http_answer_problem(request, 503, NULL, "no memory for the answer", NULL);
        return;
    }
    iswi_http_answer(request, &response, iswi_free, body->data);
}

void iswi_admin_answer_json(iswi_http_request *request, int status, iswi_buffer *body)
{
    iswi_admin_answer_text(request, status, "application/json", body);
}

void iswi_admin_wait_for(iswi_operate *operate, iswi_http_request *request,
                         bool (*over)(iswi_wait *), void (*done)(iswi_wait *, bool), void *user,
                         int64_t wait_ms)
{
    iswi_wait *wait = iswi_calloc(1, sizeof *wait);

    if (!wait) {
        iswi_http_answer_problem(request, 503, NULL, "no memory for the answer", NULL);
        return;
    }
    wait->over = over;
    wait->done = done;
    wait->operate = operate;
    wait->user = user;
    wait->until_ns = iswi_now_ns() + wait_ms * MS;
    wait->turn = iswi_host_turns(operate->host);
    iswi_control_wait(operate->control, wait);
}

int64_t iswi_admin_wait_ms(const iswi_http_request *request, int64_t standard_s)
{
    const isw_str *text = isw_pairs_find(&iswi_http_request_data(request)->query, "wait");
    int64_t seconds = 0;

    if (!text)
        return standard_s * 1000;
    if (!text->size || text->size > 4)
        return -1;
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return -1;
        seconds = 10 * seconds + (text->data[i] - '0');
    }
    return seconds <= WAIT_MOST_S ? seconds * 1000 : -1;
}
