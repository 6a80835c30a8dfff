/* SPDX-License-Identifier: Apache-2.0 */
/* The floor of a queue in PostgreSQL: a bare loop of inserts, and one of deletes, so many in a
 * transaction and a round trip, on one thread and connection. No order, no claim, no state. */
#include "bench/clock.h"
#include "bench/queue/measure.h"

#ifdef ISWI_BENCH_POSTGRESQL

#include "broker/postgresql/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREFILL = 4000 };

typedef struct floor_table {
    iswi_pq_calls pq;
    PGconn *conn;
    int64_t first, next; /* those that are there */
} floor_table;

static bool fails(floor_table *table, isw_error *error)
{
    isw_error_set(error, ISW_E_IO, "PostgreSQL: %s", table->pq.errorMessage(table->conn));
    return false;
}

static bool exec(floor_table *table, const char *text, isw_error *error)
{
    PGresult *result;
    bool well = table->pq.sendQuery(table->conn, text) != 0;

    while (well && (result = table->pq.getResult(table->conn)) != NULL) {
        const ExecStatusType status = table->pq.resultStatus(result);

        well = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
        table->pq.clear(result);
    }
    return well || fails(table, error);
}

static bool prepare(floor_table *table, const char *name, const char *text, isw_error *error)
{
    char line[320];

    snprintf(line, sizeof line, "PREPARE %s AS %s", name, text);
    return exec(table, line, error);
}

static void close_floor(void *self)
{
    floor_table *table = self;
    isw_error none = { 0 };

    if (table->conn) {
        table->pq.exitPipelineMode(table->conn); /* in which nothing is dropped */
        exec(table, "DROP SCHEMA IF EXISTS isoworker_bench, isoworker_bench_floor CASCADE", &none);
        table->pq.finish(table->conn);
    }
    free(table);
}

static bool connect(floor_table *table, const char *place, isw_error *error)
{
    const char *const keys[] = { "dbname", NULL };
    const char *const values[] = { place, NULL };
    PostgresPollingStatusType at;

    table->conn = table->pq.connectStartParams(keys, values, 1);
    do
        at = table->pq.connectPoll(table->conn);
    while (at == PGRES_POLLING_READING || at == PGRES_POLLING_WRITING);
    return at == PGRES_POLLING_OK || fails(table, error);
}

static bool open_floor(const char *place, void **self, isw_error *error)
{
    static const char table_text[] =
        "SET client_min_messages TO error;"
        "DROP SCHEMA IF EXISTS isoworker_bench, isoworker_bench_floor CASCADE;"
        "CREATE SCHEMA isoworker_bench_floor; SET search_path TO isoworker_bench_floor;"
        "CREATE TABLE message (number bigint PRIMARY KEY, put_ms bigint, id text, body bytea)";
    floor_table *table = calloc(1, sizeof *table);

    if (table && iswi_pq_load(&table->pq, error) == ISW_OK && connect(table, place, error) &&
        exec(table, table_text, error) &&
        prepare(table, "i(bigint, bigint, text, bytea)",
                "INSERT INTO message VALUES ($1, $2, $3, $4)", error) &&
        prepare(table, "d(bigint)", "DELETE FROM message WHERE number = $1", error)) {
        *self = table;
        return true;
    }
    if (table)
        close_floor(table);
    return false;
}

static void write_number(char out[8], int64_t number)
{
    for (int i = 0; i < 8; i++)
        out[i] = (char)((uint64_t)number >> (56 - 8 * i));
}

static bool send_insert(floor_table *table, const iswi_bench_queue_work *work)
{
    char number[8];
    char now[8];
    const char *const values[] = { number, now, "01ARYZ6S41TSV4RRFFQ69G5FAV", work->body };
    const int sizes[] = { 8, 8, 26, (int)work->body_bytes };
    const int formats[] = { 1, 1, 1, 1 };

    write_number(number, table->next++);
    write_number(now, iswi_bench_now_ns() / 1000000);
    return table->pq.sendQueryPrepared(table->conn, "i", 4, values, sizes, formats, 1) != 0;
}

static bool send_delete(floor_table *table)
{
    char number[8];
    const char *const values[] = { number };
    const int sizes[] = { 8 };
    const int formats[] = { 1 };

    write_number(number, table->first++);
    return table->pq.sendQueryPrepared(table->conn, "d", 1, values, sizes, formats, 1) != 0;
}

/* One transaction: what lies between two of these is one by itself. */
static bool finish(floor_table *table, isw_error *error)
{
    bool well = table->pq.pipelineSync(table->conn) != 0;
    bool ended = false;

    while (well && !ended) {
        PGresult *result = table->pq.getResult(table->conn);
        const ExecStatusType status = result ? table->pq.resultStatus(result) : PGRES_COMMAND_OK;

        ended = status == PGRES_PIPELINE_SYNC;
        well = ended || status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
        table->pq.clear(result);
    }
    return well || fails(table, error);
}

static bool insert_batch(void *self, const iswi_bench_queue_work *work, unsigned count,
                         isw_error *error)
{
    floor_table *table = self;
    bool well = table->pq.enterPipelineMode(table->conn) != 0;

    for (unsigned i = 0; i < count && well; i++)
        well = send_insert(table, work);
    return (well || fails(table, error)) && finish(table, error);
}

static bool delete_batch(floor_table *table, unsigned count, isw_error *error)
{
    bool well = table->pq.enterPipelineMode(table->conn) != 0;

    for (unsigned i = 0; i < count && well; i++)
        well = send_delete(table);
    return (well || fails(table, error)) && finish(table, error);
}

static bool put(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                isw_error *error)
{
    return iswi_bench_queue_put_batches(insert_batch, self, work, out, error);
}

static bool fill(floor_table *table, const iswi_bench_queue_work *work, isw_error *error)
{
    for (unsigned done = 0; done < PREFILL; done += ISWI_BENCH_QUEUE_MOST)
        if (!insert_batch(table, work, ISWI_BENCH_QUEUE_MOST, error))
            return false;
    return true;
}

static bool complete(void *self, const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                     isw_error *error)
{
    floor_table *table = self;

    while (!iswi_bench_is_over(work->until_ns)) {
        int64_t begun_ns;

        if (table->next - table->first < work->in_flight && !fill(table, work, error))
            return false;
        begun_ns = iswi_bench_now_ns();
        if (!delete_batch(table, work->in_flight, error))
            return false;
        out->elapsed_ns += iswi_bench_now_ns() - begun_ns;
        out->done += work->in_flight;
    }
    return true;
}

const iswi_bench_queue_store iswi_bench_queue_floor_postgresql = {
    .name = "floor",
    .open = open_floor,
    .close = close_floor,
    .put = put,
    .complete = complete,
};

#else

static bool open_floor(const char *place, void **self, isw_error *error)
{
    (void)place;
    (void)self;
    isw_error_set(error, ISW_E_UNSUPPORTED, "this build is without PostgreSQL; on Debian: apt-get "
                                            "install libpq-dev, and build it again");
    return false;
}

const iswi_bench_queue_store iswi_bench_queue_floor_postgresql = {
    .name = "floor",
    .open = open_floor,
};

#endif
