/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BASE_FAULTS_H
#define ISWI_BASE_FAULTS_H

/* All that is wrong with something, a sentence each: an isw_error holds the first one alone. Who
 * looks for faults goes on where what follows does not hang on what was wrong. One thread at a
 * time. */
#include "base/buffer.h"
#include <isoworker/status.h>

enum { ISWI_FAULTS_MAX = 100 }; /* more are counted, and not kept */

typedef struct iswi_faults {
    iswi_buffer lines; /* one after the other, each with a line feed behind it */
    size_t count;
} iswi_faults;

/* A zeroed list is a valid empty one. */
void iswi_faults_fini(iswi_faults *faults);

/* Add a sentence; nothing for a NULL list. */
void iswi_faults_add(iswi_faults *faults, const char *text);

/* The same of what is formatted; cut at ISW_ERROR_MESSAGE_BYTES. */
void iswi_faults_say(iswi_faults *faults, const char *format, ...) ISW_PRINTF(2, 3);

/* Take up `one`, what came of one of several checks, into *all. False: there is no use in going on,
 * as memory is out or there are too many already. */
bool iswi_faults_go_on(const iswi_faults *faults, isw_status one, isw_status *all);

/* Append all as "PROGRAM: SENTENCE" lines, those of one file (FILE:LINE:COLUMN: ...) that follow each
 * other by their place, or `error` alone where the list is empty. */
void iswi_faults_tell(iswi_faults *faults, const char *program, const isw_error *error,
                      iswi_buffer *out);

#endif
