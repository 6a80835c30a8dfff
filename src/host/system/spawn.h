/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_SYSTEM_SPAWN_H
#define ISWI_HOST_SYSTEM_SPAWN_H

/* Starting one worker process. posix_spawn, never fork: nng may be running. */
#include "host/system/confine.h"

#include <isoworker/status.h>
#include <isoworker/sys/middleware.h>
#include <sys/types.h>

/* What is handed down and was made before the host runs has a number from here on: those below are
 * the numbers that a worker finds its own at. */
enum { ISWI_HANDED_FD_MIN = 16 };

typedef struct iswi_spawn_options {
    const char *program; /* a path */
    const isw_option_strings *arguments; /* the first is the program's name */
    const char *directory;
    const isw_option_strings *environment; /* NAME=value, beside our own; may be NULL */
    const char *url, *config;             /* config may be NULL */
    const void *token;
    size_t token_bytes; /* less than a pipe holds */
    int ring;           /* descriptor of shared memory to hand down; -1: none */
    int arena; /* and of its wide arenas; -1: none */
    int bell;           /* and of the eventfd that the host sleeps on; -1: none */
    int crash;          /* and of the memory for the report of a crash; -1: none */
    int metrics;        /* and of the memory to count in; -1: none */
    int store;          /* and of the memory that all processes of the worker share; -1: none */
    const char *spin_us; /* for its reader; NULL: as it pays off */
    bool endless; /* somebody is at a breakpoint: nothing is to time out */
    const char *debugged; /* it is gdb with a worker that has this function, and has the terminal;
                             NULL: it is a worker */
    const int *template_end; /* it is started as a template, with this end of a socket, and without
                                what is each process's own (template.h); NULL: it is a worker */
    const iswi_confinement *confinement; /* NULL: as we are; nor for a debugger */
    const char *cgroup; /* folder of the group to enter; NULL: ours; nor for a debugger */
} iswi_spawn_options;

/* What runs: its own process group, pid, and the reading ends of its output. */
typedef struct iswi_spawned {
    pid_t pid;
    int pid_fd;
    int output, errors;
    void *run; /* of one that runs on threads of this process (inprocess.c) */
} iswi_spawned;

/* The program that `command` means: a path if it has a '/', taken from `directory`; else beside
 * this program, else in PATH, else where isoworker is (command.h). The caller frees *out with iswi_free.
 * Errors: ISW_E_NOT_FOUND naming where it was looked for, ISW_E_NO_MEMORY. */
isw_status iswi_spawn_find(const char *command, const char *directory, char **out,
                           isw_error *error);

/* Errors: ISW_E_IO with the operating system's word, ISW_E_NO_MEMORY. The descriptors are the
 * caller's to close, the process is the caller's to wait for. */
isw_status iswi_spawn(const iswi_spawn_options *options, iswi_spawned *out, isw_error *error);

#endif
