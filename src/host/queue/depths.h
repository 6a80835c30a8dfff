/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_QUEUE_DEPTHS_H
#define ISWI_HOST_QUEUE_DEPTHS_H

/* How much there is in all queues, for the status and the metrics. */
#include "broker/broker.h"
#include "host/engine/trigger.h"

typedef struct iswi_depths iswi_depths;

/* NULL: no memory. */
iswi_depths *iswi_depths_create(iswi_broker *broker);

/* The broker has called all back. NULL is allowed. */
void iswi_depths_destroy(iswi_depths *depths);

/* Tell of them: as they are now or, where the broker takes longer than a moment, as they were when it
 * was asked last. Nothing where nobody has used it. Any thread; waits for that moment. */
void iswi_depths_rows(iswi_depths *depths, iswi_trigger_row_fn row, void *user);

/* A sentence for each that is full, of those that have a bound. The same; where none has one nothing
 * is asked. */
void iswi_depths_attend(iswi_depths *depths, const iswi_host *host, iswi_trigger_attend_fn add,
                        void *user);

#endif
