/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TIMER_STATE_H
#define ISWI_HOST_TIMER_STATE_H

/*
 * Where timers have what they know of themselves: a small record of each, written before and after
 * each run. It outlives the host where the store does; several hosts may have one store, of which
 * the record then decides who runs.
 */
#include "broker/broker.h"

#include <isoworker/status.h>
#include <isoworker/value.h>

enum { ISWI_TIMER_NAME_BYTES = 136 }; /* "timer/" and a function's name */

/* Of a timer, as it lies there. Texts are never NULL; times are since 1970-01-01 UTC, 0: none. */
typedef struct iswi_timer_record {
    const char *schedule, *zone;
    int64_t next_s;      /* when it is due */
    bool paused;
    bool runs;           /* it was begun, and nobody has seen its end */
    const char *owner;   /* the host that runs it, */
    int64_t lease_ms;    /* and until when, unless it renews that */
    int64_t scheduled_s; /* of the last run: when it was due, */
    int64_t attempt;     /* how often it was begun, */
    int64_t started_ms, ended_ms;
    const char *outcome; /* "success", "failed", "lost"; "": none has ended */
    const char *error;   /* why, in short */
    int64_t run_count, failure_count, missed_count;
} iswi_timer_record;

/* As text, in the arena; NULL: no memory. */
isw_str iswi_timer_record_write(const iswi_timer_record *record, iswi_arena *arena);

/* ISW_E_INVALID: it is none. */
isw_status iswi_timer_record_read(isw_str text, iswi_arena *arena, iswi_timer_record *out,
                                  isw_error *error);

/* It is read or written: `error` says how. Of a read, `text` is what is there, empty if nothing,
 * and borrowed; `version` is that of what is there now. Any thread, perhaps before the call that
 * asked for it returns. */
typedef void (*iswi_timer_state_fn)(void *user, const isw_error *error, isw_str text,
                                    uint64_t version);

typedef struct iswi_timer_store {
    bool shared; /* other hosts may have it, too */
    void (*read)(struct iswi_timer_store *store, const char *name, iswi_timer_state_fn done,
                 void *user);
    /* Only if what is there has that version, 0 for nothing: else ISW_E_CONFLICT. */
    void (*write)(struct iswi_timer_store *store, const char *name, isw_str text, uint64_t version,
                  iswi_timer_state_fn done, void *user);
    void (*close)(struct iswi_timer_store *store); /* nothing is under way */
} iswi_timer_store;

/* In memory: it ends with the host. NULL: no memory. */
iswi_timer_store *iswi_timer_memory_store(void);

/* Where messages lie, in a broker that has records; it lives longer. NULL: no memory. */
iswi_timer_store *iswi_timer_broker_store(iswi_broker *broker);

#endif
