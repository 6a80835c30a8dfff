/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_BENCH_QUEUE_TABLE_H
#define ISWI_BENCH_QUEUE_TABLE_H

/* What `isoworker bench queue` measures and shows: rows of work, and sides that have each done it
 * in every round. The first side is the floor, the second ours, the others are peers. */
#include "bench/queue/measure.h"

typedef enum iswi_bench_queue_what {
    ISWI_BENCH_QUEUE_PUT_ALONE,
    ISWI_BENCH_QUEUE_PUT,
    ISWI_BENCH_QUEUE_COMPLETE,
    ISWI_BENCH_QUEUE_DELIVER
} iswi_bench_queue_what;

typedef struct iswi_bench_queue_row {
    const char *name;
    iswi_bench_queue_what what;
    unsigned in_flight;
} iswi_bench_queue_row;

enum {
    ISWI_BENCH_QUEUE_ROWS = 7,
    ISWI_BENCH_QUEUE_ROUNDS = 5, /* at most */
    ISWI_BENCH_QUEUE_FLOOR = 0,
    ISWI_BENCH_QUEUE_OURS = 1,
    ISWI_BENCH_QUEUE_FIRST_PEER = 2,
    ISWI_BENCH_QUEUE_SIDES = 4 /* at most */
};

extern const iswi_bench_queue_row iswi_bench_queue_rows[ISWI_BENCH_QUEUE_ROWS];

typedef struct iswi_bench_queue_side {
    const char *name;
    const char *about; /* a peer's */
    const iswi_bench_queue_store *kind;
    void *store;
    /* Messages in a second, or microseconds of one. */
    double values[ISWI_BENCH_QUEUE_ROWS][ISWI_BENCH_QUEUE_ROUNDS];
} iswi_bench_queue_side;

typedef struct iswi_bench_queue_table {
    iswi_bench_queue_side sides[ISWI_BENCH_QUEUE_SIDES];
    unsigned side_count;
    unsigned rounds;
} iswi_bench_queue_table;

/* The row is a time of one message, not a rate. */
bool iswi_bench_queue_is_time(const iswi_bench_queue_row *row);

/* Print it: for people, or one object of JSON a line. */
void iswi_bench_queue_show(const iswi_bench_queue_table *table, bool json);

#endif
