/* SPDX-License-Identifier: Apache-2.0 */
/* A worker as a program: options, signals, exit status. */
#include "base/alloc.h"
#include "worker/program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
    "usage: %s [--config FILE] [run]\n"
    "       %s [--config FILE] invoke NAME [--data TEXT|@FILE|-] [--param|--query|--header N=V]\n"
    "       %s [--config FILE] invoke --replay RECORD [--without MIDDLEWARE]...\n"
    "       %s [--config FILE] --describe [--json] | --check\n"
    "\n"
    "This program is an isoworker worker. A host starts it, for instance `isoworker run`.\n"
    "  --describe   print its functions with their chains, and the options of its YAML; with\n"
    "               --json its functions and chains as one JSON document\n"
    "  --check      say whether its configuration is right\n"
    "  invoke NAME  run one invocation through the full chain, here, with no host\n"
    "  --replay R   run an invocation that `isoworker run --record DIR` wrote, and compare what\n"
    "               comes of it; ends with 1 if it differs\n"
    "  --config F   take this YAML instead of $ISOWORKER_CONFIG or worker.yaml\n";

/* The worker that a signal stops. One for a process: a program has one main. */
static isw_worker *volatile signalled;

static void on_signal(int number)
{
    isw_worker *worker = signalled;

    (void)number;
    if (worker)
        isw_worker_stop(worker);
}

int iswi_program_fail(const isw_error *error)
{
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, error->message);
    switch (error->status) {
    case ISW_E_CONFIG:
    case ISW_E_CONFLICT:
    case ISW_E_INVALID:
        return EX_CONFIG;
    case ISW_E_PROTOCOL:
    case ISW_E_UNSUPPORTED:
    case ISW_E_UNAUTHENTICATED:
        return EX_PROTOCOL;
    case ISW_E_NO_MEMORY:
        return EX_OSERR;
    case ISW_E_IO:
        return EX_IOERR;
    default:
        return EX_UNAVAILABLE;
    }
}

static int run(isw_worker *worker)
{
    struct sigaction stop = { .sa_handler = on_signal };
    isw_error error = { ISW_OK, "" };
    isw_status status;

    signalled = worker;
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    status = isw_worker_run(worker, &error);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signalled = NULL;
    return status == ISW_OK ? EX_OK : iswi_program_fail(&error);
}

static int refuse(const char *word)
{
    const char *name = program_invocation_short_name;

    if (word)
        fprintf(stderr, "%s: \"%s\" is not understood\n", name, word);
    fprintf(word ? stderr : stdout, usage, name, name, name, name);
    return word ? EX_USAGE : EX_OK;
}

int isw_worker_main(isw_worker *worker, int argc, char **argv)
{
    int at = 1;

    if (at + 1 < argc && strcmp(argv[at], "--config") == 0) {
        iswi_free(worker->config_path);
        worker->config_path = iswi_strdup(argv[at + 1]);
        at += 2;
    }
    if (at == argc || strcmp(argv[at], "run") == 0)
        return run(worker);
    if (strcmp(argv[at], "--describe") == 0)
        return iswi_program_describe(worker, at + 1 < argc && strcmp(argv[at + 1], "--json") == 0);
    if (strcmp(argv[at], "--check") == 0)
        return iswi_program_check(worker);
    if (strcmp(argv[at], "invoke") == 0 && at + 1 < argc)
        return iswi_program_invoke(worker, argc - at - 1, argv + at + 1);
    return refuse(strcmp(argv[at], "--help") == 0 ? NULL : argv[at]);
}

int isw_main(int argc, char **argv, const isw_function *functions)
{
    const isw_app app = { .functions = functions };

    return isw_app_main(argc, argv, &app);
}

int isw_app_main(int argc, char **argv, const isw_app *app)
{
    isw_worker *worker = NULL;
    isw_error error = { ISW_OK, "" };
    isw_status status = isw_worker_create(NULL, &worker, &error);
    int code;

    if (status == ISW_OK)
        status = isw_worker_add_app(worker, app, &error);
    code = status == ISW_OK ? isw_worker_main(worker, argc, argv) : iswi_program_fail(&error);
    isw_worker_destroy(worker);
    return code;
}
