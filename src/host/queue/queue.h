/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_QUEUE_QUEUE_H
#define ISWI_HOST_QUEUE_QUEUE_H

/* Queues: ISW_QUEUE("orders") as a trigger, { "out", "queue", ISW_OUT } as an output. */
#include "host/engine/sink.h"
#include "host/engine/trigger.h"

extern const iswi_trigger iswi_queue_trigger;
extern const iswi_sink iswi_queue_sink;

#endif
