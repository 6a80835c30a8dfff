/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_SETUP_H
#define ISWI_BENCH_SETUP_H

/* What a case of ours is, from its text, and the YAML that says so to a host and a worker:
 *   process | none: the functions of functions.c, a shared object, with that isolation; or
 *   in-process | message | ring, then +chain and +auth, or +ten, then ,NAME=NUMBER for what
 *   is not 1 or 0: functions, workers, in_flight, middleware, counted, http, port, warm */
#include <stdbool.h>
#include <stdio.h>

typedef struct iswi_bench_setup {
    bool ring, in_process;
    bool object, inside; /* the functions are a shared object; in the host's own process */
    bool chain; /* error_handling and logging */
    bool auth;
    bool ten; /* ten.h */
    unsigned functions;  /* that the worker has */
    unsigned workers;    /* processes of it */
    unsigned in_flight;  /* when pipelined */
    unsigned middleware; /* that do nothing */
    unsigned counted;    /* system calls and switches of context are */
    unsigned http;       /* threads of the HTTP front; 0: there is none */
    unsigned port;       /* that it listens at; 0: any */
    unsigned warm;       /* the process that is measured was forked by a template */
    const char *program; /* that is the worker, with no arguments; NULL: the bench's */
} iswi_bench_setup;

/* False for what is no such text. */
bool iswi_bench_parse_setup(const char *text, iswi_bench_setup *setup);

void iswi_bench_write_host_yaml(const iswi_bench_setup *setup, FILE *file);
void iswi_bench_write_worker_yaml(const iswi_bench_setup *setup, FILE *file);

/* Copy the shared object, whose folder may be another's, into a host's. False: it cannot be had. */
#define ISWI_BENCH_OBJECT "isoworker-bench-functions.so"
bool iswi_bench_copy_object(const char *folder);
void iswi_bench_remove_object(const char *folder);

/* The key that `auth` takes. */
extern const char iswi_bench_key[];

#endif
