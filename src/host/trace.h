/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_TRACE_H
#define ISWI_HOST_TRACE_H

/* The trace context that a caller sends in the headers of its request. */
#include "wire/frame.h"

/* traceparent and tracestate as they are (W3C Trace Context, section 3), and the members of
 * baggage (W3C Baggage, section 3.3) decoded, without their properties. What is malformed, and
 * what exceeds 64 members or 8,192 bytes, is left out: a trace is never a reason to refuse.
 * Views into the request's headers and the arena. */
iswi_wire_trace iswi_trace_of(const isw_http *request, iswi_arena *arena);

#endif
