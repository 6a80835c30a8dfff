/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of messages by the answer of their call. A success is done with, but for those of a
 * batch that the result names, as AWS Lambda has it for SQS: { "batchItemFailures": [{
 * "itemIdentifier": ID or index }] }; a result of that form that names what was not there fails all.
 * A failure is tried again after the backoff, each of a batch alone (batch.c), "retry later" after its own time, and what no process
 * had begun at once, which does not count as an attempt. Nor does that its process ended for what
 * another call did there; so often in a row, that is, as that may be so: who is named by a crash need
 * not be who has broken the memory in which it came.
 */
#include "host/queue/internal.h"
#include "value/value.h"

#include <stdio.h>

enum {
    NOT_BEGUN_MS = 20 /* so that nobody turns in circles while there is no process */
};

#define BYSTANDER "another call has ended its process, "

static void judge(const iswi_delivered *delivered, size_t index, iswi_verdict verdict,
                  int64_t delay_ms, isw_str cause)
{
    delivered->settlements[index] = (iswi_settlement){ .delivery = delivered->items[index],
                                                       .verdict = verdict,
                                                       .delay_ms = delay_ms,
                                                       .cause = cause };
}

static void fail(const iswi_delivered *delivered, size_t index, isw_str cause)
{
    unsigned attempt = delivered->items[index]->attempt;

    judge(delivered, index, ISWI_VERDICT_ABANDON,
          iswi_queue_retry_ms(delivered->consumer->properties, attempt), cause);
}

/* -- Results of batches ------------------------------------------------------------------------ */

static const isw_value *member(const isw_value *map, const char *name)
{
    for (size_t i = 0; map->type == ISW_VALUE_MAP && i < map->as.map.count; i++)
        if (isw_str_equal(map->as.map.items[i].name, isw_str_of(name)))
            return &map->as.map.items[i].value;
    return NULL;
}

/* The list of those that failed; NULL: the result has none. */
static const isw_value *failures(iswi_delivered *delivered, const isw_value *result,
                                 isw_value *parsed)
{
    if (result->type == ISW_VALUE_JSON &&
        iswi_json_parse(&delivered->arena, result->as.string, parsed, NULL) == ISW_OK)
        result = parsed;
    return member(result, "batchItemFailures");
}

/* Which message an entry names; the count when none. */
static size_t named(const iswi_delivered *delivered, const isw_value *entry)
{
    const isw_value *id = member(entry, "itemIdentifier");
    size_t index = 0;

    id = id ? id : entry;
    if (id->type == ISW_VALUE_INT)
        return id->as.integer >= 0 && (uint64_t)id->as.integer < delivered->count
                   ? (size_t)id->as.integer
                   : delivered->count;
    while (index < delivered->count &&
           !(id->type == ISW_VALUE_STRING &&
             isw_str_equal(id->as.string, delivered->items[index]->id)))
        index++;
    return index;
}

/* False: it names what is not there. */
static bool fail_named(const iswi_delivered *delivered, const isw_value *list)
{
    if (list->type != ISW_VALUE_ARRAY)
        return list->type == ISW_VALUE_NONE;
    for (size_t i = 0; i < list->as.array.count; i++) {
        size_t index = named(delivered, &list->as.array.items[i]);

        if (index == delivered->count)
            return false;
        fail(delivered, index, isw_str_of("the function named it among batchItemFailures"));
    }
    return true;
}

/* -- Answers ----------------------------------------------------------------------------------- */

static isw_str cause_of(iswi_delivered *delivered, const iswi_answer *answer)
{
    const bool lost = answer->status == ISW_E_WORKER_LOST && !answer->late;
    const char *text = lost ? "its process ended before it was done"
                            : isw_status_text(answer->status);
    const char *copy = answer->message.size && !lost
                           ? iswi_arena_strndup(&delivered->arena, answer->message.data,
                                                answer->message.size)
                           : NULL;

    return isw_str_of(copy ? copy : text);
}

/* How often it was one in a row, by what was said of it last. */
static unsigned times_bystander(const iswi_delivery *message)
{
    isw_str last = message->last_error;
    char text[sizeof BYSTANDER + 16];
    unsigned times = 0;

    snprintf(text, sizeof text, "%.*s", (int)last.size, last.size ? last.data : "");
    return sscanf(text, BYSTANDER "%3u", &times) == 1 ? times : 0;
}

static void judge_bystander(iswi_delivered *delivered, size_t index)
{
    unsigned times = times_bystander(delivered->items[index]) + 1;
    const char *cause = iswi_arena_printf(&delivered->arena, BYSTANDER "%u time%s in a row", times,
                                          times == 1 ? "" : "s");

    if (times > ISWI_BYSTANDER_MAX)
        fail(delivered, index, isw_str_of(cause));
    else
        judge(delivered, index, ISWI_VERDICT_DEFER, NOT_BEGUN_MS, isw_str_of(cause));
}

/* Of a batch each has the reason of all, which need not be its own. What lies elsewhere has no such
 * reason kept with it. */
static isw_str whole_cause(iswi_delivered *delivered, isw_str cause)
{
    const iswi_consumer *consumer = delivered->consumer;
    const char *text = NULL;

    if (consumer->properties->batch_size > 1 && consumer->broker)
        text = iswi_arena_printf(&delivered->arena, ISWI_BATCH_FAILED "%zu failed: %.*s",
                                 delivered->count, (int)cause.size, cause.data);
    return text ? isw_str_of(text) : cause;
}

/* It was not begun: those in a row go on behind it. */
static void judge_refused(const iswi_delivered *delivered, size_t index, isw_str cause)
{
    const iswi_delivery *message = delivered->items[index];

    judge(delivered, index, ISWI_VERDICT_DEFER, NOT_BEGUN_MS,
          times_bystander(message) ? message->last_error : cause);
}

static void judge_failure(iswi_delivered *delivered, const iswi_answer *answer)
{
    isw_str cause = cause_of(delivered, answer);
    isw_str whole = whole_cause(delivered, cause);

    for (size_t i = 0; i < delivered->count; i++)
        if (answer->refused)
            judge_refused(delivered, i, cause);
        else if (answer->bystander)
            judge_bystander(delivered, i);
        else if (answer->outcome == ISW_OUTCOME_RETRY_LATER)
            judge(delivered, i, ISWI_VERDICT_ABANDON, (int64_t)answer->retry_after_ms, cause);
        else
            fail(delivered, i, whole);
}

static void judge_success(iswi_delivered *delivered, const iswi_answer *answer)
{
    isw_value parsed;
    const isw_value *list = delivered->consumer->properties->batch_size > 1
                                ? failures(delivered, &answer->result, &parsed)
                                : NULL;

    for (size_t i = 0; i < delivered->count; i++)
        judge(delivered, i, ISWI_VERDICT_COMPLETE, 0, (isw_str){ NULL, 0 });
    if (list && !fail_named(delivered, list))
        for (size_t i = 0; i < delivered->count; i++)
            fail(delivered, i, isw_str_of("batchItemFailures of the function's result names what is "
                                          "not in the batch"));
}

void iswi_queue_judge(iswi_delivered *delivered, const iswi_answer *answer)
{
    if (answer->outcome == ISW_OUTCOME_SUCCESS)
        judge_success(delivered, answer);
    else
        judge_failure(delivered, answer);
    for (size_t i = 0; i < delivered->count; i++) {
        const iswi_said *said = &delivered->said[i];

        if (said->is)
            judge(delivered, i, said->verdict, said->delay_ms, isw_str_of(said->cause));
    }
}
