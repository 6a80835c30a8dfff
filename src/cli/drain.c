/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker drain` and `isoworker resume`. */
#include "cli/cli.h"
#include "cli/client.h"
#include "host/operate/report.h"

#include <getopt.h>
#include <string.h>
#include <sysexits.h>

enum { WAIT_S = 30, PATIENCE_S = 10 };

static const char usage[] =
    "usage: isoworker drain [DIR | -C DIR] [--wait SECONDS] [--control PATH]\n"
    "       isoworker resume [DIR | -C DIR] [--control PATH]\n"
    "\n"
    "drain lets the host that runs in DIR (. by default) finish what it has: new requests get 503\n"
    "with Retry-After, workers stay. It waits until all is answered, and ends with status 75 when\n"
    "that has not come about in time; the host drains on. resume lets it take requests again.\n"
    "  --wait SECONDS  wait for so long at most, 30 by default\n"
    ISWI_CLIENT_FOLDER_USAGE
    ISWI_CLIENT_USAGE
    "\n"
    "Both end with status 69 when no host runs there.\n";

static int tell(bool draining, const iswi_drain *answer, long wait_s)
{
    if (!draining && strcmp(answer->state, "draining") != 0) {
        printf("resumed: the host takes requests again\n");
        return EX_OK;
    }
    if (strcmp(answer->state, "draining") != 0) {
        fprintf(stderr, "isoworker: the host is %s: somebody else has ended the drain\n",
                answer->state);
        return EX_TEMPFAIL;
    }
    if (answer->in_flight == 0) {
        printf("drained: nothing is in flight, new requests get 503 until `isoworker resume`\n");
        return EX_OK;
    }
    fprintf(stderr, "isoworker: %lld still in flight after %ld seconds; the host drains on\n",
            (long long)answer->in_flight, wait_s);
    return EX_TEMPFAIL;
}

static int ask(const iswi_where *where, bool draining, long wait_s)
{
    char request[96];
    iswi_drain answer = { NULL, 0 };
    iswi_arena arena;
    FILE *from = NULL;
    int result;

    snprintf(request, sizeof request, "{\"command\":\"%s\",\"wait_ms\":%ld}\n",
             draining ? "drain" : "resume", wait_s * 1000);
    result = iswi_client_ask(where, request, (unsigned)wait_s + PATIENCE_S, &from);
    if (result != EX_OK)
        return result;
    iswi_arena_init(&arena, 1024);
    result = iswi_client_answer(from, &arena, iswi_drain_fields, &answer);
    if (result == EX_OK)
        result = tell(draining, &answer, wait_s);
    iswi_arena_fini(&arena);
    fclose(from);
    return result;
}

int iswi_cli_drain(int argc, char **argv)
{
    static const struct option options[] = {
        { "wait", required_argument, NULL, 'w' },
        { "control", required_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    bool draining = strcmp(argv[0], "drain") == 0;
    long wait_s = WAIT_S;
    iswi_where where = { NULL, NULL };
    int letter;

    while ((letter = iswi_cli_option(argc, argv, "C:", draining ? options : options + 1,
                                     NULL)) != -1) {
        if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        else if (letter == 'c')
            where.control = optarg;
        else if (letter == 'C')
            where.folder = optarg;
        else if (letter != 'w' || !iswi_client_wait(optarg, &wait_s))
            return EX_USAGE;
    }
    return iswi_client_folder(argc, argv, optind, &where) ? ask(&where, draining, wait_s)
                                                           : EX_USAGE;
}
