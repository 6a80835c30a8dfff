/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `isoworker bench queue`: each store beside its floor, row by row, in rounds, so that what disturbs
 * the machine and its disk disturbs both; only ratios of one run carry.
 */
#include "bench/queue/queue.h"

#include "bench/clock.h"
#include "bench/plan.h"
#include "bench/queue/peers.h"
#include "bench/queue/table.h"

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
    "                             [--peers DIR]\n"
    "\n"
    "Measures a queue in a file of SQLite's beside its floor: a bare loop of inserts or deletes\n"
    "in transactions of as many as there are messages in flight, with the same durability, in the\n"
    "same run. A put is done, and a claim delivered, once it is on the disk. Medians over rounds.\n"
    "  --json       one object a line instead of a table\n"
    "  --seconds N  how long to measure, 1 to 3600; 20 by default\n"
    "  --payload B  bytes of each message; 256 by default\n"
    "  --folder DIR where the files are made, and removed again; /var/tmp by default\n"
    "  --place P    a server instead, whose schemas isoworker_bench and isoworker_bench_floor are\n"
    "               made, and removed again; on NATS streams with these names, of which those of\n"
    "               the queue stay, empty\n"
    "  --peers DIR  other queues in the same rounds: BullMQ beside the file, on a redis-server\n"
    "               that is started in --folder, and pg-boss beside PostgreSQL. Their packages\n"
    "               are in DIR/node_modules after\n"
    "                 npm install --prefix DIR bullmq@6.7.0 ioredis@5.11.1 pg-boss@10.4.2\n"
    "               and on Debian: apt-get install nodejs npm redis-server. What is missing is\n"
    "               named and left out. bullmq is as durable as the file (appendfsync always),\n"
    "               bullmq_everysec may lose a second. A job of BullMQ's is completed by a\n"
    "               handler that does nothing, and put to claim ends where the handler begins.\n"
    "               Each side has its share of the seconds: give more of them.\n"
    "\n"
    "The keys of --json: row, in_flight, floor_per_s and sqlite_per_s, or floor_p50_us and\n"
    "sqlite_p50_us of one alone (postgresql_..., nats_... of a server); ratio: of the rates, or\n"
    "of the floor's time to the other, so that above 1 is good: the median of the rounds' ratios,\n"
    "not the quotient of the medians; and extra_us, what a delivery takes beside one insert that\n"
    "is on the disk: the difference of the medians. Of each peer (bullmq,\n"
    "bullmq_everysec, pgboss) the same, and bullmq_ratio: of our rate to its, or of its time to ours.\n";

enum { SECONDS = 20, PAYLOAD = 256 };

typedef struct bench {
    bool json;
    long seconds;
    long payload;
    const char *folder, *place; /* NULL: a file in the folder */
    const char *modules;        /* of the peers; NULL: without them */
    void *body;
    iswi_bench_queue_table table;
} bench;

static bool is_nats(const bench *b)
{
    return b->place && strncmp(b->place, "postgresql", 10) != 0;
}

/* -- Measuring --------------------------------------------------------------------------------- */

/* What a delivery is held against is one insert. */
static bool measure(const iswi_bench_queue_side *side, iswi_bench_queue_what what,
                    const iswi_bench_queue_work *work, iswi_bench_queue_sample *out,
                    isw_error *error)
{
    const iswi_bench_queue_store *kind = side->kind;

    if (what == ISWI_BENCH_QUEUE_COMPLETE)
        return kind->complete(side->store, work, out, error);
    if (what == ISWI_BENCH_QUEUE_DELIVER && kind->deliver)
        return kind->deliver(side->store, work, out, error);
    return kind->put(side->store, work, out, error);
}

static bool measure_row(bench *b, unsigned at, unsigned round, isw_error *error)
{
    const iswi_bench_queue_row *row = &iswi_bench_queue_rows[at];
    const int64_t slices = (int64_t)b->table.rounds * ISWI_BENCH_QUEUE_ROWS * b->table.side_count;
    const int64_t slice_ns = b->seconds * INT64_C(1000000000) / slices;

    for (unsigned i = 0; i < b->table.side_count; i++) {
        iswi_bench_queue_side *side = &b->table.sides[i];
        const iswi_bench_queue_work work = { .in_flight = row->in_flight,
                                             .until_ns = iswi_bench_now_ns() + slice_ns,
                                             .body = b->body,
                                             .body_bytes = (size_t)b->payload };
        iswi_bench_queue_sample sample = { 0 };

        if (!measure(side, row->what, &work, &sample, error))
            return false;
        side->values[at][round] =
            iswi_bench_queue_is_time(row) ? sample.p50_us
            : sample.elapsed_ns           ? (double)sample.done * 1e9 / (double)sample.elapsed_ns
                                          : 0;
    }
    return true;
}

static bool measure_all(bench *b, isw_error *error)
{
    for (unsigned round = 0; round < b->table.rounds; round++)
        for (unsigned at = 0; at < ISWI_BENCH_QUEUE_ROWS; at++)
            if (iswi_bench_is_over(INT64_MAX) || !measure_row(b, at, round, error))
                return false;
    return true;
}

/* -- A run ------------------------------------------------------------------------------------- */

/* What cannot be had is left out, and named. */
static void open_peer(bench *b, const iswi_bench_queue_peer_kind *kind, const char *folder)
{
    iswi_bench_queue_side *side = &b->table.sides[b->table.side_count];
    isw_error error = { 0 };
    char own[600];

    snprintf(own, sizeof own, "%s/%s", folder, kind->name);
    if (!iswi_bench_queue_peer_open(kind, b->modules, b->place ? b->place : own, &side->store,
                                    &error)) {
        if (error.status)
            fprintf(stderr, "isoworker: left out: %s\n", error.message);
        return;
    }
    side->name = kind->name;
    side->kind = &iswi_bench_queue_peer;
    side->about = iswi_bench_queue_peer_about(side->store);
    b->table.side_count++;
}

/* Those that keep messages where the broker does, or on a disk of this machine, too. */
static void open_peers(bench *b, const char *folder)
{
    static const iswi_bench_queue_peer_kind beside_file[] = {
        { "bullmq", "bullmq.js", "always" },
        { "bullmq_everysec", "bullmq.js", "everysec" },
    };
    static const iswi_bench_queue_peer_kind beside_postgresql = { "pgboss", "pgboss.js", NULL };

    if (is_nats(b))
        fputs("isoworker: --peers: nothing is measured beside NATS\n", stderr);
    else if (b->place)
        open_peer(b, &beside_postgresql, folder);
    else
        for (size_t i = 0; i < sizeof beside_file / sizeof *beside_file; i++)
            open_peer(b, &beside_file[i], folder);
}

static bool open_side(bench *b, const iswi_bench_queue_store *kind, const char *name,
                      const char *where, isw_error *error)
{
    iswi_bench_queue_side *side = &b->table.sides[b->table.side_count];

    if (!kind->open(where, &side->store, error))
        return false;
    side->kind = kind;
    side->name = name;
    b->table.side_count++;
    return true;
}

static bool open_all(bench *b, const char *folder, isw_error *error)
{
    const char *where = b->place ? b->place : folder;
    char schema[1024];

    if (b->place)
        snprintf(schema, sizeof schema, "%s%c%s=isoworker_bench", b->place,
                 strchr(b->place, '?') ? '&' : '?', is_nats(b) ? "prefix" : "schema");
    if (!open_side(b,
                   !b->place    ? &iswi_bench_queue_floor
                   : is_nats(b) ? &iswi_bench_queue_floor_nats
                                : &iswi_bench_queue_floor_postgresql,
                   "floor", where, error) ||
        !open_side(b, &iswi_bench_queue_broker,
                   !b->place    ? "sqlite"
                   : is_nats(b) ? "nats"
                                : "postgresql",
                   b->place ? schema : where, error))
        return false;
    if (b->modules)
        open_peers(b, folder);
    return true;
}

static void close_all(const bench *b)
{
    for (unsigned i = b->table.side_count; i-- > 0;)
        b->table.sides[i].kind->close(b->table.sides[i].store);
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
    if (well)
        iswi_bench_queue_show(&b->table, b->json);
    close_all(b);
    remove_folder(folder);
    free(b->body);
    if (well)
        return EX_OK;
    if (error.status)
        fprintf(stderr, "isoworker: %s\n", error.message);
    return iswi_bench_is_over(INT64_MAX) ? 128 + SIGINT : EX_UNAVAILABLE;
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
        { "place", required_argument, NULL, 'l' },   { "peers", required_argument, NULL, 'm' },
        { "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 },
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
        else if (letter == 'm')
            b.modules = optarg;
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
    b.table.rounds =
        b.seconds < ISWI_BENCH_QUEUE_ROUNDS ? (unsigned)b.seconds : ISWI_BENCH_QUEUE_ROUNDS;
    return run(&b);
}
