/* SPDX-License-Identifier: Apache-2.0 */
/* What a measuring process is asked for, as words, and how it carries that out. */
#include "bench/plan.h"

#include "bench/clock.h"
#include "bench/meter.h"
#include "bench/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

bool iswi_bench_parse_seconds(const char *text, long *seconds)
{
    char *end;

    *seconds = strtol(text, &end, 10);
    return end != text && !*end && *seconds >= 1 && *seconds <= 3600;
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

/* All that belongs to the case are this process, which measures, and those that it started. */
static bool run_counted(const iswi_bench_subject *subject, iswi_bench_samples *samples, int64_t ns)
{
    iswi_bench_tree tree = { .count = 0 };
    int64_t cpu_ns;
    bool ok;

    iswi_bench_tree_add(&tree, getpid());
    cpu_ns = iswi_bench_tree_cpu_ns(&tree);
    ok = subject->run(subject->user, samples, ns);
    cpu_ns = iswi_bench_tree_cpu_ns(&tree) - cpu_ns;
    samples->counts[ISWI_BENCH_CPU_NS] = cpu_ns > 0 ? (uint64_t)cpu_ns : ISWI_BENCH_NOT_COUNTED;
    return ok;
}

static bool measure_one(const iswi_bench_plan *plan, const iswi_bench_subject *subject,
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
           run_counted(subject, &samples, slice_ns - warm_ns) &&
           iswi_bench_write(STDOUT_FILENO, &samples);
}

bool iswi_bench_carry_out(const iswi_bench_plan *plan, const iswi_bench_subject *subject)
{
    for (unsigned i = 0; i < plan->payload_count; i++)
        for (unsigned mode = 0; mode < ISWI_BENCH_MODES; mode++)
            if (plan->modes & ISWI_BENCH_ONLY(mode) &&
                !measure_one(plan, subject, mode, plan->payloads[i]))
                return false;
    return true;
}
