/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What triggers a function, from how the Azure Functions host tells it to how our own triggers do
 * (host/queue/values.c, host/timer/run.c), so that the function is the same under both. All that
 * the Azure Functions host tells stays there behind it, by its own names.
 */
#include "base/clock.h"
#include "host/azure/internal.h"
#include "host/engine/look.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { OWN_MAX = 8, STAMP_BYTES = 32, MS = 1000 };

/* -- What it tells ----------------------------------------------------------------------------- */

/* A value that may be JSON, in which the Azure Functions host writes numbers and times. */
static isw_value plain(iswi_azure_call *call, const isw_value *value)
{
    isw_value parsed;

    if (!value)
        return isw_value_none();
    if (value->type == ISW_VALUE_JSON &&
        iswi_json_parse(&call->arena, value->as.string, &parsed, NULL) == ISW_OK)
        return parsed;
    return *value;
}

static isw_value metadata(iswi_azure_call *call, const char *name)
{
    for (size_t i = 0; i < call->metadata.count; i++)
        if (isw_str_equal_nocase(call->metadata.items[i].name, isw_str_of(name)))
            return plain(call, &call->metadata.items[i].value);
    return isw_value_none();
}

static int64_t number(isw_value value)
{
    int64_t out = 0;

    isw_value_to_int(&value, &out, NULL);
    return out;
}

/* "2026-11-27T18:00:00.123+00:00", in UTC as it always is; 0: it is none, or long ago. */
static int64_t time_ms(isw_value value)
{
    char text[STAMP_BYTES];
    struct tm tm = { 0 };
    const char *rest;
    int64_t ms = 0;

    if (value.type != ISW_VALUE_STRING)
        return 0;
    snprintf(text, sizeof text, "%.*s", (int)value.as.string.size, value.as.string.data);
    rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest || tm.tm_year < 70)
        return 0;
    if (*rest == '.')
        for (int64_t unit = MS / 10; unit && *++rest >= '0' && *rest <= '9'; unit /= 10)
            ms += (*rest - '0') * unit;
    return (int64_t)timegm(&tm) * MS + ms;
}

/* -- What our own would tell ------------------------------------------------------------------- */

/* Before what is there. False: no memory. */
static bool put_before(iswi_azure_call *call, const isw_named_value *own, size_t count)
{
    isw_named_value *all =
        iswi_arena_calloc(&call->arena, count + call->metadata.count + 1, sizeof *all);

    if (!all)
        return false;
    memcpy(all, own, count * sizeof *own);
    if (call->metadata.count)
        memcpy(all + count, call->metadata.items, call->metadata.count * sizeof *own);
    call->metadata = (isw_map){ all, count + call->metadata.count };
    return true;
}

static const char *given(const iswi_azure_call *call, const char *name)
{
    const isw_str *value =
        isw_pairs_find(&iswi_function_description(call->function)->given, name);

    return value && value->size ? value->data : NULL;
}

static bool is_batch(const iswi_azure_call *call)
{
    const char *size = given(call, "batch_size");

    return size && atoi(size) > 1;
}

static size_t describe_message(iswi_azure_call *call, isw_named_value out[OWN_MAX])
{
    const char *queue = given(call, "queue");
    const int64_t attempt = number(metadata(call, "DequeueCount"));
    const int64_t expires_ms = time_ms(metadata(call, "ExpirationTime"));
    size_t count = 0;

    out[count++] = isw_named("id", metadata(call, "Id"));
    out[count++] = isw_named("queue", isw_value_string(queue ? queue : call->name));
    out[count++] = isw_named("dequeue_count", isw_value_int(attempt ? attempt : 1));
    out[count++] = isw_named("max_dequeue_count", isw_value_int(0));
    out[count++] = isw_named("inserted_ms",
                             isw_value_int(time_ms(metadata(call, "InsertionTime"))));
    out[count++] = isw_named("priority", isw_value_int(0));
    if (expires_ms)
        out[count++] = isw_named("expires_ms", isw_value_int(expires_ms));
    if (out[0].value.type != ISW_VALUE_STRING)
        out[0].value = isw_value_string(call->id);
    return count;
}

/* One message is what the Azure Functions host has for a call; a function of batches gets one of
 * one. */
static bool message(iswi_azure_call *call)
{
    isw_named_value own[OWN_MAX];
    size_t count = describe_message(call, own);
    isw_value *body, *map;
    isw_named_value *members;

    if (!is_batch(call))
        return put_before(call, own, count);
    body = iswi_arena_alloc(&call->arena, 2 * sizeof *body);
    members = iswi_arena_alloc(&call->arena, count * sizeof *members);
    if (!body || !members)
        return false;
    map = body + 1;
    memcpy(members, own, count * sizeof *own);
    *body = call->trigger;
    *map = isw_value_map(members, count);
    call->trigger = isw_value_array(body, 1);
    own[0] = own[1];
    own[1] = isw_named("messages", isw_value_array(map, 1));
    return put_before(call, own, 2);
}

/* An instant of a timer's status, none where it was never. */
static isw_value instant(const isw_value *told, const char *path)
{
    const isw_value *value = isw_value_get(told, path);

    return value && time_ms(*value) ? *value : isw_value_none();
}

static bool timer(iswi_azure_call *call)
{
    const isw_value told = plain(call, &call->trigger);
    const isw_value *late = isw_value_get(&told, "IsPastDue");
    const time_t now = (time_t)(iswi_wall_us() / 1000000);
    char *stamp = iswi_arena_alloc(&call->arena, STAMP_BYTES);
    isw_named_value own[OWN_MAX];
    size_t count = 0;
    struct tm tm;

    if (!stamp)
        return false;
    strftime(stamp, STAMP_BYTES, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    own[count++] = isw_named("scheduled_for", isw_value_string(stamp)); /* which is not told */
    own[count++] = isw_named("is_past_due", isw_value_bool(late && late->type == ISW_VALUE_BOOL &&
                                                            late->as.boolean));
    own[count++] = isw_named("last", instant(&told, "ScheduleStatus.Last"));
    own[count++] = isw_named("next", instant(&told, "ScheduleStatus.Next"));
    own[count++] = isw_named("attempt", isw_value_int(call->invoke->retry
                                                          ? call->invoke->retry->count + 1
                                                          : 1));
    if (!put_before(call, own, count))
        return false;
    call->trigger = isw_value_map(call->metadata.items, count);
    return true;
}

bool iswi_azure_event(iswi_azure_call *call)
{
    const char *type = iswi_function_description(call->function)->trigger_type;

    if (strcmp(type, "queue") == 0)
        return message(call);
    return strcmp(type, "timer") == 0 ? timer(call) : true;
}

/* -- What becomes of a message ----------------------------------------------------------------- */

static bool says(const isw_value *map, const char *path, const char *text)
{
    const isw_value *value = isw_value_get(map, path);

    return value && value->type == ISW_VALUE_STRING &&
           isw_str_equal(value->as.string, isw_str_of(text));
}

/* A queue there knows two ends of an invocation: the message is done, or comes again until it is
 * poison. When that is, and what is put aside at once, is not ours to say. */
void iswi_azure_told(void *user, isw_str name, const isw_value *value)
{
    iswi_azure_call *call = user;
    const isw_value *reason = isw_value_get(value, "reason");

    if (!isw_str_equal(name, isw_str_of("$settle")) || says(value, "verdict", "extend"))
        return;
    call->verdict = says(value, "verdict", "complete") ? ISWI_AZURE_DONE : ISWI_AZURE_AGAIN;
    if (reason && reason->type == ISW_VALUE_STRING)
        snprintf(call->reason, sizeof call->reason, "%.*s", (int)reason->as.string.size,
                 reason->as.string.size ? reason->as.string.data : "");
}

/* Whether a function of batches has not done its one message. */
static bool lists_failures(iswi_azure_call *call, const isw_value *result)
{
    const isw_value told = plain(call, result);
    const isw_value *failures = isw_value_get(&told, "batchItemFailures");

    return failures && failures->type == ISW_VALUE_ARRAY && failures->as.array.count;
}

static void give_back(iswi_answer *answer, const char *message)
{
    answer->outcome = ISW_OUTCOME_FAILED;
    answer->status = ISW_E_FAILED;
    answer->message = isw_str_of(message);
    answer->told = NULL;
}

void iswi_azure_judge(iswi_azure_call *call, iswi_answer *answer)
{
    const char *type = iswi_function_description(call->function)->trigger_type;

    if (strcmp(type, "queue") != 0)
        return;
    if (call->verdict == ISWI_AZURE_DONE)
        answer->outcome = ISW_OUTCOME_SUCCESS;
    else if (call->verdict == ISWI_AZURE_AGAIN && answer->outcome == ISW_OUTCOME_SUCCESS)
        give_back(answer, *call->reason ? call->reason : "the function gave its message back");
    else if (answer->outcome == ISW_OUTCOME_SUCCESS && is_batch(call) &&
             lists_failures(call, &answer->result))
        give_back(answer, "the function lists its message among batchItemFailures");
}
