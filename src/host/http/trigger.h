/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_TRIGGER_H
#define ISWI_HOST_HTTP_TRIGGER_H

/* The HTTP trigger: functions by method and path, and `http` of host.yaml. */
#include "host/engine/trigger.h"

extern const iswi_trigger iswi_http_trigger;

#endif
