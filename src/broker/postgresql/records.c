/* SPDX-License-Identifier: Apache-2.0 */
/* Records. */
#include "broker/postgresql/internal.h"

static bool copy(iswi_pg *pg, const PGresult *result, int row, iswi_arena *arena, iswi_record *out)
{
    const isw_str name = iswi_pg_text(pg, result, row, 0);
    const isw_str value = iswi_pg_text(pg, result, row, 2);
    const char *name_copy = iswi_arena_strndup(arena, name.data, name.size);
    const char *value_copy = iswi_arena_strndup(arena, value.size ? value.data : "", value.size);

    *out = (iswi_record){ { name_copy, name.size }, { value_copy, value.size },
                          (uint64_t)iswi_pg_int(pg, result, row, 1) };
    return name_copy && value_copy;
}

static void no_memory(iswi_broker_op *op)
{
    isw_error_set(&op->error, ISW_E_NO_MEMORY, "no memory for records");
}

static void take_read(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops, size_t count)
{
    iswi_broker_op *op = *ops;
    iswi_record *record = &op->as.record.record;

    (void)count;
    if (pg->pq.ntuples(result) == 0)
        isw_error_set(&op->error, ISW_E_NOT_FOUND, "there is no record %.*s",
                      (int)record->name.size, record->name.data);
    else if (!copy(pg, result, 0, op->as.record.arena, record))
        no_memory(op);
}

bool iswi_pg_record_read(iswi_pg *pg, iswi_broker_op **op)
{
    iswi_pg_params_reset(pg);
    iswi_pg_add_text(pg, (*op)->as.record.record.name);
    return iswi_pg_send(pg, ISWI_PG_RECORD_READ, take_read, op, 1);
}

static void take_write(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops, size_t count)
{
    iswi_record *record = &(*ops)->as.record.record;
    const uint64_t version = (uint64_t)iswi_pg_int(pg, result, 0, 0);

    (void)count;
    if (iswi_pg_int(pg, result, 0, 1))
        record->version = version;
    else
        isw_error_set(&(*ops)->error, ISW_E_CONFLICT, "the record %.*s has version %llu, not %llu",
                      (int)record->name.size, record->name.data, (unsigned long long)version,
                      (unsigned long long)record->version);
}

bool iswi_pg_record_write(iswi_pg *pg, iswi_broker_op **op)
{
    const iswi_record *record = &(*op)->as.record.record;

    iswi_pg_params_reset(pg);
    iswi_pg_add_text(pg, record->name);
    if (record->value.data)
        iswi_pg_add_bytes(pg, record->value);
    else
        iswi_pg_add_null(pg);
    iswi_pg_add_int(pg, (int64_t)record->version);
    return iswi_pg_send(pg, ISWI_PG_RECORD_WRITE, take_write, op, 1);
}

static void take_list(iswi_pg *pg, const PGresult *result, iswi_broker_op **ops, size_t count)
{
    iswi_broker_op *op = *ops;
    const int rows = pg->pq.ntuples(result);
    bool well;

    (void)count;
    op->as.record.count = 0;
    op->as.record.items = iswi_arena_calloc(op->as.record.arena, (size_t)rows + 1,
                                            sizeof *op->as.record.items);
    well = op->as.record.items != NULL;
    for (int i = 0; i < rows && well; i++)
        well = copy(pg, result, i, op->as.record.arena,
                    &op->as.record.items[op->as.record.count++]);
    if (!well)
        no_memory(op);
}

bool iswi_pg_record_list(iswi_pg *pg, iswi_broker_op **op)
{
    iswi_pg_params_reset(pg);
    iswi_pg_add_text(pg, (*op)->as.record.record.name);
    return iswi_pg_send(pg, ISWI_PG_RECORD_LIST, take_list, op, 1);
}
