/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_QUEUE_FOREIGN_H
#define ISWI_HOST_QUEUE_FOREIGN_H

/*
 * Messages that lie in the queues of somebody else, who hands some of them over and wants to know
 * what has become of each. Functions with the trigger "queue" see them as they see ours, and answer
 * for them in the same way (verdict.c). Any thread.
 */
#include "broker/broker.h"
#include "host/engine/trigger.h"

/* Of one call. What it points to stays until it is done. */
typedef struct iswi_foreign_messages {
    iswi_delivery **items; /* the call's own from now on */
    size_t count;          /* iswi_queue_batch at most */
    const isw_map *more;   /* what else the function is told of each; NULL: nothing */
    unsigned max_attempts; /* of each, as somebody else has it; 0: nobody knows */
    int64_t deadline_ns;   /* 0: none but the function's own */
    iswi_wire_trace trace; /* of a message that has none itself */
    isw_str request_id;    /* for the log; may be empty */
    const char *invocation_id; /* of the call, by iswi_call_name; NULL: it is given one */
    /* What the function gave back with a success, before they are settled. NULL: nobody asks. */
    void (*result)(void *user, const isw_value *result);
    /* What is to become of them, of each once, and mostly of all in one go; on any thread, perhaps
     * from within iswi_queue_foreign_begin. */
    void (*settled)(void *user, const iswi_settlement *settlements, size_t count);
    void *user;
} iswi_foreign_messages;

/* Have the function called with these. */
void iswi_queue_foreign_begin(iswi_host *host, const iswi_entry *entry,
                              const iswi_foreign_messages *messages);

/* "queue", for hosts whose queues are somebody else's: functions give the same properties, of which
 * nothing is fetched by itself. */
extern const iswi_trigger iswi_queue_foreign_trigger;

#endif
