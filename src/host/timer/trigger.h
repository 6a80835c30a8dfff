/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TIMER_TRIGGER_H
#define ISWI_HOST_TIMER_TRIGGER_H

/* The timer trigger: functions that run when it is time. */
#include "host/engine/trigger.h"

extern const iswi_trigger iswi_timer_trigger;

#endif
