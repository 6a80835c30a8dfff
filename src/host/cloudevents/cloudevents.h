/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_CLOUDEVENTS_CLOUDEVENTS_H
#define ISWI_HOST_CLOUDEVENTS_CLOUDEVENTS_H

/* CloudEvents 1.0 by HTTP: ISW_CLOUDEVENT("orders") as a trigger, { "out", "cloudevents", ISW_OUT } as
 * an output (PROTOCOL.md, section 19). */
#include "host/engine/sink.h"
#include "host/http/dialect.h"

extern const iswi_http_dialect iswi_cloudevents_dialect;
extern const iswi_sink iswi_cloudevents_sink;

#endif
