/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_PRINTED_H
#define ISWI_HOST_ENGINE_PRINTED_H

/* What a worker prints, with the invocation that wrote it where only one can have. Inside the
 * engine; written by printed.c alone. */
#include "base/buffer.h"
#include "host/engine/author.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct iswi_process iswi_process;

/* What it wrote to one of its outputs, up to the end of a line. */
typedef struct iswi_printed {
    iswi_buffer line;
    iswi_author author;
    int64_t since_ns; /* of the line's beginning */
    int64_t quiet_ns; /* when the pipe was last known to be empty */
} iswi_printed;

/* Part of a process. */
typedef struct iswi_printing {
    atomic_bool lately;   /* it has printed, or has not had time to */
    pthread_mutex_t lock; /* taken before the process's; guards the reading ends, and: */
    iswi_printed output, errors;
    char words[2][512]; /* the first line of its errors since it was started, and the last that may be
                           the reason of its end */
    unsigned silent;    /* responses since something was printed */
} iswi_printing;

void iswi_printing_init(iswi_printing *printing);
void iswi_printing_fini(iswi_printing *printing);

/* It is about to be started. With the process's lock. */
void iswi_printing_begin(iswi_printing *printing);

/* The others without it; any thread but where it says otherwise. */

/* Read once; the supervisor's thread. False when there is nothing to read now. */
bool iswi_printing_read(iswi_process *process, bool errors);

/* Read what is there, before an invocation that may have printed it ends. */
void iswi_printing_drain(iswi_process *process);

/* Show what nobody ended with a line feed. */
void iswi_printing_tend(iswi_process *process, int64_t now_ns, int64_t *next_ns);

/* The same, and close both. */
void iswi_printing_end(iswi_process *process);

#endif
