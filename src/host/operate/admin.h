/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_ADMIN_H
#define ISWI_HOST_OPERATE_ADMIN_H

/* What endpoints share (admin_answer.c), and those that have a file of their own. Any thread. */
#include "host/operate/control.h"

#include <isoworker/value.h>

/* Both take the buffer's memory. */
void iswi_admin_answer_text(iswi_http_request *request, int status, const char *type,
                            iswi_buffer *body);
void iswi_admin_answer_json(iswi_http_request *request, int status, iswi_buffer *body);

/* ?wait=SECONDS; -1: it is none. */
int64_t iswi_admin_wait_ms(const iswi_http_request *request, int64_t standard_s);

/* Have `done` called when `over` says so, or after so long; answers itself where there is no
 * memory. */
void iswi_admin_wait_for(iswi_operate *operate, iswi_http_request *request,
                         bool (*over)(iswi_wait *), void (*done)(iswi_wait *, bool), void *user,
                         int64_t wait_ms);

/* admin_may.c: why this request may not be answered; NULL if it may. Static text. `guarded`: what it
 * shows is for this machine alone. */
const char *iswi_admin_refusal(const iswi_host *host, bool guarded, const isw_http *data);

/* admin_timers.c */
void iswi_admin_timers(iswi_operate *operate, iswi_http_request *request);
void iswi_admin_timer_run(iswi_operate *operate, iswi_http_request *request);
void iswi_admin_timer_pause(iswi_operate *operate, iswi_http_request *request);
void iswi_admin_timer_resume(iswi_operate *operate, iswi_http_request *request);

/* admin_queues.c */
void iswi_admin_queues(iswi_operate *operate, iswi_http_request *request);
void iswi_admin_messages(iswi_operate *operate, iswi_http_request *request);
void iswi_admin_messages_put(iswi_operate *operate, iswi_http_request *request);
void iswi_admin_messages_replay(iswi_operate *operate, iswi_http_request *request);
void iswi_admin_messages_purge(iswi_operate *operate, iswi_http_request *request);
void iswi_admin_queue_pause(iswi_operate *operate, iswi_http_request *request);
void iswi_admin_queue_resume(iswi_operate *operate, iswi_http_request *request);

/* admin_invoke.c */
void iswi_admin_invoke(iswi_operate *operate, iswi_http_request *request);

#endif
