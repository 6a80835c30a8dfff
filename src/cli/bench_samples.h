/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_BENCH_SAMPLES_H
#define ISWI_CLI_BENCH_SAMPLES_H

/*
 * What one measurement gives: a share of its round trip times, how many there were and how long it
 * took; and the pipe on which a measuring process hands it to `isoworker bench`. Also part of the
 * bench's worker program, so it needs libc alone. One thread at a time.
 */
#include <stdbool.h>
#include <stdint.h>

typedef enum iswi_bench_mode {
    ISWI_BENCH_BACK_TO_BACK, /* one in flight, the next one at once */
    ISWI_BENCH_SILENCE,      /* one in flight, the next one after 2 ms of nothing */
    ISWI_BENCH_PIPELINED,    /* 64 in flight, one more for each answer */
    ISWI_BENCH_MODES
} iswi_bench_mode;

enum {
    ISWI_BENCH_WINDOW = 64,
    ISWI_BENCH_SILENCE_NS = 2000000,
    ISWI_BENCH_WARM_PERCENT = 25, /* of a measurement's time, before it */
    ISWI_BENCH_KEPT = 16384,
    ISWI_BENCH_PAYLOADS = 8,
    ISWI_BENCH_PAYLOAD_MAX = 8 << 20
};

/* What a measuring process is asked for: every mode with every payload, each for `slice_ms`. */
typedef struct iswi_bench_plan {
    int64_t slice_ms;
    uint32_t payloads[ISWI_BENCH_PAYLOADS];
    unsigned payload_count;
} iswi_bench_plan;

/* "100,65536" into the plan; false for what is no list of sizes, or too much. */
bool iswi_bench_parse_payloads(const char *text, iswi_bench_plan *plan);

typedef struct iswi_bench_samples {
    uint32_t mode, payload, in_flight;
    uint32_t count;  /* of kept times */
    uint32_t stride; /* every so many-th round trip is kept */
    uint32_t skipped;
    uint64_t done; /* round trips */
    int64_t elapsed_ns;
    uint32_t times_ns[ISWI_BENCH_KEPT];
} iswi_bench_samples;

int64_t iswi_bench_now_ns(void);
void iswi_bench_sleep_ns(int64_t ns);

/* True when `until_ns` has passed or a signal asked this process to end. */
bool iswi_bench_is_over(int64_t until_ns);

/* From now on SIGINT and SIGTERM make iswi_bench_is_over true, so that folders are removed. */
void iswi_bench_catch_signals(void);

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

/* Runs one measurement of `ns` into `samples`; false when it failed. */
typedef bool (*iswi_bench_run_fn)(void *user, iswi_bench_samples *samples, int64_t ns);

/* Carry out the plan: for each payload and mode warm up, measure, and write to standard output.
 * `window` is how many may be in flight at that payload. */
bool iswi_bench_carry_out(const iswi_bench_plan *plan, iswi_bench_run_fn run, void *user,
                          uint32_t (*window)(uint32_t payload));

#endif
