/* SPDX-License-Identifier: Apache-2.0 */
/* Times of one thing after the other, and their median. */
#include "bench/clock.h"
#include "bench/queue/measure.h"

#include <stdlib.h>

void iswi_bench_queue_note(iswi_bench_queue_times *times, int64_t begun_ns)
{
    if (times->count < sizeof times->us / sizeof *times->us)
        times->us[times->count++] = (double)(iswi_bench_now_ns() - begun_ns) / 1000;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

double iswi_bench_queue_p50(iswi_bench_queue_times *times)
{
    if (times->count == 0)
        return 0;
    qsort(times->us, times->count, sizeof *times->us, compare);
    return times->us[times->count / 2];
}

bool iswi_bench_queue_put_batches(iswi_bench_queue_batch_fn batch, void *self,
                                  const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                                  isw_error *error)
{
    static iswi_bench_queue_times times;
    const int64_t begun_ns = iswi_bench_now_ns();

    times.count = 0;
    while (!iswi_bench_is_over(work->until_ns)) {
        const int64_t one_ns = iswi_bench_now_ns();

        if (!batch(self, work, work->in_flight, error))
            return false;
        iswi_bench_queue_note(&times, one_ns);
        out->done += work->in_flight;
    }
    out->elapsed_ns = iswi_bench_now_ns() - begun_ns;
    out->p50_us = iswi_bench_queue_p50(&times);
    return true;
}
