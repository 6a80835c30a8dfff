/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_QUEUE_QUEUE_H
#define ISWI_HOST_QUEUE_QUEUE_H

/* Queues: ISW_QUEUE("orders") as a trigger, { "out", "queue", ISW_OUT } as an output. */
#include "host/engine/sink.h"
#include "host/engine/trigger.h"

/* What a function says, with this trigger: what its queue is called, how many messages one call of
 * it gets at most, and how many calls it may have at a time as its worker is now. Any thread. */
const char *iswi_queue_of(const iswi_entry *entry);
size_t iswi_queue_batch(const iswi_entry *entry);
size_t iswi_queue_calls(const iswi_entry *entry);

extern const iswi_trigger iswi_queue_trigger;
extern const iswi_sink iswi_queue_sink;

#endif
