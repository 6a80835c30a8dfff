/* SPDX-License-Identifier: Apache-2.0 */
/* What all commands have in reading their words. */
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>

int iswi_cli_option(int argc, char **argv, const char *letters, const struct option *options,
                    int *index)
{
    char *command = argv[0];
    char speaker[64];
    int letter;

    snprintf(speaker, sizeof speaker, "isoworker: %s", command);
    argv[0] = speaker; /* of getopt's message */
    letter = getopt_long(argc, argv, letters, options, index);
    argv[0] = command;
    if (letter == '?')
        fprintf(stderr, "isoworker: `isoworker %s --help` has its options\n", command);
    return letter;
}
