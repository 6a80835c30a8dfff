/* SPDX-License-Identifier: Apache-2.0 */
/* What the file is made of, and how one of an earlier version becomes one of this. */
#include "broker/sqlite/internal.h"

#include <stdio.h>

/* Of the header of the file: "ISWQ". */
enum { APPLICATION_ID = 0x49535751 };

/*
 * message: those that live. Its number begins with that of its queue (iswi_sqlite_rowid). State: 0
 * ready, 1 delayed, 2 claimed, 5 behind another one of its key, 6 in line: ready, or claimed if its
 * number is below the queue's `claimed` (internal.h). A large body lies in content.
 * dead: a table of its own, so that those that live stay together. known: ids within their window.
 */
static const char version_1[] =
    "CREATE TABLE queue (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " paused INTEGER NOT NULL, max_messages INTEGER NOT NULL, max_bytes INTEGER NOT NULL,"
    " max_attempts INTEGER NOT NULL, window_ms INTEGER NOT NULL, keep_dead_ms INTEGER NOT NULL,"
    " next INTEGER NOT NULL, claimed INTEGER NOT NULL);"
    "CREATE TABLE message (number INTEGER PRIMARY KEY, queue INTEGER NOT NULL,"
    " state INTEGER NOT NULL, priority INTEGER NOT NULL, due_ms INTEGER NOT NULL,"
    " put_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " claim INTEGER NOT NULL, size INTEGER NOT NULL, id TEXT NOT NULL, key TEXT, type TEXT,"
    " trace TEXT, error TEXT, body BLOB);"
    "CREATE INDEX ready ON message (queue, priority DESC, due_ms) WHERE state = 0;"
    "CREATE INDEX delayed ON message (queue, due_ms) WHERE state = 1;"
    "CREATE INDEX expiring ON message (queue, expires_ms) WHERE expires_ms > 0 AND state <> 2;"
    "CREATE INDEX keyed ON message (queue, key) WHERE key IS NOT NULL;"
    "CREATE TABLE content (number INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE dead (number INTEGER PRIMARY KEY, queue INTEGER NOT NULL,"
    " priority INTEGER NOT NULL, due_ms INTEGER NOT NULL, put_ms INTEGER NOT NULL,"
    " died_ms INTEGER NOT NULL, attempt INTEGER NOT NULL, size INTEGER NOT NULL, id TEXT NOT NULL,"
    " key TEXT, type TEXT, trace TEXT, error TEXT, body BLOB);"
    "CREATE INDEX dead_age ON dead (queue, died_ms);"
    "CREATE TABLE known (queue INTEGER NOT NULL, id TEXT NOT NULL, put_ms INTEGER NOT NULL,"
    " PRIMARY KEY (queue, id)) WITHOUT ROWID;"
    "CREATE INDEX known_age ON known (queue, put_ms);"
    "CREATE TABLE record (name TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB)"
    " WITHOUT ROWID;"
    "CREATE TABLE holder (only_one INTEGER PRIMARY KEY, epoch INTEGER NOT NULL);"
    "INSERT INTO holder VALUES (1, 0);";

/* From the version of its place to the next one. */
static const char *const steps[] = { version_1 };

enum { VERSION = sizeof steps / sizeof *steps };

/* One connection, of one thread, and nobody else in the file: SQLite before 3.51.3 can damage one
 * in which two write or checkpoint at a time, sooner with mmap. What a commit wrote is on the disk
 * when it returns. Checkpoints are made at rest (run.c). */
static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA mmap_size = 0;"
                               "PRAGMA trusted_schema = OFF; PRAGMA secure_delete = OFF;"
                               "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;"
                               "PRAGMA wal_autocheckpoint = 0;";
static const char journal[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

static bool number_of(iswi_sqlite *store, const char *text, int64_t *out)
{
    sqlite3_stmt *on = NULL;
    int code = sqlite3_prepare_v2(store->db, text, -1, &on, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(on);
    if (code == SQLITE_ROW)
        *out = sqlite3_column_int64(on, 0);
    sqlite3_finalize(on);
    if (code == SQLITE_ROW)
        return true;
    iswi_sql_fault(store, code);
    return false;
}

/* What is wrong with what SQLite says of the file at its opening. */
static isw_status unreadable(iswi_sqlite *store, isw_error *error)
{
    const int code = sqlite3_errcode(store->db) & 0xff;

    if (code == SQLITE_NOTADB)
        return isw_error_set(error, ISW_E_CONFIG,
                             "%s is no file of queues, nor of SQLite at all; name another one",
                             store->path);
    if (code == SQLITE_CORRUPT)
        return isw_error_set(error, ISW_E_CONFIG,
                             "%s is damaged; `sqlite3 FILE .recover` may save what is in it, or "
                             "name another one",
                             store->path);
    if (code == SQLITE_BUSY)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "%s is open in another program",
                             store->path);
    return isw_error_set(error, ISW_E_UNAVAILABLE, "%s", store->fault.message);
}

static isw_status none_of_ours(const iswi_sqlite *store, isw_error *error)
{
    return isw_error_set(error, ISW_E_CONFIG,
                         "%s is a file of SQLite's, but of another program, and is left alone; "
                         "name another one",
                         store->path);
}

/* Nothing is written before it is known whose it is. */
static isw_status look(iswi_sqlite *store, int64_t *version, isw_error *error)
{
    int64_t application;
    int64_t tables;

    if (!iswi_sql_exec(store, settings) ||
        !number_of(store, "PRAGMA application_id", &application) ||
        !number_of(store, "PRAGMA user_version", version) ||
        !number_of(store, "SELECT count(*) FROM sqlite_schema", &tables))
        return unreadable(store, error);
    if (application != APPLICATION_ID && (application || *version || tables))
        return none_of_ours(store, error);
    if (*version > VERSION)
        return isw_error_set(error, ISW_E_CONFIG,
                             "%s is of a newer isoworker: it has version %lld, and this one knows "
                             "up to %d",
                             store->path, (long long)*version, VERSION);
    return ISW_OK;
}

static bool take_step(iswi_sqlite *store, int64_t version)
{
    char mark[96];

    snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %lld; COMMIT",
             APPLICATION_ID, (long long)version + 1);
    return iswi_sql_exec(store, "BEGIN IMMEDIATE") && iswi_sql_exec(store, steps[version]) &&
           iswi_sql_exec(store, mark);
}

isw_status iswi_sqlite_prepare(iswi_sqlite *store, isw_error *error)
{
    int64_t version = 0;
    isw_status status = look(store, &version, error);

    if (status)
        return status;
    if (!iswi_sql_exec(store, journal))
        return unreadable(store, error);
    for (; version < VERSION; version++)
        if (!take_step(store, version))
            return unreadable(store, error);
    return ISW_OK;
}
