/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_CLOUDEVENTS_EVENT_H
#define ISWI_HOST_CLOUDEVENTS_EVENT_H

/*
 * One event: attributes and data, apart from how it travels. It is made in one of the two ways below,
 * and its views are of what it was made from, or of the arena. Pure; any thread. Errors are
 * ISW_E_INVALID, in a sentence for whoever sent it, or ISW_E_NO_MEMORY.
 */
#include "base/arena.h"

#include <isoworker/status.h>
#include <isoworker/value.h>

enum { ISWI_EVENT_ATTRIBUTES_MAX = 64 };

typedef struct iswi_event {
    isw_named_value *attributes; /* room for ISWI_EVENT_ATTRIBUTES_MAX; strings, integers, booleans */
    size_t count;
    isw_bytes data;
} iswi_event;

/* An empty one. False: no memory. */
bool iswi_event_init(iswi_event *event, iswi_arena *arena);

/* Add an attribute; NONE adds nothing. */
isw_status iswi_event_add(iswi_event *event, isw_str name, const isw_value *value,
                          isw_error *error);

/* The text of one; empty: it has none. */
isw_str iswi_event_text(const iswi_event *event, const char *name);

/* Whether it has what an event must have, and what it has can be that. */
isw_status iswi_event_check(const iswi_event *event, isw_error *error);

/* -- binary.c: attributes are headers, data is the body ---------------------------------------- */

isw_status iswi_event_of_headers(const isw_http *request, iswi_arena *arena, iswi_event *out,
                                 isw_error *error);

/* As headers, content-type among them. False: no memory. */
bool iswi_event_to_headers(const iswi_event *event, iswi_arena *arena, isw_pairs *out);

/* -- structured.c: all of it is JSON ----------------------------------------------------------- */

/* `map`: a value as JSON is read. */
isw_status iswi_event_of_map(const isw_value *map, iswi_arena *arena, iswi_event *out,
                             isw_error *error);

isw_status iswi_event_to_json(const iswi_event *event, iswi_arena *arena, isw_bytes *out,
                              isw_error *error);

#endif
