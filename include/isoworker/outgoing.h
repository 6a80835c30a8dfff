/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_OUTGOING_H
#define ISOWORKER_OUTGOING_H

/*
 * What a function sends on when it calls somebody, whatever it calls with: whose trace this is, by
 * which name its request is known, and how long the answer is worth waiting for. <isoworker/http_client.h>
 * does so by itself; for any other client it is one loop over isw_context_outgoing.
 *
 * A time limit travels as milliseconds that are left, not as a date, so that the clocks of two
 * machines need not agree; what the way itself takes is not taken off. The header is the one that
 * Envoy, and with it Istio, gives to whatever it stands before: behind such a proxy deadlines come
 * by themselves, and it obeys ours with `respect_expected_rq_timeout`. A host of isoworker takes it
 * from the callers that host.yaml names under http.deadlines_from, and only to shorten the timeout
 * of the function that is called.
 */
#include <isoworker/context.h>

ISW_BEGIN_DECLS

/* Milliseconds that the sender waits for the answer, in decimal digits; 0: it does not say. */
#define ISW_HEADER_TIMEOUT "x-envoy-expected-rq-timeout-ms"

/* The headers for a call that is made now, in lower case, in the invocation's memory, and valid as
 * values of HTTP:
 *
 *   traceparent   as isw_context_traceparent (span.h) says: the caller's trace, or a new one; its
 *                 parent is the innermost span that is open
 *   tracestate    the caller's; only with a trace of its own
 *   baggage       the caller's, encoded again (https://www.w3.org/TR/baggage/): as many members as
 *                 fit into 8,192 bytes
 *   x-request-id  that of the request; of other triggers the invocation's id
 *   x-envoy-expected-rq-timeout-ms
 *                 isw_context_remaining_ms as it is now, but at least 1; not there without a
 *                 deadline. Ask anew for each try.
 *
 * *out is untouched on failure. On the invocation's thread. Does not block.
 * Errors: ISW_E_NO_MEMORY, recorded on ctx. */
ISW_API isw_status isw_context_outgoing(isw_context *ctx, isw_pairs *out);

ISW_END_DECLS

#endif
