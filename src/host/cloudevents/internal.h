/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_CLOUDEVENTS_INTERNAL_H
#define ISWI_HOST_CLOUDEVENTS_INTERNAL_H

/* What the files of the trigger share. */
#include "host/cloudevents/event.h"
#include "host/http/dialect.h"

enum { ISWI_EVENTS_MAX = 1000 /* of a batch */ };

typedef struct iswi_cloudevents_properties {
    iswi_http_properties http; /* first */
    const char *types, *sources, *origins; /* patterns, separated by spaces */
} iswi_cloudevents_properties;

/* Whether one of the patterns matches. */
bool iswi_events_match(const char *patterns, isw_str text);

/* invocation.c: make the call of an event of the one of the request: an HTTP request whose body is the
 * data, with the attributes beside it. In the arena. False: no memory. */
bool iswi_event_fill(const iswi_event *event, bool as_it_came, iswi_arena *arena, iswi_call *call);

/* batch.c: one call for each, which owns the array but for what is in the request's arena; the
 * request is answered when all have ended. */
void iswi_batch_begin(iswi_host *host, const iswi_entry *entry, iswi_http_request *request,
                      iswi_call *calls, size_t count);

/* refuse.c: answer a request that is no event, or cannot be one now. */
void iswi_events_refuse(iswi_http_request *request, int status, isw_status why,
                        const char *sentence);

#endif
