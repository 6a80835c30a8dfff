/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `isoworker bench queue`: each store beside its floor, row by row, in rounds, so that what disturbs
 * the machine and its disk disturbs both; only ratios of one run carry.
 */
#include "bench/queue/queue.h"

#include "bench/clock.h"
#include "bench/plan.h"
#include "bench/queue/measure.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] =
    "usage: isoworker bench queue [--json] [--seconds N] [--payload BYTES] [--folder DIR]\n"
    "                             [--place postgresql://USER@HOST/DATABASE | nats://HOST:PORT]\n"
    "\n"
    "Measures a queue in a file of SQLite's beside its floor: a bare loop of inserts or deletes in\n"
    "transactions of as many as there are messages in flight, with the same durability, in the\n"
    "same run. A put is done, and a claim delivered, once it is on the disk. Medians over rounds.\n"
    "  --json       one object a line instead of a table\n"
    "  --seconds N  how long to measure, 1 to 3600; 20 by default\n"
    "  --payload B  bytes of each message; 256 by default\n"
    "  --folder DIR where the files are made, and removed again; /var/tmp by default\n"
    "  --place P    a server instead, whose schemas isoworker_bench and isoworker_bench_floor are\n"
    "               made, and removed again; on NATS streams with these names, of which those of\n"
    "               the queue stay, empty\n"
    "\n"
    "The keys of --json: row, in_flight, floor_per_s and sqlite_per_s, or floor_p50_us and\n"
    "sqlite_p50_us of one alone (postgresql_..., nats_... of a server); ratio: of the rates, or of the floor's time to the other; and\n"
    "extra_us, what a delivery takes beside one insert that is on the disk.\n";

enum { SECONDS = 20, ROUNDS = 5, PAYLOAD = 256 };

typedef enum what { PUT_ALONE, PUT, COMPLETE, DELIVER } what;

typedef struct row {
    const char *name;
    what what;
    unsigned in_flight;
} row;

static const row rows[] = {
    { "put alone", PUT_ALONE, 1 },       { "put", PUT, 8 },
    { "put", PUT, 64 },                  { "claim and complete", COMPLETE, 1 },
    { "claim and complete", COMPLETE, 8 }, { "claim and complete", COMPLETE, 64 },
    { "put to claim", DELIVER, 1 },
};
enum { ROWS = sizeof rows / sizeof *rows };

typedef struct bench {
    bool json;
    long seconds;
    long payload;
    const char *folder, *place; /* NULL: a file in the folder */
    const iswi_bench_queue_store *kinds[2];
    void *body;
    void *stores[2]; /* the floor, and ours */
    double values[ROWS][2][ROUNDS]; /* messages in a second, or microseconds of one */
    unsigned rounds;
} bench;

static bool is_nats(const bench *b)
{
    return b->place && strncmp(b->place, "postgresql", 10) != 0;
}

static const char *name_of(const bench *b)
{
    return !b->place ? "sqlite" : is_nats(b) ? "nats" : "postgresql";
}

static bool is_time(const row *of)
{
    return of->what == PUT_ALONE || of->what == DELIVER;
}

/* -- Measuring --------------------------------------------------------------------------------- */

/* What a delivery is held against is one insert. */
static bool measure(const bench *b, const row *of, unsigned side, const iswi_bench_queue_work *work,
                    iswi_bench_queue_sample *out, isw_error *error)
{
    const iswi_bench_queue_store *kind = b->kinds[side];

    if (of->what == COMPLETE)
        return kind->complete(b->stores[side], work, out, error);
    if (of->what == DELIVER && kind->deliver)
        return kind->deliver(b->stores[side], work, out, error);
    return kind->put(b->stores[side], work, out, error);
}

static bool measure_row(bench *b, unsigned at, unsigned round, isw_error *error)
{
    const row *of = &rows[at];
    const int64_t slice_ns = b->seconds * INT64_C(1000000000) / ((int64_t)b->rounds * ROWS * 2);

    for (unsigned side = 0; side < 2; side++) {
        const iswi_bench_queue_work work = { .in_flight = of->in_flight,
                                             .until_ns = iswi_bench_now_ns() + slice_ns,
                                             .body = b->body,
                                             .body_bytes = (size_t)b->payload };
        iswi_bench_queue_sample sample = { 0 };

        if (!measure(b, of, side, &work, &sample, error))
            return false;
        b->values[at][side][round] =
            is_time(of) ? sample.p50_us
            : sample.elapsed_ns ? (double)sample.done * 1e9 / (double)sample.elapsed_ns
                                : 0;
    }
    return true;
}

static bool measure_all(bench *b, isw_error *error)
{
    for (unsigned round = 0; round < b->rounds; round++)
        for (unsigned at = 0; at < ROWS; at++)
            if (iswi_bench_is_over(INT64_MAX) || !measure_row(b, at, round, error))
                return false;
    return true;
}

/* -- Showing ----------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(const double *values, unsigned count)
{
    double sorted[ROUNDS];

    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, compare);
    return sorted[count / 2];
}

/* Above 1: it is better than the floor. Of each round, since the disk is another one in the next. */
static double ratio(const bench *b, unsigned at)
{
    double ratios[ROUNDS];

    for (unsigned i = 0; i < b->rounds; i++) {
        const double bare = b->values[at][0][i];
        const double ours = b->values[at][1][i];

        ratios[i] = is_time(&rows[at]) ? (ours > 0 ? bare / ours : 0)
                                       : (bare > 0 ? ours / bare : 0);
    }
    return median(ratios, b->rounds);
}

static double extra_us(const bench *b, unsigned at)
{
    double extra[ROUNDS];

    for (unsigned i = 0; i < b->rounds; i++)
        extra[i] = b->values[at][1][i] - b->values[at][0][i];
    return median(extra, b->rounds);
}

static void show_json(const bench *b, unsigned at)
{
    const char *unit = is_time(&rows[at]) ? "p50_us" : "per_s";

    printf("{\"row\":\"%s\",\"in_flight\":%u,\"floor_%s\":%.1f,\"%s_%s\":%.1f,\"ratio\":%.3f",
           rows[at].name, rows[at].in_flight, unit, median(b->values[at][0], b->rounds), name_of(b),
           unit,
           median(b->values[at][1], b->rounds), ratio(b, at));
    if (rows[at].what == DELIVER)
        printf(",\"extra_us\":%.1f", extra_us(b, at));
    puts("}");
}

static void show_line(const bench *b, unsigned at)
{
    const char *unit = is_time(&rows[at]) ? "us, p50" : "a second";

    printf("%-20s %9u %12.0f %12.0f  %-9s %6.2f\n", rows[at].name, rows[at].in_flight,
           median(b->values[at][0], b->rounds), median(b->values[at][1], b->rounds), unit,
           ratio(b, at));
}

static void show(const bench *b)
{
    if (!b->json)
        printf("%-20s %9s %12s %12s  %-9s %6s\n", "", "in flight", "floor", name_of(b), "", "ratio");
    for (unsigned at = 0; at < ROWS; at++)
        (b->json ? show_json : show_line)(b, at);
    if (!b->json)
        printf("\nA delivery takes %.0f us more than one insert that is on the disk.\n",
               extra_us(b, ROWS - 1));
}

/* -- A run ------------------------------------------------------------------------------------- */

static bool open_all(bench *b, const char *folder, isw_error *error)
{
    char schema[1024];

    b->kinds[0] = !b->place    ? &iswi_bench_queue_floor
                  : is_nats(b) ? &iswi_bench_queue_floor_nats
                               : &iswi_bench_queue_floor_postgresql;
    b->kinds[1] = &iswi_bench_queue_broker;
    if (b->place)
        snprintf(schema, sizeof schema, "%s%c%s=isoworker_bench", b->place,
                 strchr(b->place, '?') ? '&' : '?', is_nats(b) ? "prefix" : "schema");
    return b->kinds[0]->open(b->place ? b->place : folder, &b->stores[0], error) &&
           b->kinds[1]->open(b->place ? schema : folder, &b->stores[1], error);
}

static void close_all(const bench *b)
{
    for (unsigned side = 2; side-- > 0;)
        if (b->stores[side])
            b->kinds[side]->close(b->stores[side]);
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = { "floor.db", "floor.db-wal", "queues.db", "queues.db-wal",
                                         "queues.db-lock" };
    char path[640];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static int run(bench *b)
{
    isw_error error = { 0 };
    char folder[512];
    bool well;

    snprintf(folder, sizeof folder, "%s/isoworker-bench-XXXXXX", b->folder);
    b->body = calloc(1, (size_t)b->payload + 1);
    if (!b->body || !mkdtemp(folder)) {
        fprintf(stderr, "isoworker: cannot make a folder in %s\n", b->folder);
        free(b->body);
        return EX_CANTCREAT;
    }
    iswi_bench_catch_signals();
    well = open_all(b, folder, &error) && measure_all(b, &error);
    close_all(b);
    remove_folder(folder);
    free(b->body);
    if (well)
        show(b);
    else if (error.status)
        fprintf(stderr, "isoworker: %s\n", error.message);
    return well ? EX_OK : iswi_bench_is_over(INT64_MAX) ? 128 + SIGINT : EX_UNAVAILABLE;
}

static bool parse_payload(const char *text, long *bytes)
{
    char *end;

    *bytes = strtol(text, &end, 10);
    return *text && !*end && *bytes >= 0 && *bytes <= 1024 * 1024;
}

int iswi_bench_queue_main(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },          { "seconds", required_argument, NULL, 's' },
        { "payload", required_argument, NULL, 'p' }, { "folder", required_argument, NULL, 'd' },
        { "place", required_argument, NULL, 'l' },   { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    static bench b = { .seconds = SECONDS, .payload = PAYLOAD, .folder = "/var/tmp" };
    int letter;

    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        if (letter == 'j')
            b.json = true;
        else if (letter == 'd')
            b.folder = optarg;
        else if (letter == 'l')
            b.place = optarg;
        else if (letter == 's' ? !iswi_bench_parse_seconds(optarg, &b.seconds)
                               : letter != 'p' || !parse_payload(optarg, &b.payload)) {
            fprintf(stderr, "isoworker: bench queue takes --seconds from 1 to 3600 and --payload up "
                            "to 1048576\n");
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "isoworker: bench queue takes options only\n");
        return EX_USAGE;
    }
    b.rounds = b.seconds < ROUNDS ? (unsigned)b.seconds : ROUNDS;
    return run(&b);
}
