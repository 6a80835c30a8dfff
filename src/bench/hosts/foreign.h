/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HOSTS_FOREIGN_H
#define ISWI_BENCH_HOSTS_FOREIGN_H

/*
 * A host that is not ours, as far as it calls functions: the same lean program for what is measured
 * and for its floor, so that only the other side differs. It measures: from when an event goes out
 * to when the call is over, so that the next one may come. One thread.
 */
#include "bench/samples.h"

enum { ISWI_BENCH_FOREIGN_MOST = 64 }; /* in flight */

typedef struct iswi_bench_foreign_options {
    unsigned in_flight;
    bool json;     /* an event is JSON, that comes back; else it is GET of a greeting */
    bool forwards; /* HTTP comes to the other side by itself */
} iswi_bench_foreign_options;

typedef struct iswi_bench_foreign {
    /* Listen, where that is its part: at *port; else that stays 0. */
    bool (*open)(const iswi_bench_foreign_options *options, void **self, unsigned *port);
    /* Wait until the other side, at `port` where it listens itself, can be called. False when it
     * cannot within 20 seconds, or this process was asked to end. */
    bool (*greet)(void *self, unsigned port);
    /* Call for `ns`, one event at the least; all are over at the end, and noted. Where that is later
     * than the answer, the times to the answer alone are in `answers`, which else stays empty. */
    bool (*run)(void *self, iswi_bench_samples *samples, iswi_bench_samples *answers, int64_t ns);
    void (*close)(void *self);
} iswi_bench_foreign;

extern const iswi_bench_foreign iswi_bench_foreign_client;  /* client.c: what forwards HTTP */
extern const iswi_bench_foreign iswi_bench_foreign_runtime; /* runtime.c: Lambda's Runtime API */
extern const iswi_bench_foreign iswi_bench_foreign_rpc;     /* rpc.c: that of FunctionRpc */

/* What a function answers to either event has this in it. */
#define ISWI_BENCH_HELLO "Hello, World!"

#endif
