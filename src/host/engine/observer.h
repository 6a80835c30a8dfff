/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_OBSERVER_H
#define ISWI_HOST_ENGINE_OBSERVER_H

/*
 * What stands beside the engine and is told what happens in it: recorders, operators, debuggers. A
 * host has some, each an instance of a const table like this one; the engine knows none by name.
 * Every hook may be NULL. Where "with the lock" stands, the process's lock is held, and nothing of
 * calls and processes may be called.
 */
#include "host/settings/settings.h"
#include "host/system/legacy.h"
#include "host/system/spawn.h"
#include "wire/frame.h"

typedef struct iswi_host iswi_host;
typedef struct iswi_process iswi_process;
typedef struct iswi_call iswi_call;
typedef struct iswi_answer iswi_answer;

typedef struct iswi_observer {
    /* -- Processes; the supervisor's thread, one at a time -- */

    /* It is about to be spawned, with the lock: what it is given may still be changed. Not ISW_OK:
     * it is not. Either way `ended` follows, once for each time. */
    isw_status (*spawns)(void *user, iswi_process *process, iswi_spawn_options *options,
                         isw_error *error);
    /* It has ended, or did not begin; with the lock in the second case. */
    void (*ended)(void *user, iswi_process *process);
    /* Which invocation has crashed it, by its own word; left alone where nobody knows. From before
     * its link is gone until it is started again; any thread. */
    void (*blames)(void *user, iswi_process *process, char invocation_id[33]);
    /* Its last words are in, and its link is gone. */
    void (*buried)(void *user, iswi_process *process);
    /* It runs, as `pid`; it takes calls; it is over, `why`, and is not started again if it was
     * `given_up`. No lock is held. */
    void (*started)(void *user, iswi_process *process, pid_t pid);
    void (*ready)(void *user, iswi_process *process, pid_t pid);
    void (*over)(void *user, iswi_process *process, pid_t pid, const char *why, bool given_up);

    /* -- A capability of the protocol; on links' threads -- */

    /* What it is called in `hello`, and the kind of the frames that a worker which named it may
     * send. NULL: it has none. */
    const char *capability;
    uint64_t kind;
    /* The worker's hello came, and named it or not. With the lock. */
    void (*greeted)(void *user, iswi_process *process, bool named);
    /* Such a frame came, from a process that has said hello. Not ISW_OK: it broke the protocol. */
    isw_status (*frame)(void *user, iswi_process *process, uint64_t id, isw_bytes frame,
                        isw_error *error);
    /* Nothing more will come. With the lock. */
    void (*silent)(void *user, iswi_process *process);

    /* -- Calls and the host -- */

    /* A call begins, and no process has it; it may be given another invocation_id of 32 hexadecimal
     * digits, by which its function and the log know it then. On its caller's thread. */
    void (*begins)(void *user, iswi_call *call);
    /* A call ends so, before whoever began it is told; any thread. */
    void (*answered)(void *user, const iswi_call *call, const iswi_answer *answer);
    /* Whether call->put_out is to have then what the function put out before its answer: a megabyte
     * at most; call->put_out_cut says that there was more. */
    bool looks_at_outputs;
    /* Each worker serves, or has failed once; and again when more functions are known. The
     * supervisor's thread. */
    void (*settled)(void *user);
    /* Something may have changed: once in each turn of the supervisor's loop, on its thread. Sets
     * *next_ns to when it wants to be called again, if that is sooner. */
    void (*turns)(void *user, int64_t now_ns, int64_t *next_ns);
    /* host.yaml is another, as prepare and renew of a trigger (trigger.h) have it; what is wrong with
     * an address is told at admin.listen. */
    isw_status (*prepares)(void *user, const iswi_host_settings *settings, isw_error *error);
    void (*renews)(void *user, bool take);
    /* Another host takes this one's place, as open, give and leave of a trigger (trigger.h) have it:
     * what comes is taken from now on, by one that was made to wait for that; add the sockets that
     * it listens with; and: the other one has the place. */
    void (*opens)(void *user);
    bool (*gives)(void *user, iswi_legacy *legacy);
    void (*leaves)(void *user);
    /* The host is taken apart: from the return on nothing of it is asked. Nothing runs any more,
     * but calls that are lost may still be answered. Those that came last go first. */
    void (*stop)(void *user);
    /* It is gone, but for its log: the last that is called, in the same order. */
    void (*destroy)(void *user);
} iswi_observer;

enum { ISWI_OBSERVERS_MAX = 8 };

/* From now on `observer` is told; before the host runs, and owned by it from here on. Errors:
 * ISW_E_NO_MEMORY when there are ISWI_OBSERVERS_MAX already. */
isw_status iswi_host_observe(iswi_host *host, const iswi_observer *observer, void *user,
                             isw_error *error);

#endif
