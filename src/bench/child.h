/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_CHILD_H
#define ISWI_BENCH_CHILD_H

/* `isoworker run` in a process of its own, to which harm may come: with the functions of functions.c
 * in one of both models. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct iswi_bench_child {
    char folder[32];
    pid_t pid; /* 0: it does not run */
    unsigned port;
    int64_t started_ns;
    int status; /* as waitpid has it, once it has ended */
} iswi_bench_child;

typedef struct iswi_bench_child_options {
    bool inside;        /* isolation: none */
    const char *worker; /* lines of its entry in host.yaml, each with its line feed; "" for none */
    const char *debugged; /* runs to be debugged; see iswi_bench_child_start */
} iswi_bench_child_options;

/* Write its configuration, into a folder that iswi_bench_child_end removes. */
bool iswi_bench_child_make(iswi_bench_child *child, const iswi_bench_child_options *options);

/* Start it and wait until it serves. With `debugged` under gdb: that function's process by the host
 * itself, or inside the host all of it. */
bool iswi_bench_child_start(iswi_bench_child *child, const iswi_bench_child_options *options);

/* Both. */
bool iswi_bench_child_begin(iswi_bench_child *child, const iswi_bench_child_options *options);

/* End it, if it runs, and remove its folder. */
void iswi_bench_child_end(iswi_bench_child *child);

/* The status of GET /api/PATH; 0: none came within `ms`. */
int iswi_bench_child_get(const iswi_bench_child *child, const char *path, int ms);

/* Send GET /api/PATH, to be read later; -1: it cannot be. */
int iswi_bench_child_ask(const iswi_bench_child *child, const char *path, int ms);
int iswi_bench_child_answer(int fd); /* as above; closes it */

/* Ask for PATH until `status` comes, for `ms` at most. False: it did not, or the child has ended. */
bool iswi_bench_child_await(iswi_bench_child *child, const char *path, int status, int ms);

/* Whether it has ended. */
bool iswi_bench_child_is_over(iswi_bench_child *child);

/* The process of its worker; 0: there is none but the host's. */
pid_t iswi_bench_child_worker(const iswi_bench_child *child);

/* Memory of a process, shared pages by their share; of the child and all that come from it. */
double iswi_bench_mib(pid_t pid);
double iswi_bench_child_mib(const iswi_bench_child *child);

/* Whether it has said `text` within `ms`. */
bool iswi_bench_child_says(iswi_bench_child *child, const char *text, int ms);

/* What `isoworker check` ends with there; -1: it cannot be run. */
int iswi_bench_child_check(const iswi_bench_child *child);

#endif
