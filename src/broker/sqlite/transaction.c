/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction, with what is counted in memory: both are kept, or neither. */
#include "broker/sqlite/internal.h"

bool iswi_sqlite_begin(iswi_sqlite *store)
{
    memset(&store->fault, 0, sizeof store->fault);
    store->row_count = store->gone_count = 0;
    store->apart = false;
    return iswi_sql_do(store, ISWI_SQL_BEGIN, "");
}

bool iswi_sqlite_end(iswi_sqlite *store, bool well)
{
    well = well && iswi_sql_do(store, ISWI_SQL_COMMIT, "");
    if (!well && !sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    iswi_sqlite_keep_facts(store, well);
    if (well || !store->is_lost)
        store->sure_claims = store->claims;
    return well;
}
