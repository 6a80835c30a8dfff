/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_MESSAGES_H
#define ISWI_HOST_OPERATE_MESSAGES_H

/* What operators ask about queues: each is one or more operations of the broker, whose thread does
 * them, and lines of JSON that come of it (report.h). */
#include "base/buffer.h"
#include "host/operate/report.h"

#include <isoworker/bind.h>

typedef struct iswi_host iswi_host;

/* Text that is NULL and 0: not said. */
typedef struct iswi_messages_asked {
    int64_t action;
    const char *queue, *id, *key, *state; /* state: ready, delayed, claimed, dead */
    int64_t older_ms; /* put so long ago at least */
    int64_t limit;    /* messages at most; 0: all */
    isw_bytes body;
    const char *body_base64; /* the same where it is no text; control_request.c reads it */
    const char *content_type; /* NULL: text, or bytes where it is none */
    int64_t delay_ms, expires_ms, priority;
    bool together; /* messages that are shown are one line, as far as one operation has them */
} iswi_messages_asked;

enum { ISWI_MESSAGES_SHOWN = 20 }; /* where nobody says how many */

typedef struct iswi_messages iswi_messages;

/* Begin; what `asked` points to is copied. Errors: ISW_E_INVALID for what is
 * missing, ISW_E_NO_MEMORY. */
isw_status iswi_messages_begin(iswi_host *host, const iswi_messages_asked *asked,
                               iswi_messages **out, isw_error *error);

/* Append the lines that are there now. True: that was all; the last one says how it went, or there
 * is none and `error` says why it came to nothing. One thread at a time. */
bool iswi_messages_tell(iswi_messages *messages, iswi_buffer *out, isw_error *error);

/* Nobody waits for it any more; what was begun is done. */
void iswi_messages_leave(iswi_messages *messages);

#endif
