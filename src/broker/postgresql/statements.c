/* SPDX-License-Identifier: Apache-2.0 */
/* What the server is asked. Messages come as rows.c reads them. */
#include "broker/postgresql/internal.h"

const char *const iswi_pg_texts[ISWI_PG_SQL_COUNT] = {
    [ISWI_PG_BEGIN] = "BEGIN",
    [ISWI_PG_COMMIT] = "COMMIT",
    [ISWI_PG_LOCK] = "SELECT lock_queues($1, $2)",
    [ISWI_PG_RIPEN] = "SELECT * FROM ripen($1)",
    [ISWI_PG_PUT] = "SELECT * FROM put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    [ISWI_PG_SETTLE] = "SELECT * FROM settle($1, $2, $3, $4, $5, $6, $7)",
    [ISWI_PG_SETTLE_PUT] = "SELECT * FROM settle_put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
                           "$12, $13, $14, $15, $16, $17, $18)",
    [ISWI_PG_CLAIM] =
        "WITH q AS (SELECT id, paused, max_attempts FROM queue WHERE name = $1::text), "
        "m AS (UPDATE message SET state = 2, attempt = attempt + 1, claim = $3::bigint "
        "WHERE number = ANY(ARRAY(SELECT number FROM message "
        "WHERE queue = (SELECT id FROM q WHERE NOT paused) AND state = 0 "
        "AND (expires_ms = 0 OR expires_ms > $4::bigint) "
        "ORDER BY priority DESC, due_ms, number LIMIT $2::bigint FOR UPDATE SKIP LOCKED)) "
        "RETURNING *) "
        "SELECT m.number, m.state, m.priority, m.due_ms, m.put_ms, m.expires_ms, m.attempt, "
        "0::bigint, $1::text, m.id, m.key, m.type, m.trace, m.error, m.body "
        "FROM q LEFT JOIN m ON true ORDER BY m.priority DESC, m.due_ms, m.number",
    [ISWI_PG_DECLARE] = "SELECT declare_queue($1, $2, $3, $4, $5, $6, $7)",
    [ISWI_PG_PAUSE] = "UPDATE queue SET paused = $2 WHERE name = $1::text RETURNING 1",
    [ISWI_PG_LOOK] = "SELECT * FROM look($1)",
    [ISWI_PG_LIST] =
        "WITH q AS (SELECT id FROM queue WHERE name = $1::text), "
        "m AS (SELECT number, CASE WHEN state = 5 THEN 0 ELSE state END AS state, priority, "
        "due_ms, put_ms, expires_ms, attempt, 0::bigint AS died_ms, id, key, type, trace, error, body "
        "FROM message WHERE queue = (SELECT id FROM q) AND number > $6::bigint "
        "AND (1 << CASE WHEN state = 5 THEN 0 ELSE state END) & $2::bigint > 0 "
        "AND ($3::text = '' OR id = $3) AND ($4::text = '' OR key = $4) "
        "AND ($5::bigint = 0 OR put_ms < $5) ORDER BY number LIMIT $7::bigint), "
        "d AS (SELECT number, 3, priority, due_ms, put_ms, 0::bigint, attempt, died_ms, id, key, "
        "type, trace, error, body FROM dead WHERE queue = (SELECT id FROM q) "
        "AND number > $6::bigint AND 8 & $2::bigint > 0 "
        "AND ($3::text = '' OR id = $3) AND ($4::text = '' OR key = $4) "
        "AND ($5::bigint = 0 OR put_ms < $5) ORDER BY number LIMIT $7::bigint), "
        "x AS (SELECT * FROM m UNION ALL SELECT * FROM d ORDER BY number LIMIT $7::bigint) "
        "SELECT x.number, x.state, x.priority, x.due_ms, x.put_ms, x.expires_ms, x.attempt, "
        "x.died_ms, $1::text, x.id, x.key, x.type, x.trace, x.error, x.body "
        "FROM q LEFT JOIN x ON true ORDER BY x.number",
    [ISWI_PG_PURGE] = "SELECT purge($1, $2, $3, $4, $5, $6, $7, $8)",
    [ISWI_PG_REPLAY] = "SELECT replay($1, $2, $3, $4, $5, $6, $7, $8)",
    [ISWI_PG_RECORD_READ] =
        "SELECT name, version, value FROM record WHERE name = $1::text AND value IS NOT NULL",
    [ISWI_PG_RECORD_WRITE] = "SELECT * FROM record_write($1, $2, $3)",
    [ISWI_PG_RECORD_LIST] = "SELECT name, version, value FROM record WHERE value IS NOT NULL "
                            "AND left(name, length($1::text)) = $1 ORDER BY name",
    [ISWI_PG_TELL] = "SELECT tell($1)",
    [ISWI_PG_NEXT_DUE] = "SELECT next_due()",
    [ISWI_PG_JOIN] = "SELECT h, pg_advisory_lock('host'::regclass::oid::int, h::int) "
                     "FROM (SELECT nextval('hosts') AS h OFFSET 0) x",
    /* An earlier session of the same host, which the server may still have, gives way. */
    [ISWI_PG_REJOIN] = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks "
                       "WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid() "
                       "AND classid = 'host'::regclass::oid AND objid::bigint = $1::bigint "
                       "AND database = (SELECT oid FROM pg_database "
                       "WHERE datname = current_database())",
    [ISWI_PG_UNCLAIM] = "UPDATE message SET state = 0, attempt = attempt - 1, claim = 0 "
                        "WHERE state = 2 AND claim >= $1::bigint AND claim < $2::bigint",
    [ISWI_PG_REAP] = "SELECT * FROM reap($1, $2)",
};
