/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services: a SQLite database for the whole worker, which is there before the first call, and a
 * transaction for each invocation that is undone unless the handler has committed it. A worker
 * whose database does not answer gets no calls until it does.
 *
 * RUN     isoworker run samples/services_database
 *         curl -d 'buy milk' http://127.0.0.1:7071/api/notes
 *         curl http://127.0.0.1:7071/api/notes
 * OUTPUT  buy milk
 */
#include <isoworker/isoworker.h>
#include <sqlite3.h>

/* Each of them is a connection; `user` is the SQL that it begins with. */
static isw_status connect(isw_resolver *from, void *user, void **out, isw_error *error)
{
    if (isw_resolver_context(from) && !ISW_NEED(from, sqlite3, "database"))
        return ISW_E_UNAVAILABLE; /* its own failure says more */
    if (sqlite3_open_v2("file:notes?mode=memory&cache=shared", (sqlite3 **)out,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL) == SQLITE_OK &&
        sqlite3_exec(*out, user, NULL, NULL, NULL) == SQLITE_OK)
        return ISW_OK;
    return isw_error_set(error, ISW_E_UNAVAILABLE, "%s", sqlite3_errmsg(*out));
}

static void disconnect(void *db, void *user) { (void)user; sqlite3_close_v2(db); }
static const isw_service services[] = {
    { .name = "database", .type = "sqlite3", .lifetime = ISW_EAGER_SINGLETON, .create = connect,
      .destroy = disconnect, .user = "CREATE TABLE notes (text NOT NULL CHECK (text <> ''))" },
    { .name = "it answers", .lifetime = ISW_HEALTH_CHECK, .create = connect,
      .destroy = disconnect, .user = "SELECT count(*) FROM notes" },
    { .name = "transaction", .type = "sqlite3", .lifetime = ISW_PER_INVOCATION, .create = connect,
      .destroy = disconnect, .user = "BEGIN", .needs = (const char *const[]){ "database", NULL } },
    { 0 },
};

/* Run `sql` with the body; the first column of each row is a line of the answer. */
static isw_status answer(isw_context *ctx, const char *sql)
{
    sqlite3 *db = ISW_SERVICE(ctx, sqlite3, "transaction");
    isw_bytes text = isw_http_body(ctx);
    sqlite3_stmt *query = NULL;
    const char *lines = "";
    if (!db) return ISW_E_UNAVAILABLE;
    sqlite3_prepare_v2(db, sql, -1, &query, NULL);
    sqlite3_bind_text(query, 1, text.data, (int)text.size, SQLITE_STATIC);
    while (lines && sqlite3_step(query) == SQLITE_ROW)
        lines = isw_context_printf(ctx, "%s%s\n", lines, sqlite3_column_text(query, 0));
    if (sqlite3_finalize(query) || sqlite3_exec(db, "COMMIT", NULL, NULL, NULL))
        return isw_fail(ctx, ISW_E_INVALID, "%s", sqlite3_errmsg(db));
    return isw_http_reply(ctx, 200, "text/plain", "%s", lines ? lines : "");
}
static isw_status add(isw_context *ctx) { return answer(ctx, "INSERT INTO notes VALUES (?)"); }
static isw_status list(isw_context *ctx) { return answer(ctx, "SELECT text FROM notes"); }
static const isw_function functions[] = {
    { .name = "add", .trigger = ISW_HTTP("POST", "notes"), .handler = add },
    { .name = "list", .trigger = ISW_HTTP("GET", "notes"), .handler = list },
    { 0 },
};

static const isw_app app = { .functions = functions, .services = services };
int main(int argc, char **argv) { return isw_app_main(argc, argv, &app); }
