/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_TRACE_H
#define ISWI_HOST_HTTP_TRACE_H

/* The trace context that a caller sends in the headers of its request. */
#include "wire/frame.h"

/* traceparent as it is, if it is the only one and valid; with it the members of all lines of
 * tracestate in their order (W3C Trace Context, level 2, section 3), if they all are valid, else
 * none; and the members of baggage (W3C Baggage, section 3.3) decoded, without their properties.
 * Of baggage what is malformed, and what exceeds 64 members or 8,192 bytes, is left out; of
 * tracestate the last of two members of one key, and what exceeds 1,024 bytes. A trace is never a
 * reason to refuse. Views into the request's headers and the arena. */
iswi_wire_trace iswi_trace_of(const isw_http *request, iswi_arena *arena);

#endif
