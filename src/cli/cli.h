/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_CLI_H
#define ISWI_CLI_CLI_H

/* The commands. Each takes its own words (argv[0] is the command) and returns an exit status of
 * sysexits.h. */
int iswi_cli_run(int argc, char **argv);
int iswi_cli_bench(int argc, char **argv);

#endif
