/* SPDX-License-Identifier: Apache-2.0 */
/* What SQLite is asked, each prepared once, and what it says when it cannot. */
#include "broker/sqlite/internal.h"

#include <stdarg.h>

static const char *const texts[ISWI_SQL_COUNT] = {
#define ISWI_SQL_TEXT(name, text) [ISWI_SQL_##name] = text,
    ISWI_SQL_TABLE(ISWI_SQL_TEXT)
#undef ISWI_SQL_TEXT
};

/* -- Faults ------------------------------------------------------------------------------------ */

void iswi_sql_fault(iswi_sqlite *store, int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        isw_error_set(&store->fault, ISW_E_IO, "%s cannot grow: its disk is full; make room there",
                      store->path);
        break;
    case SQLITE_NOMEM:
        isw_error_set(&store->fault, ISW_E_NO_MEMORY, "no memory for what %s is asked",
                      store->path);
        break;
    default:
        isw_error_set(&store->fault, ISW_E_IO, "%s: %s (%d); look at its disk", store->path,
                      sqlite3_errstr(code), code);
        store->is_lost = true;
    }
}

bool iswi_sql_no_memory(iswi_sqlite *store)
{
    iswi_sql_fault(store, SQLITE_NOMEM);
    return false;
}

static bool fails(iswi_sqlite *store, int code)
{
    iswi_sql_fault(store, code);
    return false;
}

/* -- Asking ------------------------------------------------------------------------------------ */

static sqlite3_stmt *statement(iswi_sqlite *store, iswi_sql which)
{
    sqlite3_stmt **at = &store->statements[which];
    int code;

    if (*at)
        return *at;
    code = sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, at, NULL);
    if (code != SQLITE_OK)
        iswi_sql_fault(store, code);
    return *at;
}

static int bind_bytes(sqlite3_stmt *on, int at, isw_bytes bytes)
{
    if (!bytes.data)
        return sqlite3_bind_null(on, at);
    return sqlite3_bind_blob64(on, at, bytes.data, bytes.size, SQLITE_STATIC);
}

static int bind_text(sqlite3_stmt *on, int at, isw_str text)
{
    if (text.size == 0)
        return sqlite3_bind_null(on, at);
    return sqlite3_bind_text(on, at, text.data, (int)text.size, SQLITE_STATIC);
}

/* From the parameter `at` on. */
static bool bind_all(iswi_sqlite *store, iswi_sql which, int at, const char *types, va_list *args)
{
    sqlite3_stmt *on = statement(store, which);
    int code = SQLITE_OK;

    if (!on)
        return false;
    for (; *types && code == SQLITE_OK; at++, types++) {
        if (*types == 'i')
            code = sqlite3_bind_int64(on, at, va_arg(*args, int64_t));
        else if (*types == 's')
            code = bind_text(on, at, va_arg(*args, isw_str));
        else
            code = bind_bytes(on, at, va_arg(*args, isw_bytes));
    }
    return code == SQLITE_OK || fails(store, code);
}

bool iswi_sql_bind(iswi_sqlite *store, iswi_sql which, const char *types, ...)
{
    va_list args;
    bool well;

    va_start(args, types);
    well = bind_all(store, which, 1, types, &args);
    va_end(args);
    return well;
}

bool iswi_sql_bind_row(iswi_sqlite *store, iswi_sql which, size_t at, const char *types, ...)
{
    va_list args;
    bool well;

    va_start(args, types);
    well = bind_all(store, which, (int)(at * strlen(types)) + 1, types, &args);
    va_end(args);
    return well;
}

int iswi_sql_step(iswi_sqlite *store, iswi_sql which)
{
    const int code = sqlite3_step(store->statements[which]);

    if (code == SQLITE_ROW)
        return 1;
    sqlite3_reset(store->statements[which]);
    if (code == SQLITE_DONE)
        return 0;
    iswi_sql_fault(store, code);
    return -1;
}

void iswi_sql_reset(iswi_sqlite *store, iswi_sql which)
{
    sqlite3_reset(store->statements[which]);
}

int64_t iswi_sql_int(iswi_sqlite *store, iswi_sql which, int column)
{
    return sqlite3_column_int64(store->statements[which], column);
}

isw_str iswi_sql_text(iswi_sqlite *store, iswi_sql which, int column)
{
    sqlite3_stmt *on = store->statements[which];
    const char *data = (const char *)sqlite3_column_text(on, column);

    return (isw_str){ data, data ? (size_t)sqlite3_column_bytes(on, column) : 0 };
}

isw_bytes iswi_sql_bytes(iswi_sqlite *store, iswi_sql which, int column)
{
    sqlite3_stmt *on = store->statements[which];
    const void *data = sqlite3_column_blob(on, column);

    return (isw_bytes){ data, data ? (size_t)sqlite3_column_bytes(on, column) : 0 };
}

bool iswi_sql_first(iswi_sqlite *store, iswi_sql which, int64_t *out, int64_t otherwise)
{
    const int got = iswi_sql_step(store, which);

    if (got < 0)
        return false;
    *out = otherwise;
    if (got && sqlite3_column_type(store->statements[which], 0) != SQLITE_NULL)
        *out = iswi_sql_int(store, which, 0);
    iswi_sql_reset(store, which);
    return true;
}

bool iswi_sql_exec(iswi_sqlite *store, const char *text)
{
    const int code = sqlite3_exec(store->db, text, NULL, NULL, NULL);

    return code == SQLITE_OK || fails(store, code);
}

void iswi_sql_finish(iswi_sqlite *store)
{
    for (int i = 0; i < ISWI_SQL_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
}
