/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_WORKER_PROGRAM_TEMPLATE_H
#define ISWI_WORKER_PROGRAM_TEMPLATE_H

/*
 * A process that a host has started as a template (PROTOCOL.md, section 16): the same program, with
 * all of its configuration loaded, that serves nothing itself. It waits, and at the host's word
 * forks the processes that serve. Threads, connections and descriptors of a parent are no use to a
 * child, or harm both; so before each fork it is looked whether there are any, and if so it says
 * why, and ends.
 */
#include "worker/registry/worker.h"

/* Where this process is no template: nothing. Else wait as one, until the host has no more use for
 * it, or it may not fork. *serves: it is no template, or it is the child of one, with the variables
 * and descriptors of a worker; else it is to end. The worker is configured, and no thread was
 * begun. Blocks. Errors: ISW_E_NO_MEMORY, ISW_E_IO, and those of services that are made before. */
isw_status iswi_template_wait(isw_worker *worker, bool *serves, isw_error *error);

/* template_check.c. */
enum { ISWI_TEMPLATE_WHY_BYTES = 512 };

/* Whether this process may fork: it has one thread, and of descriptors the first three and those of
 * `known` alone. False with `why`, for people. */
bool iswi_template_may_fork(const int *known, size_t count, char why[ISWI_TEMPLATE_WHY_BYTES]);

#endif
