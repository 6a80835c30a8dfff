/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker azure`: the host as a part of the Azure Functions host. */
#include "cli/cli.h"
#include "cli/faults.h"
#include "cli/serve.h"
#include "host/azure/custom.h"
#include "host/azure/init.h"
#include "host/triggers.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] =
    "usage: isoworker azure [DIR] --functions-uri URL --functions-worker-id ID [...]\n"
    "       isoworker azure --custom-handler [--forwarding] [--port N] [--json] [DIR]\n"
    "       isoworker azure init [--custom-handler [--forwarding]] [--force] [DIR]\n"
    "\n"
    "Runs the workers of DIR/host.yaml (DIR is . by default) under the Azure Functions host, which\n"
    "starts this command. The functions are as they are under isoworker run.\n"
    "\n"
    "As its language worker it tells which functions there are, and gets calls, by the protocol\n"
    "FunctionRpc. http, queue and timer are httpTrigger, queueTrigger and timerTrigger there, events of\n"
    "cloudevents are requests of httpTrigger, and another type is its name with Trigger behind it.\n"
    "Outputs are bindings of their types; but http and cloudevents are sent from here, by `webhooks`\n"
    "and `queues` of host.yaml, as under isoworker run. A binding is called without what is no letter\n"
    "and no digit there: to_made is toMade. Where that host starts several processes, or has several\n"
    "machines, queues.store is to be one that hosts have together (postgresql, nats).\n"
    "  --functions-uri URL        where that host listens; or --host A --port N\n"
    "  --functions-worker-id ID   what it calls this process; or --workerId\n"
    "  --functions-request-id ID  what it calls its start; or --requestId\n"
    "  --functions-grpc-max-message-length N, or --grpcMaxMessageLength\n"
    "                             bytes of an answer at most. More than 128 MiB are refused anyhow,\n"
    "                             both ways\n"
    "  --http message             HTTP comes in messages, whole; so it is unless the other is said\n"
    "  --http forward             HTTP comes as its clients send it, to a port of the loopback\n"
    "                             address, with bodies and answers of any length\n"
    "A function of HTTP that fails with a status of 500 or more, and any other that fails, fails\n"
    "there. A process of a worker that ends is started again here, and its calls are answered at\n"
    "once. What is cancelled there is told to its function, and a request is answered at once. Give\n"
    "functionTimeout of host.json more than functions have here (host.function_timeout): behind its own\n"
    "that host waits 2 s, and then ends this whole process. Lines of the log go there; isoworker\n"
    "status, logs and describe are as ever.\n"
    "\n"
    "As its custom handler it is called over HTTP.\n"
    "  --custom-handler  calls come to 127.0.0.1 and the port of FUNCTIONS_CUSTOMHANDLER_PORT, as\n"
    "                    POST /NAME with Data and Metadata; they are answered with Outputs, Logs and\n"
    "                    ReturnValue\n"
    "  --forwarding      HTTP requests come as they are, at their routes: give it where host.json\n"
    "                    has enableForwardingHttpRequest. Bodies and answers may be binary then, and\n"
    "                    an answer may have several cookies\n"
    "  --port N          listen at this port instead, to try it by hand\n"
    "  --json            logs as JSON lines instead of text\n"
    "\n"
    "`init` writes into DIR what that host reads: host.json; worker.config.json of a language\n"
    "worker, whose functions tell of themselves, and NAME/function.json of each function of a custom\n"
    "handler; and local.settings.json where there is none. Files that say something else are left,\n"
    "and told, unless --force is given. Keys are not asked for there (authLevel anonymous): the chain\n"
    "of the worker does that. isoworker is to be in PATH there.\n"
    "\n"
    "What fails in a custom handler is answered with 400 or more, so that it fails there, too. Lines\n"
    "that a function logs are in Logs, and on standard output; of a call that fails there alone.\n"
    "Binding names are \"req\" and \"res\" of HTTP, \"message\" of a queue, \"timer\", \"trigger\" of\n"
    "others; outputs have their own. http.prefix of host.yaml (api) is to be routePrefix of\n"
    "host.json.\n"
    "\n"
    "Ends as isoworker run does; with 69 when the host that has started it is gone.\n";

static int serve(isw_host_options *options, bool forwarding)
{
    iswi_azure_custom *custom = iswi_azure_custom_create(forwarding, iswi_azure_other_triggers);
    iswi_cli_serving serving = { .options = options };
    int code;

    if (!custom)
        return EX_OSERR;
    serving.triggers = iswi_azure_custom_triggers(custom);
    serving.sinks = iswi_azure_custom_sinks(custom);
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

typedef struct words {
    isw_host_options host;
    bool custom_handler, forwarding, force;
    const char *port;
} words;

static bool take(int letter, words *w)
{
    switch (letter) {
    case 'c':
        return w->custom_handler = true;
    case 'f':
        return w->forwarding = true;
    case 'F':
        return w->force = true;
    case 'p':
        return (w->port = optarg) != NULL;
    case 'j':
        return (w->host.json = 1) != 0;
    default:
        return false;
    }
}

static int init(const words *w)
{
    const iswi_azure_init how = { w->host.folder, w->forwarding, w->force, !w->custom_handler,
                                  iswi_azure_other_triggers };
    iswi_faults faults = { .count = 0 };
    iswi_faults notes = { .count = 0 };
    iswi_buffer written = { NULL, 0, 0, false };
    bool right = iswi_azure_init_files(&how, &faults, &notes, &written);

    fputs(written.size && iswi_buffer_text(&written) ? iswi_buffer_text(&written) : "", stdout);
    if (right && !written.size)
        printf("nothing is written: all files say so already\n");
    iswi_faults_print(&notes);
    iswi_faults_print(&faults);
    iswi_buffer_fini(&written);
    return right ? EX_OK : EX_CONFIG;
}

static int handler(words *w)
{
    char address[sizeof "127.0.0.1:65535"];
    const char *addresses[2] = { address_of(w->port, address, sizeof address), NULL };
    int code;

    if (!addresses[0])
        return EX_USAGE;
    setvbuf(stdout, NULL, _IOLBF, 0);
    w->host.output = STDOUT_FILENO;
    w->host.addresses = addresses;
    iswi_cli_raise_limits();
    code = iswi_cli_reap_orphans();
    return code == ISWI_CLI_GO_ON ? serve(&w->host, w->forwarding) : code;
}

/* The host that starts one has its words behind ours. */
static bool is_language_worker(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "--functions-", 12) == 0 || strncmp(argv[i], "--workerId", 10) == 0)
            return true;
    return false;
}

int iswi_cli_azure(int argc, char **argv)
{
    static const struct option rows[] = { { "custom-handler", no_argument, NULL, 'c' },
                                          { "forwarding", no_argument, NULL, 'f' },
                                          { "force", no_argument, NULL, 'F' },
                                          { "port", required_argument, NULL, 'p' },
                                          { "json", no_argument, NULL, 'j' },
                                          { "help", no_argument, NULL, 'h' },
                                          { NULL, 0, NULL, 0 } };
    words w = { .host = ISW_HOST_OPTIONS_INIT };
    bool inits;
    int letter;

    if (is_language_worker(argc, argv))
        return iswi_cli_azure_worker(argc, argv);

    while ((letter = iswi_cli_option(argc, argv, "", rows, NULL)) != -1) {
        if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        if (!take(letter, &w))
            return EX_USAGE;
    }
    inits = optind < argc && strcmp(argv[optind], "init") == 0;
    optind += inits;
    if ((!w.custom_handler && !inits) || optind + 1 < argc) {
        fputs(w.custom_handler || inits
                  ? "isoworker: azure takes one folder\n"
                  : "isoworker: azure is started by the Azure Functions host, which says "
                    "--functions-uri and --functions-worker-id; or with --custom-handler\n", stderr);
        return EX_USAGE;
    }
    if (w.forwarding && !w.custom_handler) {
        fprintf(stderr, "isoworker: --forwarding is of a custom handler: give --custom-handler with "
                        "it\n");
        return EX_USAGE;
    }
    w.host.folder = optind < argc ? argv[optind] : ".";
    return inits ? init(&w) : handler(&w);
}
