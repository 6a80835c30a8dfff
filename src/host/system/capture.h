/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_CAPTURE_H
#define ISWI_HOST_SYSTEM_CAPTURE_H

/* What a short-lived program prints. */
#include "base/buffer.h"

typedef struct iswi_capture {
    const char *program; /* a path */
    char *const *arguments; /* the first is its name; ends with NULL */
    char *const *environment;
    const char *directory; /* where it runs; NULL: here */
    int input;             /* descriptor that it reads; -1: nothing */
    int errors;            /* where its standard error goes; -1: nowhere */
    size_t most;           /* bytes that are read */
    int64_t patience_ms;
} iswi_capture;

/* How it ended, when it ended by itself. */
typedef struct iswi_capture_end {
    bool late;  /* it had to be ended: it printed too much or took too long */
    int signal; /* that ended it; 0: none */
    int status; /* with which it exited */
} iswi_capture_end;

/* Run it, append what it prints to `out` until it closes that, has printed too much or takes too
 * long, and end it; *end says how it ended. False: it could not be started. Blocks; any thread. */
bool iswi_capture_watch(const iswi_capture *what, iswi_buffer *out, iswi_capture_end *end);

#endif
