/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_SQLITE_INTERNAL_H
#define ISWI_BROKER_SQLITE_INTERNAL_H

/*
 * A place in a file of SQLite's; each part is written by the file of its name.
 *
 * All operations of a run are one transaction. Each looks whether it can be done before it writes
 * anything, so that one that fails has done nothing; what fails in SQLite itself fails the whole
 * transaction, which is then done again, operation by operation (run.c). What is counted in memory
 * goes back with it.
 */
#include "broker/driver.h"

#include <sqlite3.h>

/* -- statements.c: what SQLite is asked -------------------------------------------------------- */

/* Rows that one statement writes (gather.c). */
enum { ISWI_SQLITE_ROWS_SOME = 8, ISWI_SQLITE_ROWS_MANY = 32 };
#define ISWI_SQL_EIGHT(one) one ", " one ", " one ", " one ", " one ", " one ", " one ", " one
#define ISWI_SQL_MANY(one)                                                                         \
    ISWI_SQL_EIGHT(one) ", " ISWI_SQL_EIGHT(one) ", " ISWI_SQL_EIGHT(one) ", " ISWI_SQL_EIGHT(one)
#define ISWI_SQL_ROW "(?, ?, 6, 0, ?, ?, 0, 0, 0, ?, ?, NULL, ?, ?, NULL, ?)"

/* X(name, text). */
#define ISWI_SQL_TABLE(X)                                                                          \
    X(BEGIN, "BEGIN")                                                                              \
    X(COMMIT, "COMMIT")                                                                            \
    X(QUEUE_ADD, "INSERT INTO queue VALUES (?, ?, 0, ?, ?, ?, ?, ?, 1, 0)")                        \
    X(QUEUE_SET, "UPDATE queue SET max_messages = ?2, max_bytes = ?3, max_attempts = ?4, "         \
                 "window_ms = ?5, keep_dead_ms = ?6 WHERE id = ?1")                                \
    X(QUEUE_PAUSE, "UPDATE queue SET paused = ?2 WHERE id = ?1")                                   \
    X(QUEUE_CLAIMED, "UPDATE queue SET claimed = ?2 WHERE id = ?1")                                \
    X(QUEUE_NEXT, "UPDATE queue SET next = ?2 WHERE id = ?1")                                      \
    X(KNOWN_SINCE, "SELECT put_ms FROM known WHERE queue = ? AND id = ?")                          \
    X(KNOWN_ADD, "INSERT INTO known VALUES (?, ?, ?) "                                             \
                 "ON CONFLICT DO UPDATE SET put_ms = excluded.put_ms")                             \
    X(KNOWN_FORGET, "DELETE FROM known WHERE queue = ?1 AND id IN (SELECT id FROM known "          \
                    "WHERE queue = ?1 AND put_ms <= ?2 ORDER BY put_ms LIMIT ?3)")                 \
    X(KEY_IS_BUSY, "SELECT 1 FROM message WHERE queue = ? AND key = ? LIMIT 1")                    \
    X(PUT, "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, NULL, ?)")       \
    X(PUT_ONE, "INSERT INTO message VALUES " ISWI_SQL_ROW)                                         \
    X(PUT_SOME, "INSERT INTO message VALUES " ISWI_SQL_EIGHT(ISWI_SQL_ROW))                        \
    X(PUT_MANY, "INSERT INTO message VALUES " ISWI_SQL_MANY(ISWI_SQL_ROW))                         \
    X(PUT_CONTENT, "INSERT INTO content VALUES (?, ?)")                                            \
    X(CONTENT, "SELECT body FROM content WHERE number = ?")                                        \
    X(DROP_CONTENT, "DELETE FROM content WHERE number = ?")                                        \
    X(READY, "SELECT * FROM message WHERE queue = ? AND state = 0 "                                \
             "ORDER BY priority DESC, due_ms, number LIMIT ?")                                     \
    X(IN_LINE, "SELECT number, queue, 6, 0, put_ms, put_ms, 0, 0, 0, size, id, NULL, type, trace, " \
               "NULL, body FROM message WHERE number >= ? AND number <= ? AND state = 6 "          \
               "ORDER BY number LIMIT ?")                                                          \
    X(CLAIM, "UPDATE message SET state = 2, attempt = attempt + 1, claim = ?2 WHERE number = ?1")  \
    X(IS_CLAIMED, "SELECT attempt, expires_ms FROM message WHERE number = ? AND claim = ?")        \
    X(IS_IN_LINE, "SELECT attempt, expires_ms FROM message WHERE number = ? AND state = 6")        \
    X(COMPLETE, "DELETE FROM message WHERE number = ? AND claim = ?")                              \
    X(COMPLETE_IN_LINE, "DELETE FROM message WHERE number = ? AND state = 6")                      \
    X(COMPLETE_MANY, "DELETE FROM message WHERE number IN (" ISWI_SQL_MANY("?") ") AND state = 6") \
    X(COMPLETE_RANGE, "DELETE FROM message WHERE number >= ? AND number <= ? AND state = 6")       \
    X(GIVE_BACK, "UPDATE message SET state = ?2, due_ms = ?3, attempt = ?4, claim = 0, "           \
                 "error = coalesce(?5, error) WHERE number = ?1")                                  \
    X(BURY, "INSERT INTO dead SELECT number, queue, priority, due_ms, put_ms, ?2, " \
            "attempt + (state = 6), size, id, key, type, trace, ?3, body FROM message "           \
            "WHERE number = ?1")                                                                   \
    X(DROP, "DELETE FROM message WHERE number = ?")                                                \
    X(NEXT_OF_KEY, "SELECT number, due_ms FROM message WHERE queue = ? AND key = ? "               \
                   "AND state = 5 ORDER BY number LIMIT 1")                                        \
    X(STATE, "SELECT state FROM message WHERE number = ?")                                         \
    X(SET_STATE, "UPDATE message SET state = ?2 WHERE number = ?1")                                \
    X(RIPEN, "UPDATE message SET state = 0 WHERE number IN (SELECT number FROM message "           \
             "WHERE queue = ? AND state = 1 AND due_ms <= ? ORDER BY due_ms LIMIT ?)")             \
    X(NEXT_DUE, "SELECT min(due_ms) FROM message WHERE queue = ? AND state = 1")                   \
    X(EXPIRED, "SELECT number, state, size, key FROM message WHERE queue = ? AND expires_ms > 0 "  \
               "AND state <> 2 AND expires_ms <= ? ORDER BY expires_ms LIMIT ?")                   \
    X(NEXT_EXPIRY, "SELECT min(expires_ms) FROM message WHERE queue = ? AND expires_ms > 0 "       \
                   "AND state <> 2")                                                               \
    X(OLD_DEAD, "SELECT number, size FROM dead WHERE queue = ? AND died_ms <= ? "                  \
                "ORDER BY died_ms LIMIT ?")                                                        \
    X(FIRST_DEAD, "SELECT min(died_ms) FROM dead WHERE queue = ?")                                 \
    X(DIED, "SELECT died_ms FROM dead WHERE number = ?")                                           \
    X(UNCLAIM, "UPDATE message SET state = 0, attempt = attempt - 1, claim = 0 "                   \
               "WHERE state = 2 AND claim > ?")                                                    \
    X(DROP_DEAD, "DELETE FROM dead WHERE number = ?")                                              \
    X(OLDEST, "SELECT priority, due_ms FROM message WHERE queue = ? AND state = 0 "                \
              "AND priority < ? ORDER BY priority DESC, due_ms LIMIT 1")                           \
    X(FIRST_IN_LINE, "SELECT put_ms FROM message WHERE number >= ? AND number <= ? "               \
                     "AND state = 6 ORDER BY number LIMIT 1")                                      \
    X(HELD_IN_LINE, "SELECT count(*) FROM message WHERE number >= ? AND number < ? "               \
                    "AND state = 6")                                                               \
    X(LIST, "SELECT * FROM message WHERE number > ?1 AND number <= ?2 AND "                        \
            "(1 << CASE WHEN state <> 6 THEN state WHEN number < ?8 THEN 2 ELSE 0 END) & ?3 "      \
            "AND (?4 IS NULL OR id = ?4) AND (?5 IS NULL OR key = ?5) "          \
            "AND (?6 = 0 OR put_ms < ?6) ORDER BY number LIMIT ?7")                                \
    X(LIST_DEAD, "SELECT * FROM dead WHERE number > ?1 AND number <= ?2 AND ?3 "                   \
                 "AND (?4 IS NULL OR id = ?4) AND (?5 IS NULL OR key = ?5) "                       \
                 "AND (?6 = 0 OR put_ms < ?6) ORDER BY number LIMIT ?7")                           \
    X(REPLAY, "INSERT INTO message SELECT number, queue, ?2, priority, ?3, put_ms, 0, 0, 0, "      \
              "size, id, key, type, trace, error, body FROM dead WHERE number = ?1")               \
    X(CLAIMED, "SELECT number, attempt + (state = 6), size, key, state FROM message m "            \
               "JOIN queue q ON q.id = m.queue WHERE number > ? AND (state = 2 OR "                \
               "(state = 6 AND number < (q.id << 40) + claimed)) ORDER BY number LIMIT ?")         \
    X(EPOCH, "UPDATE holder SET epoch = epoch + 1 RETURNING epoch")                                \
    X(QUEUES, "SELECT * FROM queue ORDER BY id")                                                   \
    X(COUNTS, "SELECT queue, state, count(*), sum(size) FROM message GROUP BY queue, state")       \
    X(DEAD_COUNTS, "SELECT queue, count(*) FROM dead GROUP BY queue")                              \
    X(RECORD, "SELECT version, value FROM record WHERE name = ?")                                  \
    X(RECORD_WRITE, "INSERT INTO record VALUES (?, ?, ?) ON CONFLICT DO UPDATE "                   \
                    "SET version = excluded.version, value = excluded.value")                      \
    X(RECORD_COUNT, "SELECT count(*) FROM record WHERE value IS NOT NULL "                         \
                    "AND substr(name, 1, length(coalesce(?1, ''))) = coalesce(?1, '')")            \
    X(RECORD_LIST, "SELECT name, version, value FROM record WHERE value IS NOT NULL "              \
                   "AND substr(name, 1, length(coalesce(?1, ''))) = coalesce(?1, '') "             \
                   "ORDER BY name")

typedef enum iswi_sql {
#define ISWI_SQL_ENUM(name, text) ISWI_SQL_##name,
    ISWI_SQL_TABLE(ISWI_SQL_ENUM)
#undef ISWI_SQL_ENUM
    ISWI_SQL_COUNT
} iswi_sql;

/* -- queues.c: what is known of each queue without a look into the file ------------------------ */

/*
 * Beside the states that others see: one that waits behind another of its key; and one that is in
 * line, as most are: it has no key, priority or time, and is delivered for the first time. Those
 * are in no index. They are found by their numbers, from the first one that was not claimed on, and
 * the file knows of their claims by that number alone: what is below and still there is claimed.
 */
enum { ISWI_SQLITE_BEHIND = 5, ISWI_SQLITE_IN_LINE = 6 };

typedef struct iswi_sqlite_facts {
    bool exists, paused;
    iswi_queue_options options;
    int64_t counts[ISWI_MESSAGE_STATES]; /* those behind others count as ready */
    int64_t bytes;
    uint64_t put, completed, abandoned, died, duplicates;
    int64_t in_line, claimed; /* how many are, and are not claimed; and the first number of those */
    int64_t next, reserved; /* numbers: the next one, and the first unknown to the file */
    int64_t due_ms, expiry_ms, drop_ms; /* when to look again; INT64_MAX: never */
} iswi_sqlite_facts;

typedef struct iswi_sqlite_queue {
    char *name;
    isw_str view; /* of it */
    int64_t id;
    iswi_sqlite_facts now, kept; /* with this transaction, and without it */
} iswi_sqlite_queue;

/* One that is put, and not written yet. */
typedef struct iswi_sqlite_row {
    int64_t rowid;
    const iswi_queue_put *put; /* the operation's */
    char made[ISWI_ULID_BYTES]; /* for one that has no id */
} iswi_sqlite_row;

typedef struct iswi_sqlite {
    const iswi_broker_options *options;
    char *path;
    int lock;
    sqlite3 *db;
    sqlite3_stmt *statements[ISWI_SQL_COUNT];
    iswi_sqlite_queue **queues; /* queues[id - 1] */
    size_t queue_count, queue_capacity;
    int64_t now_ms;
    uint64_t salt; /* of the ids that are made here: random */
    int64_t epoch, claims; /* what a claim is told from all others by */
    int64_t sure_claims;   /* those up to this one are durable, or were undone */
    int wal_pages;
    isw_error fault; /* of SQLite itself, in this transaction */
    bool is_lost;    /* the file must be opened again */
    iswi_sqlite_row rows[ISWI_SQLITE_ROWS_MANY]; /* gather.c */
    int64_t gone[ISWI_SQLITE_ROWS_MANY];
    size_t row_count, gone_count;
    bool apart;  /* not all that were complete were ours: each is to be done by itself, */
    bool singly; /* and is */
} iswi_sqlite;

/* A number in its queue, and in the file, where a queue's messages lie together. */
static inline int64_t iswi_sqlite_rowid(const iswi_sqlite_queue *queue, int64_t number)
{
    return (queue->id << 40) + number;
}

static inline int64_t iswi_sqlite_last_rowid(const iswi_sqlite_queue *queue)
{
    return iswi_sqlite_rowid(queue, (INT64_C(1) << 40) - 1);
}

static inline iswi_sqlite_queue *iswi_sqlite_queue_of(const iswi_sqlite *store, int64_t rowid)
{
    return store->queues[(rowid >> 40) - 1];
}

/* -- statements.c ------------------------------------------------------------------------------ */

/* Bind what `types` says: 'i' int64_t, 's' isw_str, 'b' isw_bytes; those that are empty as NULL.
 * False: a fault, which is kept. What is bound stays where it is until the statement is reset. */
bool iswi_sql_bind(iswi_sqlite *store, iswi_sql which, const char *types, ...);

/* The same for the row `at` of several, which have as many parameters each. */
bool iswi_sql_bind_row(iswi_sqlite *store, iswi_sql which, size_t at, const char *types, ...);

/* 1: a row, 0: none, or no more; -1: a fault. After the last one it is reset. */
int iswi_sql_step(iswi_sqlite *store, iswi_sql which);
void iswi_sql_reset(iswi_sqlite *store, iswi_sql which);

/* All of it, for those that give no rows. */
#define iswi_sql_do(store, which, ...) \
    (iswi_sql_bind(store, which, __VA_ARGS__) && iswi_sql_step(store, which) == 0)

int64_t iswi_sql_int(iswi_sqlite *store, iswi_sql which, int column);

/* As SQLite has them, until the next step. */
isw_str iswi_sql_text(iswi_sqlite *store, iswi_sql which, int column);
isw_bytes iswi_sql_bytes(iswi_sqlite *store, iswi_sql which, int column);

/* The one number of a row, or `otherwise` for none and for NULL. False: a fault. */
#define iswi_sql_number(store, which, out, otherwise, ...) \
    (iswi_sql_bind(store, which, __VA_ARGS__) && iswi_sql_first(store, which, out, otherwise))
bool iswi_sql_first(iswi_sqlite *store, iswi_sql which, int64_t *out, int64_t otherwise);

bool iswi_sql_exec(iswi_sqlite *store, const char *text);
void iswi_sql_fault(iswi_sqlite *store, int code);
bool iswi_sql_no_memory(iswi_sqlite *store); /* false */
void iswi_sql_finish(iswi_sqlite *store);

/* -- file.c, schema.c -------------------------------------------------------------------------- */

isw_status iswi_sqlite_check(const char *place, isw_error *error);
isw_status iswi_sqlite_may_be(const char *place, const char *folder, isw_error *error);

/* The lock is had for as long as the place is; the file is opened again when a disk has failed. */
bool iswi_sqlite_take_place(iswi_sqlite *store, isw_error *error);
void iswi_sqlite_leave_place(iswi_sqlite *store);
bool iswi_sqlite_open_file(iswi_sqlite *store, isw_error *error);
void iswi_sqlite_close_file(iswi_sqlite *store);

/* Have the file as this version wants it. ISW_E_CONFIG: it is none of ours. */
isw_status iswi_sqlite_prepare(iswi_sqlite *store, isw_error *error);

/* -- queues.c ---------------------------------------------------------------------------------- */

bool iswi_sqlite_load_queues(iswi_sqlite *store);
void iswi_sqlite_free_queues(iswi_sqlite *store);

/* reload.c: after the file was opened again. False: a fault. */
bool iswi_sqlite_reload_queues(iswi_sqlite *store);
int64_t iswi_sqlite_number(iswi_sqlite *store, iswi_sqlite_queue *queue); /* 0: a fault */

/* The id of a message that is put without one. */
void iswi_sqlite_make_id(const iswi_sqlite *store, const iswi_sqlite_queue *queue, int64_t number,
                         char out[ISWI_ULID_BYTES]);
void iswi_sqlite_keep_facts(iswi_sqlite *store, bool kept); /* or go back to those before */

/* NULL: there is none, and error says so. */
iswi_sqlite_queue *iswi_sqlite_find(iswi_sqlite *store, isw_str name, isw_error *error);

bool iswi_sqlite_declare(iswi_sqlite *store, iswi_broker_op *op);
bool iswi_sqlite_pause(iswi_sqlite *store, iswi_broker_op *op);
bool iswi_sqlite_look(iswi_sqlite *store, iswi_broker_op *op);

/* It was in one state (with so many bytes) and is in another. From ISWI_MESSAGE_STATES: it is new;
 * to that: it is gone. */
void iswi_sqlite_moved(iswi_sqlite_queue *queue, int from, int to, int64_t size);

static inline void iswi_sqlite_sooner(int64_t *at_ms, int64_t than_ms)
{
    *at_ms = than_ms < *at_ms ? than_ms : *at_ms;
}

/* -- rows.c: messages as they lie in the file -------------------------------------------------- */

/* Above it lies in a table of its own, and is not written again when its message changes. */
enum { ISWI_SQLITE_INLINE_BYTES = 2048 };

/* The row that a statement stands on, of `message` or of `dead`; NULL: a fault. */
iswi_delivery *iswi_sqlite_read_message(iswi_sqlite *store, iswi_sql which,
                                        iswi_sqlite_queue *queue);
iswi_delivery *iswi_sqlite_read_dead(iswi_sqlite *store, iswi_sql which,
                                     iswi_sqlite_queue *queue);

/* What a delivery's handle is: it lies in its arena. */
typedef struct iswi_sqlite_claim {
    int64_t rowid, token; /* token 0: it was in line */
} iswi_sqlite_claim;

/* It is done with, or dead: take it out, and let the next of its key come. */
bool iswi_sqlite_remove(iswi_sqlite *store, int64_t rowid, int state, int64_t size, isw_str key);
bool iswi_sqlite_bury(iswi_sqlite *store, int64_t rowid, int state, int64_t size, isw_str key,
                      isw_str cause);
bool iswi_sqlite_next_of_key(iswi_sqlite *store, iswi_sqlite_queue *queue, isw_str key);
bool iswi_sqlite_drop_content(iswi_sqlite *store, int64_t rowid, int64_t size);

/* -- Operations: each sets op->error, or fails with a fault ------------------------------------ */

/* put.c: those for whom there is no room or no queue are found before anything is written. */
bool iswi_sqlite_can_put(iswi_sqlite *store, const iswi_queue_put *items, size_t count,
                         isw_error *error);
bool iswi_sqlite_put_all(iswi_sqlite *store, const iswi_queue_put *items, size_t count,
                         size_t *duplicates);

bool iswi_sqlite_put(iswi_sqlite *store, iswi_broker_op *op);
bool iswi_sqlite_claim_some(iswi_sqlite *store, iswi_broker_op *op);
bool iswi_sqlite_settle(iswi_sqlite *store, iswi_broker_op *op);
bool iswi_sqlite_list(iswi_sqlite *store, iswi_broker_op *op);
bool iswi_sqlite_purge(iswi_sqlite *store, iswi_broker_op *op);
bool iswi_sqlite_replay(iswi_sqlite *store, iswi_broker_op *op);
bool iswi_sqlite_record_read(iswi_sqlite *store, iswi_broker_op *op);
bool iswi_sqlite_record_write(iswi_sqlite *store, iswi_broker_op *op);
bool iswi_sqlite_record_list(iswi_sqlite *store, iswi_broker_op *op);

/* gather.c: what is put in line, and what is complete of that, to be written with more of its kind.
 * Whoever looks at such rows calls the last one before; false: a fault, or what is complete is
 * `apart`. What is put is its caller's, and stays until the transaction ends. */
bool iswi_sqlite_gather_put(iswi_sqlite *store, iswi_sqlite_queue *queue, int64_t number,
                            const iswi_queue_put *put);
bool iswi_sqlite_gather_gone(iswi_sqlite *store, int64_t rowid);
bool iswi_sqlite_flush(iswi_sqlite *store);

/* due.c: what became due by itself. */
bool iswi_sqlite_ripen(iswi_sqlite *store);
int64_t iswi_sqlite_next_due(const iswi_sqlite *store);

/* freed.c: what an earlier host had claimed is ready again, or dead; and what this one may have
 * claimed when its disk failed, and told nobody, is as it was. Each a transaction of its own. */
bool iswi_sqlite_free_claims(iswi_sqlite *store);
bool iswi_sqlite_undo_claims(iswi_sqlite *store);

static inline int64_t iswi_sqlite_token(const iswi_sqlite *store, int64_t claims)
{
    return (store->epoch << 32) + claims;
}

/* transaction.c */
bool iswi_sqlite_begin(iswi_sqlite *store);
bool iswi_sqlite_end(iswi_sqlite *store, bool well); /* false: nothing was done */

#endif
