/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_CGROUP_H
#define ISWI_HOST_SYSTEM_CGROUP_H

/*
 * Groups of cgroup v2, by which the kernel counts and bounds what a process and all its descendants
 * take. A host that may make some has a folder for itself, and in it one for each process of a
 * worker, which that enters before its program begins (confine.h):
 *
 *     DELEGATED/isoworker.host/       the host itself, since a group with groups in it has nobody
 *     DELEGATED/isoworker.4711/       all processes of the host with that pid
 *     DELEGATED/isoworker.4711/orders-1/
 *
 * See cgroups(7) and the kernel's cgroup-v2.rst. One thread at a time for each struct.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What of a process a group can bound, a bit each. */
enum { ISWI_CGROUP_CPU = 1, ISWI_CGROUP_MEMORY = 2, ISWI_CGROUP_PIDS = 4, ISWI_CGROUP_ALL = 7 };

enum { ISWI_CGROUP_BYTES = 512, ISWI_CGROUPS_WHY_BYTES = 2 * ISWI_CGROUP_BYTES };

/* Where a host makes its groups. Zero it to begin. */
typedef struct iswi_cgroups {
    char home[ISWI_CGROUP_BYTES];   /* what was delegated */
    char folder[ISWI_CGROUP_BYTES]; /* its own in that; "": it makes none */
    unsigned controllers;  /* that its groups have: ISWI_CGROUP_... */
    unsigned enabled;      /* by it, in `home` */
    bool moved;            /* it went to isoworker.host for that */
    unsigned last;         /* number of its groups */
} iswi_cgroups;

/* Find the group that this process is in and make groups in it from now on. False with `why`, a
 * sentence about what keeps it from that, and nothing changed: there is no cgroup v2, it is not ours
 * to write, systemd has not delegated it, its controllers are elsewhere, or others are in it. Moves
 * this process with all its threads, and what is forked from it later is beside it. */
bool iswi_cgroups_open(iswi_cgroups *groups, char why[ISWI_CGROUPS_WHY_BYTES]);

/* The same, for a group that is known to be ours, at `folder`. */
bool iswi_cgroups_open_at(iswi_cgroups *groups, const char *folder,
                          char why[ISWI_CGROUPS_WHY_BYTES]);

/* Whether that could succeed, of what can be seen without a change: no others may be there. */
bool iswi_cgroups_may_open(char why[ISWI_CGROUPS_WHY_BYTES]);

/* All its groups are removed by now: remove the rest, and go back to where it was. */
void iswi_cgroups_close(iswi_cgroups *groups);

/* -- One group --------------------------------------------------------------------------------- */

typedef struct iswi_cgroup {
    char folder[ISWI_CGROUP_BYTES]; /* "": there is none, and the next four do nothing */
} iswi_cgroup;

/* 0: no limit. */
typedef struct iswi_cgroup_limits {
    int64_t memory_bytes; /* what is above ends all that is in the group, by the kernel's hand */
    double cpus;          /* processors in use: who wants more waits */
    int64_t pids;         /* processes and threads: fork fails for what is more */
} iswi_cgroup_limits;

/* Make a group, whose name begins as `name` does. False with errno, and no group. */
bool iswi_cgroup_make(iswi_cgroups *groups, const char *name, const iswi_cgroup_limits *limits,
                      iswi_cgroup *out);

/* Set what `folder` is to hold its processes to; iswi_cgroup_make does. False with errno. */
bool iswi_cgroup_bound(const char *folder, const iswi_cgroup_limits *limits);

/* End all that is in it, also what has left the process group. Returns before they have ended. */
void iswi_cgroup_kill(const iswi_cgroup *group);

/* False: there is somebody in it, who was told to end and has not yet. */
bool iswi_cgroup_remove(iswi_cgroup *group);

/* What a group has used so far, with those of it that have ended. */
typedef struct iswi_cgroup_use {
    uint64_t memory_bytes; /* now, without what the kernel can drop: pages of files */
    int64_t cpu_ns;
    int64_t throttled_ns; /* that it waited for its limit of processors */
    uint64_t pids;        /* processes and threads, now */
    uint64_t ooms;        /* times that its limit of memory was reached, and nothing was left to drop */
    uint64_t oom_kills;   /* processes of it that the kernel has ended since memory was out, for its
                             own limit or another's */
} iswi_cgroup_use;

/* Each is 0 where the controller is not there. Reads files, which the kernel writes when they are
 * read: not for each call. */
void iswi_cgroup_usage(const iswi_cgroup *group, iswi_cgroup_use *out);

/* Enter it, with all threads; or have process `pid` do so. False with errno. */
bool iswi_cgroup_enter(const char *folder);
bool iswi_cgroup_place(const char *folder, pid_t pid);

#endif
