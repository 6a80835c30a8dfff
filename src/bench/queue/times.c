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
