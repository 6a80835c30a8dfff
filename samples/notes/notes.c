/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small service as one grows: notes in a SQLite database, checked input, keys for those who
 * write, scripts of one site, a middleware and a metric of its own, and unit tests (tests.c).
 *
 * RUN     isoworker run samples/notes
 *         curl --json '{"text": "buy milk"}' -H 'x-functions-key: open-sesame' \
 *              http://127.0.0.1:7071/api/notes
 * OUTPUT  {"id":1,"text":"buy milk"}
 */
#include "app.h"

#include <isoworker/sys/middleware.h>
#include <sqlite3.h>
#include <stdlib.h>

enum { MOST = 100 }; /* notes in one answer */
typedef struct note { int64_t id; const char *text; } note;
typedef struct page { note *notes; size_t count; } page;

static const isw_field draft_fields[] = { /* what the middleware `validate` lets pass */
    { ISW_FIELD(STRING, note, text), .required = true, .min = 1, .max = 1000 }, { 0 } };
static const isw_field note_fields[] = { { ISW_FIELD(INT, note, id) },
                                         { ISW_FIELD(STRING, note, text) }, { 0 } };
static const isw_field page_fields[] = { /* a list within the answer */
    { ISW_FIELD_LIST(STRUCT, page, notes, count), .fields = note_fields,
      .item_size = sizeof(note) }, { 0 } };

/* The database: a service, opened at its first use. */
static isw_status open_database(isw_resolver *from, void *user, void **out, isw_error *error)
{
    const char *path = getenv("NOTES_DB") ? getenv("NOTES_DB") : ":memory:";
    sqlite3 *db = NULL;
    int code = sqlite3_open(path, &db);

    (void)from, (void)user;
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text)",
                            NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return *out = db, ISW_OK;
    sqlite3_close(db);
    return isw_error_set(error, ISW_E_UNAVAILABLE, "%s: %s", path, sqlite3_errstr(code));
}

static void close_database(void *db, void *user) { (void)user; sqlite3_close(db); }
static const isw_service services[] = {
    { .name = "database", .type = "sqlite3", .create = open_database, .destroy = close_database },
    { 0 },
};

/* Run `sql`, with the route's id as ?1 and `text` as ?2, and gather its rows: the note of that id
 * has to be there. */
static isw_status ask(isw_context *ctx, const char *sql, const char *text, page *out)
{
    sqlite3 *db = ISW_SERVICE(ctx, sqlite3, "database"); /* takes calls from several threads */
    const char *id = isw_http_param(ctx, "id");
    sqlite3_stmt *row = NULL;
    int code;

    out->notes = isw_context_alloc(ctx, MOST * sizeof *out->notes);
    if (!db || !out->notes)
        return ISW_E_UNAVAILABLE; /* why is recorded */
    code = sqlite3_prepare_v2(db, sql, -1, &row, NULL);
    sqlite3_bind_text(row, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(row, 2, text, -1, SQLITE_STATIC);
    while (out->count < MOST && sqlite3_step(row) == SQLITE_ROW)
        out->notes[out->count++] = (note){ sqlite3_column_int64(row, 0),
            isw_context_printf(ctx, "%s", (const char *)sqlite3_column_text(row, 1)) };
    code = code == SQLITE_OK ? sqlite3_finalize(row) : code;
    if (code != SQLITE_OK)
        return isw_fail(ctx, ISW_E_UNAVAILABLE, "%s", sqlite3_errstr(code));
    return !id || out->count ? ISW_OK : isw_fail(ctx, ISW_E_NOT_FOUND, "no such note");
}

static const isw_metric changes = { .name = "notes_changes_total", .labels = { "what" },
                                    .help = "Notes that were added and deleted." };

static void count(isw_context *ctx, const char *what, isw_status status)
{
    if (status == ISW_OK)
        isw_series_add(isw_metric_series(isw_context_metrics(ctx), &changes, what, NULL), 1);
}

static isw_status add(isw_context *ctx)
{
    note draft = { 0 };
    page p = { 0 };
    isw_status status = isw_bind_payload(ctx, "note", draft_fields, &draft);

    if (status == ISW_OK)
        status = ask(ctx, "INSERT INTO notes (text) VALUES (?2) RETURNING *", draft.text, &p);
    count(ctx, "added", status);
    return status ? status : isw_http_reply_struct(ctx, 201, note_fields, &p.notes[0]);
}

static isw_status list(isw_context *ctx)
{
    page p = { 0 };
    isw_status status = ask(ctx, "SELECT * FROM notes ORDER BY id DESC", NULL, &p);

    return status == ISW_OK ? isw_http_reply_struct(ctx, 200, page_fields, &p) : status;
}

static isw_status get(isw_context *ctx)
{
    page p = { 0 };
    isw_status status = ask(ctx, "SELECT * FROM notes WHERE id = ?1", NULL, &p);

    return status == ISW_OK ? isw_http_reply_struct(ctx, 200, note_fields, &p.notes[0]) : status;
}

static isw_status delete(isw_context *ctx)
{
    page p = { 0 };
    isw_status status = ask(ctx, "DELETE FROM notes WHERE id = ?1 RETURNING *", NULL, &p);

    count(ctx, "deleted", status);
    return status; /* 204 */
}

static const isw_property for_key_holders[] = { { "auth_level", "function" }, { 0 } };
static const isw_function functions[] = {
    { .name = "add", .trigger = ISW_HTTP("POST", "notes"), .handler = add, .body = draft_fields,
      .metadata = for_key_holders },
    { .name = "list", .trigger = ISW_HTTP("GET", "notes"), .handler = list },
    { .name = "get", .trigger = ISW_HTTP("GET", "notes/{id}"), .handler = get },
    { .name = "delete", .trigger = ISW_HTTP("DELETE", "notes/{id}"), .handler = delete,
      .metadata = for_key_holders },
    { 0 },
};

static isw_status invoke(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    isw_status status = isw_next_run(next, ctx);
    const isw_principal *who = isw_context_principal(ctx);

    (void)self;
    if (who)
        isw_log(ctx, ISW_LOG_INFO, "done for %.*s", (int)who->subject.size, who->subject.data);
    return status;
}

static const isw_middleware audit = { .size = sizeof(isw_middleware), .name = "audit",
                                      .summary = "logs who asked", .invoke = invoke };
const isw_app app = { .functions = functions, .services = services,
                      .middleware = (const isw_middleware *const[]){ &audit, NULL } };
