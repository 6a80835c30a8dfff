/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker check`. */
#include "cli/cli.h"
#include "cli/faults.h"
#include "host/operate/check.h"
#include "host/sinks/sinks.h"
#include "host/triggers.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
    "usage: isoworker check [DIR]\n"
    "\n"
    "Says whether a host would serve what DIR/host.yaml (DIR is . by default) says: the file\n"
    "itself, the programs, folders and files that it names, the YAML and the functions of each\n"
    "worker, which its program checks as `WORKER --check` does, all their routes against each other,\n"
    "and where their outputs go. Nothing is served and no service is made, but the middleware of\n"
    "each worker is started for a moment. Tells all that is wrong, on standard error, and ends with\n"
    "status 78 then. A worker that does not link the library has to come as far as to dial a host.\n"
    "That nothing else of it was looked at, what can hardly be meant, and outputs of a type that only\n"
    "another host can have (what is put there fails its call here) are told as well and change no\n"
    "status.\n";

static int check(const char *folder)
{
    iswi_check result;
    bool right = iswi_check_folder(folder, iswi_host_triggers, iswi_host_sinks, &result);

    iswi_faults_print(&result.notes);
    iswi_faults_print(&result.faults);
    if (right)
        printf("the configuration is right: %zu worker%s, %zu function%s\n", result.workers,
               result.workers == 1 ? "" : "s", result.functions,
               result.functions == 1 ? "" : "s");
    iswi_check_fini(&result);
    return right ? EX_OK : EX_CONFIG;
}

int iswi_cli_check(int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int letter = iswi_cli_option(argc, argv, "", options, NULL);

    if (letter == 'h')
        return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
    if (letter != -1)
        return EX_USAGE;
    if (optind + 1 < argc) {
        fprintf(stderr, "isoworker: check takes one folder\n");
        return EX_USAGE;
    }
    return check(optind < argc ? argv[optind] : ".");
}
