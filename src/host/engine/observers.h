/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_OBSERVERS_H
#define ISWI_HOST_ENGINE_OBSERVERS_H

/* Telling all observers of a host; as each hook of observer.h says. Inside the engine. */
#include "host/engine/observer.h"

typedef struct iswi_observing {
    const iswi_observer *observer;
    void *user;
} iswi_observing;

/* Part of a host; written by observers.c alone. */
typedef struct iswi_observers {
    iswi_observing items[ISWI_OBSERVERS_MAX];
    size_t count;
    bool look_at_answers; /* one has `answered` */
    bool look_at_calls;   /* one has `begins` */
    bool look_at_outputs; /* one asks for them */
} iswi_observers;

isw_status iswi_observe_spawns(iswi_process *process, iswi_spawn_options *options,
                               isw_error *error);
void iswi_observe_ended(iswi_process *process);
void iswi_observe_blame(iswi_process *process, char invocation_id[33]);
void iswi_observe_buried(iswi_process *process);
void iswi_observe_started(iswi_process *process);
void iswi_observe_ready(iswi_process *process);
void iswi_observe_over(iswi_process *process, bool given_up);
/* Have all of them prepare, or none; and have them take that, or drop it. Errors: as theirs. */
isw_status iswi_observers_prepare(const iswi_observers *all, const iswi_host_settings *settings,
                                  isw_error *error);
void iswi_observers_renew(const iswi_observers *all, bool take);

/* As the hooks say. False: one has no memory. */
void iswi_observe_opens(iswi_host *host);
bool iswi_observe_gives(iswi_host *host, iswi_legacy *legacy);
void iswi_observe_leaves(iswi_host *host);

void iswi_observe_silent(iswi_process *process);
void iswi_observe_settled(iswi_host *host);
void iswi_observe_turn(iswi_host *host, int64_t now_ns, int64_t *next_ns);
void iswi_observe_begins(const iswi_observers *all, iswi_call *call);
void iswi_observe_answered(const iswi_observers *all, const iswi_call *call,
                           const iswi_answer *answer);

/* Which observers' capabilities a worker's hello names: a bit each. */
unsigned iswi_observe_greeted(iswi_process *process, const isw_pairs *capabilities);

/* Append those of the bits; there is room for ISWI_OBSERVERS_MAX. */
size_t iswi_observers_capabilities(const iswi_observers *all, unsigned named, isw_pair *out);

/* Who takes frames of that kind; NULL: nobody. */
const iswi_observing *iswi_observers_of(const iswi_observers *all, uint64_t kind);

void iswi_observers_stop(const iswi_observers *all);
void iswi_observers_destroy(iswi_observers *all);

#endif
