/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_LINES_H
#define ISWI_HOST_ENGINE_LINES_H

/*
 * The order in which calls wait: a line for each function, first come, first served, and the lines
 * take turns, so that one function with many calls keeps none of the others waiting long. Part of
 * a queue (queue.h), whose lock guards it. Nothing of it allocates: links are in the calls.
 */
#include "host/engine/call.h"

enum { ISWI_LINES_BUCKETS = 256 };

/* The calls of one function that wait; part of it. */
typedef struct iswi_line {
    iswi_call *first, *last;
    struct iswi_line *next; /* of those that take turns */
    unsigned count;
    bool listed; /* among them */
} iswi_line;

typedef struct iswi_lines {
    iswi_line *first, *last; /* in which somebody waits; whose turn it is comes first */
    iswi_call *by_id[ISWI_LINES_BUCKETS];
} iswi_lines;

/* Put a call, which has an id of its own (call->wait.id), at the end of its function's line, or at
 * its front. */
void iswi_lines_add(iswi_lines *lines, iswi_call *call, bool front);

/* Take it out. Its line is left where it is even if it is empty now, for iswi_lines_add to put it
 * back, or iswi_lines_settle. */
void iswi_lines_lift(iswi_lines *lines, iswi_call *call);

/* The line has had its turn: the others come first, and one that is empty is listed no more. */
void iswi_lines_settle(iswi_lines *lines, iswi_line *line);

/* Take it out, and its line keeps its turn. */
void iswi_lines_remove(iswi_lines *lines, iswi_call *call);

/* Remove those that wait until then or sooner (wait.until_ns); all with INT64_MAX. Returns them by
 * wait.behind, and when the next one is due in *next_ns, INT64_MAX: there is none. */
iswi_call *iswi_lines_take_due(iswi_lines *lines, int64_t now_ns, int64_t *next_ns);

/* That in which most wait; NULL: nobody does. */
iswi_line *iswi_lines_longest(const iswi_lines *lines);

/* The one of that id; NULL: it does not wait. */
iswi_call *iswi_lines_find(const iswi_lines *lines, uint64_t id);

/* One of that invocation; NULL: none waits. */
iswi_call *iswi_lines_find_named(const iswi_lines *lines, const char *invocation_id);

/* Since when the first of all is there; 0: there is none. */
int64_t iswi_lines_oldest_ns(const iswi_lines *lines);

#endif
