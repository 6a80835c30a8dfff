/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker upgrade`. */
#include "cli/cli.h"
#include "cli/client.h"
#include "host/operate/report.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { WAIT_S = 60, PATIENCE_S = 10 };

static const char usage[] =
    "usage: isoworker upgrade [DIR | -C DIR] [--wait SECONDS] [--control PATH]\n"
    "\n"
    "Replaces the host itself that runs in DIR (. by default), for a new isoworker or for what a\n"
    "host.yaml can change at a start alone, with no connection refused: the host starts the program\n"
    "of its command line anew, which gets its sockets, and what the processes of a worker share.\n"
    "Once all workers of that one serve it takes what comes, and idle connections. The host before\n"
    "it answers what it has, streams included, ends connections behind their next answer, and\n"
    "leaves within host.shutdown_grace and host.cancel_grace. A successor that does not become\n"
    "ready changes nothing, and it is said why. Service managers hear of its pid, and process 1 of\n"
    "a container. Remote processes are sent away by the one and come back to the other, while calls\n"
    "wait for them. Counters begin anew. A host in the foreground of a terminal is replaced by\n"
    "`isoworker run --replace` in another one, and one with --wait-for is started again.\n"
    "  --wait SECONDS  wait for so long at most, 60 by default; the successor goes on\n"
    ISWI_CLIENT_FOLDER_USAGE
    ISWI_CLIENT_USAGE
    "\n"
    "Ends with status 70 when the host was not replaced, 75 when it takes longer, and 69 when no\n"
    "host runs there.\n";

static int tell(const iswi_succeeded *answer, long wait_s)
{
    if (strcmp(answer->state, "done") == 0) {
        printf("pid %lld has taken the place of pid %lld after %lld ms\n", (long long)answer->pid,
               (long long)answer->before, (long long)answer->took_ms);
        return EX_OK;
    }
    if (strcmp(answer->state, "failed") == 0) {
        fprintf(stderr, "isoworker: the host goes on as it was, and pid %lld has not taken its "
                "place: %s\n", (long long)answer->pid,
                answer->why ? answer->why : "it is not said why");
        return EX_SOFTWARE;
    }
    fprintf(stderr, "isoworker: pid %lld is not ready after %ld seconds, and goes on\n",
            (long long)answer->pid, wait_s);
    return EX_TEMPFAIL;
}

static int ask(const iswi_where *where, long wait_s)
{
    char request[96];
    iswi_succeeded answer = { .state = NULL };
    iswi_arena arena;
    FILE *from = NULL;
    int result;

    snprintf(request, sizeof request, "{\"command\":\"upgrade\",\"wait_ms\":%ld}\n", wait_s * 1000);
    result = iswi_client_ask(where, request, (unsigned)wait_s + PATIENCE_S, &from);
    if (result != EX_OK)
        return result;
    iswi_arena_init(&arena, 1024);
    result = iswi_client_answer(from, &arena, iswi_succeeded_fields, &answer);
    if (result == EX_OK)
        result = tell(&answer, wait_s);
    iswi_arena_fini(&arena);
    fclose(from);
    return result;
}

int iswi_cli_upgrade(int argc, char **argv)
{
    iswi_where where = { NULL, NULL };
    long wait_s = WAIT_S;
    int result = iswi_client_options(argc, argv, usage, &where, &wait_s);

    if (result != ISWI_CLI_GO_ON)
        return result;
    return iswi_client_folder(argc, argv, optind, &where) ? ask(&where, wait_s) : EX_USAGE;
}
