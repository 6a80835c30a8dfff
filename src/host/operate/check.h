/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_CHECK_H
#define ISWI_HOST_OPERATE_CHECK_H

/* Whether a host would serve what a folder says, without starting anything that serves. */
#include "base/faults.h"
#include "host/engine/sink.h"
#include "host/engine/trigger.h"

typedef struct iswi_check {
    iswi_faults faults; /* what is wrong */
    iswi_faults notes;  /* what can hardly be meant, and what could not be looked at */
    size_t workers, functions;
} iswi_check;

/* Read `folder`/host.yaml, have each program check itself (`--describe --json`, which starts no
 * service and serves nothing), and hold all that they are to serve against each other, as a host
 * with these triggers and sinks would. Blocks as long as they take, each its start_timeout at most. *out is zeroed
 * before, and the caller's to fini. False: something is wrong, and told. */
bool iswi_check_folder(const char *folder, iswi_trigger_list triggers, iswi_sink_list sinks,
                       iswi_check *out);
void iswi_check_fini(iswi_check *check);

#endif
