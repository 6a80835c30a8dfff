/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_SESSION_HEALTH_H
#define ISWI_WORKER_SESSION_HEALTH_H

/*
 * The health checks of a worker, made time and again on a thread of their own while a session
 * lasts, and what came of them. Part of a session; written by health.c alone.
 */
#include "wire/frame.h"
#include "worker/context/context.h"

typedef struct iswi_health {
    iswi_services *services;
    void (*changed)(void *user); /* on the checks' thread: it is another than it was */
    void *user;
    pthread_t thread;
    int64_t every_ns, timeout_ns; /* set once, before that thread; as is the next one */
    unsigned failures; /* in a row, that make it unhealthy */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t woken;
    bool runs; /* there is that thread, to be waited for */
    bool over;
    unsigned failed;   /* in a row, so far */
    iswi_health_state state;
    const char *current; /* the check that is being made; NULL: none */
    int64_t since_ns;    /* when it was begun */
    char why[ISWI_LINE_MAX + 1]; /* it is unhealthy */
} iswi_health;

/* How it is, for a frame; `why` is copied there. */
typedef struct iswi_health_look {
    iswi_health_state state;
    char why[ISWI_LINE_MAX + 1];
} iswi_health_look;

void iswi_health_init(iswi_health *health, iswi_services *services);

/* Begin, as the host's hello says. Errors: ISW_E_NO_MEMORY, there is no thread. */
isw_status iswi_health_begin(iswi_health *health, const iswi_host_hello *hello);

/* What is known now, also of a check that does not end; ISWI_HEALTH_UNTOLD unless it was begun.
 * Any thread; never waits for a check. */
void iswi_health_look_at(iswi_health *health, iswi_health_look *out);

/* Make no more of them; waits for one that is being made. */
void iswi_health_end(iswi_health *health);
void iswi_health_fini(iswi_health *health);

#endif
