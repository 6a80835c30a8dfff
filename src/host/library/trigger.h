/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_LIBRARY_TRIGGER_H
#define ISWI_HOST_LIBRARY_TRIGGER_H

#include "host/engine/trigger.h"

extern const iswi_trigger iswi_call_trigger;

#endif
