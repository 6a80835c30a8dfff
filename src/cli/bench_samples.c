/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements of the bench: clock, samples, and the pipe they travel on. Invariant: what a reader
 * took in has its counts within bounds. */
#include "cli/bench_samples.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* -- Time -------------------------------------------------------------------------------------- */

static volatile sig_atomic_t asked_to_end;

static void on_signal(int number)
{
    (void)number;
    asked_to_end = 1;
}

void iswi_bench_catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

int64_t iswi_bench_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void iswi_bench_sleep_ns(int64_t ns)
{
    struct timespec time = { ns / 1000000000, ns % 1000000000 };

    nanosleep(&time, NULL);
}

bool iswi_bench_is_over(int64_t until_ns)
{
    return asked_to_end || iswi_bench_now_ns() >= until_ns;
}

/* -- Samples ----------------------------------------------------------------------------------- */

void iswi_bench_begin(iswi_bench_samples *samples, iswi_bench_mode mode, uint32_t payload,
                      uint32_t in_flight)
{
    samples->mode = mode;
    samples->payload = payload;
    samples->in_flight = in_flight;
    samples->count = samples->skipped = 0;
    samples->stride = 1;
    samples->done = 0;
    samples->elapsed_ns = 0;
}

void iswi_bench_note(iswi_bench_samples *samples, int64_t time_ns)
{
    samples->done++;
    if (++samples->skipped < samples->stride)
        return;
    samples->skipped = 0;
    samples->times_ns[samples->count++] = time_ns < UINT32_MAX ? (uint32_t)time_ns : UINT32_MAX;
    if (samples->count < ISWI_BENCH_KEPT)
        return;
    for (uint32_t i = 0; i < ISWI_BENCH_KEPT / 2; i++)
        samples->times_ns[i] = samples->times_ns[2 * i];
    samples->count = ISWI_BENCH_KEPT / 2;
    samples->stride *= 2;
}

/* -- The pipe ---------------------------------------------------------------------------------- */

bool iswi_bench_write_all(int fd, const void *bytes, uint64_t size)
{
    const char *at = bytes;

    while (size) {
        ssize_t step = write(fd, at, size);

        if (step < 0 && errno == EINTR)
            continue;
        if (step <= 0)
            return false;
        at += step;
        size -= (uint64_t)step;
    }
    return true;
}

bool iswi_bench_read_all(int fd, void *bytes, uint64_t size)
{
    char *at = bytes;

    while (size) {
        ssize_t step = read(fd, at, size);

        if (step < 0 && errno == EINTR)
            continue;
        if (step <= 0)
            return false;
        at += step;
        size -= (uint64_t)step;
    }
    return true;
}

enum { HEAD_BYTES = offsetof(iswi_bench_samples, times_ns) };

bool iswi_bench_write(int fd, const iswi_bench_samples *samples)
{
    return iswi_bench_write_all(fd, samples,
                                HEAD_BYTES + samples->count * sizeof samples->times_ns[0]);
}

bool iswi_bench_read(int fd, iswi_bench_samples *samples)
{
    return iswi_bench_read_all(fd, samples, HEAD_BYTES) && samples->mode < ISWI_BENCH_MODES &&
           samples->count <= ISWI_BENCH_KEPT &&
           iswi_bench_read_all(fd, samples->times_ns,
                               samples->count * sizeof samples->times_ns[0]);
}

/* -- The plan ---------------------------------------------------------------------------------- */

enum { WARM_TRIPS = 100, WARM_MOST_NS = 500000000 };

bool iswi_bench_parse_payloads(const char *text, iswi_bench_plan *plan)
{
    plan->payload_count = 0;
    for (;;) {
        char *end;
        long size = strtol(text, &end, 10);

        if (end == text || size < 1 || size > ISWI_BENCH_PAYLOAD_MAX ||
            plan->payload_count == ISWI_BENCH_PAYLOADS)
            return false;
        plan->payloads[plan->payload_count++] = (uint32_t)size;
        if (!*end)
            return true;
        if (*end != ',')
            return false;
        text = end + 1;
    }
}

/* For its share of the time, and for as many round trips as fill the allocators and their pages;
 * silence comes after back-to-back, which has done that. */
static bool warm_up(iswi_bench_run_fn run, void *user, iswi_bench_samples *samples, int64_t ns)
{
    iswi_bench_mode mode = samples->mode;
    int64_t until_ns = iswi_bench_now_ns() + WARM_MOST_NS;
    uint64_t done = 0;

    do {
        iswi_bench_begin(samples, mode, samples->payload, samples->in_flight);
        if (!run(user, samples, ns))
            return false;
        done += samples->done;
    } while (mode != ISWI_BENCH_SILENCE && done < WARM_TRIPS && !iswi_bench_is_over(until_ns));
    iswi_bench_begin(samples, mode, samples->payload, samples->in_flight);
    return true;
}

bool iswi_bench_carry_out(const iswi_bench_plan *plan, iswi_bench_run_fn run, void *user,
                          uint32_t (*window)(uint32_t payload))
{
    static iswi_bench_samples samples;
    int64_t slice_ns = plan->slice_ms * 1000000;
    int64_t warm_ns = slice_ns * ISWI_BENCH_WARM_PERCENT / 100;

    for (unsigned i = 0; i < plan->payload_count; i++)
        for (unsigned mode = 0; mode < ISWI_BENCH_MODES; mode++) {
            uint32_t payload = plan->payloads[i];
            uint32_t in_flight = mode == ISWI_BENCH_PIPELINED ? window(payload) : 1;

            iswi_bench_begin(&samples, mode, payload, in_flight);
            if (!warm_up(run, user, &samples, warm_ns) ||
                !run(user, &samples, slice_ns - warm_ns) ||
                !iswi_bench_write(STDOUT_FILENO, &samples))
                return false;
        }
    return true;
}
