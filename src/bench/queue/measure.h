/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_QUEUE_MEASURE_H
#define ISWI_BENCH_QUEUE_MEASURE_H

/* One measurement of a queue or of its floor. One thread at a time. */
#include <isoworker/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ISWI_BENCH_QUEUE_MOST = 64 }; /* in flight */

/* What is done again and again, until `until_ns`. */
typedef struct iswi_bench_queue_work {
    unsigned in_flight;
    int64_t until_ns;
    const void *body;
    size_t body_bytes;
} iswi_bench_queue_work;

/* What came of it. */
typedef struct iswi_bench_queue_sample {
    uint64_t done; /* messages */
    int64_t elapsed_ns;
    double p50_us; /* of one alone; 0: there is none */
} iswi_bench_queue_sample;

/* Where times go, for their median. */
typedef struct iswi_bench_queue_times {
    double us[8192];
    size_t count;
} iswi_bench_queue_times;

void iswi_bench_queue_note(iswi_bench_queue_times *times, int64_t begun_ns);
double iswi_bench_queue_p50(iswi_bench_queue_times *times);

/* Put `count` messages, durable on return. */
typedef bool (*iswi_bench_queue_batch_fn)(void *self, const iswi_bench_queue_work *work,
                                          unsigned count, isw_error *error);

/* Batches of as many as are in flight, one behind the other, as long as `work` says. */
bool iswi_bench_queue_put_batches(iswi_bench_queue_batch_fn batch, void *self,
                                  const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                                  isw_error *error);

/* A thing to measure, with its state in `self`. False: *error says why. */
typedef struct iswi_bench_queue_store {
    const char *name;
    bool (*open)(const char *where, void **self, isw_error *error);
    void (*close)(void *self);
    bool (*put)(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                isw_error *error);
    /* Claim and complete what lies there, which is put again before when there is none. */
    bool (*complete)(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                     isw_error *error);
    /* From a put to the claim that waits for it. NULL: it has none. */
    bool (*deliver)(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                    isw_error *error);
} iswi_bench_queue_store;

extern const iswi_bench_queue_store iswi_bench_queue_floor;  /* floor.c */
extern const iswi_bench_queue_store iswi_bench_queue_floor_postgresql; /* floor_postgresql.c */
extern const iswi_bench_queue_store iswi_bench_queue_floor_nats; /* floor_nats.c */
extern const iswi_bench_queue_store iswi_bench_queue_broker; /* broker.c: a server's place, or a
                                                                folder for a file of SQLite's */

#endif
