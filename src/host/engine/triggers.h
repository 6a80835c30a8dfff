/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_TRIGGERS_H
#define ISWI_HOST_ENGINE_TRIGGERS_H

/* The triggers of a host: telling all of them, as each hook of trigger.h says. */
#include "host/engine/trigger.h"

typedef struct iswi_triggering {
    const iswi_trigger *trigger;
    void *self;
} iswi_triggering;

/* Part of a host; written by triggers.c alone. */
typedef struct iswi_triggers {
    iswi_trigger_list list;
    iswi_triggering items[ISWI_TRIGGERS_MAX]; /* that were started, in the order of the list */
    size_t count;
    unsigned asked; /* iswi_reloads.asked when they were tended last */
    bool published; /* they have heard of functions, or that there are none */
    iswi_more more; /* as they heard last */
} iswi_triggers;

/* Start the next one of the list, which is `trigger`. Errors: as its start. */
isw_status iswi_triggers_start(iswi_triggers *all, const iswi_trigger *trigger,
                               const iswi_trigger_start *with, isw_error *error);

void iswi_triggers_open(iswi_triggers *all);
bool iswi_triggers_give(const iswi_triggers *all, iswi_legacy *legacy);
void iswi_triggers_leave(iswi_triggers *all);
void iswi_triggers_hand_on(const iswi_triggers *all, iswi_legacy *legacy);
void iswi_triggers_adopt(const iswi_triggers *all, iswi_legacy *legacy);
size_t iswi_triggers_visitors(const iswi_triggers *all);

/* Have all of them prepare for these settings, or none; and have them take that, or drop it. Errors:
 * as their prepare, with the place in `config` for an address. */
isw_status iswi_triggers_prepare(iswi_host *host, iswi_config *config,
                                 const iswi_host_settings *settings, isw_error *error);
void iswi_triggers_renew(iswi_triggers *all, bool take);

/* A failure to listen, told at the place of the address in that group. */
isw_status iswi_triggers_place(iswi_config *config, const char *group, const isw_error *own,
                               isw_error *error);

void iswi_triggers_hold(iswi_triggers *all, bool on);
void iswi_triggers_tend(iswi_host *host, int64_t now_ns, int64_t *next_ns);
void iswi_triggers_quiesce(iswi_triggers *all);
size_t iswi_triggers_admitted(const iswi_triggers *all);
void iswi_triggers_stop(iswi_triggers *all); /* the last one first */

/* Which trigger a function that was made just now is for, and by which properties; what is wrong
 * with them is said, and the function not served. False: no memory. The supervisor's thread. */
bool iswi_triggers_take(iswi_host *host, iswi_host_function *function);

/* Give each trigger the functions of its type that are known now. `more`: some are not. The
 * supervisor's thread. */
void iswi_triggers_publish(iswi_host *host, iswi_more more);

#endif
