/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted of each queue in memory. */
#include "base/alloc.h"
#include "broker/postgresql/internal.h"

static iswi_pg_counts *find(const iswi_pg *pg, isw_str queue)
{
    for (size_t i = 0; i < pg->counts_count; i++)
        if (isw_str_equal(pg->counts[i]->view, queue))
            return pg->counts[i];
    return NULL;
}

static iswi_pg_counts *add(iswi_pg *pg, isw_str queue)
{
    iswi_pg_counts *counts = NULL;

    if (!iswi_grow(&pg->counts, &pg->counts_capacity, pg->counts_count, sizeof(iswi_pg_counts *)) ||
        !(counts = iswi_calloc(1, sizeof *counts)))
        return NULL;
    counts->name = iswi_strndup(queue.data, queue.size);
    if (!counts->name) {
        iswi_free(counts);
        return NULL;
    }
    counts->view = isw_str_of(counts->name);
    pg->counts[pg->counts_count++] = counts;
    return counts;
}

iswi_pg_counts *iswi_pg_counts_of(iswi_pg *pg, isw_str queue)
{
    iswi_pg_counts *counts = find(pg, queue);

    if (!counts)
        counts = add(pg, queue);
    return counts ? counts : &pg->uncounted;
}

void iswi_pg_counts_free(iswi_pg *pg)
{
    for (size_t i = 0; i < pg->counts_count; i++) {
        iswi_free(pg->counts[i]->name);
        iswi_free(pg->counts[i]);
    }
    iswi_free(pg->counts);
}

void iswi_pg_count_deaths(iswi_pg *pg, const PGresult *result)
{
    for (int i = 0; i < pg->pq.ntuples(result); i++)
        if (!iswi_pg_is_null(pg, result, i, 0))
            iswi_pg_counts_of(pg, iswi_pg_text(pg, result, i, 0))->died +=
                (uint64_t)iswi_pg_int(pg, result, i, 1);
}
