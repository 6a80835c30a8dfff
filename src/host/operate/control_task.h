/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_CONTROL_TASK_H
#define ISWI_HOST_OPERATE_CONTROL_TASK_H

/* What a client of the control socket has asked for, from its request until all of it is told.
 * Nothing of it blocks. Only the control's thread. */
#include "host/operate/command.h"
#include "host/operate/control.h"
#include "host/operate/control_request.h"
#include "host/operate/invoke.h"

typedef enum iswi_control_step {
    ISWI_CONTROL_DRAINS,
    ISWI_CONTROL_RESTARTS, /* processes are replaced */
    ISWI_CONTROL_UPGRADES, /* a successor starts */
    ISWI_CONTROL_QUEUES,   /* the broker does something */
    ISWI_CONTROL_COMMANDS, /* a trigger does what it was asked to */
    ISWI_CONTROL_INVOKES,  /* a function runs */
    ISWI_CONTROL_LISTS,    /* lines of the journal */
    ISWI_CONTROL_OVER      /* what was told is all */
} iswi_control_step;

typedef struct iswi_control_task {
    iswi_operate *operate;
    const iswi_control_request *asked; /* lives as long as it */
    iswi_control_step step;
    int64_t until_ns;          /* it is told how far it is then */
    iswi_restart *restart;     /* NULL: it is none; so are these: */
    iswi_messages *messages;
    iswi_invoking *invoking;
    iswi_command command;
    iswi_journal_filter filter;
    uint64_t next, lost; /* lines */
    bool sent_on;        /* its client knows that another host has this one's place */
} iswi_control_task;

/* Begin what was asked for in a task that is zero but for `operate`; what is there at once is
 * appended. A successor's connection becomes the succession's, and *fd -1. */
void iswi_control_task_begin(iswi_control_task *task, const iswi_control_request *asked, int *fd,
                             iswi_buffer *out);

/* Append what comes next to `out`, which is empty; it stays so where there is nothing yet. */
void iswi_control_task_go_on(iswi_control_task *task, iswi_buffer *out, int64_t now_ns);

/* Whether it is to be looked at again by and by, since nobody says when it goes on. */
bool iswi_control_task_looks_again(const iswi_control_task *task);

/* Nobody waits for it any more. */
void iswi_control_task_leave(iswi_control_task *task);

/* Append {"error":"...","status":"ISW_E_..."} and a line feed. */
void iswi_control_refuse(iswi_buffer *out, const isw_error *error);

/* Append {"member":"text"} and a line feed. */
void iswi_control_say(iswi_buffer *out, const char *member, const char *text);

#endif
