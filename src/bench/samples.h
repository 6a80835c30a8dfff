/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_SAMPLES_H
#define ISWI_BENCH_SAMPLES_H

/*
 * What one measurement gives: a share of its round trip times, how many there were and how long it
 * took; and the pipe on which a measuring process hands it to `isoworker bench`. Also part of the
 * bench's worker and of its gRPC program, so it needs libc alone and is C++, too. One thread at a
 * time.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum iswi_bench_mode {
    ISWI_BENCH_BACK_TO_BACK, /* one in flight, the next one at once */
    ISWI_BENCH_SILENCE,      /* one in flight, the next one after 2 ms of nothing */
    ISWI_BENCH_PIPELINED,    /* 64 in flight, one more for each answer */
    ISWI_BENCH_FIRST,        /* one alone; its time began when the echo's process was started */
    ISWI_BENCH_AGED,         /* the first 10,000, 64 in flight, and then the echo's memory */
    ISWI_BENCH_MODES
} iswi_bench_mode;

/* A set of modes, as a plan has it. */
#define ISWI_BENCH_ONLY(mode) (1U << (mode))
enum { ISWI_BENCH_STEADY = 7 }; /* the first three */

/* What is counted beside time, where a case can. */
typedef enum iswi_bench_count {
    ISWI_BENCH_HOST_CALLS, /* of the system, all threads */
    ISWI_BENCH_WORKER_CALLS,
    ISWI_BENCH_HOST_SWITCHES, /* voluntary ones of context */
    ISWI_BENCH_WORKER_SWITCHES,
    ISWI_BENCH_RESIDENT_KIB, /* of the echo's process */
    ISWI_BENCH_SHARED_KIB,   /* of that, memory that it shares */
    ISWI_BENCH_CPU_NS,       /* of the processors, of all processes of the case together */
    ISWI_BENCH_COUNTS
} iswi_bench_count;
#define ISWI_BENCH_NOT_COUNTED UINT64_MAX

enum {
    ISWI_BENCH_WINDOW = 64,
    ISWI_BENCH_AGED_TRIPS = 10000,
    ISWI_BENCH_SILENCE_NS = 2000000,
    ISWI_BENCH_WARM_PERCENT = 25, /* of a measurement's time, before it */
    ISWI_BENCH_KEPT = 16384,
    ISWI_BENCH_PAYLOADS = 8,
    ISWI_BENCH_PAYLOAD_MAX = 8 << 20
};

typedef struct iswi_bench_samples {
    uint32_t mode, payload, in_flight;
    uint32_t count;  /* of kept times */
    uint32_t stride; /* every so many-th round trip is kept */
    uint32_t skipped;
    uint64_t most; /* round trips to make, if there is time */
    uint64_t done;
    int64_t elapsed_ns;
    uint64_t counts[ISWI_BENCH_COUNTS];
    uint32_t times_ns[ISWI_BENCH_KEPT];
} iswi_bench_samples;

/* Empty `samples` for a measurement of this kind. */
void iswi_bench_begin(iswi_bench_samples *samples, iswi_bench_mode mode, uint32_t payload,
                      uint32_t in_flight);

/* Note one round trip. When all places are taken, every second time goes and fewer are kept. */
void iswi_bench_note(iswi_bench_samples *samples, int64_t time_ns);

/* Write to or read from the pipe. False at its end and when it breaks or lies. */
bool iswi_bench_write(int fd, const iswi_bench_samples *samples);
bool iswi_bench_read(int fd, iswi_bench_samples *samples);

/* All of `size` bytes, over as many calls as it takes. */
bool iswi_bench_write_all(int fd, const void *bytes, uint64_t size);
bool iswi_bench_read_all(int fd, void *bytes, uint64_t size);

/* The sum of all bytes, read by the word. Every echo that stands for a function does that, as one
 * does that looks at what it got. */
uint64_t iswi_bench_sum(const void *bytes, uint64_t size);

#ifdef __cplusplus
}
#endif

#endif
