/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BROKER_POSTGRESQL_INTERNAL_H
#define ISWI_BROKER_POSTGRESQL_INTERNAL_H

/*
 * A place in a database of PostgreSQL; each part is written by the file of its name.
 *
 * All operations of a run are one transaction, sent in one go and answered in one go. What they do
 * is done by functions in the database (functions.c), which look before they write, so that one
 * operation that cannot be done leaves the others alone. What the server itself refuses undoes the
 * transaction, which is then done again, operation by operation (run.c).
 *
 * A host is a row, and an advisory lock that its session has: where the lock is free the host, or
 * its connection, has ended. A claim is told from all others by its token, host << 40 | count.
 */
#include "base/buffer.h"
#include "broker/driver.h"
#include "broker/postgresql/calls.h"

enum { ISWI_PG_SCHEMA_BYTES = 64, ISWI_PG_PARAMS_MAX = 20 };

/* -- address.c --------------------------------------------------------------------------------- */

isw_status iswi_pg_check(const char *place, isw_error *error);

/* The place as libpq wants it, without what is ours; the schema, "isoworker" if it names none. The
 * text is the caller's to iswi_free. NULL: *error says why. */
char *iswi_pg_address(const char *place, char schema[ISWI_PG_SCHEMA_BYTES], isw_error *error);

/* -- statements.c: what the server is asked ---------------------------------------------------- */

typedef enum iswi_pg_sql {
    ISWI_PG_BEGIN,
    ISWI_PG_COMMIT,
    ISWI_PG_LOCK,
    ISWI_PG_RIPEN,
    ISWI_PG_PUT,
    ISWI_PG_SETTLE,
    ISWI_PG_SETTLE_PUT,
    ISWI_PG_CLAIM,
    ISWI_PG_DECLARE,
    ISWI_PG_PAUSE,
    ISWI_PG_LOOK,
    ISWI_PG_LIST,
    ISWI_PG_PURGE,
    ISWI_PG_REPLAY,
    ISWI_PG_RECORD_READ,
    ISWI_PG_RECORD_WRITE,
    ISWI_PG_RECORD_LIST,
    ISWI_PG_TELL,
    ISWI_PG_NEXT_DUE,
    ISWI_PG_JOIN,
    ISWI_PG_REJOIN,
    ISWI_PG_UNCLAIM,
    ISWI_PG_REAP,
    ISWI_PG_SQL_COUNT
} iswi_pg_sql;

extern const char *const iswi_pg_texts[ISWI_PG_SQL_COUNT];

/* -- The place --------------------------------------------------------------------------------- */

/* Counted since the broker began. */
typedef struct iswi_pg_counts {
    char *name;
    isw_str view; /* of it */
    uint64_t put, completed, abandoned, died, duplicates;
} iswi_pg_counts;

typedef struct iswi_pg iswi_pg;

/* What came of a statement of a run, once the transaction is durable. `ops` are those that it was
 * for. */
typedef void (*iswi_pg_take_fn)(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops,
                                size_t count);

typedef struct iswi_pg_step {
    iswi_pg_take_fn take; /* may be NULL */
    iswi_broker_op **ops;
    size_t count;
    PGresult *result;
} iswi_pg_step;

struct iswi_pg {
    const iswi_broker_options *options;
    iswi_pq_calls pq;
    char *address;
    char schema[ISWI_PG_SCHEMA_BYTES];
    PGconn *conn;
    int64_t host;   /* its row; 0: none yet */
    int64_t claims; /* how many there were */
    int64_t doubt;  /* those from this one on: nobody knows what came of them; 0: none */
    int64_t now_ms;
    int64_t due_ms;  /* when something becomes due by itself; INT64_MAX: nothing */
    int64_t look_ms; /* when to look after other hosts; INT64_MAX: no need */
    bool asks_due;   /* of this run: something may become due sooner */
    bool spilled;    /* there was no memory for what was claimed */
    int64_t token;   /* of what is claimed in this run */
    uint64_t salt[2]; /* of the ids that are made here: random, */
    uint64_t made;    /* and how many there were */
    bool heard;      /* another host told of something meanwhile */
    iswi_pg_counts **counts;
    size_t counts_count, counts_capacity;
    iswi_pg_counts uncounted; /* for want of memory */
    iswi_pg_step *steps;
    size_t step_count, step_capacity;
    iswi_broker_op **order; /* of a run */
    size_t order_capacity;
    isw_str *names; /* of queues */
    size_t name_count, name_capacity;
    iswi_buffer params[ISWI_PG_PARAMS_MAX];
    bool is_null[ISWI_PG_PARAMS_MAX];
    int param_count;
    isw_error fault; /* of the server, in this transaction */
    bool is_lost;    /* the connection is of no use any more */
};

/* -- values.c: parameters and results ---------------------------------------------------------- */

void iswi_pg_params_reset(iswi_pg *pg);
void iswi_pg_add_int(iswi_pg *pg, int64_t value);
void iswi_pg_add_null(iswi_pg *pg);
void iswi_pg_add_bool(iswi_pg *pg, bool value);
void iswi_pg_add_text(iswi_pg *pg, isw_str text);
void iswi_pg_add_bytes(iswi_pg *pg, isw_bytes bytes);

/* An array of so many, which the items that are added next are in. */
void iswi_pg_add_ints(iswi_pg *pg, size_t count);
void iswi_pg_add_texts(iswi_pg *pg, size_t count);
void iswi_pg_add_blobs(iswi_pg *pg, size_t count);
void iswi_pg_item_int(iswi_pg *pg, int64_t value);
void iswi_pg_item_bytes(iswi_pg *pg, const void *data, size_t size);

int64_t iswi_pg_int(const iswi_pg *pg, const PGresult *result, int row, int column); /* NULL: 0 */
isw_str iswi_pg_text(const iswi_pg *pg, const PGresult *result, int row, int column);
bool iswi_pg_is_null(const iswi_pg *pg, const PGresult *result, int row, int column);

/* -- connection.c ------------------------------------------------------------------------------ */

/* Connect and prepare what is asked. ISW_E_UNAVAILABLE. */
bool iswi_pg_connect(iswi_pg *pg, isw_error *error);
void iswi_pg_disconnect(iswi_pg *pg);

/* Several statements without parameters, in one transaction. False: pg->fault. */
bool iswi_pg_exec(iswi_pg *pg, const char *text);

/* The same, with the result of the last one, in text; the caller's to pq.clear. */
PGresult *iswi_pg_query(iswi_pg *pg, const char *text);

/* One, with the parameters that were added; the caller's to pq.clear. NULL: pg->fault. */
PGresult *iswi_pg_ask(iswi_pg *pg, iswi_pg_sql which);

bool iswi_pg_prepare_all(iswi_pg *pg);

/* A pipeline: what is sent with the parameters that were added, and then all answers, up to the
 * first that is a refusal. False: pg->fault, and is_lost where nobody knows what came of it. */
bool iswi_pg_send(iswi_pg *pg, iswi_pg_sql which, iswi_pg_take_fn take, iswi_broker_op **ops,
                  size_t count);
bool iswi_pg_answers(iswi_pg *pg);
void iswi_pg_forget_steps(iswi_pg *pg);

/* Notices of other hosts that are there already. */
void iswi_pg_read_notices(iswi_pg *pg);

/* -- schema.c, functions.c --------------------------------------------------------------------- */

extern const char *const iswi_pg_tables[], *const iswi_pg_functions[],
    *const iswi_pg_other_functions[]; /* end with NULL */

/* Have the schema as this version wants it. ISW_E_CONFIG: it is newer. */
isw_status iswi_pg_prepare_schema(iswi_pg *pg, isw_error *error);

/* -- host.c ------------------------------------------------------------------------------------ */

enum { ISWI_PG_HOST_SHIFT = 40 };

/* Be a host, or still that one; what an earlier session of it claimed without knowing is undone. */
bool iswi_pg_join(iswi_pg *pg);

/* What hosts that ended had claimed is ready again. Says when to look again. */
bool iswi_pg_reap(iswi_pg *pg);
void iswi_pg_look_soon(iswi_pg *pg);

/* Its own end, in order. */
void iswi_pg_leave(iswi_pg *pg);

static inline int64_t iswi_pg_token(const iswi_pg *pg, int64_t claim)
{
    return (pg->host << ISWI_PG_HOST_SHIFT) + claim;
}

/* -- counts.c ---------------------------------------------------------------------------------- */

iswi_pg_counts *iswi_pg_counts_of(iswi_pg *pg, isw_str queue); /* never NULL */
void iswi_pg_counts_free(iswi_pg *pg);

/* The rows (queue, how many) of those that died by themselves. */
void iswi_pg_count_deaths(iswi_pg *pg, const PGresult *result);

/* -- Operations: each sends what it asks ------------------------------------------------------- */

/* What a delivery's handle is: it lies in its arena. */
typedef struct iswi_pg_claim {
    int64_t number, token;
} iswi_pg_claim;

/* rows.c: the columns of CLAIM and LIST. NULL: no memory. */
iswi_delivery *iswi_pg_read_message(iswi_pg *pg, const PGresult *result, int row);

/* put.c: several operations in one. */
bool iswi_pg_put(iswi_pg *pg, iswi_broker_op **ops, size_t count);

/* The parameters for what these operations put; and why one of them was refused, by the columns
 * `name` and the next one, its sentence. */
void iswi_pg_add_items(iswi_pg *pg, iswi_broker_op **ops, size_t count);
void iswi_pg_refuse_put(iswi_pg *pg, const PGresult *result, int row, int status, int name,
                        iswi_broker_op *op);
void iswi_pg_count_put(iswi_pg *pg, const iswi_queue_put *items, size_t count);

/* settle.c: several that put nothing, or one that does. */
bool iswi_pg_settle(iswi_pg *pg, iswi_broker_op **ops, size_t count);

/* claim.c: several of one queue. */
bool iswi_pg_claim_some(iswi_pg *pg, iswi_broker_op **ops, size_t count);

/* touched.c: whose keys may pass on, and of which queues others are to be told. */
bool iswi_pg_lock_keys(iswi_pg *pg, iswi_broker_op **ops, size_t count, bool is_due);
bool iswi_pg_tell(iswi_pg *pg, iswi_broker_op **ops, size_t count);

/* queues.c, list.c, records.c */
bool iswi_pg_declare(iswi_pg *pg, iswi_broker_op **op);
bool iswi_pg_pause(iswi_pg *pg, iswi_broker_op **op);
bool iswi_pg_look(iswi_pg *pg, iswi_broker_op **op);
bool iswi_pg_list(iswi_pg *pg, iswi_broker_op **op);
bool iswi_pg_sweep(iswi_pg *pg, iswi_broker_op **op);
bool iswi_pg_record_read(iswi_pg *pg, iswi_broker_op **op);
bool iswi_pg_record_write(iswi_pg *pg, iswi_broker_op **op);
bool iswi_pg_record_list(iswi_pg *pg, iswi_broker_op **op);

#endif
