/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HOST_H
#define ISWI_BENCH_HOST_H

/* The host engine in this process, with real workers in others, made from a setup. A process has
 * one at a time, and begins it before it has threads. */
#include "bench/setup.h"

#include "host/engine/call.h"
#include "host/engine/look.h"
#include "host/engine/observer.h"
#include "host/engine/trigger.h"
#include "host/host.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

typedef struct iswi_bench_host {
    iswi_bench_setup setup;
    iswi_host *host;
    iswi_host_function **functions; /* all that its workers have */
    size_t function_count;
    pid_t worker; /* the first one, and when it was started */
    int64_t worker_started_ns;
    char folder[32], host_yaml[48], worker_yaml[48];
    pthread_t thread;
    bool running; /* the thread is to be joined */
    atomic_bool ended;
    sem_t news; /* a worker is ready, or it has ended */
    int console;
} iswi_bench_host;

/* Start a host and wait until all workers are ready. False with the reason in `error`; end it in
 * either case. */
bool iswi_bench_host_begin(iswi_bench_host *host, const char *setup, isw_error *error);

/* Stop it and remove its folder. What it said once more goes to standard error if `loud`. */
void iswi_bench_host_end(iswi_bench_host *host, bool loud);

/* Begin one with an HTTP front, write its address to standard output, and serve until a signal
 * asks to end. */
bool iswi_bench_serve_http(const char *setup);

#endif
