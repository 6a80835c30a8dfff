/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of SQS, Kinesis and DynamoDB, notices of SNS, S3 and SES: their records are messages of a
 * function's queue, in calls of as many as it takes, several at a time where order does not matter.
 * Another event is one message. Invariant: each is settled once, by its call or since one before it
 * failed; then Lambda is told.
 */
#include "host/lambda/internal.h"

#include "base/alloc.h"
#include "base/text.h"
#include "host/queue/foreign.h"
#include "host/queue/queue.h"

#include <pthread.h>
#include <stdio.h>

typedef struct iswi_lambda_item {
    isw_str id, key;
    bool failed;
} iswi_lambda_item;

typedef struct iswi_lambda_batch {
    iswi_lambda_slot *slot;
    iswi_delivery **messages;
    isw_map *more;
    iswi_lambda_item *items;
    size_t count;
    bool is_stream; /* what comes behind a failure is not looked at */
    bool has_keys;  /* what comes behind one of the same key is not */
    pthread_mutex_t lock; /* guards what follows, and items' `failed` */
    size_t next, calls;
    bool pumps;
    char cause[256]; /* of the first failure */
} iswi_lambda_batch;

/* -- What came of it --------------------------------------------------------------------------- */

static size_t failures(const iswi_lambda_batch *batch)
{
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++)
        count += batch->items[i].failed;
    return count;
}

/* Of a stream the first one says all: from there on it comes again. */
static void report(iswi_lambda_batch *batch)
{
    iswi_buffer *out = &batch->slot->out;
    bool first = true;

    iswi_buffer_append_text(out, "{\"batchItemFailures\":[");
    for (size_t i = 0; i < batch->count; i++) {
        if (!batch->items[i].failed || (batch->is_stream && !first))
            continue;
        iswi_buffer_append_text(out, first ? "{\"itemIdentifier\":" : ",{\"itemIdentifier\":");
        iswi_json_string(out, batch->items[i].id);
        iswi_buffer_append_text(out, "}");
        first = false;
    }
    iswi_buffer_append_text(out, "]}");
}

static void finish(iswi_lambda_batch *batch)
{
    iswi_lambda_slot *slot = batch->slot;
    const size_t failed = failures(batch);
    const bool reports = iswi_lambda_is_batch(slot->event.kind);
    const bool whole =
        !reports || slot->lambda->settings->batch_failures == ISWI_LAMBDA_WHOLE;
    char text[sizeof batch->cause + 64];

    if (failed && (whole || failed == batch->count)) {
        snprintf(text, sizeof text, "%zu of %zu messages failed: %s", failed, batch->count,
                 batch->cause);
        iswi_lambda_slot_fail(slot, "Function.BatchFailed", isw_str_of(text));
    } else {
        if (reports)
            report(batch);
        else
            iswi_buffer_append_text(&slot->out, "null");
        iswi_lambda_slot_settle(slot);
    }
    pthread_mutex_destroy(&batch->lock);
    iswi_free(batch);
}

/* -- Calls ------------------------------------------------------------------------------------- */

/* With the lock, as what follows. */
static bool comes_behind_a_failure(const iswi_lambda_batch *batch, size_t index)
{
    const isw_str key = batch->items[index].key;

    if (!batch->is_stream && !key.size)
        return false;
    for (size_t i = 0; i < index; i++)
        if (batch->items[i].failed && (batch->is_stream || isw_str_equal(batch->items[i].key, key)))
            return true;
    return false;
}

static void skip(iswi_lambda_batch *batch)
{
    while (batch->next < batch->count && comes_behind_a_failure(batch, batch->next)) {
        batch->items[batch->next].failed = true;
        iswi_delivery_free(batch->messages[batch->next++]);
    }
}

/* How many messages of those from *from on the next call is to have; 0: none now. */
static size_t take(iswi_lambda_batch *batch, size_t *from)
{
    const bool ordered = batch->is_stream || batch->has_keys;
    const iswi_entry *entry = batch->slot->entry;
    const size_t most = iswi_queue_batch(entry);
    size_t count = 1;

    if (batch->calls >= (ordered ? 1 : iswi_queue_calls(entry)))
        return 0;
    skip(batch);
    if (batch->next == batch->count)
        return 0;
    *from = batch->next;
    while (count < most && *from + count < batch->count &&
           !comes_behind_a_failure(batch, *from + count))
        count++;
    batch->next += count;
    batch->calls++;
    return count;
}

static void on_settled(void *user, const iswi_settlement *settlements, size_t count);

static void begin(iswi_lambda_batch *batch, size_t from, size_t count)
{
    const iswi_lambda_slot *slot = batch->slot;
    const iswi_foreign_messages messages = { .items = &batch->messages[from],
                                             .count = count,
                                             .more = &batch->more[from],
                                             .deadline_ns = slot->invocation.deadline_ns,
                                             .trace = { .parent = slot->invocation.parent },
                                             .request_id = slot->invocation.id,
                                             .settled = on_settled,
                                             .user = batch };

    iswi_queue_foreign_begin(slot->lambda->host, slot->entry, &messages);
}

/* Calls may end while others are begun, and within their beginning: whoever pumps goes on for all.
 * With the lock, which it lets go, and with it the batch. */
static void pump(iswi_lambda_batch *batch)
{
    size_t count;
    size_t from;
    bool over;

    if (batch->pumps) {
        pthread_mutex_unlock(&batch->lock);
        return;
    }
    batch->pumps = true;
    while ((count = take(batch, &from)) > 0) {
        pthread_mutex_unlock(&batch->lock);
        begin(batch, from, count);
        pthread_mutex_lock(&batch->lock);
    }
    batch->pumps = false;
    over = batch->next == batch->count && !batch->calls;
    pthread_mutex_unlock(&batch->lock);
    if (over)
        finish(batch);
}

/* What is to be dead is not complete either: the queue has its own place for the dead. */
static void on_settled(void *user, const iswi_settlement *settlements, size_t count)
{
    iswi_lambda_batch *batch = user;

    pthread_mutex_lock(&batch->lock);
    for (size_t i = 0; i < count; i++) {
        const iswi_settlement *one = &settlements[i];

        if (one->verdict == ISWI_VERDICT_COMPLETE)
            continue;
        batch->items[one->delivery->number].failed = true;
        if (!*batch->cause && one->cause.size)
            snprintf(batch->cause, sizeof batch->cause, "%.*s", (int)one->cause.size,
                     one->cause.data);
    }
    batch->calls--;
    pump(batch);
}

/* -- The beginning ----------------------------------------------------------------------------- */

static iswi_lambda_batch *create(iswi_lambda_slot *slot, size_t count)
{
    iswi_lambda_batch *batch = iswi_calloc(1, sizeof *batch);

    if (!batch)
        return NULL;
    batch->slot = slot;
    batch->messages = iswi_arena_calloc(&slot->arena, count, sizeof *batch->messages);
    batch->more = iswi_arena_calloc(&slot->arena, count, sizeof *batch->more);
    batch->items = iswi_arena_calloc(&slot->arena, count, sizeof *batch->items);
    batch->is_stream = slot->event.kind == ISWI_LAMBDA_KINESIS ||
                       slot->event.kind == ISWI_LAMBDA_DYNAMODB;
    pthread_mutex_init(&batch->lock, NULL);
    if (batch->messages && batch->more && batch->items)
        return batch;
    pthread_mutex_destroy(&batch->lock);
    iswi_free(batch);
    return NULL;
}

static bool read(iswi_lambda_batch *batch, const isw_value *record, const char **wrong)
{
    const size_t at = batch->count;
    iswi_delivery *message = iswi_lambda_record_read(batch->slot, record, &batch->more[at], wrong);

    if (!message)
        return false;
    message->number = at;
    batch->messages[at] = message;
    batch->items[at] = (iswi_lambda_item){ message->id, message->key, false };
    batch->has_keys = batch->has_keys || message->key.size;
    batch->count++;
    return true;
}

static void refuse(iswi_lambda_slot *slot, iswi_lambda_batch *batch, size_t index,
                   const char *wrong)
{
    char text[96];

    snprintf(text, sizeof text, "record %zu %s", index, wrong);
    for (size_t i = 0; batch && i < batch->count; i++)
        iswi_delivery_free(batch->messages[i]);
    if (batch)
        pthread_mutex_destroy(&batch->lock);
    iswi_free(batch);
    iswi_lambda_slot_fail(slot, "Runtime.InvalidEvent", isw_str_of(text));
}

void iswi_lambda_batch_begin(iswi_lambda_slot *slot)
{
    const bool has_records = iswi_lambda_is_batch(slot->event.kind) ||
                             iswi_lambda_is_notice(slot->event.kind);
    const isw_value *records = has_records ? slot->event.records->as.array.items
                                           : &slot->event.value;
    const size_t count = has_records ? slot->event.records->as.array.count : 1;
    iswi_lambda_batch *batch = create(slot, count);
    const char *wrong = "cannot be read: there is no memory for its batch";

    for (size_t i = 0; i < count; i++)
        if (!batch || !read(batch, &records[i], &wrong)) {
            refuse(slot, batch, i, wrong);
            return;
        }
    pthread_mutex_lock(&batch->lock);
    pump(batch);
}
