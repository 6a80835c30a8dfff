/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_STEER_H
#define ISWI_HOST_ENGINE_STEER_H

/* What may be done to a host from beside its engine. Any thread. */
#include "host/system/legacy.h"

#include <isoworker/status.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct iswi_host iswi_host;

/* Start the workers and serve until it is stopped; then drain, stop the workers and return. Blocks.
 * Errors, when no worker could be brought to serve: ISW_E_CONFIG if another start would end alike,
 * else ISW_E_UNAVAILABLE. */
isw_status iswi_host_run(iswi_host *host, isw_error *error);

/* Ask iswi_host_run to end. What is in flight may go on for shutdown_grace, is then cancelled, and
 * has cancel_grace to answer. A second call cancels it now, a third does not wait for answers. Any
 * signal handler, too. */
void iswi_host_stop(iswi_host *host);

/* Have every worker read its configuration again. One that refuses what it finds keeps what it has
 * and says why. Any signal handler, too. */
void iswi_host_reload(iswi_host *host);

/* Replace all processes of a worker, with no call lost: a successor starts, is ready, and takes
 * over, one after the other. What has become of it is told of this id, or of a later one, that then
 * counts for both. Errors: ISW_E_UNSUPPORTED where it cannot be. */
isw_status iswi_host_restart(iswi_host *host, size_t worker, unsigned *id, isw_error *error);

typedef enum iswi_roll_state {
    ISWI_ROLL_NONE,
    ISWI_ROLL_GOES_ON,
    ISWI_ROLL_DONE,
    ISWI_ROLL_FAILED /* a successor did not become ready; those that are not replaced stay */
} iswi_roll_state;

/* The last restart of a worker. */
typedef struct iswi_roll_look {
    unsigned id;
    iswi_roll_state state;
    unsigned done, total; /* processes */
    int64_t begun_ns, took_ms;
    char why[1280]; /* it failed */
} iswi_roll_look;

/* Whether the processes of some worker are being replaced. The supervisor's thread. */
bool iswi_host_rolls(const iswi_host *host);

/* A process that was replaced in it. */
typedef struct iswi_roll_step {
    const char *label; /* lives as long as the host */
    pid_t before, now;
    int64_t took_ms; /* from the start of the successor */
} iswi_roll_step;

void iswi_worker_roll_look_at(iswi_host *host, size_t worker, iswi_roll_look *out);
bool iswi_worker_roll_step(iswi_host *host, size_t worker, unsigned index, iswi_roll_step *out);

/* -- Another host takes its place -- */

/* Add what it leaves: sockets, and memory that processes share. False: no memory, or no descriptor.
 * Any thread but reactors'. */
bool iswi_host_give(iswi_host *host, iswi_legacy *legacy);

/* `successor` has taken it, and takes all that comes: end, once those whose connections are open
 * have found it, or shutdown_grace is over. Once; any thread. */
void iswi_host_leave(iswi_host *host, pid_t successor);

/* Add connections that the successor may go on with; it has taken the place. Any thread but
 * reactors'. */
void iswi_host_hand_on(iswi_host *host, iswi_legacy *legacy);

/* Go on with those of the host before. Any thread but reactors'. */
void iswi_host_adopt(iswi_host *host, iswi_legacy *legacy);

/* This one was made with a legacy, and takes what comes from now on. The supervisor's thread. */
void iswi_host_admit(iswi_host *host);

/* It does not come to that: have iswi_host_run return so. The supervisor's thread. */
void iswi_host_give_up(iswi_host *host, const isw_error *why);

/* Have it look at everything now. */
void iswi_host_wake(iswi_host *host);

/* Take nothing new, or again; calls that are on their way are not touched. */
void iswi_host_drain(iswi_host *host);
void iswi_host_resume(iswi_host *host);

/* What is on its way still; 0 once it is drained. */
size_t iswi_host_in_flight(iswi_host *host);

#endif
