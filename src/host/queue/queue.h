/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_QUEUE_QUEUE_H
#define ISWI_HOST_QUEUE_QUEUE_H

/* Queues: ISW_QUEUE("orders") as a trigger, { "out", "queue", ISW_OUT } as an output. */
#include "broker/broker.h"
#include "host/engine/sink.h"
#include "host/engine/trigger.h"

/* What a function says, with this trigger: what its queue is called, how many messages one call of
 * it gets at most, and how many calls it may have at a time as its worker is now. Any thread. */
const char *iswi_queue_of(const iswi_entry *entry);
size_t iswi_queue_batch(const iswi_entry *entry);
size_t iswi_queue_calls(const iswi_entry *entry);

extern const iswi_trigger iswi_queue_trigger;
extern const iswi_sink iswi_queue_sink;

/* -- For sinks that keep what they are given in queues of the host's own ----------------------- */

/* How the names of those begin; a function's queue cannot. */
#define ISWI_QUEUE_OF_REQUESTS "http."
#define ISWI_QUEUE_OF_FILES "file."

/* What a queue of that name keeps to. */
void iswi_queue_options_of(const iswi_host *host, const char *queue, iswi_queue_options *out);

/* The first half of what follows: take what "$queue" says, and have *value be the value itself.
 * Errors: ISW_E_INVALID. */
isw_status iswi_queue_unwrap(const isw_value **value, iswi_queue_put *out, isw_error *error);

/* `value` as a message; in the arena, or of the value. Errors: ISW_E_INVALID for what cannot be one,
 * ISW_E_TOO_LARGE. */
isw_status iswi_queue_message(const isw_value *value, iswi_arena *arena, iswi_queue_put *out,
                              isw_error *error);

/* Keep a copy of a message in *box, which is made if it is NULL: beside what the call puts into other
 * queues. Errors: ISW_E_TOO_LARGE, ISW_E_NO_MEMORY. */
isw_status iswi_queue_outbox_add(iswi_broker *broker, const iswi_queue_put *message,
                                 iswi_outbox **box, isw_error *error);

#endif
