/* SPDX-License-Identifier: Apache-2.0 */
/* A run that somebody else has begun, as a call. */
#include "host/timer/foreign.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "host/timer/clockwork.h"

typedef struct foreign_call {
    iswi_foreign_run given;
    iswi_timer_described described;
} foreign_call;

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    foreign_call *call = user;
    const iswi_foreign_run given = call->given;

    (void)invocation_id;
    iswi_free(call);
    given.answer(given.user, answer);
}

/* What the function says of its schedule is what ours would keep to: so the next run is known. */
static isw_status describe(const iswi_entry *entry, foreign_call *call, isw_map *out)
{
    const iswi_timer_properties *properties = entry->properties;
    const int64_t scheduled_s = call->given.scheduled_s;
    iswi_timer_run run = { .scheduled_s = scheduled_s, .attempt = 1, .attempts = 1 };
    iswi_schedule schedule;
    isw_status status =
        iswi_schedule_open(properties->schedule, properties->zone, &schedule, NULL);

    if (status != ISW_OK)
        return status;
    run.next_s = iswi_schedule_next(&schedule, scheduled_s);
    run.past_due = iswi_wall_us() / 1000000 - scheduled_s > ISWI_TIMER_LATE_S;
    *out = iswi_timer_describe(&schedule, &run, &call->described);
    iswi_schedule_close(&schedule);
    return ISW_OK;
}

static void refuse(const iswi_foreign_run *run, isw_status status)
{
    const iswi_answer answer = { .status = status,
                                 .refused = true,
                                 .message = isw_str_of(isw_status_text(status)) };

    run->answer(run->user, &answer);
}

void iswi_timer_foreign_begin(iswi_host *host, const iswi_entry *entry, const iswi_foreign_run *run)
{
    foreign_call *own = iswi_calloc(1, sizeof *own);
    iswi_call call = { .function = entry->function,
                       .deadline_ns = run->deadline_ns,
                       .trace = run->trace,
                       .request_id = run->request_id,
                       .once = true,
                       .answer = on_answer,
                       .user = own };
    isw_status status = ISW_E_NO_MEMORY;

    if (own) {
        own->given = *run;
        status = describe(entry, own, &call.trigger_metadata);
    }
    if (status != ISW_OK) {
        iswi_free(own);
        refuse(run, status);
        return;
    }
    if (run->invocation_id)
        memcpy(call.invocation_id, run->invocation_id, sizeof call.invocation_id);
    call.trigger = isw_value_map(call.trigger_metadata.items, call.trigger_metadata.count);
    iswi_call_start(host, &call);
}
