/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_CONTROL_CLIENT_H
#define ISWI_HOST_OPERATE_CONTROL_CLIENT_H

/*
 * One connection to the control socket: a line of JSON in, lines of JSON out, and its end.
 *
 *     {"command":"status"}                     the report (report.h)
 *     {"command":"ready"}                      readiness
 *     {"command":"drain","wait_ms":5000}       how far it is, once it is drained or that has passed
 *     {"command":"resume"}                     the same, at once
 *     {"command":"restart","worker":"orders","wait_ms":5000}
 *                                              a line for each process that was replaced, and at
 *                                              last how all went; without "worker": of all
 *     {"command":"upgrade","wait_ms":5000}     the host starts its successor; how that went, once it
 *                                              has this host's place or that has passed
 *     {"command":"succeed"}                    from a successor: handover.h; with "why": it cannot
 *     {"command":"logs","follow":true,"level":"warning","function":"order_*","category":"*",
 *      "invocation":"3f2a","lines":20}         log lines; {"lost":N} for those that were missed,
 *                                              {"succeeded":true} once another host has the place,
 *                                              {"notice":"..."} for what else is to be known
 *
 *     {"command":"queue","messages":{"action":"peek","queue":"orders","limit":10}}
 *                                              messages.h: lines of queues or messages, or how many
 *                                              it were so far, and at last {"over":true}
 *
 *     {"command":"invoke","name":"hello","wait_ms":5000,"event":{"data":{"string":"..."},
 *      "content_type":"text/plain","method":"GET","params":[["name","Ada"]],"query":[],"headers":[]}}
 *                                              what came of it (report.h); of a function that its
 *                                              trigger runs alone, what that says. A client that
 *                                              leaves before has the call cancelled
 *
 * What cannot be done is answered with {"error":"...","status":"ISW_E_..."}. Only the control's thread.
 */
#include "host/operate/control.h"

enum { ISWI_CONTROL_REQUEST_MAX = 1024 * 1024, ISWI_CONTROL_ASK_MS = 5000 };

typedef struct iswi_control_client iswi_control_client;

/* NULL, and `fd` is closed, when memory is out. */
iswi_control_client *iswi_control_client_create(iswi_operate *operate, int fd);
void iswi_control_client_destroy(iswi_control_client *client);

/* What to poll for, and when to look again at the latest. */
int iswi_control_client_fd(const iswi_control_client *client);
short iswi_control_client_events(const iswi_control_client *client);
int64_t iswi_control_client_due_ns(const iswi_control_client *client);

/* Go on as far as that is possible without waiting. False: it is over, destroy it. */
bool iswi_control_client_turn(iswi_control_client *client, short events, int64_t now_ns);

/* Since when it has not read what is there for it; INT64_MAX if it has. */
int64_t iswi_control_client_stalled_ns(const iswi_control_client *client);

#endif
