/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_CONFINE_H
#define ISWI_HOST_SYSTEM_CONFINE_H

/*
 * What a process is to be before its program begins: whose, how nice, in which group (cgroup.h),
 * and with which limits. posix_spawn can say none of it, and a thread of the host that became
 * another user could be killed by that user, and the host with it. So the command of this
 * installation is started first, as `isoworker confine WORD... -- FILE NAME ARGUMENT...`, does it to
 * itself, and becomes FILE: the same process, with the same descriptors.
 */
#include <isoworker/status.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

enum { ISWI_CONFINE_WORDS = 16, ISWI_CONFINE_WORD_BYTES = 48 };

/* Zero it to begin. */
typedef struct iswi_confinement {
    char words[ISWI_CONFINE_WORDS][ISWI_CONFINE_WORD_BYTES]; /* "nice=5", "nofile=1024" */
    unsigned count; /* 0: nothing, and no command is started first */
    bool has_user;
    uid_t uid; /* who it becomes */
    gid_t gid;
} iswi_confinement;

/* One word more: `name` is nice, user (with "UID:GID"), or one of iswi_confine_limit.
 * spawn.c adds "cgroup=FOLDER", which each process has for itself. */
void iswi_confine_add(iswi_confinement *confinement, const char *name, const char *value);

/* Let that user reach the socket at `path`, which is ours, in a folder of ours: to go there, not to
 * see what else is there. False with errno. */
bool iswi_confine_admit(const iswi_confinement *confinement, const char *folder, const char *path);

/* RLIMIT_... by its name, as "nofile"; -1: there is none. */
int iswi_confine_limit(const char *name);

/* The command that does it. Errors: ISW_E_NOT_FOUND. */
isw_status iswi_confine_find(char path[PATH_MAX], isw_error *error);

/* Be `isoworker confine`, with its words. Returns only on failure, which has been said on stderr: an
 * exit status. */
int iswi_confine_become(int argc, char **argv);

#endif
