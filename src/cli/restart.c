/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker restart`. */
#include "cli/cli.h"
#include "cli/client.h"
#include "host/operate/report.h"

#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { WAIT_S = 60, PATIENCE_S = 10 };

static const char usage[] =
    "usage: isoworker restart [DIR | -C DIR] [WORKER] [--wait SECONDS] [--control PATH]\n"
    "\n"
    "Replaces the processes of WORKER, or of all workers, of the host that runs in DIR (. by\n"
    "default): a successor is started, becomes ready and takes over, and the process before it\n"
    "finishes what it has, streams included, and ends. No request fails for it. A program that has\n"
    "changed is taken up so: routes of its functions change when the first successor is ready. A\n"
    "successor that does not become ready ends the restart: what was there goes on, and it is said\n"
    "why. One word alone is DIR if there is such a folder, else WORKER;\n"
    "behind -C it is WORKER.\n"
    "  --wait SECONDS  wait for so long at most, 60 by default; the restart goes on\n"
    ISWI_CLIENT_FOLDER_USAGE
    ISWI_CLIENT_USAGE
    "\n"
    "Ends with status 70 when a worker was not restarted, 75 when it takes longer, and 69 when no\n"
    "host runs there.\n";

static void tell_step(const iswi_restart_line *line)
{
    printf("%s: pid %lld ", line->process, (long long)line->pid);
    if (line->before)
        printf("took over from pid %lld, ", (long long)line->before);
    printf("ready after %lld ms\n", (long long)line->took_ms);
    fflush(stdout);
}

static int tell_end(const iswi_restart_line *line, long wait_s)
{
    int result = EX_OK;

    for (size_t i = 0; i < line->worker_count; i++) {
        const iswi_restarted *one = &line->workers[i];

        if (strcmp(one->state, "done") == 0) {
            printf("worker %s: restarted, %lld process%s in %lld ms\n", one->worker,
                   (long long)one->replaced, one->replaced == 1 ? "" : "es",
                   (long long)one->took_ms);
        } else if (strcmp(one->state, "failed") == 0) {
            fprintf(stderr, "isoworker: worker %s was not restarted, %lld of %lld process%s "
                    "replaced: %s\n", one->worker, (long long)one->replaced, (long long)one->total,
                    one->total == 1 ? " was" : "es were", one->why ? one->why : "it is not said why");
            result = EX_SOFTWARE;
        } else {
            fprintf(stderr, "isoworker: worker %s: %lld of %lld process%s replaced after "
                    "%ld seconds; the restart goes on\n", one->worker, (long long)one->replaced,
                    (long long)one->total, one->total == 1 ? "" : "es", wait_s);
            result = result == EX_OK ? EX_TEMPFAIL : result;
        }
    }
    return result;
}

static int follow(FILE *from, long wait_s)
{
    int result;
    bool over = false;

    do {
        iswi_restart_line line = { .process = NULL };
        iswi_arena arena;

        iswi_arena_init(&arena, 4096);
        result = iswi_client_answer(from, &arena, iswi_restart_fields, &line);
        over = result != EX_OK || !line.process;
        if (!over)
            tell_step(&line);
        else if (result == EX_OK)
            result = tell_end(&line, wait_s);
        iswi_arena_fini(&arena);
    } while (!over);
    return result;
}

static int ask(const iswi_where *where, const char *worker, long wait_s)
{
    iswi_buffer request = { 0 };
    FILE *from = NULL;
    int result;

    iswi_buffer_printf(&request, "{\"command\":\"restart\",\"wait_ms\":%ld", wait_s * 1000);
    iswi_client_member(&request, "worker", worker);
    iswi_buffer_append(&request, "}\n", sizeof "}\n");
    if (request.failed)
        return EX_OSERR;
    result = iswi_client_ask(where, (const char *)request.data, (unsigned)wait_s + PATIENCE_S,
                             &from);
    iswi_buffer_fini(&request);
    if (result != EX_OK)
        return result;
    result = follow(from, wait_s);
    fclose(from);
    return result;
}

static bool is_folder(const char *path)
{
    struct stat info;

    return strchr(path, '/') || (stat(path, &info) == 0 && S_ISDIR(info.st_mode));
}

/* DIR and WORKER among the words from `index` on. False, with a message: there are more. */
static bool read_words(int argc, char **argv, int index, iswi_where *where, const char **worker)
{
    int left = argc - index;

    bool named = where->folder != NULL;

    if (left > 2 || (named && left > 1)) {
        fprintf(stderr, "isoworker: restart takes %s\n",
                named ? "a worker alone where -C has named the folder" : "a folder and a worker");
        return false;
    }
    if (!named)
        where->folder = ".";
    if (!named && left > 0 && (left == 2 || is_folder(argv[index])))
        where->folder = argv[index++];
    *worker = index < argc ? argv[index] : NULL;
    return true;
}

int iswi_cli_restart(int argc, char **argv)
{
    iswi_where where = { NULL, NULL };
    const char *worker = NULL;
    long wait_s = WAIT_S;
    int result = iswi_client_options(argc, argv, usage, &where, &wait_s);

    if (result != ISWI_CLI_GO_ON)
        return result;
    return read_words(argc, argv, optind, &where, &worker) ? ask(&where, worker, wait_s) : EX_USAGE;
}
