/* SPDX-License-Identifier: Apache-2.0 */
/* What an operation asks: whether it is well formed, and something that the driver can. */
#include "base/text.h"
#include "broker/driver.h"

static bool fails(iswi_broker_op *op, isw_status status, const char *sentence)
{
    isw_error_set(&op->error, status, "%s", sentence);
    return false;
}

static bool lacks(iswi_broker_op *op, const iswi_broker_driver *driver, const char *what,
                  const char *remedy)
{
    isw_error_set(&op->error, ISW_E_UNSUPPORTED, "%s at a place such as %s%s", what, driver->form,
                  remedy);
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool iswi_queue_is_name(isw_str name)
{
    if (name.size == 0 || name.size > ISWI_QUEUE_NAME_MAX || !is_letter(name.data[0]))
        return false;
    for (size_t i = 1; i < name.size; i++) {
        const char c = name.data[i];

        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.')
            return false;
    }
    return true;
}

static bool check_queue(iswi_broker_op *op, isw_str name)
{
    if (iswi_queue_is_name(name))
        return true;
    isw_error_set(&op->error, ISW_E_INVALID,
                  "\"%.*s\" is no name of a queue: a letter, then letters, digits, '_', '-' and "
                  "'.', %d at most",
                  name.size > 200 ? 200 : (int)name.size, name.data, ISWI_QUEUE_NAME_MAX);
    return false;
}

static bool check_count(iswi_broker_op *op, size_t count)
{
    return (count > 0 && count <= ISWI_BROKER_ITEMS_MAX) ||
           fails(op, ISW_E_INVALID, "an operation is for 1 to 1000 messages");
}

/* -- What is put ------------------------------------------------------------------------------- */

static bool is_short_text(isw_str text)
{
    return text.size <= ISWI_MESSAGE_ID_MAX && iswi_utf8_valid(text.data, text.size) &&
           (text.size == 0 || !memchr(text.data, '\0', text.size));
}

static bool check_texts(iswi_broker_op *op, const iswi_queue_put *put)
{
    if (!is_short_text(put->id))
        return fails(op, ISW_E_INVALID, "the id of a message is UTF-8 of 255 bytes at most");
    if (!is_short_text(put->key))
        return fails(op, ISW_E_INVALID, "the key of a message is UTF-8 of 255 bytes at most");
    if (!is_short_text(put->content_type) || !is_short_text(put->trace))
        return fails(op, ISW_E_INVALID,
                     "the content type and the trace of a message are UTF-8 of 255 bytes at most");
    return true;
}

static bool check_times(iswi_broker_op *op, const iswi_queue_put *put)
{
    const int64_t most_ms = INT64_C(100) * 366 * 24 * 3600 * 1000;

    return (put->delay_ms >= 0 && put->delay_ms <= most_ms && put->expires_ms >= 0 &&
            put->expires_ms <= most_ms) ||
           fails(op, ISW_E_INVALID, "a message is delayed, and expires, by 0 to 100 years");
}

static bool check_abilities(iswi_broker_op *op, const iswi_queue_put *put,
                            const iswi_broker_driver *driver)
{
    if (put->key.size && !(driver->abilities & ISWI_BROKER_KEYS))
        return lacks(op, driver, "messages have no keys",
                     ", where one that is tried again comes behind the others: put it without, or "
                     "keep queues in SQLite or PostgreSQL (queues.store)");
    if (put->priority && !(driver->abilities & ISWI_BROKER_PRIORITY))
        return lacks(op, driver, "messages have no priorities",
                     ", where they have one order: put it without, or keep queues in SQLite or "
                     "PostgreSQL (queues.store)");
    return true;
}

static bool check_puts(iswi_broker_op *op, const iswi_queue_put *items, size_t count,
                       const iswi_broker_driver *driver)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        const iswi_queue_put *put = &items[i];

        if (!check_queue(op, put->queue) || !check_texts(op, put) || !check_times(op, put) ||
            !check_abilities(op, put, driver))
            return false;
        if (put->body.size > ISWI_QUEUED_MAX_BYTES)
            return fails(op, ISW_E_TOO_LARGE, "a message has 16 MiB at most");
        bytes += put->body.size;
        if (bytes > ISWI_BROKER_OP_MAX_BYTES)
            return fails(op, ISW_E_TOO_LARGE, "messages put in one go have 64 MiB at most");
    }
    return true;
}

/* -- The others -------------------------------------------------------------------------------- */

static bool check_settle(iswi_broker_op *op, const iswi_broker_driver *driver)
{
    const size_t count = op->as.settle.count;

    if (op->as.settle.put_count > ISWI_BROKER_ITEMS_MAX)
        return check_count(op, op->as.settle.put_count);
    for (size_t i = 0; i < count; i++)
        if (op->as.settle.items[i].delay_ms < 0)
            return fails(op, ISW_E_INVALID, "a delay is not below 0");
    return check_count(op, count) &&
           check_puts(op, op->as.settle.puts, op->as.settle.put_count, driver);
}

static bool check_declare(iswi_broker_op *op)
{
    const iswi_queue_options *options = &op->as.declare;

    return check_queue(op, op->queue) &&
           ((options->max_messages >= 0 && options->max_bytes >= 0 && options->window_ms >= 0 &&
             options->keep_dead_ms >= 0 && options->lease_ms >= 0) ||
            fails(op, ISW_E_INVALID, "what a queue keeps to is not below 0"));
}

static bool check_record(iswi_broker_op *op, const iswi_broker_driver *driver)
{
    const iswi_record *record = &op->as.record.record;
    const bool is_prefix = op->kind == ISWI_BROKER_RECORD_LIST;

    if (!(driver->abilities & ISWI_BROKER_RECORDS))
        return lacks(op, driver, "there are no records", "");
    if ((record->name.size == 0 && !is_prefix) || record->name.size > ISWI_RECORD_NAME_MAX ||
        !iswi_utf8_valid(record->name.data, record->name.size) ||
        (record->name.size && memchr(record->name.data, '\0', record->name.size)))
        return fails(op, ISW_E_INVALID, "the name of a record is UTF-8 of 1 to 255 bytes");
    return op->kind != ISWI_BROKER_RECORD_WRITE || !record->value.data ||
           record->value.size <= ISWI_RECORD_MAX_BYTES ||
           fails(op, ISW_E_TOO_LARGE, "a record has 64 KiB at most");
}

bool iswi_broker_op_check(iswi_broker_op *op, const iswi_broker_driver *driver)
{
    switch (op->kind) {
    case ISWI_BROKER_DECLARE:
        return check_declare(op);
    case ISWI_BROKER_PUT:
        return check_count(op, op->as.put.count) &&
               check_puts(op, op->as.put.items, op->as.put.count, driver);
    case ISWI_BROKER_CLAIM:
        return check_queue(op, op->queue) && check_count(op, op->as.claim.max);
    case ISWI_BROKER_SETTLE:
        return check_settle(op, driver);
    case ISWI_BROKER_LOOK:
        return op->queue.size == 0 || check_queue(op, op->queue);
    case ISWI_BROKER_LIST:
        return check_queue(op, op->queue) && check_count(op, op->as.list.max);
    case ISWI_BROKER_PURGE:
    case ISWI_BROKER_REPLAY:
        return check_queue(op, op->queue) && check_count(op, op->as.sweep.max);
    case ISWI_BROKER_PAUSE:
        return check_queue(op, op->queue);
    case ISWI_BROKER_RECORD_READ:
    case ISWI_BROKER_RECORD_WRITE:
    case ISWI_BROKER_RECORD_LIST:
        return check_record(op, driver);
    }
    return fails(op, ISW_E_INVALID, "no such operation");
}
