/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_QUEUE_H
#define ISOWORKER_QUEUE_H

/*
 * Queues: messages that a function gets (ISW_QUEUE of function.h) and that any function puts. They
 * lie where `queues.store` of host.yaml says. A message is delivered at least once, and never to two
 * at once; it is done with when its function has succeeded, and tried again later when it has not,
 * so often as `queues.max_attempts` says. Then it is dead, and `isoworker queue` shows and replays
 * it. That its process crashes counts as an attempt, too, unless it was another invocation that has
 * crashed it, or had it killed since it did not end: that does not count, up to five times in a row.
 *
 *     static isw_status store(isw_context *ctx)        the trigger is the message's body
 *     {
 *         isw_value receipt = isw_value_string("stored");
 *
 *         if (isw_bind_payload(ctx, "order", order_fields, &order) != ISW_OK)
 *             return ISW_E_INVALID;
 *         return isw_queue_put(ctx, "receipts", &receipt, NULL);
 *     }
 *
 * What a function puts is put when it succeeds, all of it, and nothing when it does not. Where the
 * function was given a message, and the store can do so (SQLite, PostgreSQL), that one is done with
 * in the same step. An HTTP function is answered when what it has put is durable.
 *
 * The semantics are those of Azure Storage queues (dequeue count, poison messages), and those of AWS
 * SQS with Lambda for batches (batchItemFailures), but for time: a message is given to another when
 * its process has ended, not when some time is over. Where a store cannot see that a host ended
 * (NATS) others have what it was given after the lease of host.yaml.
 *
 * On the invocation's thread; what is handed out lives as long as the invocation.
 */
#include <isoworker/context.h>

ISW_BEGIN_DECLS

/* -- Getting ----------------------------------------------------------------------------------- */

/* A message that the function was given. */
typedef struct isw_queue_message {
    isw_str id;   /* unique in its queue, or what who put it said */
    isw_str queue, key, content_type, last_error; /* empty where there is none */
    const isw_value *body; /* JSON and text as such, by its content type; else bytes */
    uint32_t dequeue_count, max_dequeue_count; /* 1: the first time; the other 0: any */
    int32_t priority;
    int64_t inserted_ms; /* since 1970-01-01 UTC */
    int64_t expires_ms;  /* likewise; 0: never */
} isw_queue_message;

/* How many: one, or as many as the batch has (trigger property batch_size); 0 for a function that
 * neither a queue nor files (ISW_FILE) trigger. */
ISW_API size_t isw_queue_count(const isw_context *ctx);

/* The message `index`. Errors: ISW_E_NOT_FOUND, recorded on ctx; *out is zero then. */
ISW_API isw_status isw_queue_message_at(isw_context *ctx, size_t index, isw_queue_message *out);

/* -- Settling ---------------------------------------------------------------------------------- */

typedef enum isw_queue_verdict {
    ISW_QUEUE_COMPLETE = 0,    /* it is done with, whatever becomes of the invocation */
    ISW_QUEUE_ABANDON = 1,     /* it is tried again, after delay_ms */
    ISW_QUEUE_DEFER = 2,       /* the same, and this attempt does not count */
    ISW_QUEUE_DEAD_LETTER = 3, /* it is never tried again by itself */
    ISW_QUEUE_EXTEND = 4       /* it takes longer: of stores with a lease, which the host renews by
                                  itself */
} isw_queue_verdict;

/* A batch that fails as a whole, since its function fails or its process ends, is an attempt of each of
 * its messages, also of those that were worked off, and has "its batch of N failed: ..." as the reason
 * of each. They come again one by one, so that one that is bad takes no other along; what others did
 * before that they do twice. To spare them that, settle each as soon as it is done (below), or succeed
 * with the result { "batchItemFailures": [{ "itemIdentifier": ID or index }] }, which names those that
 * failed.
 *
 * Say at once what becomes of message `index`, instead of what the end of the invocation says: of a
 * batch each is settled so that is not to share the others' end. `reason` (NULL: none) is kept with
 * what is tried again or dead. Errors: ISW_E_NOT_FOUND for an index that is none, those of
 * isw_context_emit. */
ISW_API isw_status isw_queue_settle(isw_context *ctx, size_t index, isw_queue_verdict verdict,
                                    uint32_t delay_ms, const char *reason);

/* -- Putting ----------------------------------------------------------------------------------- */

/* Zero and NULL: nothing of the kind. */
typedef struct isw_queue_options {
    const char *id;  /* of one that has it nothing more is put within the queue's window; up to 255
                        bytes */
    const char *key; /* likewise; messages of one key are delivered one at a time, in their order; a store
                        without keys (NATS) refuses it: ISW_E_UNSUPPORTED */
    uint32_t delay_ms;   /* it is not delivered before; that a clock is set back makes it no longer,
                            but for a host that begins behind the time of who has put it */
    uint32_t expires_ms; /* after that it is not delivered, but dead */
    int32_t priority;    /* -100 to 100: the higher one first; other than 0 as a key */
} isw_queue_options;

/* Put a message by the output `output`, which is declared as { "name", "queue", ISW_OUT, properties }
 * with the property "queue", or has the type "http", whose messages are requests that the host sends,
 * with the id as their webhook-id. Outputs of the types "file" and "log" write the body; options mean
 * nothing there. A body of text or JSON is that, bytes are bytes, others become JSON; up to 16 MiB.
 * Texts are copied. Errors: those of isw_context_emit, ISW_E_INVALID, recorded on ctx, for a priority
 * beyond its range, and for an id or a key of more than 255 bytes. What cannot be a message, and what
 * the queue itself refuses, such as one message more than `queues.max_messages`, is the invocation's
 * failure: its caller is answered 500 for the former. */
ISW_API isw_status isw_queue_put(isw_context *ctx, const char *output, const isw_value *body,
                                 const isw_queue_options *options);

ISW_END_DECLS

#endif
