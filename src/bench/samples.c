/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of the bench, and the pipe they travel on. Invariant: what a reader took in has its
 * counts within bounds. */
#include "bench/samples.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

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
    samples->most = UINT64_MAX;
    samples->elapsed_ns = 0;
    for (unsigned i = 0; i < ISWI_BENCH_COUNTS; i++)
        samples->counts[i] = ISWI_BENCH_NOT_COUNTED;
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

uint64_t iswi_bench_sum(const void *bytes, uint64_t size)
{
    const unsigned char *at = bytes;
    uint64_t sum = 0;

    for (; size >= sizeof sum; at += sizeof sum, size -= sizeof sum) {
        uint64_t word;

        memcpy(&word, at, sizeof word);
        sum += word;
    }
    for (; size; size--)
        sum += *at++;
    return sum;
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
