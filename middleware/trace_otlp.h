/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACE_OTLP_H
#define TRACE_OTLP_H

/* What was recorded, as OpenTelemetry's protocol has it in JSON (OTLP/JSON). Pure. */
#include <isoworker/span.h>

/* One ExportTraceServiceRequest with a line feed behind it, for free(); NULL when memory is out.
 * `service` is the resource's service.name. */
char *iswi_trace_otlp(isw_context *ctx, const char *service, const isw_recording *recording,
                      size_t *size);

#endif
