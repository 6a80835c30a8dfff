/* SPDX-License-Identifier: Apache-2.0 */
/* A host as the whole of a command: its signals, what is wrong with it, its end. */
#include "cli/serve.h"

#include "host/library/create.h"
#include "host/system/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

enum { DESCRIPTORS = 65536 };

/* The host that signals stop; a program runs one. */
static isw_host *volatile signalled;

/* SIGHUP also says that the terminal is gone, for good. */
static bool had_terminal;

static bool has_terminal(void)
{
    int saved = errno;
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    errno = saved;
    return fd >= 0;
}

static void on_signal(int number)
{
    isw_host *host = signalled;

    if (!host)
        return;
    if (number == SIGHUP && (!had_terminal || has_terminal()))
        isw_host_reload(host);
    else
        isw_host_stop(host);
}

static void print_sentence(const char *sentence)
{
    const char *priority = iswi_manager_logs(STDERR_FILENO) ? "<3>" : ""; /* of an error */

    fprintf(stderr, "%sisoworker: %s\n", priority, sentence);
}

static void print_fault(void *user, const char *sentence)
{
    bool *printed = user;

    print_sentence(sentence);
    *printed = true;
}

/* The status to end with; what is wrong is said, unless it was. */
static int fail(const isw_error *error, bool printed)
{
    if (!printed)
        print_sentence(error->message);
    switch (error->status) {
    case ISW_E_CONFIG:
        return EX_CONFIG;
    case ISW_E_NO_MEMORY:
        return EX_OSERR;
    case ISW_E_IO:
        return EX_NOINPUT;
    default:
        return EX_UNAVAILABLE;
    }
}

/* From now on they are the host's. */
static void take_signals(isw_host *host)
{
    struct sigaction stop = { .sa_handler = on_signal };
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    struct sigaction before = { .sa_handler = SIG_DFL };

    signalled = host;
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGHUP, &stop, &before);
    had_terminal = before.sa_handler != SIG_IGN /* by nohup */ && has_terminal();
    sigaction(SIGPIPE, &ignore, NULL);
}

/* A host may have calls before its start returns, and is stopped as it should be then. One that has
 * to take another's place first waits for that, from which a signal frees it. */
static isw_status start(isw_host *host, bool waits, isw_error *error)
{
    isw_status status;

    signal(SIGCHLD, SIG_DFL); /* an inherited "ignore" would hide how workers end */
    if (!waits)
        take_signals(host);
    status = isw_host_start(host, error);
    if (waits && status == ISW_OK)
        take_signals(host);
    return status;
}

static isw_status serve(const iswi_cli_serving *serving, bool *printed, isw_error *error)
{
    isw_host_options *options = serving->options;
    isw_host *host = NULL;
    isw_status status;

    options->fault = print_fault;
    options->user = printed;
    if (iswi_library_create(options, serving->triggers, serving->sinks, &host, error) !=
        ISW_OK)
        return error->status;
    status = start(host, options->replace != NULL, error);
    if (status == ISW_OK)
        status = isw_host_wait(host, error);
    signalled = NULL;
    isw_host_destroy(host);
    return status;
}

int iswi_cli_serve(const iswi_cli_serving *serving)
{
    isw_error error = { ISW_OK, "" };
    bool printed = false;

    if (serve(serving, &printed, &error) == ISW_OK)
        return EX_OK;
    if (serving->failed)
        serving->failed(serving->user, &error);
    return fail(&error, printed);
}

void iswi_cli_raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
    setrlimit(RLIMIT_NOFILE, &limit);
}
