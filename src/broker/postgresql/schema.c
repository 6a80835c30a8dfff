/* SPDX-License-Identifier: Apache-2.0 */
/* The schema of a place: made by the first host that comes, while the others wait. */
#include "broker/postgresql/internal.h"

#include <stdio.h>

/* Raise it, with a step from the last one, whenever tables or functions change; not for the words of
 * a sentence, which places that are there keep. */
enum { VERSION = 2 };

/* Rows are found by their indexes, whatever the statistics say of a queue that was just empty. */
static bool set_session(iswi_pg *pg)
{
    char text[640];

    snprintf(text, sizeof text,
             "SET search_path TO %s, pg_temp; SET client_min_messages TO error;"
             "SET default_transaction_isolation TO 'read committed';"
             "SET plan_cache_mode TO force_generic_plan; SET jit TO off;"
             "SET enable_seqscan TO off; SET enable_bitmapscan TO off;"
             "SET enable_hashjoin TO off; SET enable_mergejoin TO off;"
             "SET idle_session_timeout TO 0; SET idle_in_transaction_session_timeout TO 0;"
             "SET statement_timeout TO '9s'; SET check_function_bodies TO off;"
             "SET tcp_keepalives_idle TO 5; SET tcp_keepalives_interval TO 5;"
             "SET tcp_keepalives_count TO 3",
             pg->schema);
    return iswi_pg_exec(pg, text);
}

static bool exec_all(iswi_pg *pg, const char *const *texts)
{
    while (*texts && iswi_pg_exec(pg, *texts))
        texts++;
    return *texts == NULL;
}

/* The version that is there; 0: nothing. False: a fault. */
static bool version_of(iswi_pg *pg, int64_t *version)
{
    char text[256];
    PGresult *result;

    snprintf(text, sizeof text, "SELECT 1 FROM pg_class WHERE oid = to_regclass('%s.about')",
             pg->schema);
    result = iswi_pg_query(pg, text);
    *version = pg->pq.ntuples(result);
    pg->pq.clear(result);
    if (*version == 0)
        return result != NULL;
    result = iswi_pg_query(pg, "SELECT version FROM about");
    *version = 0;
    if (pg->pq.ntuples(result) == 1)
        for (const char *at = pg->pq.getvalue(result, 0, 0); *at; at++)
            *version = *version * 10 + (*at - '0');
    pg->pq.clear(result);
    return *version > 0;
}

/* Of version 1, whatever they take. */
static const char drop_functions[] =
    "DROP FUNCTION lock_queues, next_of_keys, bury, ripen, tell, next_due, put, put_known,"
    " put_rows, settle, settle_put, declare_queue, look, purge, replay, record_write, reap,"
    " free_claims";

/* To this version: from 1, which has the same tables and other functions; from nothing, 0. */
static bool make(iswi_pg *pg, int64_t from)
{
    char text[160];

    snprintf(text, sizeof text, "DELETE FROM about; INSERT INTO about VALUES (%d)", VERSION);
    return (from ? iswi_pg_exec(pg, drop_functions) : exec_all(pg, iswi_pg_tables)) &&
           exec_all(pg, iswi_pg_functions) && exec_all(pg, iswi_pg_other_functions) &&
           iswi_pg_exec(pg, text);
}

/* Only who finds none, or an older one, needs the right to make one. */
static bool begin(iswi_pg *pg, int64_t *version)
{
    char text[128];

    snprintf(text, sizeof text, "CREATE SCHEMA IF NOT EXISTS %s", pg->schema);
    return version_of(pg, version) &&
           (*version >= VERSION ||
            (iswi_pg_exec(pg, "BEGIN; SELECT pg_advisory_xact_lock(4947827)") &&
             version_of(pg, version) && (*version || iswi_pg_exec(pg, text))));
}

isw_status iswi_pg_prepare_schema(iswi_pg *pg, isw_error *error)
{
    int64_t version = 0;
    const bool well = set_session(pg) && begin(pg, &version) &&
                      (version >= VERSION || make(pg, version));

    if (well && version > VERSION)
        return isw_error_set(error, ISW_E_CONFIG,
                             "the schema %s is of a newer isoworker (version %lld; this one knows "
                             "%d); name another one by schema=NAME, or use that isoworker",
                             pg->schema, (long long)version, VERSION);
    if (well && (pg->pq.transactionStatus(pg->conn) == PQTRANS_IDLE || iswi_pg_exec(pg, "COMMIT")))
        return ISW_OK;
    return isw_error_set(error, ISW_E_UNAVAILABLE, "the schema %s is not to be had: %s", pg->schema,
                         pg->fault.status ? pg->fault.message : "it is not one of isoworker");
}
