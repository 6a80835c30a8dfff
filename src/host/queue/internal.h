/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_QUEUE_INTERNAL_H
#define ISWI_HOST_QUEUE_INTERNAL_H

/*
 * A message's way: claimed by the consumer of a function, delivered with a call, settled by its
 * answer. A consumer's lock is taken before nothing else; what the broker calls back comes on its
 * thread, what the engine does on any.
 */
#include "broker/broker.h"
#include "host/engine/call.h"
#include "host/queue/feed.h"
#include "host/queue/queue.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ISWI_CLAIM_MAX = 64 /* that are claimed at once, for calls of one each */ };

/* -- What functions and host.yaml say ---------------------------------------------------------- */

/* Properties of the trigger of queues. */
typedef struct iswi_queue_properties {
    iswi_feed_properties feed; /* first */
    const char *queue;         /* NULL: the function's name */
} iswi_queue_properties;

/* options.c: how the trigger of queues feeds functions. */
extern const iswi_feed_kind iswi_queue_kind;

/* Whether it may be a function's queue. Errors: ISW_E_CONFIG, as the end of a sentence. */
isw_status iswi_queue_name_check(const char *name, isw_error *error);

/* retry.c: how long after attempt number `attempt` (1: the first) the next one is made. */
int64_t iswi_queue_retry_ms(const iswi_feed_properties *properties, unsigned attempt);

/* -- Consumers --------------------------------------------------------------------------------- */

enum { ISWI_WAIT_BUCKETS = 14, ISWI_ATTEMPT_BUCKETS = 6 };

/* What has become of messages, since the host began. */
typedef struct iswi_message_counts {
    atomic_ullong completed, abandoned, deferred, dead, lost;
    atomic_ullong waited_ms; /* from when they were due until they were delivered, and by how long */
    atomic_ullong waits[ISWI_WAIT_BUCKETS];
    atomic_ullong attempts_sum; /* of those that were completed, or died; and by how many */
    atomic_ullong attempts[ISWI_ATTEMPT_BUCKETS];
} iswi_message_counts;

/* One function with a queue. Lives as long as its trigger. */
typedef struct iswi_consumer {
    iswi_host *host;
    iswi_broker *broker;
    const iswi_entry *entry;
    const iswi_feed_properties *properties;
    const iswi_feed_kind *kind;
    void *user; /* of `kind` */
    char queue[ISWI_QUEUE_NAME_MAX + 1];
    unsigned max_attempts;
    iswi_message_counts counts;
    struct iswi_consumer *next; /* of its trigger */
    void (*pump)(struct iswi_consumer *consumer); /* iswi_consumer_pump, for those below */

    pthread_mutex_t lock; /* guards what follows */
    bool served;   /* it is in the set that was published last */
    bool held;     /* it takes nothing new */
    bool claiming; /* the operation below is the broker's */
    bool declared;
    unsigned calls;    /* that have begun and are not settled */
    size_t messages;   /* likewise */
    iswi_broker_op declare, claim, look;
    bool looking;          /* the last of them is the broker's */
    int64_t looked_ns;     /* when that was */
    iswi_arena look_arena; /* its */
    iswi_delivery **claimed; /* room for what one claim gets */
    struct iswi_delivered *unsettled; /* what the broker could not settle: again at retry_ns */
    int64_t retry_ns;
    size_t batched;       /* of `claimed`, when a batch is gathered */
    bool rest;            /* they are behind a call that others of them have, and wait for room */
    int64_t batch_end_ns; /* it is taken as it is then; 0: nobody waits */
} iswi_consumer;

iswi_consumer *iswi_consumer_create(iswi_host *host, const iswi_entry *entry,
                                    const iswi_feed_kind *kind, void *user);
/* What it is of, and what that says: for one that is zeroed. */
void iswi_consumer_of(iswi_consumer *consumer, const iswi_entry *entry,
                      const iswi_feed_kind *kind);

void iswi_consumer_destroy(iswi_consumer *consumer); /* nothing of it is anywhere any more */

void iswi_consumer_serve(iswi_consumer *consumer, bool on); /* it is published, or not */
void iswi_consumer_hold(iswi_consumer *consumer, bool on);

/* Claim as much as there is room for, if any. No lock held. */
void iswi_consumer_pump(iswi_consumer *consumer);

/* Its messages that are somewhere between the broker and their end. */
size_t iswi_consumer_busy(iswi_consumer *consumer);

/* What is to be done at times; the supervisor's thread. */
void iswi_consumer_tend(iswi_consumer *consumer, int64_t now_ns, int64_t *next_ns);

/* backlog.c: its claim has got all that it asked for, and there is no room for more: see how much is
 * left, now and then. No lock held. */
void iswi_consumer_look(iswi_consumer *consumer);

/* batch.c: what a claim got is more of a batch. With the lock. True: it is to be delivered now. */
bool iswi_batch_add(iswi_consumer *consumer, size_t count, int64_t now_ns);

/* How the reason of those begins whose call failed as a whole, for a function that takes batches. */
#define ISWI_BATCH_FAILED "its batch of "

/* How many of those that were gathered, from the first on, the next call gets: one that has failed
 * with its batch comes alone. With the lock. */
size_t iswi_batch_next(const iswi_consumer *consumer);

/* -- Deliveries -------------------------------------------------------------------------------- */

/* What the function has said of one of its messages. */
typedef struct iswi_said {
    bool is;
    iswi_verdict verdict;
    int64_t delay_ms;
    const char *cause; /* in the arena of what was delivered; "" */
} iswi_said;

/* Messages that are with one call. */
typedef struct iswi_delivered {
    iswi_consumer *consumer; /* its broker NULL: they lie elsewhere (foreign.h), and are settled there
                                by the answer alone */
    iswi_arena arena; /* of what is made of them */
    iswi_delivery **items;
    const isw_map *more; /* what else is known of each; NULL: nothing */
    iswi_said *said; /* for each; while it runs with its process's lock */
    size_t count;
    iswi_settlement *settlements;
    iswi_broker_op settle;
    iswi_outbox *outbox; /* what its function put out; NULL: nothing */
    struct iswi_delivered *next;
} iswi_delivered;

/* delivered.c: a call's, which has them as its own then; NULL: no memory. And its end. */
iswi_delivered *iswi_delivered_create(iswi_consumer *consumer, iswi_delivery **items, size_t count);
void iswi_delivered_destroy(iswi_delivered *delivered);

/* delivered.c: have its function called with these, which are its own from here on. */
void iswi_deliver(iswi_consumer *consumer, iswi_delivery **items, size_t count);

/* Give back what no call was begun with. */
void iswi_give_back(iswi_consumer *consumer, iswi_delivery **items, size_t count);

/* Ask the broker once more to settle. */
void iswi_delivered_settle(iswi_delivered *delivered);

/* values.c: fill the trigger's value and metadata of a call, in the arena. False: no memory. */
bool iswi_queue_values(const iswi_delivered *delivered, iswi_arena *arena, iswi_call *call);

/* made_up.c: the same with one that somebody made up, which nobody keeps. As make_up of trigger.h. */
isw_status iswi_queue_make_up(const iswi_feed_kind *kind, const iswi_entry *entry,
                              unsigned max_attempts, const iswi_made_up *event,
                              iswi_arena *arena, iswi_call *call, isw_error *error);

/* counts.c: messages that are given to a function now; what has become of one, and whether it is
 * done with. */
void iswi_counts_delivered(iswi_message_counts *counts, iswi_delivery *const *items, size_t count);
void iswi_counts_settled(iswi_message_counts *counts, const iswi_settlement *settlement);
bool iswi_counts_is_completed(const iswi_settlement *settlement);

/* Tell of all consumers from `first` on, of a trigger of that type. */
void iswi_counts_rows(const char *type, iswi_consumer *first, iswi_trigger_row_fn row, void *user);

/* settled.c: what has become of a message, for the counters and the log. */
void iswi_settled_tell(iswi_consumer *consumer, const iswi_settlement *settlement);

/* told.c: the event of iswi_call_events. `user` is what was delivered. */
void iswi_queue_told(void *user, isw_str name, const isw_value *value);

/* verdict.c: fill the settlements of all that was not settled before. */
void iswi_queue_judge(iswi_delivered *delivered, const iswi_answer *answer);

/* -- What is put ------------------------------------------------------------------------------- */

/* outbox.c: what a call has put out to queues. */
bool iswi_queue_is_outbox(const iswi_outbox *box);
const iswi_queue_put *iswi_queue_outbox_puts(const iswi_outbox *box, size_t *count);

#endif
