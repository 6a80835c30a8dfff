/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_CONTROL_H
#define ISWI_HOST_OPERATE_CONTROL_H

/*
 * What operators see and steer: the control socket, the admin endpoints, and what both of them ask
 * the host. All of it on a thread of its own and those of the admin front, so that the supervisor
 * and the triggers wait for none of it.
 */
#include "host/engine/look.h"
#include "host/operate/operate.h"
#include "host/settings/settings.h"
#include "host/operate/report.h"

/* -- What they are told; any thread ------------------------------------------------------------ */

/* report_fields.c: append a struct as a line of JSON; nothing, and the buffer has failed, when memory
 * is out. */
void iswi_report_struct(const isw_field *fields, const void *in, iswi_arena *arena,
                        iswi_buffer *out);

/* report.c: append the state of everything as one JSON object. */
void iswi_report(iswi_operate *operate, iswi_buffer *out);

/* report_triggers.c: what the triggers tell of themselves, in the arena. False: no memory. */
bool iswi_report_triggers(const iswi_host *host, iswi_report_all *all, iswi_arena *arena);

/* report_processes.c: processes that there are; false: no memory. What one is, and why it does not
 * serve: NULL if it does, or there is nothing to say. */
bool iswi_report_processes(iswi_host *host, iswi_report_all *all,
                           const iswi_by_function *in_flight, iswi_arena *arena);
const char *iswi_report_state(const iswi_process_look *look);
const char *iswi_report_detail(const iswi_process_look *look, int64_t now_ns, iswi_arena *arena);

/* report_ready.c: append {"ready":false,"reasons":["..."]} and say whether it is: it takes requests, and each
 * worker has a process for them. */
bool iswi_report_ready(iswi_host *host, iswi_buffer *out);

/* Whether each worker has a process for calls, or needs none before there is one; else append why
 * not. */
bool iswi_report_serves(const iswi_host *host, iswi_buffer *why);

/* Append {"started":false,"reasons":["..."]} and say whether it is: each worker has served once,
 * whatever has become of it, or has no process as long as nobody calls. */
bool iswi_report_startup(const iswi_operate *operate, iswi_buffer *out);

/* {"state":"draining","in_flight":2} */
void iswi_report_drain(iswi_host *host, iswi_buffer *out);

/* "starting", "serving", "draining" or "stopping". Static text. */
const char *iswi_host_state(const iswi_host *host);

/* -- restart.c; any thread, one at a time ------------------------------------------------------ */

/* A restart that somebody waits for. */
typedef struct iswi_restart iswi_restart;

/* Begin one of the worker of that name, or of all (NULL), but for those that run in the host's own
 * process. *out is the caller's to free with iswi_free. Errors: ISW_E_NOT_FOUND, ISW_E_UNSUPPORTED,
 * ISW_E_NO_MEMORY. */
isw_status iswi_restart_begin(iswi_host *host, const char *worker, iswi_restart **out,
                              isw_error *error);

/* Append a line for each process that was replaced since the last time. */
void iswi_restart_tell(iswi_restart *restart, iswi_buffer *out);

typedef enum iswi_restart_state {
    ISWI_RESTART_GOES_ON,
    ISWI_RESTART_DONE,
    ISWI_RESTART_FAILED
} iswi_restart_state;

iswi_restart_state iswi_restart_state_of(const iswi_restart *restart);

/* Append how all have ended. */
void iswi_restart_conclude(const iswi_restart *restart, iswi_buffer *out);

/* -- control.c --------------------------------------------------------------------------------- */

/* Something that somebody outside waits for. */
typedef struct iswi_wait {
    bool (*over)(struct iswi_wait *wait);  /* has it come about? does not block */
    void (*done)(struct iswi_wait *wait, bool over); /* called once; owns the struct */
    iswi_operate *operate;
    void *user;
    int64_t until_ns; /* then it is done, over or not */
    uint64_t turn;    /* of the supervisor, when it began */
    struct iswi_wait *next;
} iswi_wait;

/* Make operate->control, with the journal and the socket if host.yaml does not say no; at `path` if
 * that is not NULL. A host that cannot have the socket at its own place says so and serves without.
 * Errors: ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_control_create(iswi_operate *operate, const char *path, isw_error *error);

/* Have the thread go round. Any thread. */
void iswi_control_wake(iswi_control *control);

/* Start the thread, when all that it reports of is there. Errors: ISW_E_IO. */
isw_status iswi_control_start(iswi_control *control, isw_error *error);

/* Whoever still waits is told that it is not over. NULL is allowed. */
void iswi_control_stop(iswi_control *control);
void iswi_control_free(iswi_control *control); /* after that; NULL is allowed */

/* Look at it some hundred times a second until it is over or late. `done` may be called before this
 * returns, or on the control's thread. Any thread, until the free. */
void iswi_control_wait(iswi_control *control, iswi_wait *wait);

/* -- admin.c ----------------------------------------------------------------------------------- */

/* The endpoints over HTTP, if host.yaml has them. Errors as iswi_http_start. */
isw_status iswi_admin_start(iswi_operate *operate, isw_error *error);

/* It is to listen elsewhere, perhaps: have that ready; and take it, or drop it. Errors: as
 * iswi_http_start, for an address. */
isw_status iswi_admin_prepare(iswi_operate *operate, const iswi_admin_settings *now,
                              isw_error *error);
void iswi_admin_renew(iswi_operate *operate, bool take);
void iswi_admin_stop(iswi_operate *operate);

#endif
