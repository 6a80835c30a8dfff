/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_ENGINE_RELOAD_H
#define ISWI_HOST_ENGINE_RELOAD_H

/* Workers that read their configurations again, when a file changes or somebody asks. Inside the
 * engine; written by reload.c alone. On the supervisor's thread but where it says otherwise. */
#include "host/system/file_look.h"
#include "wire/frame.h"

#include <stdatomic.h>

typedef struct iswi_host iswi_host;
typedef struct iswi_pool iswi_pool;
typedef struct iswi_process iswi_process;

typedef enum iswi_reload_step {
    ISWI_RELOAD_NONE,
    ISWI_RELOAD_ASKED,  /* `reloaded` is awaited */
    ISWI_RELOAD_TAKEN,  /* it came: its functions are to be asked for */
    ISWI_RELOAD_READING /* metadata is awaited, or is there */
} iswi_reload_step;

/* Part of a process: where it is with that. */
typedef struct iswi_reloading {
    iswi_reload_step step; /* with the process's lock */
    unsigned seen;         /* of its pool's, which it was asked for, or began with */
} iswi_reloading;

/* Part of a pool: its file. */
typedef struct iswi_reloadable {
    unsigned count; /* how often it was to be read again */
    _Atomic(const char *) file; /* that is watched; lives as long as the host */
    iswi_file_look look;
    bool there;       /* it was, at some time: without it nothing is started */
    atomic_bool gone; /* it was, and is not now */
    atomic_bool quiet; /* the last time somebody asked, and the file is as it was */
    bool linked;      /* there are symbolic links on the way to it */
} iswi_reloadable;

/* Part of a host. */
typedef struct iswi_reloads {
    int changes;       /* inotify; -1: none */
    atomic_uint asked; /* how often iswi_host_reload was called */
    unsigned seen;
    atomic_uint unread; /* processes that may run by a YAML whose facts are not known yet */
} iswi_reloads;

/* Watch the files of the workers' configurations; a host that cannot says so and goes on. */
void iswi_reload_watch(iswi_host *host);
void iswi_reload_unwatch(iswi_host *host);

/* Its settings name another file, perhaps, which its processes are to have from their start. */
void iswi_reload_follow(iswi_host *host, iswi_pool *pool);

/* Watch another file, too. */
void iswi_reload_watch_path(iswi_host *host, const char *path);

/* See which files have changed. True: something is written in the folders that are watched. */
bool iswi_reload_look(iswi_host *host);

/* See whether somebody asked. */
void iswi_reload_heed(iswi_host *host);

/* The file that a process is to be started with; NULL: none was ever there. Once one was, it has to
 * be: a worker would take none for an empty chain. */
const char *iswi_reload_config(const iswi_pool *pool);

/* It is about to be started, by what there is now. With the process's lock. */
void iswi_reload_begin(iswi_process *process);

/* Of a process that is ready. */
void iswi_reload_tend(iswi_process *process);

/* `reloaded` came; with the process's lock. False: nobody asked for it. Any thread. */
bool iswi_reload_answered(iswi_process *process, const iswi_reloaded *answer);

#endif
