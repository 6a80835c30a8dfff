/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_TAKEOVER_H
#define ISWI_HOST_OPERATE_TAKEOVER_H

/*
 * How this host takes the place of another one (handover.h): it asks for what that leaves before it
 * is made, and says when its workers are ready, or why they are not. If the other one is gone in
 * between, its place is taken all the same.
 */
#include "host/system/legacy.h"

#include <isoworker/status.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct iswi_takeover iswi_takeover;

/* Ask the host of the absolute `folder`, or the one that listens at `path` if that is not NULL. Blocks
 * for some seconds at most. *out is the caller's to destroy when the host is; NULL where none runs.
 * Errors: ISW_E_CONFLICT where it refuses, with its reason; ISW_E_IO, ISW_E_PROTOCOL,
 * ISW_E_NO_MEMORY. */
isw_status iswi_takeover_begin(const char *folder, const char *path, iswi_takeover **out,
                               isw_error *error);

/* Tell the host at `path` why there is not even a host that could ask. Blocks for some seconds at
 * most. */
void iswi_takeover_excuse(const char *path, const char *why);

/* What the other one leaves. Before the host runs. */
iswi_legacy *iswi_takeover_legacy(iswi_takeover *takeover);

/* Tell the other one why this host does not become ready. One thread; NULL is allowed. */
void iswi_takeover_refuse(iswi_takeover *takeover, const char *why);
void iswi_takeover_destroy(iswi_takeover *takeover); /* NULL is allowed */

/* -- For the control; its thread but where it says otherwise ----------------------------------- */

/* This host takes what comes from now on; any thread. False: it was said before. */
bool iswi_takeover_ready(iswi_takeover *takeover);

typedef enum iswi_takeover_state {
    ISWI_TAKEOVER_WAITS, /* for this host, or for the other one */
    ISWI_TAKEOVER_DONE,  /* just now */
    ISWI_TAKEOVER_OVER   /* before */
} iswi_takeover_state;

/* What to poll, -1 for nothing; and go on. */
int iswi_takeover_fd(const iswi_takeover *takeover);
iswi_takeover_state iswi_takeover_turn(iswi_takeover *takeover);

/* Whether the place is this host's, or always was (NULL); any thread. */
bool iswi_takeover_is_done(const iswi_takeover *takeover);

/* The pid of the host before. */
pid_t iswi_takeover_before(const iswi_takeover *takeover);

#endif
