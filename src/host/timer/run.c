/* SPDX-License-Identifier: Apache-2.0 */
/* A run as a call: what its function is told, and what its answer means. */
#include "base/alloc.h"
#include "host/timer/clockwork.h"

#include <stdio.h>

enum { MS = 1000 };

typedef struct timer_call {
    iswi_timer_run run;
    iswi_clockwork *all;
    iswi_task task;
    iswi_timer_end end;
    iswi_timer_described described;
    char message[ISW_ERROR_MESSAGE_BYTES / 4];
} timer_call;

static isw_value stamp(const iswi_schedule *schedule, int64_t instant_s,
                       char out[ISWI_STAMP_BYTES])
{
    iswi_schedule_stamp(schedule, instant_s, out);
    return isw_value_string(out);
}

isw_map iswi_timer_describe(const iswi_schedule *schedule, const iswi_timer_run *run,
                            iswi_timer_described *out)
{
    size_t count = 0;

    out->members[count++] =
        isw_named("scheduled_for", stamp(schedule, run->scheduled_s, out->scheduled));
    out->members[count++] = isw_named("is_past_due", isw_value_bool(run->past_due));
    out->members[count++] = isw_named(
        "last", run->last_s ? stamp(schedule, run->last_s, out->last) : isw_value_none());
    out->members[count++] = isw_named("next", stamp(schedule, run->next_s, out->next));
    out->members[count++] = isw_named("attempt", isw_value_int(run->attempt));
    return (isw_map){ out->members, count };
}

static void finish(iswi_task *task)
{
    timer_call *call = (timer_call *)((char *)task - offsetof(timer_call, task));

    iswi_timed_ended(call->run.timer, &call->run, &call->end);
    iswi_free(call);
}

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    timer_call *call = user;
    size_t size = answer->message.size < sizeof call->message ? answer->message.size
                                                              : sizeof call->message;

    (void)invocation_id;
    if (size)
        memcpy(call->message, answer->message.data, size);
    call->end = (iswi_timer_end){
        .refused = answer->refused,
        .lost = !answer->refused && answer->status == ISW_E_WORKER_LOST,
        .bystander = answer->bystander,
        .failed = answer->outcome != ISW_OUTCOME_SUCCESS,
        .later_s = answer->outcome == ISW_OUTCOME_RETRY_LATER
                       ? (int64_t)(answer->retry_after_ms / MS) + 1
                       : 0,
        .message = { call->message, size },
    };
    iswi_answer_release(answer->held);
    call->task.run = finish;
    iswi_reactor_post(call->all->reactor, &call->task);
}

void iswi_timer_call_begin(void *user, const iswi_timer_run *run)
{
    iswi_clockwork *all = user;
    timer_call *call = iswi_calloc(1, sizeof *call);
    iswi_call one = { .function = run->timer->entry->function,
                      .once = true,
                      .to_its_end = true,
                      .answer = on_answer,
                      .user = call };
    iswi_timer_end no_memory = { .refused = true, .message = isw_str_of("no memory for a call") };

    if (!call) {
        iswi_timed_ended(run->timer, run, &no_memory);
        return;
    }
    call->run = *run;
    call->all = all;
    one.trigger_metadata =
        iswi_timer_describe(&run->timer->schedule, &call->run, &call->described);
    one.trigger = isw_value_map(one.trigger_metadata.items, one.trigger_metadata.count);
    one.retry = (iswi_wire_retry){ .count = run->attempt - 1,
                                   .max = run->attempts - 1,
                                   .last_error = isw_str_of(call->run.error) };
    iswi_call_start(all->host, &one);
}
