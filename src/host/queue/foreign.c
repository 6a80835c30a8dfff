/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of somebody else's queues: a call with them, and what its answer means. Invariant: whatever
 * becomes of it, each message is settled once, and gone then. */
#include "host/queue/foreign.h"

#include "base/alloc.h"
#include "host/queue/internal.h"
#include "host/queue/queue.h"

#include <stddef.h>

typedef struct foreign_call {
    iswi_consumer consumer; /* what the function and its queue are; nothing is ever claimed */
    iswi_foreign_messages given;
} foreign_call;

static void finish(foreign_call *call, iswi_delivered *delivered, const iswi_answer *answer)
{
    iswi_queue_judge(delivered, answer);
    call->given.settled(call->given.user, delivered->settlements, delivered->count);
    iswi_delivered_destroy(delivered);
    iswi_free(call);
}

static void on_answer(void *user, const char *invocation_id, const iswi_answer *answer)
{
    iswi_delivered *delivered = user;
    foreign_call *call = (foreign_call *)((char *)delivered->consumer -
                                          offsetof(foreign_call, consumer));

    if (answer->outcome == ISW_OUTCOME_SUCCESS && call->given.result)
        call->given.result(call->given.user, &answer->result);
    if (answer->outcome != ISW_OUTCOME_SUCCESS && !answer->held) /* else its worker has said it */
        iswi_function_say(call->consumer.entry->function, ISW_LOG_WARNING, invocation_id,
                          call->given.request_id, "%zu message%s of queue %s: %.*s",
                          delivered->count, delivered->count == 1 ? "" : "s",
                          call->consumer.queue, (int)answer->message.size,
                          answer->message.size ? answer->message.data : "");
    finish(call, delivered, answer);
    iswi_answer_release(answer->held);
}

static foreign_call *create(iswi_host *host, const iswi_entry *entry,
                            const iswi_foreign_messages *messages)
{
    foreign_call *call = iswi_calloc(1, sizeof *call);

    if (!call)
        return NULL;
    call->given = *messages;
    call->consumer.host = host;
    iswi_consumer_of(&call->consumer, entry, &iswi_queue_kind);
    call->consumer.max_attempts = messages->max_attempts;
    return call;
}

/* Nobody saw them: all are tried again. */
static void give_back(const iswi_foreign_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++) {
        const iswi_settlement back = { .delivery = messages->items[i],
                                       .verdict = ISWI_VERDICT_DEFER,
                                       .cause = isw_str_of("no memory") };

        messages->settled(messages->user, &back, 1);
        iswi_delivery_free(messages->items[i]);
    }
}

void iswi_queue_foreign_begin(iswi_host *host, const iswi_entry *entry,
                              const iswi_foreign_messages *messages)
{
    static const iswi_call_events events = { .told = iswi_queue_told };
    foreign_call *own = create(host, entry, messages);
    iswi_delivered *delivered =
        own ? iswi_delivered_create(&own->consumer, messages->items, messages->count) : NULL;
    iswi_call call = { .function = entry->function,
                       .deadline_ns = messages->deadline_ns,
                       .trace = messages->trace,
                       .request_id = messages->request_id,
                       .events = &events,
                       .once = true,
                       .answer = on_answer,
                       .user = delivered };

    if (!delivered) {
        iswi_free(own);
        give_back(messages);
        return;
    }
    if (messages->invocation_id)
        memcpy(call.invocation_id, messages->invocation_id, sizeof call.invocation_id);
    delivered->more = messages->more;
    if (iswi_queue_values(delivered, &delivered->arena, &call))
        iswi_call_start(host, &call);
    else
        on_answer(delivered, "", &(iswi_answer){ .status = ISW_E_NO_MEMORY, .refused = true });
}
