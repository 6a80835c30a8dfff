/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts: each is a row, and an advisory lock that its session has. While others have claims each
 * looks a few times a second whether all of those locks are had; at rest nobody does. */
#include "broker/postgresql/internal.h"

#include <stdio.h>

enum { LOOK_MS = 200 };

void iswi_pg_look_soon(iswi_pg *pg)
{
    if (pg->look_ms > pg->now_ms + LOOK_MS)
        pg->look_ms = pg->now_ms + LOOK_MS;
}

/* -- Being one --------------------------------------------------------------------------------- */

/* The lock first, so that nobody takes the row for that of one that ended. */
static bool join_anew(iswi_pg *pg)
{
    char text[160];
    PGresult *result;

    iswi_pg_params_reset(pg);
    result = iswi_pg_ask(pg, ISWI_PG_JOIN);
    if (!result)
        return false;
    pg->host = iswi_pg_int(pg, result, 0, 0);
    pg->pq.clear(result);
    pg->claims = pg->doubt = 0;
    snprintf(text, sizeof text, "INSERT INTO host VALUES (%lld)", (long long)pg->host);
    return iswi_pg_exec(pg, text);
}

/* Whether the row is there still. */
static bool has_row(iswi_pg *pg, bool *has)
{
    char text[160];
    PGresult *result;

    snprintf(text, sizeof text,
             "SELECT pg_advisory_lock('host'::regclass::oid::int, %lld);"
             "UPDATE host SET since = clock_timestamp() WHERE id = %lld RETURNING 1",
             (long long)pg->host, (long long)pg->host);
    result = iswi_pg_query(pg, text);
    *has = result && pg->pq.ntuples(result) == 1;
    pg->pq.clear(result);
    return result != NULL;
}

/* What was claimed in a run of which nobody knows what came of it was delivered to nobody. */
static bool undo_doubtful(iswi_pg *pg)
{
    PGresult *result;

    if (!pg->doubt)
        return true;
    iswi_pg_params_reset(pg);
    iswi_pg_add_int(pg, iswi_pg_token(pg, pg->doubt));
    iswi_pg_add_int(pg, iswi_pg_token(pg, pg->claims + 1));
    result = iswi_pg_ask(pg, ISWI_PG_UNCLAIM);
    pg->pq.clear(result);
    if (result)
        pg->doubt = 0;
    return result != NULL;
}

static bool join_again(iswi_pg *pg)
{
    PGresult *result;
    bool has = false;

    iswi_pg_params_reset(pg);
    iswi_pg_add_int(pg, pg->host);
    result = iswi_pg_ask(pg, ISWI_PG_REJOIN);
    pg->pq.clear(result);
    return result && has_row(pg, &has) && (has ? undo_doubtful(pg) : join_anew(pg));
}

bool iswi_pg_join(iswi_pg *pg)
{
    char text[192];

    if (!(pg->host ? join_again(pg) : join_anew(pg)))
        return false;
    snprintf(text, sizeof text, "LISTEN %s; SELECT pg_notify('%s', '')", pg->schema, pg->schema);
    pg->look_ms = 0;
    return iswi_pg_exec(pg, text);
}

/* -- Others ------------------------------------------------------------------------------------ */

bool iswi_pg_reap(iswi_pg *pg)
{
    PGresult *result;
    int last;

    iswi_pg_params_reset(pg);
    iswi_pg_add_int(pg, pg->now_ms);
    iswi_pg_add_int(pg, pg->host);
    result = iswi_pg_ask(pg, ISWI_PG_REAP);
    if (!result)
        return false;
    last = pg->pq.ntuples(result) - 1;
    pg->look_ms = INT64_MAX;
    if (iswi_pg_int(pg, result, last, 1))
        iswi_pg_look_soon(pg);
    if (last > 0)
        pg->asks_due = pg->heard = true;
    iswi_pg_count_deaths(pg, result);
    pg->pq.clear(result);
    return true;
}

void iswi_pg_leave(iswi_pg *pg)
{
    char text[160];

    if (!pg->conn || pg->is_lost || !pg->host || pg->options->lock)
        return;
    snprintf(text, sizeof text, "SELECT free_claims(%lld, %lld)", (long long)pg->now_ms,
             (long long)pg->host);
    iswi_pg_exec(pg, text);
}
