/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker explain`. */
#include "cli/cli.h"
#include "cli/helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] =
    "usage: isoworker explain [NAME | ./FILE.so]\n"
    "\n"
    "Prints what a middleware does and its options for worker.yaml; without a name, all that come\n"
    "with isoworker.\n";

int iswi_cli_generic(char **argv)
{
    char path[PATH_MAX];

    if (!iswi_cli_find_helper("isoworker-worker", path)) {
        fprintf(stderr, "isoworker: isoworker-worker is missing, which is installed with it\n");
        return EX_UNAVAILABLE;
    }
    argv[0] = path;
    execv(path, argv);
    perror(path);
    return EX_OSERR;
}

int iswi_cli_explain(int argc, char **argv)
{
    char *words[] = { NULL, argv[0], argc > 1 ? argv[1] : NULL, NULL };

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EX_OK;
    }
    if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
        fputs(usage, stderr);
        return EX_USAGE;
    }
    return iswi_cli_generic(words);
}
