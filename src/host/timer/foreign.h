/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TIMER_FOREIGN_H
#define ISWI_HOST_TIMER_FOREIGN_H

/* Timers of somebody else, who says when a function is to run: functions with the trigger "timer"
 * see such a run as they see ours. Any thread. */
#include "host/engine/trigger.h"

typedef struct iswi_foreign_run {
    int64_t scheduled_s;   /* when it was due, since 1970-01-01 UTC */
    int64_t deadline_ns;   /* 0: none but the function's own */
    iswi_wire_trace trace; /* what follows stays until the answer */
    isw_str request_id;
    const char *invocation_id; /* of the call, by iswi_call_name; NULL: it is given one */
    /* As iswi_answer_fn, from within perhaps. */
    void (*answer)(void *user, const iswi_answer *answer);
    void *user;
} iswi_foreign_run;

/* Run it. */
void iswi_timer_foreign_begin(iswi_host *host, const iswi_entry *entry,
                              const iswi_foreign_run *run);

/* "timer", for hosts whose clock is somebody else's: functions give the same properties, and nothing
 * is due by itself. */
extern const iswi_trigger iswi_timer_foreign_trigger;

#endif
