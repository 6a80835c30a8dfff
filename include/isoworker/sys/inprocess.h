/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISOWORKER_SYS_INPROCESS_H
#define ISOWORKER_SYS_INPROCESS_H

/*
 * A worker on threads of the host's own process: `isolation: none` in host.yaml. A host that has
 * such a worker opens libisoworker.so, which no other host needs, and finds this table there. What
 * it hands over is what a process of a worker gets (PROTOCOL.md, sections 1 and 11), and the session
 * is the same. Host and library are of one version. Nothing for programs to call.
 */
#include <isoworker/export.h>
#include <isoworker/status.h>
#include <stdbool.h>
#include <stdint.h>

ISW_BEGIN_DECLS

/* What a worker begins with. Texts and descriptors are copied, and are the caller's as before. */
typedef struct isw_inprocess_start {
    const char *module;    /* the shared object: a path */
    const char *config;    /* its YAML, in `directory` unless absolute; NULL: there is none */
    const char *directory; /* what relative paths mean on its threads */
    const char *url;       /* of the socket whose end is the session's */
    const void *token;     /* 64 bytes */
    int ring, arena, bell; /* arena may be -1 */
    int64_t spin_us;       /* -1: as it pays off */
    bool debug;            /* somebody is at a breakpoint: nothing is to time out */
    int errors;            /* where it says what it cannot say to the host */
    int ended;             /* an eventfd, written when it has ended */
} isw_inprocess_start;

typedef struct isw_inprocess {
    const char *version; /* ISW_VERSION_STRING */
    size_t start_size;   /* sizeof(isw_inprocess_start) */
    /* Begin: returns at once, and says on `ended` when it is over. *run is the caller's to join. Errors: ISW_E_NO_MEMORY, ISW_E_IO. */
    isw_status (*start)(const isw_inprocess_start *start, void **run, isw_error *error);
    /* `ended` was written: the status that its process would have ended with (sysexits.h), or
     * ISW_INPROCESS_LEFT. Once; nothing more is asked of the run. */
    int (*join)(void *run);
    /* It is not waited for any longer, as it does not end: has `ended` written, and join let it go.
     * When its functions return after all, it frees what it has. */
    void (*leave)(void *run);
} isw_inprocess;

enum { ISW_INPROCESS_LEFT = -1 };

/* The table, and its name for dlsym. */
ISW_API extern const isw_inprocess isw_inprocess_worker;
#define ISW_INPROCESS_SYMBOL "isw_inprocess_worker"

ISW_END_DECLS

#endif
