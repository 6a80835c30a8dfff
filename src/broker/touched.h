/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_TOUCHED_H
#define ISWI_BROKER_TOUCHED_H

/* The queues in which something may be ready that was not before: claims that wait for others need
 * not be tried. The names are those of the operations. The broker's thread. */
#include "broker/broker.h"

enum { ISWI_TOUCHED_MAX = 16 };

typedef struct iswi_touched {
    isw_str names[ISWI_TOUCHED_MAX];
    size_t count;
    bool all; /* also when there are more than have room */
} iswi_touched;

void iswi_touch_by(iswi_touched *queues, const iswi_broker_op *op);
bool iswi_is_touched(const iswi_touched *queues, isw_str name);

#endif
