/* SPDX-License-Identifier: Apache-2.0 */
/* A worker as a program: options, signals, exit status. */
#include "base/alloc.h"
#include "worker/program/program.h"

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
    "  --check      say whether its functions and its configuration are right, or all that is\n"
    "               wrong with them\n"
    "  invoke NAME  run one invocation through the full chain, here, with no host\n"
    "  --replay R   run an invocation that `isoworker run --record DIR` wrote, and compare what\n"
    "               comes of it; ends with 1 if it differs\n"
    "  --config F   take this YAML instead of $ISOWORKER_CONFIG or worker.yaml. Without any of\n"
    "               them there is no middleware; a file that is there and empty is refused, since\n"
    "               it may be half written: {} stands for all defaults\n";

/* The worker that a signal stops. One for a process: a program has one main. */
static isw_worker *volatile signalled;

static void on_signal(int number)
{
    isw_worker *worker = signalled;

    (void)number;
    if (worker)
        isw_worker_stop(worker);
}

static int run(isw_worker *worker)
{
    struct sigaction stop = { .sa_handler = on_signal };
    isw_error error = { ISW_OK, "" };
    isw_status status;
    int code = iswi_program_configure(worker);

    if (code != EX_OK)
        return code;
    iswi_program_warn(worker);
    signalled = worker;
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    status = isw_worker_run(worker, &error);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signalled = NULL;
    return status == ISW_OK ? EX_OK : iswi_program_fail_to_run(worker, &error);
}

/* -- Words ------------------------------------------------------------------------------------- */

static void print_usage(void)
{
    const char *name = program_invocation_short_name;

    printf(usage, name, name, name, name);
}

static int refuse(const char *word, const char *why)
{
    const char *name = program_invocation_short_name;

    fprintf(stderr, "%s: \"%s\" %s; `%s --help` says what may stand there\n", name, word, why,
            name);
    return EX_USAGE;
}

/* Take --config out of the words, wherever it stands, but for what an option of `invoke` takes as
 * its value. EX_OK, or it has been refused. */
static int take_config(isw_worker *worker, int *argc, char **argv)
{
    const char *path = NULL;
    int kept = 1;

    for (int i = 1; i < *argc; i++) {
        bool apart = strcmp(argv[i], "--config") == 0;

        if (!apart && strncmp(argv[i], "--config=", 9) != 0) {
            argv[kept++] = argv[i];
            if (iswi_program_takes_value(argv[i]) && i + 1 < *argc)
                argv[kept++] = argv[++i];
            continue;
        }
        if (path || (apart && i + 1 == *argc))
            return refuse(argv[i], path ? "is given twice" : "needs a file");
        path = apart ? argv[++i] : argv[i] + 9;
    }
    *argc = kept;
    argv[kept] = NULL;
    if (!path)
        return EX_OK;
    if (*path && iswi_worker_set_config(worker, path))
        return EX_OK;
    return refuse("--config", "needs a file");
}

static bool is_verb(const char *word)
{
    static const char *const verbs[] = { "run", "--describe", "--check", "--help" };

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i], word) == 0)
            return true;
    return false;
}

static int do_verb(isw_worker *worker, int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "run";
    bool json = argc > 2 && strcmp(verb, "--describe") == 0 && strcmp(argv[2], "--json") == 0;

    if (strcmp(verb, "invoke") == 0 && argc > 2)
        return iswi_program_invoke(worker, argc - 2, argv + 2);
    if (!is_verb(verb))
        return refuse(verb, strcmp(verb, "invoke") ? "is not understood" : "needs a function");
    if (argc > 2 + json)
        return refuse(argv[2 + json], "is not understood");
    if (strcmp(verb, "run") == 0)
        return run(worker);
    if (strcmp(verb, "--describe") == 0)
        return iswi_program_describe(worker, json);
    if (strcmp(verb, "--check") == 0)
        return iswi_program_check(worker);
    print_usage();
    return EX_OK;
}

int isw_worker_main(isw_worker *worker, int argc, char **argv)
{
    char **words = iswi_calloc((size_t)argc + 2, sizeof *words);
    int code = EX_OSERR;

    if (!words)
        return code;
    if (argc > 0) /* the caller's own stay as they are */
        memcpy(words, argv, (size_t)argc * sizeof *words);
    code = take_config(worker, &argc, words);
    if (code == EX_OK)
        code = do_verb(worker, argc, words);
    iswi_free(words);
    return code;
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
    iswi_faults faults = { .count = 0 };
    isw_status status = isw_worker_create(NULL, &worker, &error);
    int code;

    if (status == ISW_OK)
        status = iswi_worker_add_app(worker, app, &faults, &error);
    code = iswi_program_tell(status, &faults, &error);
    if (code == EX_OK)
        code = isw_worker_main(worker, argc, argv);
    isw_worker_destroy(worker);
    return code;
}
