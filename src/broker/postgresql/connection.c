/* SPDX-License-Identifier: Apache-2.0 */
/* The connection: how it begins, and that it is never waited for without an end. */
#include "base/alloc.h"
#include "base/clock.h"
#include "broker/postgresql/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* So long nothing may come from the server while something is wanted of it. */
enum { PATIENCE_MS = 10000 };

/* -- Faults ------------------------------------------------------------------------------------ */

static void lose(iswi_pg *pg, const char *why)
{
    char text[200];
    size_t size = 0;

    snprintf(text, sizeof text, "%s", why && *why ? why : "the server is gone");
    while (text[size] && text[size] != '\n')
        size++;
    text[size] = '\0';
    pg->is_lost = true;
    memset(&pg->fault, 0, sizeof pg->fault);
    isw_error_set(&pg->fault, ISW_E_UNAVAILABLE, "PostgreSQL cannot be reached: %s", text);
}

/* What the server says of a statement. Some of it says that the server itself goes, or is a
 * standby, which takes nothing. */
static bool refuse(iswi_pg *pg, const PGresult *result)
{
    static const char *const ends[] = { "57P", "08", "25006" };
    const char *code = pg->pq.resultErrorField(result, PG_DIAG_SQLSTATE);
    const char *why = pg->pq.resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (!code || pg->pq.status(pg->conn) == CONNECTION_BAD) {
        lose(pg, why ? why : pg->pq.errorMessage(pg->conn));
        return false;
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strncmp(code, ends[i], strlen(ends[i])) == 0) {
            lose(pg, why);
            return false;
        }
    memset(&pg->fault, 0, sizeof pg->fault);
    isw_error_set(&pg->fault, ISW_E_IO, "PostgreSQL says: %s (%s)", why ? why : "nothing", code);
    return false;
}

static bool no_memory(iswi_pg *pg)
{
    memset(&pg->fault, 0, sizeof pg->fault);
    isw_error_set(&pg->fault, ISW_E_NO_MEMORY, "no memory for what PostgreSQL is asked");
    return false;
}

/* -- Waiting ----------------------------------------------------------------------------------- */

/* Until the socket is ready. False: not in time. */
static bool wait_for(iswi_pg *pg, short events, int64_t until_ns)
{
    struct pollfd on = { .fd = pg->pq.socket(pg->conn), .events = events };
    int64_t left_ms;
    int ready;

    do {
        left_ms = (until_ns - iswi_now_ns()) / 1000000;
        ready = left_ms > 0 ? poll(&on, 1, (int)left_ms) : 0;
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

static int64_t patience_ns(void)
{
    return iswi_now_ns() + (int64_t)PATIENCE_MS * 1000000;
}

/* Until an answer is there, or the connection is of no use. */
static bool wait_for_answer(iswi_pg *pg)
{
    int unsent = pg->pq.flush(pg->conn);

    while (unsent > 0 || pg->pq.isBusy(pg->conn)) {
        if (!wait_for(pg, POLLIN | (unsent > 0 ? POLLOUT : 0), patience_ns())) {
            lose(pg, "it does not answer");
            return false;
        }
        if (!pg->pq.consumeInput(pg->conn)) {
            lose(pg, pg->pq.errorMessage(pg->conn));
            return false;
        }
        unsent = unsent > 0 ? pg->pq.flush(pg->conn) : unsent;
    }
    if (unsent < 0)
        lose(pg, pg->pq.errorMessage(pg->conn));
    return unsent == 0;
}

/* -- One after the other ----------------------------------------------------------------------- */

/* All that comes of what was sent; the last result that is one. NULL: a fault. */
static PGresult *finish(iswi_pg *pg)
{
    PGresult *last = NULL;
    PGresult *next;
    bool well = true;

    while (wait_for_answer(pg) && (next = pg->pq.getResult(pg->conn)) != NULL) {
        const ExecStatusType status = pg->pq.resultStatus(next);

        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
            well = refuse(pg, next);
        pg->pq.clear(last);
        last = next;
    }
    if (well && last && !pg->is_lost)
        return last;
    pg->pq.clear(last);
    return NULL;
}

PGresult *iswi_pg_query(iswi_pg *pg, const char *text)
{
    if (pg->pq.sendQuery(pg->conn, text))
        return finish(pg);
    lose(pg, pg->pq.errorMessage(pg->conn));
    return NULL;
}

bool iswi_pg_exec(iswi_pg *pg, const char *text)
{
    PGresult *result = iswi_pg_query(pg, text);

    pg->pq.clear(result);
    return result != NULL;
}

/* False: a fault. */
static bool send_with_params(iswi_pg *pg, iswi_pg_sql which)
{
    const char *values[ISWI_PG_PARAMS_MAX];
    int sizes[ISWI_PG_PARAMS_MAX];
    int formats[ISWI_PG_PARAMS_MAX];
    char name[16];

    for (int i = 0; i < pg->param_count; i++) {
        values[i] = pg->is_null[i] ? NULL : (const char *)pg->params[i].data;
        sizes[i] = (int)pg->params[i].size;
        formats[i] = 1;
        if (pg->params[i].failed)
            return no_memory(pg);
    }
    snprintf(name, sizeof name, "q%d", which);
    if (pg->pq.sendQueryPrepared(pg->conn, name, pg->param_count, values, sizes, formats, 1))
        return true;
    lose(pg, pg->pq.errorMessage(pg->conn));
    return false;
}

PGresult *iswi_pg_ask(iswi_pg *pg, iswi_pg_sql which)
{
    return send_with_params(pg, which) ? finish(pg) : NULL;
}

/* -- Pipelines --------------------------------------------------------------------------------- */

bool iswi_pg_send(iswi_pg *pg, iswi_pg_sql which, iswi_pg_take_fn take, iswi_broker_op **ops,
                  size_t count)
{
    if (!iswi_grow(&pg->steps, &pg->step_capacity, pg->step_count, sizeof *pg->steps))
        return no_memory(pg);
    pg->steps[pg->step_count++] = (iswi_pg_step){ .take = take, .ops = ops, .count = count };
    return send_with_params(pg, which);
}

void iswi_pg_forget_steps(iswi_pg *pg)
{
    for (size_t i = 0; i < pg->step_count; i++)
        pg->pq.clear(pg->steps[i].result);
    pg->step_count = 0;
}

/* The one of a step, and that it has no other. */
static bool read_step(iswi_pg *pg, iswi_pg_step *step, bool *well)
{
    PGresult *next;

    while (wait_for_answer(pg) && (next = pg->pq.getResult(pg->conn)) != NULL) {
        const ExecStatusType status = pg->pq.resultStatus(next);

        if (*well && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
            *well = refuse(pg, next);
        pg->pq.clear(step->result);
        step->result = next;
        if (pg->is_lost)
            return false;
    }
    return !pg->is_lost;
}

bool iswi_pg_answers(iswi_pg *pg)
{
    PGresult *sync;
    bool well = true;

    if (!pg->pq.pipelineSync(pg->conn)) {
        lose(pg, pg->pq.errorMessage(pg->conn));
        return false;
    }
    for (size_t i = 0; i < pg->step_count; i++)
        if (!read_step(pg, &pg->steps[i], &well))
            return false;
    if (!wait_for_answer(pg))
        return false;
    sync = pg->pq.getResult(pg->conn);
    if (pg->pq.resultStatus(sync) != PGRES_PIPELINE_SYNC)
        lose(pg, pg->pq.errorMessage(pg->conn));
    pg->pq.clear(sync);
    return well && !pg->is_lost;
}

bool iswi_pg_prepare_all(iswi_pg *pg)
{
    bool well;

    pg->pq.enterPipelineMode(pg->conn);
    iswi_pg_forget_steps(pg);
    for (int i = 0; i < ISWI_PG_SQL_COUNT; i++) {
        char name[16];

        snprintf(name, sizeof name, "q%d", i);
        if (!iswi_grow(&pg->steps, &pg->step_capacity, pg->step_count, sizeof *pg->steps))
            return no_memory(pg);
        pg->steps[pg->step_count++] = (iswi_pg_step){ 0 };
        if (!pg->pq.sendPrepare(pg->conn, name, iswi_pg_texts[i], 0, NULL)) {
            lose(pg, pg->pq.errorMessage(pg->conn));
            return false;
        }
    }
    well = iswi_pg_answers(pg);
    iswi_pg_forget_steps(pg);
    pg->pq.exitPipelineMode(pg->conn);
    return well;
}

void iswi_pg_read_notices(iswi_pg *pg)
{
    PGnotify *notice;

    while ((notice = pg->pq.notifies(pg->conn)) != NULL) {
        pg->heard = pg->heard || notice->be_pid != pg->pq.backendPID(pg->conn);
        pg->pq.freemem(notice);
    }
}

/* -- Begin and end ----------------------------------------------------------------------------- */

static void be_silent(void *user, const char *message)
{
    (void)user;
    (void)message;
}

/* What the place does not say: of several servers the one that takes something; and a server that
 * does not hear from this machine any more ends the session, and so the claims, in 20 s. */
static PGconn *start(iswi_pg *pg)
{
    static const char *const keys[] = { "target_session_attrs", "connect_timeout",
                                        "tcp_user_timeout", "application_name", "dbname",
                                        "client_encoding", NULL };
    const char *const values[] = { "read-write", "5", "10000", "isoworker", pg->address, "UTF8",
                                   NULL };

    return pg->pq.connectStartParams(keys, values, 1);
}

static bool poll_until_there(iswi_pg *pg)
{
    const int64_t until_ns = patience_ns();
    PostgresPollingStatusType at = PGRES_POLLING_WRITING;

    while (at == PGRES_POLLING_WRITING || at == PGRES_POLLING_READING) {
        if (!wait_for(pg, at == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_ns)) {
            lose(pg, "it does not answer");
            return false;
        }
        at = pg->pq.connectPoll(pg->conn);
    }
    if (at != PGRES_POLLING_OK)
        lose(pg, pg->pq.errorMessage(pg->conn));
    return at == PGRES_POLLING_OK;
}

/* Whoever was given the socket, too, is to have the session until it has ended what runs; so the
 * server must not be told that this is its end. */
static void leave_session(const iswi_pg *pg)
{
    const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (nowhere < 0)
        return;
    dup3(nowhere, pg->pq.socket(pg->conn), O_CLOEXEC);
    close(nowhere);
}

void iswi_pg_disconnect(iswi_pg *pg)
{
    iswi_pg_forget_steps(pg);
    if (pg->conn && pg->options->lock && pg->pq.socket(pg->conn) >= 0)
        leave_session(pg);
    if (pg->conn)
        pg->pq.finish(pg->conn);
    pg->conn = NULL;
}

/* The old one, if any, ends when the new one has begun, so that their descriptors differ. */
bool iswi_pg_connect(iswi_pg *pg, isw_error *error)
{
    PGconn *fresh = start(pg);
    bool well;

    iswi_pg_disconnect(pg);
    pg->is_lost = false;
    pg->conn = fresh;
    well = pg->conn && pg->pq.status(pg->conn) != CONNECTION_BAD;
    if (!well)
        lose(pg, pg->conn ? pg->pq.errorMessage(pg->conn) : "no memory");
    well = well && poll_until_there(pg);
    if (!well) {
        isw_error_set(error, ISW_E_UNAVAILABLE, "%s", pg->fault.message);
        return false;
    }
    pg->pq.setNoticeProcessor(pg->conn, be_silent, NULL);
    pg->pq.setnonblocking(pg->conn, 1);
    return true;
}
