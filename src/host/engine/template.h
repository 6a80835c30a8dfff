/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_TEMPLATE_H
#define ISWI_HOST_ENGINE_TEMPLATE_H

/*
 * `start: warm`: the next process of a worker is forked by its template, a process of the same
 * program that has loaded all and serves nothing. There is one for a worker, made once a process
 * that was spawned has served; where there is none, or it may not fork, processes are spawned as
 * ever, and it is known why. Inside the engine; written by template.c alone. The supervisor's thread
 * but where it says otherwise.
 */
#include "base/buffer.h"
#include "host/engine/look.h"
#include "host/engine/parts.h"
#include "host/system/spawn.h"

#include <pthread.h>

typedef struct iswi_pool iswi_pool;
typedef struct iswi_process iswi_process;

/* What a template was made from; what differs now calls for another. */
typedef struct iswi_template_made {
    const iswi_worker_settings *settings;
    unsigned reloads, edition;
    iswi_parts parts; /* files, with its YAML */
} iswi_template_made;

/* Part of a pool. */
typedef struct iswi_template {
    pthread_mutex_t lock; /* guards what others look at */
    iswi_template_look now;
    iswi_spawned os;
    int socket; /* where it is asked; -1: closed */
    int64_t start_at_ns, until_ns;
    unsigned failures; /* in a row */
    bool refused;      /* it is of no use to try again, until what it is made from is another */
    iswi_template_made made;
    iswi_buffer said[2]; /* lines of its output and its errors that are not over */
    char words[ISWI_END_WHY_BYTES]; /* the last line of its errors that may be a reason */
} iswi_template;

void iswi_template_init(iswi_pool *pool);
void iswi_template_fini(iswi_pool *pool);

/* Have it fork a process, as iswi_launcher's begin. False: it is to be spawned. With the process's
 * lock. */
bool iswi_template_begin(iswi_process *process, const iswi_spawn_options *options);

/* Go on with it. Sets *next_ns to when it wants to be called again, if that is sooner. True: it
 * runs. */
bool iswi_template_tend(iswi_pool *pool, int64_t now_ns, int64_t *next_ns);

/* Something of it became readable: `what` is one of these. */
enum { ISWI_TEMPLATE_SOCKET, ISWI_TEMPLATE_END, ISWI_TEMPLATE_OUTPUT, ISWI_TEMPLATE_ERRORS };
void iswi_template_event(iswi_pool *pool, unsigned what);

#endif
