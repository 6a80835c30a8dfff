/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_HTTP_DIALECT_H
#define ISWI_HOST_HTTP_DIALECT_H

/*
 * Other ways to speak to functions by HTTP: a trigger of its own type, whose functions are found by
 * their routes among those of the HTTP trigger. For them all holds that does for others: addresses,
 * limits, preflights, policies, problems, X-Request-Id, the access log, and, as long as it gives them
 * HTTP requests, their chains. What a request is to a function of it, it says itself.
 */
#include "host/engine/trigger.h"
#include "host/http/front.h"

/* What a function says of its route; properties of a dialect begin with it, and its rows have
 * `route`. */
typedef struct iswi_http_properties {
    const char *methods; /* of HTTP's own functions */
    const char *route; /* NULL: the function's name */
} iswi_http_properties;

typedef struct iswi_http_dialect {
    iswi_trigger trigger; /* type, title, properties, and within: &iswi_http_trigger, for any that is
                              called "http" */
    const char *methods;
    /* As iswi_http_handler_fn: a request for one of its functions is in, whole; or OPTIONS, a preflight
     * that its chain answers, or of a sender of events that asks (`consents` of front.h). */
    void (*request)(iswi_host *host, const iswi_entry *entry, iswi_http_request *request);
    /* Of one that somebody makes up (make_up of trigger.h): the call has it as it would be to a function
     * that speaks HTTP, and is made what it is to one of these. Errors: ISW_E_INVALID, others. */
    isw_status (*make_up)(iswi_arena *arena, iswi_call *call, isw_error *error);
} iswi_http_dialect;

/* NULL: the function speaks HTTP itself. */
static inline const iswi_http_dialect *iswi_http_dialect_of(const iswi_entry *entry)
{
    return entry->trigger && entry->trigger->within ? (const iswi_http_dialect *)entry->trigger
                                                    : NULL;
}

/* The call that the request would be to a function that speaks HTTP, with all that follows from its
 * answer, for iswi_call_start: with another trigger and metadata, of the request's arena. Within
 * `request`. */
void iswi_http_call_of(iswi_http_request *request, iswi_call *out);

/* Begin it: its answer is that to the request. Others are answers of the dialect's own, and calls that
 * it begins for them are parts of one event (is_part). */
void iswi_http_call(iswi_host *host, iswi_http_request *request, const iswi_call *call);

#endif
