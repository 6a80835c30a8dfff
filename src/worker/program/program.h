/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_PROGRAM_PROGRAM_H
#define ISWI_WORKER_PROGRAM_PROGRAM_H

/* The parts of a worker as a program. Each returns an exit status of sysexits.h. */
#include "worker/registry/worker.h"

/* Configure the worker; EX_OK, or the status to end with once all that is wrong is on stderr. It is
 * EX_CONFIG, which says that another try is of no use, unless it is a failure that may pass. */
int iswi_program_configure(isw_worker *worker);

/* Print what cannot be meant on stderr; how many sentences. */
size_t iswi_program_warn(isw_worker *worker);

int iswi_program_describe(isw_worker *worker, bool json);
int iswi_program_check(isw_worker *worker);
int iswi_program_invoke(isw_worker *worker, int argc, char **argv); /* argv[0] is the name */
bool iswi_program_takes_value(const char *word); /* an option of `invoke`, all of which do */

/* `invoke` with `--replay FILE [--without NAME]...`, which begins at argv[0]. */
int iswi_program_replay(isw_worker *worker, int argc, char **argv);

/* Print result and failure of an invocation; the status to end with. */
int iswi_program_show(const isw_invocation *invocation);

/* Print all that is wrong, if `status` says that anything is, and end the list; the status to end
 * with. */
int iswi_program_tell(isw_status status, iswi_faults *faults, const isw_error *error);

/* Print "<program>: <message>" and give the exit status that stands for the failure. */
int iswi_program_fail(const isw_error *error);

/* The same of a worker that was run; report.h. */
int iswi_program_fail_to_run(const isw_worker *worker, const isw_error *error);

#endif
