/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made durable of files: a message each, then a record that it was put. Whoever ends between
 * the two puts it again, under the same id, which its queue knows for a while; its function may be
 * done with it by then, which is looked for. So many operations are on their way at once that the
 * broker makes them durable together.
 */
#include "base/alloc.h"
#include "broker/driver.h"
#include "host/engine/log.h"
#include "host/file/internal.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

enum { GROUP_MAX = 200, VALUE_BYTES = 64 };

#define AGAIN_NS INT64_C(1000000000)

/* -- Records ----------------------------------------------------------------------------------- */

static bool has_records(const iswi_inbox *inbox)
{
    return iswi_broker_abilities(inbox->files->broker) & ISWI_BROKER_RECORDS;
}

/* "file/FUNCTION/NAME". A name that is too long for it has its number there; the value has all of
 * it. */
static isw_str record_name(const iswi_inbox *inbox, const char *name, iswi_arena *arena)
{
    const char *text = iswi_arena_printf(arena, "file/%s/%s", inbox->entry->name, name);

    if (text && strlen(text) > ISWI_RECORD_NAME_MAX)
        text = iswi_arena_printf(arena, "file/%s/#%016llx", inbox->entry->name,
                                 (unsigned long long)iswi_file_hash(name));
    return isw_str_of(text);
}

/* "INODE SIZE MODIFIED NAME". */
static isw_bytes record_value(const iswi_file_task *task, iswi_arena *arena)
{
    const char *text = iswi_arena_printf(arena, "%llu %lld %lld %s",
                                         (unsigned long long)task->identity.inode,
                                         (long long)task->identity.size,
                                         (long long)task->identity.modified_ns, task->name);

    return (isw_bytes){ text, text ? strlen(text) : 0 };
}

static void take_record(iswi_inbox *inbox, const iswi_record *record, iswi_arena *arena)
{
    char *text = iswi_arena_strndup(arena, record->value.data, record->value.size);
    iswi_file_identity identity = { 0 };
    iswi_known_file *file;
    char *end = text;

    if (!text)
        return;
    identity.inode = strtoull(end, &end, 10);
    identity.size = strtoll(end, &end, 10);
    identity.modified_ns = strtoll(end, &end, 10);
    if (*end != ' ' || !end[1] || !(file = iswi_known_add(&inbox->known, end + 1)))
        return;
    file->identity = identity;
    file->version = record->version;
}

isw_status iswi_inbox_recall(iswi_inbox *inbox, isw_error *error)
{
    iswi_broker_op op = { .kind = ISWI_BROKER_RECORD_LIST };
    iswi_arena arena;

    if (!has_records(inbox))
        return ISW_OK;
    iswi_arena_init(&arena, 16 * 1024);
    op.as.record.record.name = record_name(inbox, "", &arena);
    op.as.record.arena = &arena;
    if (iswi_broker_run(inbox->files->broker, &op) == ISW_OK)
        for (size_t i = 0; i < op.as.record.count; i++)
            take_record(inbox, &op.as.record.items[i], &arena);
    *error = op.error;
    iswi_arena_fini(&arena);
    return error->status;
}

/* -- Several operations ------------------------------------------------------------------------ */

static void on_done(iswi_broker_op *op)
{
    sem_post(op->user);
}

static void run_all(iswi_broker *broker, iswi_broker_op *ops, size_t count)
{
    sem_t done;

    sem_init(&done, 0, 0);
    for (size_t i = 0; i < count; i++) {
        ops[i].done = on_done;
        ops[i].user = &done;
        iswi_broker_submit(broker, &ops[i]);
    }
    for (size_t i = 0; i < count; i++)
        while (sem_wait(&done) != 0)
            continue; /* a signal */
    sem_destroy(&done);
}

/* -- Groups of tasks --------------------------------------------------------------------------- */

/* The first of them, so many as may be. */
static size_t first_tasks(const iswi_inbox *inbox, iswi_file_task *tasks[GROUP_MAX])
{
    size_t most = inbox->group < GROUP_MAX ? inbox->group : GROUP_MAX;
    size_t count = 0;

    for (iswi_file_task *at = inbox->tasks; at && count < most; at = at->next)
        tasks[count++] = at;
    return count;
}

/* Put those that were not. ISW_E_BUSY: there is no room for so many. */
static isw_status put(iswi_inbox *inbox, iswi_file_task *const *tasks, size_t count,
                      iswi_arena *arena, isw_error *error)
{
    iswi_queue_put *puts = iswi_arena_calloc(arena, count, sizeof *puts);
    iswi_broker_op op = { .kind = ISWI_BROKER_PUT, .as.put.items = puts };

    if (!puts)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for messages");
    for (size_t i = 0; i < count; i++)
        if (!tasks[i]->gone && !tasks[i]->put &&
            !iswi_file_message(inbox, tasks[i], arena, &puts[op.as.put.count++]))
            return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for messages");
    if (op.as.put.count && iswi_broker_run(inbox->files->broker, &op) != ISW_OK) {
        *error = op.error;
        return error->status;
    }
    for (size_t i = 0; i < count; i++) {
        tasks[i]->again = tasks[i]->again || (!tasks[i]->put && op.as.put.duplicates);
        tasks[i]->put = true;
    }
    return ISW_OK;
}

/* The record of a task, as it is to be. False: there is nothing to be written. */
static bool fill(const iswi_inbox *inbox, const iswi_file_task *task, iswi_arena *arena,
                 iswi_broker_op *op)
{
    const iswi_known_file *file = iswi_known_find(&inbox->known, task->name);
    iswi_record *record = &op->as.record.record;

    if (task->gone ? task->version == 0 : !file)
        return false;
    *op = (iswi_broker_op){ .kind = ISWI_BROKER_RECORD_WRITE };
    op->as.record.arena = arena;
    record->name = record_name(inbox, task->name, arena);
    record->version = task->gone ? task->version : file->version;
    if (!task->gone)
        record->value = record_value(task, arena);
    return record->name.data && (task->gone || record->value.data);
}

/* Another host has written it, or we have and do not know it: what is there counts from now on. */
static void learn_version(iswi_inbox *inbox, const char *name, iswi_arena *arena)
{
    iswi_known_file *file = iswi_known_find(&inbox->known, name);
    iswi_broker_op op = { .kind = ISWI_BROKER_RECORD_READ };

    op.as.record.arena = arena;
    op.as.record.record.name = record_name(inbox, name, arena);
    if (file && iswi_broker_run(inbox->files->broker, &op) == ISW_OK)
        file->version = op.as.record.record.version;
}

/* Note them. What another one wrote meanwhile stays as that has it: it is of the same files. */
static isw_status note(iswi_inbox *inbox, iswi_file_task *const *tasks, size_t count,
                       iswi_arena *arena, isw_error *error)
{
    iswi_broker_op *ops = iswi_arena_calloc(arena, count, sizeof *ops);
    const iswi_file_task **of = iswi_arena_calloc(arena, count, sizeof *of);
    size_t used = 0;

    if (!has_records(inbox))
        return ISW_OK;
    if (!ops || !of)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for records");
    for (size_t i = 0; i < count; i++)
        if (fill(inbox, tasks[i], arena, &ops[used]))
            of[used++] = tasks[i];
    run_all(inbox->files->broker, ops, used);
    for (size_t i = 0; i < used; i++) {
        iswi_known_file *file = iswi_known_find(&inbox->known, of[i]->name);

        if (ops[i].error.status == ISW_OK && file && !of[i]->gone)
            file->version = ops[i].as.record.record.version;
        else if (ops[i].error.status == ISW_E_CONFLICT)
            learn_version(inbox, of[i]->name, arena);
        else if (ops[i].error.status != ISW_OK && ops[i].error.status != ISW_E_NOT_FOUND)
            *error = ops[i].error;
    }
    return error->status;
}

static void drop_first(iswi_inbox *inbox, size_t count)
{
    while (count--) {
        iswi_file_task *task = inbox->tasks;

        inbox->tasks = task->next;
        iswi_free(task);
    }
    if (!inbox->tasks)
        inbox->last_task = &inbox->tasks;
}

static isw_status keep_group(iswi_inbox *inbox, isw_error *error)
{
    iswi_file_task *tasks[GROUP_MAX];
    size_t count = first_tasks(inbox, tasks);
    iswi_arena arena;
    isw_status status;

    iswi_arena_init(&arena, 16 * 1024);
    status = put(inbox, tasks, count, &arena, error);
    if (status == ISW_OK)
        status = note(inbox, tasks, count, &arena, error);
    for (size_t i = 0; status == ISW_OK && i < count; i++)
        if (tasks[i]->again)
            status = iswi_inbox_finish_early(inbox, tasks[i], error);
    iswi_arena_fini(&arena);
    if (status == ISW_OK) {
        drop_first(inbox, count);
        inbox->group = inbox->group < GROUP_MAX ? inbox->group * 2 : GROUP_MAX;
    }
    return status;
}

void iswi_inbox_keep(iswi_inbox *inbox, int64_t now_ns, int64_t *next_ns)
{
    isw_error error = { ISW_OK, "" };

    if (now_ns < inbox->again_ns)
        return;
    while (inbox->tasks && error.status == ISW_OK)
        if (keep_group(inbox, &error) == ISW_E_BUSY && inbox->group > 1) {
            inbox->group /= 2;
            error.status = ISW_OK;
        }
    if (error.status == ISW_OK) {
        iswi_inbox_fail(inbox, now_ns, NULL);
    } else if (error.status == ISW_E_BUSY) { /* the queue is full, which its depth shows */
        if (now_ns + AGAIN_NS < *next_ns)
            *next_ns = now_ns + AGAIN_NS;
    } else if (error.status != ISW_E_CLOSED) {
        iswi_inbox_fail(inbox, now_ns, error.message);
    }
}
