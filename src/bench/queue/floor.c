/* SPDX-License-Identifier: Apache-2.0 */
/* The floor of a queue on SQLite: a bare loop of inserts, and one of deletes, so many in a
 * transaction, on one thread, with the same settings of the file. No order, no claim, no state. */
#include "bench/clock.h"
#include "bench/queue/measure.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum { PREFILL = 20000 };

typedef struct floor_file {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *insert, *delete;
    int64_t first, next; /* those that are there */
} floor_file;

static bool fails(floor_file *file, isw_error *error)
{
    isw_error_set(error, ISW_E_IO, "SQLite: %s", sqlite3_errmsg(file->db));
    return false;
}

static bool prepare(floor_file *file, const char *text, sqlite3_stmt **out)
{
    return sqlite3_prepare_v3(file->db, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) ==
           SQLITE_OK;
}

static void close_floor(void *self)
{
    floor_file *file = self;

    sqlite3_finalize(file->begin);
    sqlite3_finalize(file->commit);
    sqlite3_finalize(file->insert);
    sqlite3_finalize(file->delete);
    sqlite3_close(file->db);
    free(file);
}

static bool open_floor(const char *folder, void **self, isw_error *error)
{
    static const char settings[] =
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA secure_delete = OFF; PRAGMA journal_mode = WAL;"
        "PRAGMA synchronous = FULL; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;"
        "CREATE TABLE message (number INTEGER PRIMARY KEY, put_ms INTEGER, id TEXT, body BLOB);";
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    floor_file *file = calloc(1, sizeof *file);
    char path[512];

    snprintf(path, sizeof path, "%s/floor.db", folder);
    if (!file || sqlite3_open_v2(path, &file->db, flags, NULL) != SQLITE_OK ||
        sqlite3_exec(file->db, settings, NULL, NULL, NULL) != SQLITE_OK ||
        !prepare(file, "BEGIN", &file->begin) || !prepare(file, "COMMIT", &file->commit) ||
        !prepare(file, "INSERT INTO message VALUES (?, ?, ?, ?)", &file->insert) ||
        !prepare(file, "DELETE FROM message WHERE number = ?", &file->delete)) {
        isw_error_set(error, ISW_E_IO, "cannot open %s", path);
        if (file)
            close_floor(file);
        return false;
    }
    *self = file;
    return true;
}

static bool step(floor_file *file, sqlite3_stmt *statement, isw_error *error)
{
    const bool well = sqlite3_step(statement) == SQLITE_DONE;

    sqlite3_reset(statement);
    return well || fails(file, error);
}

static bool insert_one(floor_file *file, const iswi_bench_queue_work *work, isw_error *error)
{
    sqlite3_bind_int64(file->insert, 1, file->next++);
    sqlite3_bind_int64(file->insert, 2, iswi_bench_now_ns() / 1000000);
    sqlite3_bind_text(file->insert, 3, "01ARYZ6S41TSV4RRFFQ69G5FAV", 26, SQLITE_STATIC);
    sqlite3_bind_blob64(file->insert, 4, work->body, work->body_bytes, SQLITE_STATIC);
    return step(file, file->insert, error);
}

static bool insert_batch(void *self, const iswi_bench_queue_work *work, unsigned count,
                         isw_error *error)
{
    floor_file *file = self;

    if (!step(file, file->begin, error))
        return false;
    for (unsigned i = 0; i < count; i++)
        if (!insert_one(file, work, error))
            return false;
    return step(file, file->commit, error);
}

static bool delete_batch(floor_file *file, unsigned count, isw_error *error)
{
    if (!step(file, file->begin, error))
        return false;
    for (unsigned i = 0; i < count; i++) {
        sqlite3_bind_int64(file->delete, 1, file->first++);
        if (!step(file, file->delete, error))
            return false;
    }
    return step(file, file->commit, error);
}

static bool put(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                isw_error *error)
{
    return iswi_bench_queue_put_batches(insert_batch, self, work, out, error);
}

static bool complete(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                     isw_error *error)
{
    floor_file *file = self;

    while (!iswi_bench_is_over(work->until_ns)) {
        int64_t begun_ns;

        if (file->next - file->first < work->in_flight &&
            !insert_batch(file, work, PREFILL, error))
            return false;
        begun_ns = iswi_bench_now_ns();
        if (!delete_batch(file, work->in_flight, error))
            return false;
        out->elapsed_ns += iswi_bench_now_ns() - begun_ns;
        out->done += work->in_flight;
    }
    return true;
}

const iswi_bench_queue_store iswi_bench_queue_floor = {
    .name = "floor",
    .open = open_floor,
    .close = close_floor,
    .put = put,
    .complete = complete,
};
