/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_MESSAGE_SHOWN_H
#define ISWI_HOST_OPERATE_MESSAGE_SHOWN_H

/* A message as operators see it. Pure; any thread. */
#include "base/arena.h"
#include "broker/broker.h"
#include "host/operate/report.h"

/* Names of the states (iswi_message_state); ends with NULL. */
extern const char *const iswi_message_states[];

/* Views of the message and of the arena; without memory some of it is left out. */
iswi_report_message iswi_message_shown(const iswi_delivery *item, iswi_arena *arena);

#endif
