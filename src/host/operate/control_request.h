/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_CONTROL_REQUEST_H
#define ISWI_HOST_OPERATE_CONTROL_REQUEST_H

/* What a client of the control socket asks for: one line of JSON. Pure; any thread. */
#include "base/arena.h"
#include "host/engine/trigger.h"
#include "host/operate/messages.h"

#include <isoworker/status.h>
#include <isoworker/value.h>

typedef enum iswi_control_command {
    ISWI_CONTROL_STATUS,
    ISWI_CONTROL_READY,
    ISWI_CONTROL_DRAIN,
    ISWI_CONTROL_RESUME,
    ISWI_CONTROL_RESTART,
    ISWI_CONTROL_LOGS,
    ISWI_CONTROL_UPGRADE,
    ISWI_CONTROL_SUCCEED,
    ISWI_CONTROL_QUEUE,
    ISWI_CONTROL_TRIGGER,
    ISWI_CONTROL_INVOKE
} iswi_control_command;

/* An event that somebody made up, as it is asked for: values and pairs as typed.h has them. */
typedef struct iswi_event_asked {
    isw_value data, params, query, headers; /* none: not said */
    const char *content_type, *method;
} iswi_event_asked;

typedef struct iswi_control_request {
    int64_t command; /* iswi_control_command */
    int64_t wait_ms;
    bool follow;
    const char *worker, *why;
    const char *type, *verb, *name; /* of a trigger's command */
    const char *level, *function, *category, *invocation;
    int64_t lines;
    iswi_messages_asked messages;
    iswi_event_asked event;
    iswi_made_up made_up; /* that, read */
} iswi_control_request;

/* Errors: ISW_E_INVALID, ISW_E_NO_MEMORY. */
isw_status iswi_control_request_read(iswi_arena *arena, isw_str line, iswi_control_request *out,
                                     isw_error *error);

#endif
