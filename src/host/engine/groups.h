/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_GROUPS_H
#define ISWI_HOST_ENGINE_GROUPS_H

/*
 * A group of cgroup v2 for each process of a worker, where this host may make some: it holds the
 * process with all its descendants to memory_limit, cpu_limit and pids_limit. Inside the engine;
 * written by groups.c alone. The supervisor's thread, and that which makes the host.
 */
#include "host/system/cgroup.h"

#include <isoworker/status.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_pool iswi_pool;
typedef struct iswi_process iswi_process;

/* Part of a host; does not change while it runs. */
typedef struct iswi_groups {
    iswi_cgroups own;
    char why[ISWI_CGROUPS_WHY_BYTES]; /* there are none; "": there are */
} iswi_groups;

/* Find out whether there can be groups, before anything is forked that is to be beside the host. A
 * limit that holds only in one is named in the log where there is none.
 * Errors: ISW_E_CONFIG with its place where host.cgroups is `required`. */
isw_status iswi_groups_open(iswi_host *host, isw_error *error);
void iswi_groups_close(iswi_host *host);

/* Log what does not hold of a worker's settings, if anything does not. */
void iswi_groups_say(iswi_host *host, const iswi_pool *pool);

enum { ISWI_GROUPS_LACK_BYTES = ISWI_CGROUPS_WHY_BYTES + 512 };

/* The same as a sentence; false: all holds. Any thread. */
bool iswi_groups_lack(const iswi_host *host, const iswi_pool *pool,
                      char text[ISWI_GROUPS_LACK_BYTES]);

/* Make one for a process that is about to be started, with its lock. What cannot be is said, and it
 * starts without. */
void iswi_group_begin(iswi_process *process);

/* It has ended: remove its group. False: somebody is in it who was told to end, and has not yet. */
bool iswi_group_end(iswi_process *process);

#endif
