/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_HEALTH_H
#define ISWI_HOST_ENGINE_HEALTH_H

/*
 * What a process says of its own health, by checks of its application (PROTOCOL.md, section 3,
 * Health). One that is unhealthy gets no new calls, and is replaced after `restart_after`. Inside
 * the engine; written by health.c alone.
 */
#include "host/engine/look.h"

typedef struct iswi_process iswi_process;

/* Part of a process; with its lock. */
typedef struct iswi_process_health {
    bool tells;       /* its hello named the capability */
    bool keeps_out;   /* it gets no new calls */
    bool unknown;     /* since its first check is not over */
    int64_t since_ns; /* when it became unhealthy */
    char why[ISWI_HEALTH_WHY_BYTES];
} iswi_process_health;

/* It is about to be started; its hello came; its status came. With its lock. */
void iswi_process_health_begin(iswi_process *process);
void iswi_process_health_greeted(iswi_process *process, const isw_pairs *capabilities);
void iswi_process_health_told(iswi_process *process, const iswi_status_frame *status);

/* It has said that it is unhealthy, and is kept out for that. Takes the lock. */
bool iswi_process_is_unhealthy(iswi_process *process);

/* What the host's hello says of it. */
void iswi_process_health_ask(const iswi_process *process, iswi_host_hello *hello);

/* It is ready, and has not said in time how it is, or was unhealthy so long that another is to take
 * over. Sets *next_ns to when it
 * wants to be called again, if that is sooner. The supervisor's thread. */
void iswi_process_health_tend(iswi_process *process, int64_t now_ns, int64_t *next_ns);

#endif
