/* SPDX-License-Identifier: Apache-2.0 */
#include "host/timer/plan.h"

#include "host/timer/coming.h"
#include "host/timer/timed.h"
#include "host/timer/trigger.h"

isw_status iswi_timer_plan(const isw_pairs *given, int64_t now_s, iswi_arena *arena,
                           iswi_timer_told *out, isw_error *error)
{
    const iswi_timer_properties *properties;
    const void *read;
    iswi_schedule schedule;

    if (iswi_trigger_properties(&iswi_timer_trigger, given, arena, &read, error) != ISW_OK)
        return error->status;
    properties = read;
    if (iswi_schedule_open(properties->schedule, properties->zone, &schedule, error) != ISW_OK)
        return error->status;
    out->schedule = properties->schedule;
    out->zone = properties->zone;
    out->state = "no host";
    iswi_timer_coming(&schedule, iswi_schedule_next(&schedule, now_s), arena, out);
    iswi_schedule_close(&schedule);
    return ISW_OK;
}
