/* SPDX-License-Identifier: Apache-2.0 */
#include "host/timer/coming.h"

static const char *stamp(const iswi_schedule *schedule, int64_t instant_s, iswi_arena *arena)
{
    char *text = iswi_arena_alloc(arena, ISWI_STAMP_BYTES);

    if (text)
        iswi_schedule_stamp(schedule, instant_s, text);
    return text;
}

void iswi_timer_coming(const iswi_schedule *schedule, int64_t at_s, iswi_arena *arena,
                       iswi_timer_told *out)
{
    out->next = iswi_arena_calloc(arena, ISWI_TIMER_NEXT_TIMES, sizeof *out->next);
    for (; out->next && at_s && at_s != ISWI_CRON_NEVER && out->next_count < ISWI_TIMER_NEXT_TIMES;
         at_s = iswi_schedule_next(schedule, at_s))
        out->next[out->next_count++] = stamp(schedule, at_s, arena);
}
