/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker worker`. It becomes a program that links the SDK: the command itself is all host. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
    "usage: isoworker worker FILE.so [--config FILE] [run]\n"
    "       isoworker worker FILE.so [--config FILE] --describe [--json] | --check\n"
    "       isoworker worker FILE.so [--config FILE] invoke NAME [...]\n"
    "\n"
    "Is the worker whose functions are in a shared object that says ISW_APP_MODULE\n"
    "(<isoworker/sys/module.h>). What follows the file is what every worker takes. A host starts\n"
    "it:\n"
    "  workers:\n"
    "    - name: mine\n"
    "      command: [isoworker, worker, ./FILE.so]\n";

int iswi_cli_worker(int argc, char **argv)
{
    char **words;
    int code;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EX_OK;
    }
    if (argc < 2 || argv[1][0] == '-') {
        fputs(usage, stderr);
        return EX_USAGE;
    }
    words = calloc((size_t)argc + 2, sizeof *words);
    if (!words) {
        perror("isoworker");
        return EX_OSERR;
    }
    memcpy(words + 1, argv, (size_t)argc * sizeof *words);
    code = iswi_cli_generic(words);
    free(words);
    return code;
}
