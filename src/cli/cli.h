/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_CLI_CLI_H
#define ISWI_CLI_CLI_H

/* The commands. Each takes its own words (argv[0] is the command) and returns an exit status of
 * sysexits.h. */
int iswi_cli_run(int argc, char **argv);
int iswi_cli_check(int argc, char **argv);
int iswi_cli_describe(int argc, char **argv);
int iswi_cli_explain(int argc, char **argv);
int iswi_cli_symbolize(int argc, char **argv);
int iswi_cli_status(int argc, char **argv);
int iswi_cli_logs(int argc, char **argv);
int iswi_cli_drain(int argc, char **argv); /* and resume */
int iswi_cli_restart(int argc, char **argv);
int iswi_cli_worker(int argc, char **argv);
int iswi_cli_bench(int argc, char **argv);

/* For a command that starts programs: where this process is the one that gets orphans, stay as it,
 * wait for them, and let a child go on. Returns ISWI_CLI_GO_ON where the command is to go on, else
 * its exit status. Before there are threads. */
enum { ISWI_CLI_GO_ON = -1 };
int iswi_cli_reap_orphans(void);

/* Print what may stand in host.yaml. */
int iswi_cli_host_reference(void);

/* Become isoworker-worker with these words, whose first one is set here (helper.h). */
int iswi_cli_generic(char **argv);

#endif
