/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_TRIGGER_H
#define ISWI_HOST_HTTP_TRIGGER_H

/* The HTTP trigger: functions by method and path, and `http` of host.yaml. */
#include "host/engine/trigger.h"
#include "host/http/front.h"

extern const iswi_trigger iswi_http_trigger;

/* The start of a copy of that table whose front has a side. It outlives the instance. */
isw_status iswi_http_trigger_start(const iswi_trigger_start *with, const iswi_http_side *side,
                                   void **self, isw_error *error);

#endif
