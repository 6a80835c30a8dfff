/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements of the bench: clock, samples, and the pipe they travel on. Invariant: what a reader
 * took in has its counts within bounds. */
#include "bench/samples.h"

#include "bench/meter.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* -- The plan ---------------------------------------------------------------------------------- */

enum { WARM_TRIPS = 100, WARM_MOST_NS = 500000000 };

static const char mode_letters[] = "bspfa";

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

void iswi_bench_plan_to_words(const iswi_bench_plan *plan, iswi_bench_words *words)
{
    size_t at = 0;

    snprintf(words->slice, sizeof words->slice, "%lld", (long long)plan->slice_ms);
    for (unsigned i = 0; i < plan->payload_count; i++)
        at += (size_t)snprintf(words->payloads + at, sizeof words->payloads - at, "%s%u",
                               i ? "," : "", plan->payloads[i]);
    at = 0;
    for (unsigned i = 0; i < ISWI_BENCH_MODES; i++)
        if (plan->modes & ISWI_BENCH_ONLY(i))
            words->modes[at++] = mode_letters[i];
    words->modes[at] = '\0';
}

bool iswi_bench_plan_from_words(char *const words[ISWI_BENCH_PLAN_WORDS], iswi_bench_plan *plan)
{
    plan->slice_ms = strtol(words[0], NULL, 10);
    plan->modes = 0;
    for (const char *at = words[2]; *at; at++) {
        const char *letter = strchr(mode_letters, *at);

        if (!letter)
            return false;
        plan->modes |= ISWI_BENCH_ONLY(letter - mode_letters);
    }
    return plan->modes && iswi_bench_parse_payloads(words[1], plan);
}

/* -- Carrying it out --------------------------------------------------------------------------- */

/* For its share of the time, and for as many round trips as fill the allocators and their pages;
 * silence comes after back-to-back, which has done that. */
static bool warm_up(const iswi_bench_subject *subject, iswi_bench_samples *samples, int64_t ns)
{
    iswi_bench_mode mode = samples->mode;
    int64_t until_ns = iswi_bench_now_ns() + WARM_MOST_NS;
    uint64_t done = 0;

    do {
        iswi_bench_begin(samples, mode, samples->payload, samples->in_flight);
        if (!subject->run(subject->user, samples, ns))
            return false;
        done += samples->done;
    } while (mode != ISWI_BENCH_SILENCE && done < WARM_TRIPS && !iswi_bench_is_over(until_ns));
    iswi_bench_begin(samples, mode, samples->payload, samples->in_flight);
    return true;
}

/* A number of round trips from the very beginning, so with nothing before them. */
static bool run_number(const iswi_bench_subject *subject, iswi_bench_samples *samples)
{
    const int64_t patience_ns = 20000000000;
    bool first = samples->mode == ISWI_BENCH_FIRST;

    samples->most = first ? 1 : ISWI_BENCH_AGED_TRIPS;
    if (!subject->run(subject->user, samples, patience_ns) || samples->done != samples->most)
        return false;
    if (first) {
        samples->elapsed_ns = iswi_bench_now_ns() - subject->started_ns;
        samples->done = samples->count = samples->skipped = 0;
        iswi_bench_note(samples, samples->elapsed_ns);
    } else {
        iswi_bench_read_memory(subject->echo, samples->counts);
    }
    return true;
}

static bool measure(const iswi_bench_plan *plan, const iswi_bench_subject *subject,
                    iswi_bench_mode mode, uint32_t payload)
{
    static iswi_bench_samples samples;
    int64_t slice_ns = plan->slice_ms * 1000000;
    int64_t warm_ns = slice_ns * ISWI_BENCH_WARM_PERCENT / 100;
    bool many = mode == ISWI_BENCH_PIPELINED || mode == ISWI_BENCH_AGED;

    iswi_bench_begin(&samples, mode, payload, many ? subject->window(subject->user, payload) : 1);
    if (mode == ISWI_BENCH_FIRST || mode == ISWI_BENCH_AGED)
        return run_number(subject, &samples) && iswi_bench_write(STDOUT_FILENO, &samples);
    return warm_up(subject, &samples, warm_ns) &&
           subject->run(subject->user, &samples, slice_ns - warm_ns) &&
           iswi_bench_write(STDOUT_FILENO, &samples);
}

bool iswi_bench_carry_out(const iswi_bench_plan *plan, const iswi_bench_subject *subject)
{
    for (unsigned i = 0; i < plan->payload_count; i++)
        for (unsigned mode = 0; mode < ISWI_BENCH_MODES; mode++)
            if (plan->modes & ISWI_BENCH_ONLY(mode) &&
                !measure(plan, subject, mode, plan->payloads[i]))
                return false;
    return true;
}
