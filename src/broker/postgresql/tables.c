/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a place. Texts are compared as bytes. */
#include "broker/postgresql/internal.h"

/*
 * message: those that live. State: 0 ready, 1 delayed, 2 claimed, 5 behind another one of its key.
 * dead: a table of its own, so that those that live stay together. known: ids within their window.
 * Rows of messages change often and live shortly, so they are vacuumed often, too.
 */
const char *const iswi_pg_tables[] = {
    "CREATE TABLE about (version bigint NOT NULL)",
    "CREATE TABLE queue (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " name text COLLATE \"C\" NOT NULL UNIQUE, paused boolean NOT NULL DEFAULT false,"
    " max_messages bigint NOT NULL, max_bytes bigint NOT NULL, max_attempts bigint NOT NULL,"
    " window_ms bigint NOT NULL, keep_dead_ms bigint NOT NULL)",
    "CREATE SEQUENCE numbers",
    "CREATE TABLE message (number bigint PRIMARY KEY DEFAULT nextval('numbers'),"
    " due_ms bigint NOT NULL, put_ms bigint NOT NULL, expires_ms bigint NOT NULL,"
    " claim bigint NOT NULL DEFAULT 0, queue int NOT NULL, priority int NOT NULL,"
    " attempt int NOT NULL DEFAULT 0, size int NOT NULL, state smallint NOT NULL,"
    " id text COLLATE \"C\" NOT NULL, key text COLLATE \"C\", type text, trace text, error text,"
    " body bytea NOT NULL) WITH (autovacuum_vacuum_scale_factor = 0.0,"
    " autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0)",
    "ALTER TABLE message ALTER body SET STORAGE EXTERNAL",
    "CREATE INDEX message_ready ON message (queue, priority DESC, due_ms, number) WHERE state = 0",
    "CREATE INDEX message_delayed ON message (due_ms) WHERE state = 1",
    "CREATE INDEX message_claimed ON message (claim) WHERE state = 2",
    "CREATE INDEX message_expiring ON message (expires_ms) WHERE expires_ms > 0 AND state <> 2",
    "CREATE INDEX message_keyed ON message (queue, key, number) WHERE key IS NOT NULL",
    "CREATE TABLE dead (number bigint PRIMARY KEY, due_ms bigint NOT NULL, put_ms bigint NOT NULL,"
    " died_ms bigint NOT NULL, queue int NOT NULL, priority int NOT NULL, attempt int NOT NULL,"
    " size int NOT NULL, id text COLLATE \"C\" NOT NULL, key text COLLATE \"C\", type text,"
    " trace text, error text, body bytea NOT NULL)",
    "ALTER TABLE dead ALTER body SET STORAGE EXTERNAL",
    "CREATE INDEX dead_age ON dead (queue, died_ms)",
    "CREATE TABLE known (queue int NOT NULL, id text COLLATE \"C\" NOT NULL,"
    " put_ms bigint NOT NULL, PRIMARY KEY (queue, id))",
    "CREATE INDEX known_age ON known (queue, put_ms)",
    "CREATE TABLE record (name text COLLATE \"C\" PRIMARY KEY, version bigint NOT NULL,"
    " value bytea)",
    "CREATE SEQUENCE hosts MAXVALUE 8388607",
    "CREATE TABLE host (id bigint PRIMARY KEY,"
    " since timestamptz NOT NULL DEFAULT clock_timestamp())",
    NULL,
};
