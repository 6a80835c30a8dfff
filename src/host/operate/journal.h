/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_JOURNAL_H
#define ISWI_HOST_OPERATE_JOURNAL_H

/*
 * The last lines of the console, for whoever asks later. Bounded in lines and in bytes: the oldest
 * go, whether they were read or not, and a reader is told how many passed it. Any thread.
 */
#include "base/logline.h"

#include <stddef.h>

typedef struct iswi_journal iswi_journal;
typedef struct iswi_journal_room iswi_journal_room; /* for lines */

/* What a reader wants; NULL members want everything. */
typedef struct iswi_journal_filter {
    isw_log_level level;    /* and above */
    const char *function;   /* pattern (* and ?) */
    const char *category;   /* pattern */
    const char *invocation; /* how the id begins */
} iswi_journal_filter;

/* Keeps at most `lines` and `bytes`. `bell` is called, on whatever thread adds, when a line comes
 * after iswi_journal_arm; it must not block. NULL when memory is out. */
iswi_journal *iswi_journal_create(size_t lines, size_t bytes, void (*bell)(void *user), void *user);
void iswi_journal_destroy(iswi_journal *journal); /* may be NULL */

/* Have it keep at most that many lines from now on, the last ones first. The room is made before,
 * so that this cannot fail, and goes with it. NULL when memory is out. */
iswi_journal_room *iswi_journal_room_make(size_t lines);
void iswi_journal_room_free(iswi_journal_room *room); /* that was not taken; may be NULL */
void iswi_journal_take_room(iswi_journal *journal, iswi_journal_room *room);

/* Keep `line`, which is `json` as text. A line that there is no memory for counts as lost. */
void iswi_journal_add(iswi_journal *journal, const iswi_logline *line, const void *json,
                      size_t size);

/* The number of the line from which on `last` lines pass the filter, or the oldest that is kept. */
uint64_t iswi_journal_tail(iswi_journal *journal, const iswi_journal_filter *filter, size_t last);

/* Append lines from number *next on that pass, until `most` bytes are in `out` or none is left, and
 * move *next behind what was looked at. *lost grows by the lines that were gone already. */
void iswi_journal_read(iswi_journal *journal, const iswi_journal_filter *filter, uint64_t *next,
                       size_t most, iswi_buffer *out, uint64_t *lost);

/* Ring once for the next line from number `next` on. False: it is there already. */
bool iswi_journal_arm(iswi_journal *journal, uint64_t next);

#endif
