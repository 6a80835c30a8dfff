/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules of EventBridge: a timer is due. */
#include "host/lambda/internal.h"

#include "base/clock.h"
#include "host/timer/foreign.h"

static void on_answer(void *user, const iswi_answer *answer)
{
    iswi_lambda_answered(user, "", answer);
}

void iswi_lambda_schedule_begin(iswi_lambda_slot *slot)
{
    iswi_foreign_run run = { .scheduled_s =
                                 iswi_lambda_instant(iswi_lambda_text(&slot->event.value, "time")),
                             .deadline_ns = slot->invocation.deadline_ns,
                             .trace = { .parent = slot->invocation.parent },
                             .request_id = slot->invocation.id,
                             .answer = on_answer,
                             .user = slot };

    if (!run.scheduled_s)
        run.scheduled_s = iswi_wall_us() / 1000000;
    iswi_timer_foreign_begin(slot->lambda->host, slot->entry, &run);
}
