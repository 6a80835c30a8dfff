/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_ANSWERS_H
#define ISWI_HOST_ENGINE_ANSWERS_H

/* Frames about an invocation, on a link's thread, from a worker that has said hello. Not ISW_OK: it
 * broke the protocol. Inside the engine. */
#include "link/link.h"
#include "wire/frame.h"

typedef struct iswi_process iswi_process;

/* With the process's lock. */
isw_status iswi_answers_head(iswi_process *process, uint64_t id, const iswi_head *head,
                             isw_error *error);
isw_status iswi_answers_chunk(iswi_process *process, uint64_t id, const iswi_chunk *chunk,
                              isw_error *error);
void iswi_answers_window(iswi_process *process, uint64_t id, const iswi_window *window);

/* Without it: a whole response, still encoded; and what comes while the function runs. */
isw_status iswi_answers_response(iswi_process *process, iswi_message *message, isw_bytes bytes,
                                 isw_error *error);
void iswi_answers_output(iswi_process *process, uint64_t id, const iswi_output *output);
void iswi_answers_log(iswi_process *process, uint64_t id, const iswi_log *log);

#endif
