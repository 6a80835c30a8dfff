/* SPDX-License-Identifier: Apache-2.0 */
/* Records. One that was removed stays as its version, which must not come a second time. */
#include "broker/sqlite/internal.h"

static bool copy(iswi_arena *arena, iswi_record *out, isw_str name, isw_bytes value,
                 uint64_t version)
{
    char *name_copy = iswi_arena_strndup(arena, name.size ? name.data : "", name.size);
    char *value_copy = iswi_arena_strndup(arena, value.size ? value.data : "", value.size);

    *out = (iswi_record){ { name_copy, name.size }, { value_copy, value.size }, version };
    return name_copy && value_copy;
}

static bool is_there(iswi_sqlite *store, iswi_sql which, int column)
{
    return sqlite3_column_type(store->statements[which], column) != SQLITE_NULL;
}

bool iswi_sqlite_record_read(iswi_sqlite *store, iswi_broker_op *op)
{
    iswi_record *record = &op->as.record.record;
    int got;
    bool well = true;

    if (!iswi_sql_bind(store, ISWI_SQL_RECORD, "s", record->name) ||
        (got = iswi_sql_step(store, ISWI_SQL_RECORD)) < 0)
        return false;
    if (got && is_there(store, ISWI_SQL_RECORD, 1))
        well = copy(op->as.record.arena, record, record->name,
                    iswi_sql_bytes(store, ISWI_SQL_RECORD, 1),
                    (uint64_t)iswi_sql_int(store, ISWI_SQL_RECORD, 0));
    else
        isw_error_set(&op->error, ISW_E_NOT_FOUND, "there is no record %.*s",
                      (int)record->name.size, record->name.data);
    iswi_sql_reset(store, ISWI_SQL_RECORD);
    return well || iswi_sql_no_memory(store);
}

/* The version of what is there; last: that of what was, if nothing is. */
static bool versions(iswi_sqlite *store, isw_str name, int64_t *now, int64_t *last)
{
    int got;

    *now = *last = 0;
    if (!iswi_sql_bind(store, ISWI_SQL_RECORD, "s", name) ||
        (got = iswi_sql_step(store, ISWI_SQL_RECORD)) < 0)
        return false;
    if (got) {
        *last = iswi_sql_int(store, ISWI_SQL_RECORD, 0);
        *now = is_there(store, ISWI_SQL_RECORD, 1) ? *last : 0;
    }
    iswi_sql_reset(store, ISWI_SQL_RECORD);
    return true;
}

bool iswi_sqlite_record_write(iswi_sqlite *store, iswi_broker_op *op)
{
    static const isw_bytes nothing = { "", 0 };
    iswi_record *record = &op->as.record.record;
    const isw_bytes value = record->value.data && !record->value.size ? nothing : record->value;
    int64_t now;
    int64_t last;

    if (!versions(store, record->name, &now, &last))
        return false;
    if (record->version != (uint64_t)now) {
        isw_error_set(&op->error, ISW_E_CONFLICT, "the record %.*s has version %lld, not %llu",
                      (int)record->name.size, record->name.data, (long long)now,
                      (unsigned long long)record->version);
        return true;
    }
    if (!now && !value.data)
        return true;
    record->version = (uint64_t)last + 1;
    return iswi_sql_do(store, ISWI_SQL_RECORD_WRITE, "sib", record->name, last + 1, value);
}

bool iswi_sqlite_record_list(iswi_sqlite *store, iswi_broker_op *op)
{
    const isw_str prefix = op->as.record.record.name;
    iswi_arena *arena = op->as.record.arena;
    const iswi_sql which = ISWI_SQL_RECORD_LIST;
    int64_t count;
    int got = 0;

    op->as.record.count = 0;
    if (!iswi_sql_number(store, ISWI_SQL_RECORD_COUNT, &count, 0, "s", prefix) ||
        !iswi_sql_bind(store, which, "s", prefix))
        return false;
    op->as.record.items = iswi_arena_calloc(arena, (size_t)count + 1, sizeof(iswi_record));
    if (!op->as.record.items)
        return iswi_sql_no_memory(store);
    while (op->as.record.count < (size_t)count && (got = iswi_sql_step(store, which)) > 0)
        if (!copy(arena, &op->as.record.items[op->as.record.count++],
                  iswi_sql_text(store, which, 0), iswi_sql_bytes(store, which, 2),
                  (uint64_t)iswi_sql_int(store, which, 1))) {
            iswi_sql_reset(store, which);
            return iswi_sql_no_memory(store);
        }
    iswi_sql_reset(store, which);
    return got >= 0;
}
