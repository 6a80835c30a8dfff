/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a function says of its messages while it runs, as an output "$settle": { "index": ...,
 * "verdict": "complete" | "abandon" | "defer" | "dead_letter" | "extend", "delay_ms": ..., "reason":
 * ... }. It is done at once, and once more with the answer, in case it could not be: then it is
 * another's, or nobody's, and nothing more happens; of messages that lie elsewhere with the answer
 * alone. What makes no sense is said in the log.
 */
#include "base/alloc.h"
#include "host/engine/log.h"
#include "host/queue/internal.h"

static const char *const verdicts[] = { "complete", "abandon", "defer", "dead_letter", "extend" };

enum { VERDICTS = sizeof verdicts / sizeof verdicts[0] };

/* One message, settled on its own. Done before its call is: operations keep their order. */
typedef struct single {
    iswi_consumer *consumer;
    iswi_broker_op op;
    iswi_settlement settlement;
    char cause[];
} single;

static void take(const isw_named_value *member, size_t *index, iswi_said *said, isw_str *reason)
{
    isw_str name = member->name;
    const isw_value *value = &member->value;

    if (isw_str_equal(name, isw_str_of("index")) && value->type == ISW_VALUE_INT)
        *index = (size_t)value->as.integer;
    else if (isw_str_equal(name, isw_str_of("delay_ms")) && value->type == ISW_VALUE_INT)
        said->delay_ms = value->as.integer > 0 ? value->as.integer : 0;
    else if (isw_str_equal(name, isw_str_of("reason")) && value->type == ISW_VALUE_STRING)
        *reason = value->as.string;
    for (int i = 0; i < VERDICTS && isw_str_equal(name, isw_str_of("verdict")); i++)
        if (value->type == ISW_VALUE_STRING &&
            isw_str_equal(value->as.string, isw_str_of(verdicts[i]))) {
            said->is = true;
            said->verdict = (iswi_verdict)i;
        }
}

static void on_settled(iswi_broker_op *op)
{
    single *own = op->user;

    if (op->error.status == ISW_OK && own->settlement.verdict != ISWI_VERDICT_EXTEND)
        iswi_settled_tell(own->consumer, &own->settlement);
    iswi_free(own);
}

static void settle_now(iswi_delivered *delivered, size_t index, const iswi_said *said)
{
    size_t size = strlen(said->cause) + 1;
    single *own = iswi_calloc(1, sizeof *own + size);

    if (!own)
        return;
    own->consumer = delivered->consumer;
    memcpy(own->cause, said->cause, size);
    own->settlement = (iswi_settlement){ .delivery = delivered->items[index],
                                         .verdict = said->verdict,
                                         .delay_ms = said->delay_ms,
                                         .cause = isw_str_of(own->cause) };
    own->op = (iswi_broker_op){ .kind = ISWI_BROKER_SETTLE, .done = on_settled, .user = own };
    own->op.as.settle.items = &own->settlement;
    own->op.as.settle.count = 1;
    iswi_broker_submit(delivered->consumer->broker, &own->op);
}

void iswi_queue_told(void *user, isw_str name, const isw_value *value)
{
    iswi_delivered *delivered = user;
    iswi_said said = { .is = false, .cause = "" };
    isw_str reason = { "", 0 };
    size_t index = delivered->count == 1 ? 0 : SIZE_MAX;

    for (size_t i = 0; value->type == ISW_VALUE_MAP && i < value->as.map.count; i++)
        take(&value->as.map.items[i], &index, &said, &reason);
    if (!isw_str_equal(name, isw_str_of("$settle")) || !said.is || index >= delivered->count) {
        iswi_say(delivered->consumer->host, ISW_LOG_WARNING,
                 "function %s has put out \"%.*s\", which says nothing about a message of its",
                 delivered->consumer->entry->name, (int)name.size, name.data);
        return;
    }
    said.cause = iswi_arena_strndup(&delivered->arena, reason.data, reason.size);
    said.cause = said.cause ? said.cause : "";
    if (delivered->consumer->broker)
        settle_now(delivered, index, &said);
    if (said.verdict != ISWI_VERDICT_EXTEND)
        delivered->said[index] = said;
}
