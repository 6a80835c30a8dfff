/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_WARMUP_TRIGGER_H
#define ISWI_HOST_WARMUP_TRIGGER_H

/* Functions that run in each process before that gets calls: ISW_WARMUP. */
#include "host/engine/trigger.h"

extern const iswi_trigger iswi_warmup_trigger;

#endif
