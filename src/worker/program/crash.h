/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_PROGRAM_CRASH_H
#define ISWI_WORKER_PROGRAM_CRASH_H

/*
 * The report of a crash: which signal, in which function and invocation, and where. A signal
 * handler writes it, before the process ends as it would have; `isoworker symbolize` reads it.
 */
/* Report crashes from now on, for the signals that the program leaves to the system. To the host's
 * descriptor (PROTOCOL.md, section 12), else to standard error. Once for a process. */
void iswi_crash_install(void);

#endif
