/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker run`. */
#include "cli/cli.h"
#include "cli/serve.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { ADDRESSES_MAX = 64, GUESTS_MAX = 64 };

static const char usage[] =
    "usage: isoworker run [DIR] [--port N | --port-from NAME] [--listen ADDRESS]... [--json]\n"
    "                     [--watch] [--debug [FUNCTION]] [--record DIR] [--control PATH]\n"
    "                     [--replace[=PATH]] [--wait-for WORKER]...\n"
    "\n"
    "Reads DIR/host.yaml (DIR is . by default), starts the workers that it names, prints the\n"
    "table of functions, and serves until Ctrl-C. A host.yaml that changes is read again, and what\n"
    "can be taken of it is; so does a worker whose YAML changes. SIGHUP has all of that done now,\n"
    "looks at the certificates of http.tls, and opens the access log anew.\n"
    "  --port N    listen at this port instead; 0 takes any free one\n"
    "  --port-from NAME  at the port of the variable NAME instead, if it is set: PORT, by which\n"
    "              platforms such as Knative and Cloud Run say where they look for a program\n"
    "  --listen A  listen there instead: ADDRESS:PORT, unix:PATH, or systemd or fd:NAME for\n"
    "              sockets from systemd, with https:// before it for TLS (http.tls in\n"
    "              host.yaml); again for each further address\n"
    "  --control P answer isoworker status, logs, drain and resume at the socket P, as does\n"
    "              host.control in host.yaml: for a host that they do not find by its folder\n"
    "  --json      logs as JSON lines instead of text\n"
    "  --watch     restart a worker, with no call lost, when its program, its shared object or\n"
    "              its modules have changed and are written as a whole; see isoworker restart\n"
    "  --record D  write each invocation to a file in folder D, without secrets, for\n"
    "              `WORKER invoke --replay FILE`\n"
    "  --replace   take the place of the host that runs in DIR, or listens at the control socket\n"
    "              PATH, with no connection refused, once all workers here serve; that one ends\n"
    "              when it has finished what it has. Where none runs, start as without it. A host\n"
    "              of a service manager or of a container does that by isoworker upgrade alone\n"
    "  --debug     no timeouts and no heartbeats, so that a debugger can stop a worker\n"
    "  --debug F   the same, and the worker that has function F runs under gdb in this terminal,\n"
    "              with a breakpoint on it\n"
    "  --wait-for W  do not start worker W: it is the process that you start yourself, in an IDE,\n"
    "              under gdb or valgrind, with the variables that are printed in its environment.\n"
    "              It may come and go; its calls wait for it, and nothing of it has a time limit.\n"
    "              Again for each further worker. Changes of host.yaml are not taken meanwhile\n"
    "\n"
    "host.yaml:\n";

static void tell_replaced(void *user, int64_t pid)
{
    (void)user;
    iswi_cli_tell_reaper((long)pid);
}

static int print_help(void)
{
    fputs(usage, stdout);
    return iswi_cli_host_reference();
}

static int run(isw_host_options *options)
{
    options->service = true;
    options->watched = iswi_cli_is_reaped();
    options->replaced = tell_replaced;
    return iswi_cli_serve(&(iswi_cli_serving){ .options = options });
}

/* The same, with the command line that starts this program anew: all words as they are, and behind
 * them where it finds us. */
static int run_as(isw_host_options *options, int argc, char **argv)
{
    const char **words = calloc((size_t)argc + 3, sizeof *words);
    size_t count = 0;
    int code;

    if (!words)
        return EX_OSERR;
    words[count++] = program_invocation_name;
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--") != 0 && strcmp(argv[i], "--replace") != 0 &&
            strncmp(argv[i], "--replace=", sizeof "--replace=" - 1) != 0)
            words[count++] = argv[i];
    words[count] = "--replace=";
    options->successor = options->debugged ? NULL : words; /* gdb has the terminal */
    code = run(options);
    free(words);
    return code;
}

static bool parse_port(const char *text, int *port)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (*end || end == text || number < 0 || number > 65535)
        return false;
    *port = (int)number;
    return true;
}

/* False: the variable has something else, which is said. */
static bool take_port_from(const char *name, int *port)
{
    const char *text = getenv(name);

    if (!text || !*text || parse_port(text, port))
        return true;
    fprintf(stderr, "isoworker: %s is \"%s\", and is to be a port: a number from 0 to 65535\n", name,
            text);
    return false;
}

/* Whether the word behind `--debug` is a function, and not the folder to run. A program of the same
 * name may lie there. */
static bool names_a_function(int argc, char **argv)
{
    struct stat info;

    return optind < argc && argv[optind][0] != '-' &&
           !(stat(argv[optind], &info) == 0 && S_ISDIR(info.st_mode));
}

/* False: it was given more often than there is room for, which is said. */
static bool add(const char **list, size_t *count, size_t most, const char *option, const char *text)
{
    if (*count < most) {
        list[(*count)++] = text;
        return true;
    }
    fprintf(stderr, "isoworker: %s may be given %zu times\n", option, most);
    return false;
}

int iswi_cli_run(int argc, char **argv)
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },   { "port-from", required_argument, NULL, 'P' },
        { "listen", required_argument, NULL, 'l' },
        { "json", no_argument, NULL, 'j' },         { "debug", optional_argument, NULL, 'd' },
        { "record", required_argument, NULL, 'r' }, { "control", required_argument, NULL, 'c' },
        { "watch", no_argument, NULL, 'w' },
        { "wait-for", required_argument, NULL, 'W' },
        { "replace", optional_argument, NULL, 'R' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    isw_host_options host = ISW_HOST_OPTIONS_INIT;
    const char *addresses[ADDRESSES_MAX + 1] = { NULL };
    const char *guests[GUESTS_MAX + 1] = { NULL };
    size_t address_count = 0;
    size_t guest_count = 0;
    int letter;
    int code;

    setvbuf(stdout, NULL, _IOLBF, 0); /* for functions that print in this process */
    host.output = STDOUT_FILENO;
    host.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    while ((letter = iswi_cli_option(argc, argv, "", options, NULL)) != -1) {
        bool fits = true;

        if (letter == 'l')
            fits = add(addresses, &address_count, ADDRESSES_MAX, "--listen", optarg);
        else if (letter == 'W')
            fits = add(guests, &guest_count, GUESTS_MAX, "--wait-for", optarg);
        else if (letter == 'r')
            host.record = optarg;
        else if (letter == 'c')
            host.control = optarg;
        else if (letter == 'w')
            host.watch = true;
        else if (letter == 'R')
            host.replace = optarg ? optarg : "";
        else if (letter == 'j')
            host.json = 1;
        else if (letter == 'd' && (optarg || names_a_function(argc, argv)))
            host.debugged = optarg ? optarg : argv[optind++];
        else if (letter == 'd')
            host.debug = true;
        else if (letter == 'h')
            return print_help();
        else if (letter == 'P')
            fits = take_port_from(optarg, &host.port);
        else if (letter != 'p')
            return EX_USAGE;
        else if (!parse_port(optarg, &host.port)) {
            fprintf(stderr, "isoworker: --port takes a number from 0 to 65535\n");
            return EX_USAGE;
        }
        if (!fits)
            return EX_USAGE;
    }
    if (optind + 1 < argc) {
        fprintf(stderr, "isoworker: run takes one folder\n");
        return EX_USAGE;
    }
    host.addresses = address_count ? addresses : NULL;
    host.wait_for = guest_count ? guests : NULL;
    iswi_cli_raise_limits();
    code = iswi_cli_reap_orphans();
    host.folder = optind < argc ? argv[optind] : ".";
    return code == ISWI_CLI_GO_ON ? run_as(&host, argc, argv) : code;
}
