/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_HELPER_H
#define ISWI_CLI_HELPER_H

#include <limits.h>
#include <stdbool.h>

/* Find a program that the command starts and people do not, such as isoworker-worker: beside the
 * one that runs, or where the installation put it, in libexec/isoworker. Nowhere else: it has to be
 * of the same build. False: it is not there. Any thread. */
bool iswi_cli_find_helper(const char *name, char path[PATH_MAX]);

/* Find the command, `isoworker`, from such a program. False: it is not there. Any thread. */
bool iswi_cli_find_command(char path[PATH_MAX]);

/* Become that program, with these words, whose first one is set here. Returns only on failure,
 * which has been reported: an exit status of sysexits.h. */
int iswi_cli_become(const char *name, char **argv);

#endif
