/* SPDX-License-Identifier: Apache-2.0 */
/* isoworker-worker: the part of the command that links the SDK, as any worker does. Not for people:
 * `isoworker explain` and `isoworker worker` start it. */
#include <errno.h>
#include <isoworker/isoworker.h>
#include <isoworker/sys/module.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static int explain(const char *name)
{
    isw_error error = { ISW_OK, "" };
    char *text;

    if (isw_middleware_explain(name, &text, &error) != ISW_OK) {
        fprintf(stderr, "isoworker: %s\n", error.message);
        return error.status == ISW_E_NOT_FOUND ? EX_USAGE : EX_CONFIG;
    }
    fputs(text, stdout);
    isw_free(text);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

/* A worker that has no functions, for what every worker says: --help, --describe. */
static int be_plain(int argc, char **argv)
{
    isw_worker_options options = ISW_WORKER_OPTIONS_INIT;
    isw_worker *worker = NULL;
    isw_error error = { ISW_OK, "" };
    int code = EX_OSERR;

    options.config_text = "middleware: []\n";
    if (isw_worker_create(&options, &worker, &error) == ISW_OK)
        code = isw_worker_main(worker, argc, argv);
    else
        fprintf(stderr, "isoworker: %s\n", error.message);
    isw_worker_destroy(worker);
    return code;
}

/* A worker whose functions are those of the shared object argv[0]. Its messages begin with what the
 * user typed. */
static int serve(int argc, char **argv)
{
    isw_error error = { ISW_OK, "" };
    isw_worker *worker = NULL;
    char name[256];
    int code = EX_CONFIG;

    snprintf(name, sizeof name, "isoworker worker %s", argv[0]);
    program_invocation_short_name = name;
    if (isw_worker_create(NULL, &worker, &error) == ISW_OK &&
        isw_worker_add_module(worker, argv[0], &error) == ISW_OK)
        code = isw_worker_main(worker, argc, argv);
    else
        fprintf(stderr, "isoworker worker: %s\n", error.message);
    isw_worker_destroy(worker);
    return code;
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "worker") == 0)
        return serve(argc - 2, argv + 2);
    if (argc >= 3 && strcmp(argv[1], "plain") == 0)
        return be_plain(argc - 1, argv + 1);
    if ((argc == 2 || argc == 3) && strcmp(argv[1], "explain") == 0)
        return explain(argc > 2 ? argv[2] : NULL);
    fprintf(stderr, "isoworker-worker is started by `isoworker`\n");
    return EX_USAGE;
}
