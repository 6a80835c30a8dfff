/* SPDX-License-Identifier: Apache-2.0 */
/* The rows, and how they are shown: medians over rounds, and ratios of each round, since the disk
 * is another one in the next. */
#include "bench/queue/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const iswi_bench_queue_row iswi_bench_queue_rows[ISWI_BENCH_QUEUE_ROWS] = {
    { "put alone", ISWI_BENCH_QUEUE_PUT_ALONE, 1 },
    { "put", ISWI_BENCH_QUEUE_PUT, 8 },
    { "put", ISWI_BENCH_QUEUE_PUT, 64 },
    { "claim and complete", ISWI_BENCH_QUEUE_COMPLETE, 1 },
    { "claim and complete", ISWI_BENCH_QUEUE_COMPLETE, 8 },
    { "claim and complete", ISWI_BENCH_QUEUE_COMPLETE, 64 },
    { "put to claim", ISWI_BENCH_QUEUE_DELIVER, 1 },
};

bool iswi_bench_queue_is_time(const iswi_bench_queue_row *row)
{
    return row->what == ISWI_BENCH_QUEUE_PUT_ALONE || row->what == ISWI_BENCH_QUEUE_DELIVER;
}

/* -- Medians ----------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(const double *values, unsigned count)
{
    double sorted[ISWI_BENCH_QUEUE_ROUNDS];

    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, compare);
    return sorted[count / 2];
}

static double value(const iswi_bench_queue_table *table, unsigned at, unsigned side)
{
    return median(table->sides[side].values[at], table->rounds);
}

/* Above 1: ours is better than that side. */
static double ratio(const iswi_bench_queue_table *table, unsigned at, unsigned side)
{
    const double *ours = table->sides[ISWI_BENCH_QUEUE_OURS].values[at];
    const double *other = table->sides[side].values[at];
    const bool is_time = iswi_bench_queue_is_time(&iswi_bench_queue_rows[at]);
    double ratios[ISWI_BENCH_QUEUE_ROUNDS];

    for (unsigned i = 0; i < table->rounds; i++)
        ratios[i] = is_time ? (ours[i] > 0 ? other[i] / ours[i] : 0)
                            : (other[i] > 0 ? ours[i] / other[i] : 0);
    return median(ratios, table->rounds);
}

/* Of what is shown beside it, so that whoever subtracts the columns finds the same. */
static double extra_us(const iswi_bench_queue_table *table, unsigned at)
{
    return value(table, at, ISWI_BENCH_QUEUE_OURS) - value(table, at, ISWI_BENCH_QUEUE_FLOOR);
}

/* -- Showing ----------------------------------------------------------------------------------- */

static void show_json(const iswi_bench_queue_table *table, unsigned at)
{
    const iswi_bench_queue_row *row = &iswi_bench_queue_rows[at];
    const char *unit = iswi_bench_queue_is_time(row) ? "p50_us" : "per_s";

    printf("{\"row\":\"%s\",\"in_flight\":%u", row->name, row->in_flight);
    for (unsigned side = 0; side < table->side_count; side++)
        printf(",\"%s_%s\":%.1f", table->sides[side].name, unit, value(table, at, side));
    printf(",\"ratio\":%.3f", ratio(table, at, ISWI_BENCH_QUEUE_FLOOR));
    for (unsigned side = ISWI_BENCH_QUEUE_FIRST_PEER; side < table->side_count; side++)
        printf(",\"%s_ratio\":%.3f", table->sides[side].name, ratio(table, at, side));
    if (row->what == ISWI_BENCH_QUEUE_DELIVER)
        printf(",\"extra_us\":%.1f", extra_us(table, at));
    puts("}");
}

static void show_line(const iswi_bench_queue_table *table, unsigned at)
{
    const iswi_bench_queue_row *row = &iswi_bench_queue_rows[at];
    const char *unit = iswi_bench_queue_is_time(row) ? "us, p50" : "a second";

    printf("%-20s %9u %12.0f %12.0f  %-9s %6.2f", row->name, row->in_flight,
           value(table, at, ISWI_BENCH_QUEUE_FLOOR), value(table, at, ISWI_BENCH_QUEUE_OURS), unit,
           ratio(table, at, ISWI_BENCH_QUEUE_FLOOR));
    for (unsigned side = ISWI_BENCH_QUEUE_FIRST_PEER; side < table->side_count; side++)
        printf(" %15.0f %6.2f", value(table, at, side), ratio(table, at, side));
    putchar('\n');
}

static void show_head(const iswi_bench_queue_table *table)
{
    printf("%-20s %9s %12s %12s  %-9s %6s", "", "in flight", "floor",
           table->sides[ISWI_BENCH_QUEUE_OURS].name, "", "ratio");
    for (unsigned side = ISWI_BENCH_QUEUE_FIRST_PEER; side < table->side_count; side++)
        printf(" %15s %6s", table->sides[side].name, "ratio");
    putchar('\n');
}

static void show_foot(const iswi_bench_queue_table *table)
{
    const double extra = extra_us(table, ISWI_BENCH_QUEUE_ROWS - 1);

    printf("\nA delivery (put to claim) takes %.0f us %s than one insert that is on the disk.\n",
           extra < 0 ? -extra : extra, extra < 0 ? "less" : "more");
    printf("The unit behind a row is that of the floor, of %s and of all others in it.\n",
           table->sides[ISWI_BENCH_QUEUE_OURS].name);
    puts("A ratio above 1 is good: ours is better than the floor, or than what stands before it.\n"
         "Columns are medians over rounds, and so is a ratio: of the rounds' ratios, as the disk is\n"
         "another one in the next, so that it need not be the quotient of its columns.");
    for (unsigned side = ISWI_BENCH_QUEUE_FIRST_PEER; side < table->side_count; side++)
        printf("%s: %s\n", table->sides[side].name, table->sides[side].about);
}

void iswi_bench_queue_show(const iswi_bench_queue_table *table, bool json)
{
    if (!json)
        show_head(table);
    for (unsigned at = 0; at < ISWI_BENCH_QUEUE_ROWS; at++)
        (json ? show_json : show_line)(table, at);
    if (!json)
        show_foot(table);
}
