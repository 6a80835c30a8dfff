/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_HOSTS_ROWS_H
#define ISWI_BENCH_HOSTS_ROWS_H

/* What `isoworker bench hosts` measures, and how it is shown. */
#include "bench/hosts/subject.h"
#include "bench/report.h"

enum { ISWI_BENCH_HOSTS_ROWS = 18, ISWI_BENCH_HOSTS_WINDOW = 16 };

typedef struct iswi_bench_hosts_row {
    const char *name;
    const char *answers; /* of its times to the answer alone; NULL: they are not less */
    const char *floor; /* the name of the row that is its floor; NULL: it is one, or has none */
    const iswi_bench_foreign *foreign; /* NULL: a case of the bench's, by its name */
    iswi_bench_subject_kind subject;
    bool json, forwards;
    bool inside; /* the functions are in the host's own process */
    const char *summary;
} iswi_bench_hosts_row;

extern const iswi_bench_hosts_row iswi_bench_hosts_rows[ISWI_BENCH_HOSTS_ROWS];

/* Print what is in the report, which is settled: for people, or one object of JSON a line. */
void iswi_bench_hosts_show(const iswi_bench_report *report, bool json);

#endif
