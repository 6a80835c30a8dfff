/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_SPAN_H
#define ISOWORKER_SPAN_H

/*
 * Spans: which part of an invocation took how long, as distributed traces have it. The chain's own
 * are recorded where the middleware `trace` asks for it; a handler adds its own between
 * isw_span_begin and isw_span_end, which cost nothing where nobody records. On the invocation's
 * thread; all memory is the invocation's. Ids and their place in a trace are those of W3C Trace
 * Context (https://www.w3.org/TR/trace-context/).
 */
#include <isoworker/context.h>

ISW_BEGIN_DECLS

/* What to send on as the header traceparent when the function calls somebody: the caller's trace
 * (a new one if it sent none, or none that is valid) with the innermost span that is open as the
 * parent. The tracestate to go with it is isw_context_trace's. NULL when memory is out. */
ISW_API const char *isw_context_traceparent(isw_context *ctx);

/* -- For handlers ------------------------------------------------------------------------------ */

/* Begin a span within the innermost one that is open. Returns its number for the calls below, 0
 * when nobody records, memory is out, or an invocation has ISW_SPANS_MAX already. */
enum { ISW_SPANS_MAX = 1000 };
ISW_API unsigned isw_span_begin(isw_context *ctx, const char *name);

/* Give it an attribute. Texts of `name` and `value` are copied. "span.kind" of "client" says that it
 * is a call of somebody else, which becomes its kind where spans are exported as OTLP. */
ISW_API void isw_span_set(isw_context *ctx, unsigned span, const char *name,
                          const isw_value *value);

/* End it, and all that were begun within it. One that is not ended ends with the invocation. */
ISW_API void isw_span_end(isw_context *ctx, unsigned span, isw_status status);

/* -- For middleware that records --------------------------------------------------------------- */

typedef struct isw_span {
    const char *name;   /* of the middleware, "handler", or as isw_span_begin was given it */
    char id[17];        /* 16 hexadecimal digits */
    char parent_id[17]; /* empty for one without */
    int64_t start_us;   /* since 1970-01-01 UTC */
    int64_t duration_us;
    isw_status status;
    isw_map attributes;
} isw_span;

typedef struct isw_recording {
    char trace_id[33];     /* 32 hexadecimal digits */
    bool sampled;          /* the spans are to be exported */
    isw_span *spans; /* in the order in which they began; the first one is the root, from
                        isw_recording_begin until now, whose name, status and attributes are the
                        caller's to fill in */
    size_t count;
} isw_recording;

/* Record from now on what the rest of the chain does, or with `sampled` false only let those whom
 * the function calls know that nobody does. Whether the caller's own trace is sampled is told by
 * isw_recording_caller: 1 yes, 0 no, -1 it sent none. Errors: ISW_E_NO_MEMORY, recorded on ctx. */
ISW_API int isw_recording_caller(const isw_context *ctx);
ISW_API isw_status isw_recording_begin(isw_context *ctx, bool sampled);

/* What was recorded so far; NULL when nothing was begun or memory is out. May be called after the
 * answer. Lives until the invocation ends. */
ISW_API const isw_recording *isw_recording_get(isw_context *ctx);

ISW_END_DECLS

#endif
