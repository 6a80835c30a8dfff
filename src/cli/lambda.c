/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker lambda`: the host as a runtime of AWS Lambda. */
#include "cli/cli.h"
#include "cli/serve.h"
#include "host/lambda/lambda.h"
#include "host/triggers.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] =
    "usage: isoworker lambda [DIR] [--json]\n"
    "       isoworker lambda package [DIR] [-o FILE.zip]\n"
    "\n"
    "Runs the workers of DIR/host.yaml as a custom runtime of AWS Lambda (provided.al2023), which\n"
    "calls them instead of clients: DIR is $LAMBDA_TASK_ROOT or . by default, and a program of this\n"
    "name, `bootstrap`, is the same. Functions need not be changed:\n"
    "  http    gets what comes by API Gateway, a function URL or a load balancer; routes, CORS and\n"
    "          problems are as under isoworker run, and nothing listens\n"
    "  cloudevents  of those requests the ones that are events, alone or as a batch\n"
    "  queue   gets batches of SQS, Kinesis and DynamoDB, by the name of the queue, the stream or\n"
    "          the table; those that fail are reported one by one (lambda.batch_failures). Also\n"
    "          notices of SNS and S3, by the name of the topic or the bucket: a message for each\n"
    "          record (text of SNS; the record of S3 as JSON), and all of them again if one fails.\n"
    "          By a rule, mail of SES likewise, and what EventBridge tells, whose detail is the body\n"
    "  timer   runs when a rule or a schedule of EventBridge of its name says so\n"
    "  call    gets the JSON of all else, and its result goes back as JSON\n"
    "lambda in host.yaml says which function gets which events where that is not enough; where only\n"
    "one function of the kind is there, it gets them by any name. What an invocation has besides is\n"
    "the function's as \"aws\" among the metadata of its trigger.\n"
    "\n"
    "Requests that functions put out (http, cloudevents) are sent behind their event, before the next\n"
    "is asked for, when Lambda would freeze the environment; at the event's deadline they are not\n"
    "waited for, nor are those that failed and are tried again later. Until they are out they lie in\n"
    "queues.store of host.yaml, as messages do that functions put into queues, and which nothing reads\n"
    "here: these are refused where the store is a file that goes with the environment, so let it be\n"
    "a server.\n"
    "\n"
    "Only $TMPDIR or /tmp can be written: relative paths of queues.store, http.access_log and outputs\n"
    "of the type file are below it. Certificates, addresses and sockets that host.yaml has for\n"
    "clients and operators are neither read nor opened, but for those of admin.\n"
    "\n"
    "Environment, as Lambda sets it:\n"
    "  AWS_LAMBDA_RUNTIME_API      HOST:PORT that is asked for events\n"
    "  AWS_LAMBDA_MAX_CONCURRENCY  events at a time, 1 without it\n"
    "  AWS_LAMBDA_LOG_FORMAT       JSON: as --json\n"
    "\n"
    "A worker that does not come to serve at the start is told as an error of the initialisation,\n"
    "and this ends, so that Lambda starts another environment. Later, one that ends is started again\n"
    "here, and what it had is answered as an error.\n"
    "  --json    logs as JSON lines instead of text\n"
    "\n"
    "package writes a zip file (function.zip) with all that Lambda needs: see\n"
    "`isoworker lambda package --help`.\n";

/* Unless it was Lambda that ended it. */
static void tell_failure(void *user, const isw_error *error)
{
    (void)user;
    if (error->status != ISW_E_CLOSED)
        iswi_lambda_tell_init_error(error);
}

static bool is_json(const char *format)
{
    return format && strcmp(format, "JSON") == 0;
}

int iswi_cli_lambda(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    isw_host_options host = ISW_HOST_OPTIONS_INIT;
    const iswi_cli_serving serving = { .options = &host,
                                       .triggers = iswi_lambda_triggers,
                                       .failed = tell_failure };
    const char *root = getenv("LAMBDA_TASK_ROOT");
    int letter;
    int code;

    if (argc > 1 && strcmp(argv[1], "package") == 0)
        argv[1] = (char *)"lambda package"; /* as it calls itself */
    if (argc > 1 && strcmp(argv[1], "lambda package") == 0)
        return iswi_cli_lambda_package(argc - 1, argv + 1);
    setvbuf(stdout, NULL, _IOLBF, 0); /* for functions that print in this process */
    host.output = STDOUT_FILENO;
    host.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    if (is_json(getenv("AWS_LAMBDA_LOG_FORMAT")))
        host.json = 1;
    while ((letter = iswi_cli_option(argc, argv, "", options, NULL)) != -1) {
        if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        if (letter != 'j')
            return EX_USAGE;
        host.json = 1;
    }
    if (optind + 1 < argc) {
        fprintf(stderr, "isoworker: lambda takes one folder\n");
        return EX_USAGE;
    }
    iswi_cli_raise_limits();
    code = iswi_cli_reap_orphans();
    host.folder = optind < argc ? argv[optind] : root && *root ? root : ".";
    return code == ISWI_CLI_GO_ON ? iswi_cli_serve(&serving) : code;
}
