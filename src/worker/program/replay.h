/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_PROGRAM_REPLAY_H
#define ISWI_WORKER_PROGRAM_REPLAY_H

/* Invocations that a host has recorded (`isoworker run --record DIR`; src/host/debug/record.h says
 * what is in a file), to be run again with no host. */
#include "base/buffer.h"
#include "worker/program/local.h"

typedef struct iswi_replay {
    iswi_arena arena;
    iswi_buffer text;
    const char *function;
    iswi_local local; /* all but `log` and `sleep` as recorded, without a deadline */
    bool body_cut, result_cut, outputs_cut;

    /* What came of it. */
    const char *outcome;
    const char *status; /* of the failure; "" for none */
    isw_value result;
    isw_map outputs;
} iswi_replay;

/* Read `path`. Errors: ISW_E_IO, and ISW_E_INVALID with "path: ..." and where in it. To be closed
 * whatever the status. Blocks on the file. */
isw_status iswi_replay_open(iswi_replay *replay, const char *path, isw_error *error);
void iswi_replay_close(iswi_replay *replay);

/* Append a line for each way in which what came of it now is other than what is recorded; nothing
 * where it is the same. What was left out as a secret is not compared. */
void iswi_replay_compare(iswi_replay *replay, isw_outcome outcome, const isw_failure *failure,
                         const isw_value *result, const isw_map *outputs, iswi_buffer *out);

#endif
