/* SPDX-License-Identifier: Apache-2.0 */
/* A run: all operations in one transaction, and the table of the driver. Where SQLite itself fails
 * all of it is undone, and done again one by one, so that one that is too large for the disk does
 * not take the others with it. */
#include "base/alloc.h"
#include "base/clock.h"
#include "broker/sqlite/internal.h"
#include "broker/sqlite/sqlite.h"

/* Of the journal: tidied up at rest above the first, and in a run above the second. */
enum { PAGES_AT_REST = 200, PAGES_AT_MOST = 1000 };

/* -- Operations -------------------------------------------------------------------------------- */

static bool do_one(iswi_sqlite *store, iswi_broker_op *op)
{
    static bool (*const how[])(iswi_sqlite * store, iswi_broker_op * op) = {
        [ISWI_BROKER_DECLARE] = iswi_sqlite_declare,
        [ISWI_BROKER_PUT] = iswi_sqlite_put,
        [ISWI_BROKER_CLAIM] = iswi_sqlite_claim_some,
        [ISWI_BROKER_SETTLE] = iswi_sqlite_settle,
        [ISWI_BROKER_LOOK] = iswi_sqlite_look,
        [ISWI_BROKER_LIST] = iswi_sqlite_list,
        [ISWI_BROKER_PURGE] = iswi_sqlite_purge,
        [ISWI_BROKER_REPLAY] = iswi_sqlite_replay,
        [ISWI_BROKER_PAUSE] = iswi_sqlite_pause,
        [ISWI_BROKER_RECORD_READ] = iswi_sqlite_record_read,
        [ISWI_BROKER_RECORD_WRITE] = iswi_sqlite_record_write,
        [ISWI_BROKER_RECORD_LIST] = iswi_sqlite_record_list,
    };

    op->error.status = ISW_OK;
    op->error.message[0] = '\0';
    return (op->kind == ISWI_BROKER_PUT || op->kind == ISWI_BROKER_SETTLE ||
            iswi_sqlite_flush(store)) &&
           how[op->kind](store, op);
}

/* As if it had never been done. */
static void undo(iswi_broker_op *op, const isw_error *fault)
{
    size_t *count = op->kind == ISWI_BROKER_CLAIM  ? &op->as.claim.count
                    : op->kind == ISWI_BROKER_LIST ? &op->as.list.count
                                                   : NULL;
    iswi_delivery **items =
        op->kind == ISWI_BROKER_CLAIM ? op->as.claim.items : op->as.list.items;

    while (count && *count > 0)
        iswi_delivery_free(items[--*count]);
    op->error = *fault;
}

/* False: nothing was done. */
static bool try_all(iswi_sqlite *store, iswi_broker_op **ops, size_t count)
{
    bool well = iswi_sqlite_begin(store) && iswi_sqlite_ripen(store);
    size_t done = 0;

    while (well && done < count)
        well = do_one(store, ops[done++]);
    if (iswi_sqlite_end(store, well && iswi_sqlite_flush(store)))
        return true;
    for (size_t i = 0; i < done; i++)
        undo(ops[i], &store->fault);
    for (size_t i = done; i < count; i++)
        ops[i]->error = store->fault;
    return false;
}

static bool do_all(iswi_sqlite *store, iswi_broker_op **ops, size_t count)
{
    bool well = try_all(store, ops, count);

    if (!well && store->apart) {
        store->singly = true;
        well = try_all(store, ops, count);
        store->singly = false;
    }
    return well;
}

/* -- The file, again --------------------------------------------------------------------------- */

/* After a fault of the disk. What this host claimed is still its. */
static bool open_again(iswi_sqlite *store)
{
    isw_error error = { 0 };

    iswi_sqlite_close_file(store);
    memset(&store->fault, 0, sizeof store->fault);
    if (iswi_sqlite_open_file(store, &error) && iswi_sqlite_prepare(store, &error) == ISW_OK &&
        iswi_sqlite_undo_claims(store) && iswi_sqlite_reload_queues(store)) {
        store->is_lost = false;
        return true;
    }
    if (error.status) {
        store->fault = error;
        store->fault.status = ISW_E_IO;
    }
    return false;
}

static void fail_all(const iswi_sqlite *store, iswi_broker_op **ops, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ops[i]->error = store->fault;
}

static void tidy(iswi_sqlite *store, int above)
{
    if (store->wal_pages <= above || store->is_lost)
        return;
    sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    store->wal_pages = 0;
}

static isw_status run(void *self, iswi_broker_op **ops, size_t count, int64_t now_ms,
                      int64_t *due_ms, isw_error *error)
{
    iswi_sqlite *store = self;

    (void)error;
    store->now_ms = now_ms;
    if (store->is_lost && !open_again(store)) {
        fail_all(store, ops, count);
        return ISW_OK;
    }
    if (!do_all(store, ops, count) && count > 1)
        for (size_t i = 0; i < count && !store->is_lost; i++)
            do_all(store, &ops[i], 1);
    iswi_sqlite_sooner(due_ms, iswi_sqlite_next_due(store));
    tidy(store, PAGES_AT_MOST);
    return ISW_OK;
}

static void rest(void *self)
{
    tidy(self, PAGES_AT_REST);
}

/* -- Opening ----------------------------------------------------------------------------------- */

static void close_all(void *self)
{
    iswi_sqlite *store = self;

    iswi_sqlite_close_file(store);
    iswi_sqlite_free_queues(store);
    iswi_sqlite_leave_place(store);
    iswi_free(store);
}

static isw_status fill(iswi_sqlite *store, isw_error *error)
{
    isw_status status;

    if (!iswi_sqlite_take_place(store, error) || !iswi_sqlite_open_file(store, error))
        return ISW_E_UNAVAILABLE;
    status = iswi_sqlite_prepare(store, error);
    if (status)
        return status;
    if (iswi_sqlite_load_queues(store) && iswi_sqlite_free_claims(store))
        return ISW_OK;
    return isw_error_set(error, ISW_E_UNAVAILABLE, "%s", store->fault.message);
}

static isw_status open_all(const iswi_broker_options *options, int64_t now_ms, void **self,
                           isw_error *error)
{
    iswi_sqlite *store = iswi_calloc(1, sizeof *store);
    isw_status status;

    if (!store)
        return isw_error_set(error, ISW_E_UNAVAILABLE, "no memory for a file of queues");
    store->options = options;
    store->now_ms = now_ms;
    iswi_random(&store->salt, sizeof store->salt);
    status = fill(store, error);
    if (status) {
        close_all(store);
        return status;
    }
    if (options->lock) /* not before: a duplicate would keep the lock from the next one to try */
        options->lock(options->user, store->lock);
    *self = store;
    return ISW_OK;
}

const iswi_broker_driver iswi_broker_sqlite = {
    .scheme = "sqlite",
    .form = "sqlite:PATH",
    .abilities = ISWI_BROKER_ATOMIC | ISWI_BROKER_SEES_ENDS | ISWI_BROKER_KEYS |
                 ISWI_BROKER_PRIORITY | ISWI_BROKER_RECORDS | ISWI_BROKER_BODIES,
    .check = iswi_sqlite_check,
    .look = iswi_sqlite_may_be,
    .open = open_all,
    .close = close_all,
    .run = run,
    .rest = rest,
};
