/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker azure`: the host as a part of the Azure Functions host. */
#include "cli/cli.h"
#include "cli/serve.h"
#include "host/azure/custom.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] =
    "usage: isoworker azure --custom-handler [--forwarding] [--port N] [--json] [DIR]\n"
    "\n"
    "Runs the workers of DIR/host.yaml (DIR is . by default) under the Azure Functions host, which\n"
    "starts this command as its custom handler. The functions are as they are under isoworker run.\n"
    "  --custom-handler  the one way that there is so far: calls come by HTTP, at 127.0.0.1 and the\n"
    "                    port of FUNCTIONS_CUSTOMHANDLER_PORT, as POST /NAME with Data and Metadata;\n"
    "                    they are answered with Outputs, Logs and ReturnValue\n"
    "  --forwarding      HTTP requests come as they are, at their routes: give it where host.json\n"
    "                    has enableForwardingHttpRequest. Bodies and answers may be binary then, and\n"
    "                    an answer may have several cookies\n"
    "  --port N          listen at this port instead, to try it by hand\n"
    "  --json            logs as JSON lines instead of text\n"
    "\n"
    "What fails is answered with 400 or more, so that it fails there, too. Lines that a function\n"
    "logs are in Logs, and on standard output; of a call that fails there alone. Binding names are\n"
    "\"req\" and \"res\" of HTTP, \"message\" of a queue, \"timer\", \"trigger\" of others; outputs have\n"
    "their own. http.prefix of host.yaml (api) is to be routePrefix of host.json.\n"
    "\n"
    "Ends as isoworker run does.\n";

static int serve(isw_host_options *options, bool forwarding)
{
    iswi_azure_custom *custom = iswi_azure_custom_create(forwarding);
    iswi_cli_serving serving = { .options = options };
    int code;

    if (!custom)
        return EX_OSERR;
    serving.triggers = iswi_azure_custom_triggers(custom);
    serving.sinks = iswi_azure_custom_sinks;
    code = iswi_cli_serve(&serving);
    iswi_azure_custom_destroy(custom);
    return code;
}

/* Where the foreign host asks for us; NULL: that is said. */
static const char *address_of(const char *port, char *out, size_t size)
{
    char *end;
    long number;

    if (!port || !*port)
        port = getenv("FUNCTIONS_CUSTOMHANDLER_PORT");
    if (!port || !*port) {
        fprintf(stderr, "isoworker: FUNCTIONS_CUSTOMHANDLER_PORT is not set, by which the Azure "
                        "Functions host tells its handler where to listen; to try it by hand, give "
                        "--port\n");
        return NULL;
    }
    number = strtol(port, &end, 10);
    if (*end || number < 0 || number > 65535) {
        fprintf(stderr, "isoworker: \"%s\" is no port: that is a number from 0 to 65535\n", port);
        return NULL;
    }
    snprintf(out, size, "127.0.0.1:%ld", number);
    return out;
}

int iswi_cli_azure(int argc, char **argv)
{
    static const struct option rows[] = { { "custom-handler", no_argument, NULL, 'c' },
                                          { "forwarding", no_argument, NULL, 'f' },
                                          { "port", required_argument, NULL, 'p' },
                                          { "json", no_argument, NULL, 'j' },
                                          { "help", no_argument, NULL, 'h' },
                                          { NULL, 0, NULL, 0 } };
    isw_host_options host = ISW_HOST_OPTIONS_INIT;
    const char *addresses[2] = { NULL, NULL };
    const char *port = NULL;
    bool custom_handler = false;
    bool forwarding = false;
    char address[sizeof "127.0.0.1:65535"];
    int letter;
    int code;

    while ((letter = getopt_long(argc, argv, "", rows, NULL)) != -1) {
        if (letter == 'c')
            custom_handler = true;
        else if (letter == 'f')
            forwarding = true;
        else if (letter == 'p')
            port = optarg;
        else if (letter == 'j')
            host.json = 1;
        else if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        else
            return EX_USAGE;
    }
    if (!custom_handler || optind + 1 < argc) {
        fprintf(stderr, "isoworker: %s\n", custom_handler ? "azure takes one folder"
                                                          : "azure needs --custom-handler");
        return EX_USAGE;
    }
    addresses[0] = address_of(port, address, sizeof address);
    if (!addresses[0])
        return EX_USAGE;
    setvbuf(stdout, NULL, _IOLBF, 0);
    host.output = STDOUT_FILENO;
    host.addresses = addresses;
    host.folder = optind < argc ? argv[optind] : ".";
    iswi_cli_raise_limits();
    code = iswi_cli_reap_orphans();
    return code == ISWI_CLI_GO_ON ? serve(&host, forwarding) : code;
}
