/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_BROKER_H
#define ISWI_BROKER_BROKER_H

/*
 * A broker: where the messages of queues lie from when they are put until they are done with, and
 * small records beside them, such as when a timer ran. SQLite, NATS JetStream and PostgreSQL are
 * drivers behind it (driver.h).
 *
 * What is wanted of it is an operation, which the caller makes, hands over and keeps in its place
 * until it is done. It is done once it is durable. Those that are there at the same moment become
 * durable together; each is whole, or not at all. Nothing is polled: whoever puts a message wakes
 * who waits for one.
 *
 * A message is delivered to one who claims it, and is that one's until it is settled. What was
 * claimed and not settled when its host ended is delivered again: at once, where the driver can see
 * that end (driver.h). Attempts count deliveries, written with the claim, so that a message that
 * ends its host is counted, too.
 *
 * Threads: any, but where it says otherwise. Times are milliseconds since 1970-01-01 UTC.
 */
#include "base/arena.h"

#include <isoworker/log.h>
#include <isoworker/status.h>
#include <isoworker/value.h>

typedef struct iswi_broker iswi_broker;

/* -- Messages ---------------------------------------------------------------------------------- */

enum {
    ISWI_QUEUE_NAME_MAX = 127,              /* a letter, then letters, digits, '_', '-' and '.' */
    ISWI_MESSAGE_ID_MAX = 255,
    ISWI_QUEUED_MAX_BYTES = 16 * 1024 * 1024,
    ISWI_BROKER_ITEMS_MAX = 1000,           /* of one operation, */
    ISWI_BROKER_OP_MAX_BYTES = 64 * 1024 * 1024, /* and what they have in all */
    ISWI_RECORD_NAME_MAX = 255,
    ISWI_RECORD_MAX_BYTES = 64 * 1024
};

/* Whether it may be a queue's. Pure. */
bool iswi_queue_is_name(isw_str name);

/* A message that is put; all views. Empty and 0: nothing of the kind. */
typedef struct iswi_queue_put {
    isw_str queue;
    isw_bytes body;
    isw_str content_type; /* "application/json", "text/plain"; empty: bytes */
    isw_str id;           /* of one that has it nothing more is put within the queue's window */
    isw_str key;          /* messages of one key are delivered one at a time, in their order */
    isw_str trace;        /* traceparent of what put it */
    int64_t delay_ms;     /* it is not delivered before */
    int64_t expires_ms;   /* so long after it was put it is delivered no more, but dead: "expired" */
    int priority;         /* of those that are due, the higher one comes first */
} iswi_queue_put;

typedef enum iswi_message_state {
    ISWI_MESSAGE_READY,
    ISWI_MESSAGE_DELAYED,
    ISWI_MESSAGE_CLAIMED,
    ISWI_MESSAGE_DEAD,
    ISWI_MESSAGE_STATES
} iswi_message_state;

/* A message as it is delivered or shown. It is freed by iswi_delivery_free, which does not settle
 * it. */
typedef struct iswi_delivery {
    iswi_arena arena; /* has all of it */
    isw_str queue, id, key, content_type, trace;
    isw_bytes body;
    iswi_message_state state;
    int priority;
    unsigned attempt;           /* 1: it is delivered for the first time */
    int64_t put_ms, due_ms;
    int64_t expires_ms;         /* when; 0: never */
    isw_str last_error;         /* why the last attempt came to nothing, or why it is dead */
    int64_t died_ms;            /* when; 0: it lives */
    uint64_t number;            /* of the driver: unique in its queue, and grows */
    void *handle;               /* of the driver; freed with it */
    void (*free_handle)(void *handle);
} iswi_delivery;

void iswi_delivery_free(iswi_delivery *delivery); /* NULL is allowed */

/* -- Operations -------------------------------------------------------------------------------- */

typedef enum iswi_broker_kind {
    ISWI_BROKER_DECLARE,
    ISWI_BROKER_PUT,
    ISWI_BROKER_CLAIM,
    ISWI_BROKER_SETTLE,
    ISWI_BROKER_LOOK,
    ISWI_BROKER_LIST,
    ISWI_BROKER_PURGE,
    ISWI_BROKER_REPLAY,
    ISWI_BROKER_PAUSE,
    ISWI_BROKER_RECORD_READ,
    ISWI_BROKER_RECORD_WRITE,
    ISWI_BROKER_RECORD_LIST
} iswi_broker_kind;

/* What a queue keeps to. Declared again, it keeps to that from then on. */
typedef struct iswi_queue_options {
    int64_t max_messages, max_bytes; /* that live; 0: any. Above, a put is ISW_E_BUSY */
    unsigned max_attempts;           /* deliveries, after which a message is dead; 0: any */
    int64_t window_ms;               /* for which an id is known */
    int64_t keep_dead_ms;            /* 0: for good */
    int64_t lease_ms; /* of drivers that cannot see a host's end: for so long a claim is its host's,
                         which renews it meanwhile */
} iswi_queue_options;

typedef enum iswi_verdict {
    ISWI_VERDICT_COMPLETE, /* it is done with */
    ISWI_VERDICT_ABANDON,  /* again, not before delay_ms; dead, if it has had its attempts */
    ISWI_VERDICT_DEFER,    /* the same, and this attempt does not count */
    ISWI_VERDICT_DEAD,     /* never again, by itself */
    ISWI_VERDICT_EXTEND    /* it is still claimed: of drivers with leases, for another one */
} iswi_verdict;

typedef struct iswi_settlement {
    iswi_delivery *delivery;
    iswi_verdict verdict;
    int64_t delay_ms;
    isw_str cause; /* of what is not complete */
    bool lost;     /* out: it was another's meanwhile; nothing was done with it, and nothing is to be */
    bool died;     /* out: it is dead now */
} iswi_settlement;

typedef struct iswi_broker_queue {
    isw_str name;
    bool paused;
    int64_t counts[ISWI_MESSAGE_STATES];
    int64_t bytes;        /* of those that live */
    int64_t oldest_ms;    /* when the first of those that are due came to be so; 0: there is none */
    int64_t next_due_ms;  /* of those that are delayed; 0: there is none */
    uint64_t put, completed, abandoned, died, duplicates; /* since the broker began */
} iswi_broker_queue;

/* For how long the first of those that are due has been so; 0, too, while the clock that said since
 * when is ahead of this one. */
static inline int64_t iswi_broker_age_ms(const iswi_broker_queue *queue, int64_t now_ms)
{
    return queue->oldest_ms && now_ms > queue->oldest_ms ? now_ms - queue->oldest_ms : 0;
}

/* Which messages: empty and 0: all. */
typedef struct iswi_message_filter {
    bool states[ISWI_MESSAGE_STATES]; /* none: all */
    isw_str id, key;
    int64_t before_ms; /* that were put before */
    uint64_t after;    /* number: those behind it */
} iswi_message_filter;

/* A record: a name, a small value, and a version that each change raises. */
typedef struct iswi_record {
    isw_str name;     /* "timer/report" */
    isw_bytes value;  /* up to 64 KiB; data NULL: there is none */
    uint64_t version; /* 0: there is none */
} iswi_record;

typedef struct iswi_broker_op iswi_broker_op;

/* It is done: op->error says how. On the broker's thread, with no lock held; must not block, and
 * may hand over others. The operation is the caller's again when it is called. Of a broker whose thread
 * could not be made, or that has ended, it is called by iswi_broker_submit. */
typedef void (*iswi_broker_done_fn)(iswi_broker_op *op);

struct iswi_broker_op {
    iswi_broker_kind kind;
    isw_str queue; /* of all but PUT, SETTLE and those of records. Of LOOK: empty: all */
    union {
        iswi_queue_options declare;
        struct {
            const iswi_queue_put *items;
            size_t count;
            size_t duplicates; /* out: of them, that were known, and are not put again */
        } put;
        /* Waits until there is one at least. The caller owns what it gets. */
        struct {
            size_t max;
            iswi_delivery **items; /* out: room for `max` */
            size_t count;          /* out */
        } claim;
        /* All of it or nothing, with what is put at the same time, but for drivers that cannot
         * (driver.h). Where all are lost nothing is put: it is another's to put now. Deliveries are
         * the caller's to free afterwards. */
        struct {
            iswi_settlement *items;
            size_t count;
            const iswi_queue_put *puts;
            size_t put_count;
        } settle;
        struct {
            iswi_arena *arena;
            iswi_broker_queue *items; /* out, in the arena, by name */
            size_t count;
        } look;
        struct {
            iswi_message_filter filter;
            size_t max;
            iswi_delivery **items; /* out: room for `max`; by number; state says where it is */
            size_t count;
        } list;
        /* At most `max` of them, so that others get their turn; again until `count` is less. Those
         * that are claimed stay. REPLAY: dead ones are ready again, with no attempt made. */
        struct {
            iswi_message_filter filter;
            size_t max;
            size_t count; /* out */
        } sweep;
        bool pause; /* nothing is claimed there until it is taken back; outlasts the host */
        /* READ fills value and version, in the arena. WRITE: only if `version` is that of the one
         * that is there (0: there is none), else ISW_E_CONFLICT; raises it, there, too. No data:
         * remove it.
         * LIST: whose names begin with record.name. */
        struct {
            iswi_record record;
            iswi_arena *arena;
            iswi_record *items;
            size_t count;
        } record;
    } as;
    isw_error error; /* out: ISW_OK; ISW_E_NOT_FOUND for a queue that was not declared or a record,
                        ISW_E_INVALID, ISW_E_TOO_LARGE, ISW_E_BUSY (full), ISW_E_CONFLICT,
                        ISW_E_CANCELLED (recalled), ISW_E_CLOSED (the broker ends),
                        ISW_E_UNAVAILABLE (a server cannot be reached, or a disk is full, say),
                        ISW_E_NO_MEMORY. After the last two it may be that it was done all the
                        same; they are not for a CLAIM, SETTLE and DECLARE, which the broker tries
                        again until it can or ends */
    iswi_broker_done_fn done;
    void *user;
    /* The broker's: */
    iswi_broker_op *next;
    bool recalled;
    bool tried; /* a CLAIM found nothing, and waits for what changes that; another one failed, and
                   nobody knows what came of it */
};

/* -- A broker ---------------------------------------------------------------------------------- */

/* `place`: "sqlite:PATH" (relative to `folder`), "nats://HOST:PORT", "postgresql://USER@HOST/NAME",
 * and what else a driver's scheme takes. */
typedef struct iswi_broker_options {
    const char *place, *folder; /* both borrowed */
    const char *host;           /* whose claims are its; "": a random name */
    int64_t patience_ms; /* since it cannot be reached: for so long what was not begun waits for it. 0:
                            that is ISW_E_UNAVAILABLE at once */
    /* A line about the broker itself, such as that its server is gone. On its thread. */
    void (*say)(void *user, isw_log_level level, const char *sentence);
    /* Of drivers that see a host's end by a lock: this descriptor has it, the driver's, for as long
     * as the broker is. A process that outlives the host, to end those that run what was claimed,
     * keeps a duplicate: what was claimed is delivered again once that is closed, too. On the
     * broker's thread, when the place is open, before the first operation is done. NULL: the host's
     * end will do. */
    void (*lock)(void *user, int descriptor);
    void *user;
} iswi_broker_options;

/* Whether it is one that a driver knows, and can be where it lies on this machine: relative to
 * `folder`, or anywhere if that is NULL. Errors: ISW_E_CONFIG, which says what is wrong with it and
 * which there are, ISW_E_UNSUPPORTED for one that this build is without, with the package. */
isw_status iswi_broker_check(const char *place, const char *folder, isw_error *error);

/* Nothing is opened and no thread made before the first operation. Errors: as check,
 * ISW_E_NO_MEMORY. */
isw_status iswi_broker_create(const iswi_broker_options *options, iswi_broker **out,
                              isw_error *error);

/* Ends what waits with ISW_E_CLOSED, does what came before it, and closes; what is submitted from
 * then on is ISW_E_CLOSED at once. Blocks until then; not on its thread. NULL is allowed. */
void iswi_broker_end(iswi_broker *broker);

/* The same, if that was not done, and free it. NULL is allowed. */
void iswi_broker_destroy(iswi_broker *broker);

void iswi_broker_submit(iswi_broker *broker, iswi_broker_op *op);

/* A claim that need not wait any longer: it is done soon, with what it has got in that moment or
 * with ISW_E_CANCELLED. Nothing happens to one that is done. */
void iswi_broker_recall(iswi_broker *broker, iswi_broker_op *op);

/* Submit, and wait for it; not on the broker's thread. Returns op->error.status. `done` is not
 * called. */
isw_status iswi_broker_run(iswi_broker *broker, iswi_broker_op *op);

/* Whether somebody has wanted something of it, so that it may be open. */
bool iswi_broker_is_begun(iswi_broker *broker);

/* Whether operations get through; else *error says what is in the way, and since when. */
bool iswi_broker_is_well(iswi_broker *broker, isw_error *error);

/* "sqlite", "nats"; and what it can do. Static. */
const char *iswi_broker_scheme(const iswi_broker *broker);
unsigned iswi_broker_abilities(const iswi_broker *broker); /* driver.h */

#endif
