/* SPDX-License-Identifier: Apache-2.0 */
/* The `isoworker` command: which verb. */
#include "cli/cli.h"
#include "host/system/confine.h"

#include <isoworker/export.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} command;

static const command commands[] = {
    { "run", iswi_cli_run, "start the workers of DIR/host.yaml and serve" },
    { "check", iswi_cli_check, "say whether it would serve, or all that is wrong" },
    { "worker", iswi_cli_worker, "be the worker whose functions are in a shared object" },
    { "explain", iswi_cli_explain, "print the reference of a middleware, or the list of them" },
    { "status", iswi_cli_status, "show the workers and functions of a host that runs" },
    { "describe", iswi_cli_describe, "print its functions with the chains in force" },
    { "logs", iswi_cli_logs, "show its last log lines, and those that come" },
    { "drain", iswi_cli_drain, "let it finish what it has and take nothing new" },
    { "resume", iswi_cli_drain, "let it take requests again" },
    { "restart", iswi_cli_restart, "replace the processes of its workers, with no call lost" },
    { "upgrade", iswi_cli_upgrade, "replace the host itself, with no connection refused" },
    { "invoke", iswi_cli_invoke, "have it run a function now, with an event of yours" },
    { "queue", iswi_cli_queue, "show, put, replay and purge the messages of its queues" },
    { "timer", iswi_cli_timer, "show its timers, run one now, pause and resume them" },
    { "azure", iswi_cli_azure, "run them under the Azure Functions host" },
    { "lambda", iswi_cli_lambda, "run them as a runtime of AWS Lambda, or pack them" },
    { "bench", iswi_cli_bench, "measure what an invocation costs on this machine" },
};

static void print_usage(FILE *file)
{
    fprintf(file, "usage: isoworker COMMAND [...]\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(file, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fprintf(file, "  version  print the version\n\n`isoworker COMMAND --help` says more.\n");
}

/* A descriptor from 0 to 2 that is closed would be taken by the first pipe, and mistaken for the
 * terminal. */
static void keep_standard_descriptors(void)
{
    int fd = open("/dev/null", O_RDWR);

    while (fd >= 0 && fd <= 2)
        fd = open("/dev/null", O_RDWR);
    if (fd > 2)
        close(fd);
}

static bool is_version(const char *name)
{
    return strcmp(name, "version") == 0 || strcmp(name, "--version") == 0;
}

static bool is_help(const char *name)
{
    return strcmp(name, "help") == 0 || strcmp(name, "--help") == 0;
}

/* AWS Lambda starts what it finds by this name, with no words. */
static bool is_bootstrap(const char *program)
{
    const char *slash = strrchr(program, '/');

    return strcmp(slash ? slash + 1 : program, "bootstrap") == 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    keep_standard_descriptors();
    if (argc == 1 && is_bootstrap(argv[0]))
        return iswi_cli_lambda(argc, argv);

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    if (strcmp(name, "symbolize") == 0) /* started when a worker has crashed */
        return iswi_cli_symbolize(argc - 1, argv + 1);
    if (strcmp(name, "confine") == 0) /* started before a worker that has a user or limits */
        return iswi_confine_become(argc - 1, argv + 1);
    if (argc > 2 && (is_version(name) || is_help(name))) {
        fprintf(stderr, "isoworker: \"%s\" is not understood; %s takes nothing more\n", argv[2],
                name);
        return EX_USAGE;
    }
    if (is_version(name)) {
        printf("isoworker %s\n", isw_version());
        return EX_OK;
    }
    if (is_help(name)) {
        print_usage(stdout);
        return EX_OK;
    }
    if (*name)
        fprintf(stderr, "isoworker: there is no command \"%s\"\n", name);
    print_usage(stderr);
    return EX_USAGE;
}
