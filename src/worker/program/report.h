/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_PROGRAM_REPORT_H
#define ISWI_WORKER_PROGRAM_REPORT_H

/* What is said of a worker that is not as it should be, and the exit status that stands for it. */
#include "worker/registry/worker.h"

#include <stdio.h>

/* Where it is said, and who is said to say it: each line begins with "NAME: ". */
typedef struct iswi_report_to {
    const char *name;
    FILE *file;
} iswi_report_to;

/* The status of sysexits.h that stands for the failure. */
int iswi_report_status(isw_status status);

/* Say it; the status that stands for it. */
int iswi_report_fail(const iswi_report_to *to, const isw_error *error);

/* The same of a worker that was run: what it could not have before its first call is EX_UNAVAILABLE,
 * whatever its status, but for ISW_E_CONFIG. */
int iswi_report_run(const iswi_report_to *to, const isw_worker *worker, const isw_error *error);

/* Say all that is wrong, if `status` says that anything is, and end the list; the status to end
 * with: EX_CONFIG, which says that another try is of no use, unless it is a failure that may
 * pass. */
int iswi_report_faults(const iswi_report_to *to, isw_status status, iswi_faults *faults,
                       const isw_error *error);

/* Configure the worker; EX_OK, or the status to end with once all that is wrong is said. */
int iswi_report_configure(const iswi_report_to *to, isw_worker *worker);

/* Say what cannot be meant; how many sentences. */
size_t iswi_report_warn(const iswi_report_to *to, isw_worker *worker);

#endif
