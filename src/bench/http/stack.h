/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HTTP_STACK_H
#define ISWI_BENCH_HTTP_STACK_H

/*
 * What is measured: a front that takes connections and a worker behind it, or a bare server that is
 * both. Each has one thread for connections and one for answers, and the settings that serve it
 * best. A stack is started, measured and stopped before the next one starts. One thread.
 */
#include "bench/tree.h"

#include <stdbool.h>

typedef enum iswi_bench_front {
    ISWI_BENCH_OURS,
    ISWI_BENCH_NGINX_FASTCGI,
    ISWI_BENCH_NGINX_PROXY,
    ISWI_BENCH_HAPROXY,
    ISWI_BENCH_NO_FRONT
} iswi_bench_front;

typedef enum iswi_bench_behind {
    ISWI_BENCH_OUR_WORKER, /* which the front starts itself; the bench starts the others */
    ISWI_BENCH_MICROHTTPD,
    ISWI_BENCH_EPOLL,
    ISWI_BENCH_FASTCGI
} iswi_bench_behind;

typedef struct iswi_bench_stack_kind {
    const char *name;
    const char *summary;
    iswi_bench_front front;
    iswi_bench_behind behind;
    unsigned processes; /* of the worker */
} iswi_bench_stack_kind;

extern const iswi_bench_stack_kind iswi_bench_stacks[];
extern const unsigned iswi_bench_stack_count;

/* Peers that the bench knows of and cannot start. */
const char *iswi_bench_unit_missing(void);

/* Why it cannot be measured on this machine, in words; NULL if it can. */
const char *iswi_bench_stack_missing(const iswi_bench_stack_kind *kind);

typedef struct iswi_bench_stack {
    const iswi_bench_stack_kind *kind;
    char folder[40]; /* of its own; "" before it is made */
    char config[64], second[64], socket[64];
    unsigned port;
    int listener; /* the worker's, held open while it is killed; -1 */
    uint32_t payload;
    pid_t front, worker; /* that the bench started; 0 */
    const char *command; /* of our worker, instead of the bench's; NULL */
    double first_ms; /* from the start of its first process to its first answer */
    unsigned killed; /* processes of its worker */
} iswi_bench_stack;

/* Start it, for bodies of so many bytes, and wait for its first answer. False when there was none
 * in time, after what it said went to standard error; stop it in either case. */
bool iswi_bench_stack_start(iswi_bench_stack *stack, const iswi_bench_stack_kind *kind,
                            uint32_t payload, const char *command);

/* All its processes. */
iswi_bench_tree iswi_bench_stack_tree(const iswi_bench_stack *stack);

/* Kill one process of its worker. What the bench started is started again at once, on the socket
 * that was held open; our host does that itself. */
void iswi_bench_stack_kill_worker(iswi_bench_stack *stack);

void iswi_bench_stack_stop(iswi_bench_stack *stack);

#endif
