/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_TABLE_H
#define ISWI_BENCH_TABLE_H

/* The further tables of `isoworker bench --full`: an experiment is a list of points, each a case
 * with one number that differs, and the columns that are shown of them. All are constants. */
#include "bench/report.h"

typedef struct iswi_bench_experiment iswi_bench_experiment;

typedef struct iswi_bench_point {
    const char *setup;  /* what is measured; see case.h */
    const char *label;  /* what it is called in the table */
    unsigned number;    /* that the experiment varies */
} iswi_bench_point;

/* One line of a table. */
typedef struct iswi_bench_line {
    const iswi_bench_experiment *experiment;
    const iswi_bench_report *report; /* settled */
    const iswi_bench_point *point;
    const iswi_bench_row *row, *first; /* its own, and the experiment's first one of its mode */
} iswi_bench_line;

typedef struct iswi_bench_column {
    const char *key;  /* in JSON */
    const char *head; /* in the table */
    int digits;       /* behind the point */
    double (*value)(const iswi_bench_line *line); /* NAN: there is none */
} iswi_bench_column;

struct iswi_bench_experiment {
    const char *name;
    const char *title; /* what, how long, and how it is counted */
    const iswi_bench_point *points;
    unsigned point_count;
    unsigned modes; /* a set */
    unsigned rounds, rounds_least;
    int64_t slice_ms;
    const iswi_bench_column *columns; /* ends with a NULL key */
    /* How it is measured, if not point for point: `scale` is 1 for the whole length. Returns what
     * is missing for it, in words, or NULL; *failed when it could not be done. */
    const char *(*measure)(const iswi_bench_experiment *experiment, double scale,
                           iswi_bench_report *report, bool *failed);
};

/* The columns that more than one experiment has. */
double iswi_bench_number(const iswi_bench_line *line);
double iswi_bench_payload(const iswi_bench_line *line);
double iswi_bench_in_flight(const iswi_bench_line *line);
double iswi_bench_p50(const iswi_bench_line *line);
double iswi_bench_p99(const iswi_bench_line *line);
double iswi_bench_per_s(const iswi_bench_line *line);
double iswi_bench_cpu(const iswi_bench_line *line);
double iswi_bench_ratio_p50(const iswi_bench_line *line);   /* to the first line */
double iswi_bench_ratio_per_s(const iswi_bench_line *line);

/* The row of one point; NULL when there is none. */
const iswi_bench_row *iswi_bench_row_of(const iswi_bench_report *report,
                                        const iswi_bench_point *point, iswi_bench_mode mode);

/* Show the lines that were measured. */
void iswi_bench_show_table(const iswi_bench_experiment *experiment,
                           const iswi_bench_report *report, bool json, FILE *out);

#endif
