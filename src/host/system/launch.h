/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_LAUNCH_H
#define ISWI_HOST_SYSTEM_LAUNCH_H

/*
 * How what runs a worker begins and ends: as a process of its own (launch.c), as one that somebody
 * else starts (guest.c), or on threads of this one (inprocess.c). All get the same, say that they
 * have ended on pid_fd, and speak the same.
 */
#include "host/system/spawn.h"

typedef struct iswi_launcher iswi_launcher;

struct iswi_launcher {
    bool apart; /* it can be killed, bounded and started again without harm to the host */
    bool guest; /* it is no child of ours: not to be signalled, guarded or waited for */
    const struct isw_inprocess *library; /* of inprocess.c */
    /* As iswi_spawn. `output` and `errors` may be -1. */
    isw_status (*begin)(const iswi_launcher *launcher, const iswi_spawn_options *options,
                        iswi_spawned *out, isw_error *error);
    /* End it, whatever it does; of one that is not apart: leave it behind. pid_fd says soon that it
     * has ended. */
    void (*kill)(const iswi_launcher *launcher, const iswi_spawned *os);
    /* It has ended: how, as waitpid has it; or ISWI_LEFT_BEHIND. Once. */
    int (*reap)(const iswi_launcher *launcher, const iswi_spawned *os);
    /* Whether process `peer`, at the other end of a link, is it. */
    bool (*is)(const iswi_spawned *os, pid_t peer);
};

enum { ISWI_LEFT_BEHIND = -1 };

/* Whether it is a child, which is to end with the host. */
static inline bool iswi_launcher_is_parent(const iswi_launcher *launcher)
{
    return launcher->apart && !launcher->guest;
}

extern const iswi_launcher iswi_launch_process;

/* That of threads. Loads libisoworker.so, for good. Errors: ISW_E_NOT_FOUND where there is none,
 * ISW_E_UNSUPPORTED where it is of another version. */
isw_status iswi_launch_inprocess(iswi_launcher *out, isw_error *error);

#endif
