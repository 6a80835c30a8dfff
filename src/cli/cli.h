/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_CLI_H
#define ISWI_CLI_CLI_H

#include <stdbool.h>

/* The commands. Each takes its own words (argv[0] is the command) and returns an exit status of
 * sysexits.h. */
int iswi_cli_run(int argc, char **argv);
int iswi_cli_azure(int argc, char **argv);
int iswi_cli_azure_worker(int argc, char **argv); /* by that */
int iswi_cli_check(int argc, char **argv);
int iswi_cli_describe(int argc, char **argv);
int iswi_cli_explain(int argc, char **argv);
int iswi_cli_symbolize(int argc, char **argv);
int iswi_cli_status(int argc, char **argv);
int iswi_cli_logs(int argc, char **argv);
int iswi_cli_drain(int argc, char **argv); /* and resume */
int iswi_cli_invoke(int argc, char **argv);
int iswi_cli_queue(int argc, char **argv);
int iswi_cli_restart(int argc, char **argv);
int iswi_cli_timer(int argc, char **argv);
int iswi_cli_upgrade(int argc, char **argv);
int iswi_cli_worker(int argc, char **argv);
int iswi_cli_bench(int argc, char **argv);
int iswi_cli_lambda(int argc, char **argv);
int iswi_cli_lambda_package(int argc, char **argv);

/* As getopt_long; what it says begins as all that the command says, and names --help. */
struct option;
int iswi_cli_option(int argc, char **argv, const char *letters, const struct option *options,
                    int *index);

/* For a command that starts programs: where this process is the one that gets orphans, stay as it,
 * wait for them, and let a child go on. Returns ISWI_CLI_GO_ON where the command is to go on, else
 * its exit status. Before there are threads. */
enum { ISWI_CLI_GO_ON = -1 };
int iswi_cli_reap_orphans(void);

/* Whether such a process looks after this one, and: `successor`, which this one has started, is who
 * it is to look after. Any thread. */
bool iswi_cli_is_reaped(void);
void iswi_cli_tell_reaper(long successor);

/* Print what may stand in host.yaml. */
int iswi_cli_host_reference(void);

/* Become isoworker-worker with these words, whose first one is set here (helper.h). */
int iswi_cli_generic(char **argv);

#endif
