/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_SUCCESSION_H
#define ISWI_HOST_OPERATE_SUCCESSION_H

/*
 * How this host is succeeded: by one that somebody starts with `run --replace`, or by one that it
 * starts itself, for `isoworker upgrade`. Where somebody looks after this process (a service manager,
 * or process 1 of a container) only the second may, since it is the one that they can be told of.
 * The control's thread, but for what says otherwise. Inside the room.
 */
#include "host/operate/control_door.h"

#include <stdbool.h>
#include <sys/types.h>

typedef struct iswi_succession iswi_succession;

/* Make operate->succession; `door` is what the control listens with. Errors: ISW_E_NO_MEMORY. Before
 * there is a thread. */
isw_status iswi_succession_create(iswi_operate *operate, iswi_control_door *door,
                                  isw_error *error);
void iswi_succession_free(iswi_succession *succession); /* once it has ended; NULL is allowed */

/* The host stops: one that it started, and that is not ready, ends with it. No thread is left. */
void iswi_succession_end(iswi_succession *succession);

/* Start a successor. Errors: ISW_E_BUSY when there is one, ISW_E_UNSUPPORTED, ISW_E_IO. */
isw_status iswi_succession_start(iswi_succession *succession, isw_error *error);

/* A successor asks for what this host leaves, at `fd`, which is the succession's on success. Errors:
 * ISW_E_BUSY, ISW_E_UNSUPPORTED, ISW_E_IO, ISW_E_NO_MEMORY. */
isw_status iswi_succession_take(iswi_succession *succession, int fd, isw_error *error);

/* One that did not come so far says why. */
void iswi_succession_excuse(iswi_succession *succession, const char *why);

/* What to poll, -1 for nothing; and go on, whatever came of it. Sets *due_ns to when to look again,
 * if that is sooner. */
int iswi_succession_fd(const iswi_succession *succession);
void iswi_succession_turn(iswi_succession *succession, bool readable, int64_t now_ns,
                          int64_t *due_ns);

typedef enum iswi_succession_state {
    ISWI_SUCCESSION_NONE,
    ISWI_SUCCESSION_GOES_ON,
    ISWI_SUCCESSION_DONE,
    ISWI_SUCCESSION_FAILED
} iswi_succession_state;

/* Append how the last one went: {"state":"done","pid":4711,"took_ms":210}. */
iswi_succession_state iswi_succession_state_of(const iswi_succession *succession);
void iswi_succession_tell(const iswi_succession *succession, iswi_buffer *out);

/* Any thread: a successor starts; and: it has this host's place. */
bool iswi_succession_goes_on(const iswi_succession *succession);
bool iswi_succession_is_over(const iswi_succession *succession);

#endif
