/* SPDX-License-Identifier: Apache-2.0 */
/* Timers over HTTP: what takes a while is asked for again, as everything is that somebody waits
 * for. */
#include "base/alloc.h"
#include "host/operate/admin.h"
#include "host/operate/command.h"

#include <stdio.h>

enum { COMMAND_S = 60 };

typedef struct commanding {
    iswi_http_request *request;
    iswi_command command;
    isw_status status;
    isw_error error;
    iswi_buffer body;
    char name[ISWI_NAME_MAX + 1];
} commanding;

static bool is_done(iswi_wait *wait)
{
    commanding *of = wait->user;

    iswi_buffer_reset(&of->body);
    of->status = iswi_command_try(wait->operate->host, &of->command, &of->body, &of->error);
    return of->status != ISW_E_BUSY;
}

static int http_status(isw_status status)
{
    return status == ISW_OK ? 200 : status == ISW_E_BUSY ? 202 : isw_status_http(status);
}

static void tell(iswi_wait *wait, bool over)
{
    commanding *of = wait->user;

    (void)over;
    if (of->status == ISW_OK || of->status == ISW_E_BUSY) {
        iswi_admin_answer_json(of->request, http_status(of->status), &of->body);
    } else {
        iswi_buffer_fini(&of->body);
        iswi_http_answer_problem(of->request, http_status(of->status), NULL, of->error.message,
                                 NULL);
    }
    iswi_free(of);
    iswi_free(wait);
}

static void command(iswi_operate *operate, iswi_http_request *request, const char *verb)
{
    const isw_str *name = isw_pairs_find(&iswi_http_request_data(request)->query, "name");
    int64_t wait_ms = iswi_admin_wait_ms(request, COMMAND_S);
    commanding *of = wait_ms < 0 ? NULL : iswi_calloc(1, sizeof *of);

    if (!of) {
        iswi_http_answer_problem(request, wait_ms < 0 ? 400 : 503, NULL,
                                 wait_ms < 0 ? "wait takes seconds, from 0 to 3600"
                                             : "no memory for a command", NULL);
        return;
    }
    if (name)
        snprintf(of->name, sizeof of->name, "%.*s", (int)name->size, name->size ? name->data : "");
    of->request = request;
    of->status = ISW_E_BUSY; /* where nobody looks any more, since the host ends */
    of->command = (iswi_command){ "timer", { verb, name ? of->name : NULL, false } };
    iswi_admin_wait_for(operate, request, is_done, tell, of, wait_ms);
}

void iswi_admin_timers(iswi_operate *operate, iswi_http_request *request)
{
    command(operate, request, "list");
}

void iswi_admin_timer_run(iswi_operate *operate, iswi_http_request *request)
{
    command(operate, request, "run");
}

void iswi_admin_timer_pause(iswi_operate *operate, iswi_http_request *request)
{
    command(operate, request, "pause");
}

void iswi_admin_timer_resume(iswi_operate *operate, iswi_http_request *request)
{
    command(operate, request, "resume");
}
