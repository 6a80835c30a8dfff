/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_WARMUP_H
#define ISWI_HOST_ENGINE_WARMUP_H

/*
 * What runs in a process before it gets calls: those of its functions whose trigger says so
 * (ISWI_TRIGGER_WARMS), one after the other, each as a call that can be nowhere else. Inside the
 * engine; written by warmup.c alone.
 */
#include "host/engine/call.h"

/* Part of a process; with its lock. */
typedef struct iswi_warmup {
    size_t next;      /* of its functions, that is looked at next */
    bool runs;        /* one of them does now: */
    const char *name; /* or has not succeeded; NULL: none */
    isw_error failed; /* how */
} iswi_warmup;

/* It is about to be started. With its lock. */
void iswi_warmup_begin(iswi_process *process);

/* All is loaded: go on with it. True: all have succeeded. Of one that failed the process is ended,
 * which is a failure of its start. The supervisor's thread. */
bool iswi_warmup_tend(iswi_process *process);

#endif
