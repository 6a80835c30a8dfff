/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker azure` as a language worker. */
#include "cli/cli.h"
#include "cli/serve.h"
#include "host/azure/worker.h"
#include "host/triggers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

typedef struct words {
    const char *folder, *host, *port, *uri, *worker, *request, *length, *http;
} words;

/* Both forms of each, as hosts of several years say them. */
static const char **find(words *w, const char *name)
{
    const struct {
        const char *name, **to;
    } known[] = {
        { "host", &w->host },
        { "port", &w->port },
        { "functions-uri", &w->uri },
        { "workerId", &w->worker },
        { "functions-worker-id", &w->worker },
        { "requestId", &w->request },
        { "functions-request-id", &w->request },
        { "grpcMaxMessageLength", &w->length },
        { "functions-grpc-max-message-length", &w->length },
        { "http", &w->http },
    };
    const size_t size = strcspn(name, "=");

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].name) == size && strncmp(known[i].name, name, size) == 0)
            return known[i].to;
    return NULL;
}

/* A host of the next year may say more than is known here: that is passed over, with a word. False:
 * something is missing. */
static bool read_words(int argc, char **argv, words *w)
{
    for (int i = 1; i < argc; i++) {
        const bool is_option = strncmp(argv[i], "--", 2) == 0;
        const char **to = is_option ? find(w, argv[i] + 2) : NULL;
        const char *equals = strchr(argv[i], '=');

        if (!is_option && !w->folder)
            w->folder = argv[i];
        else if (!is_option)
            return fprintf(stderr, "isoworker: azure takes one folder\n") < 0;
        else if (!equals && i + 1 == argc)
            return fprintf(stderr, "isoworker: %s takes a value\n", argv[i]) < 0;
        else if (to)
            *to = equals ? equals + 1 : argv[++i];
        else {
            fprintf(stderr, "isoworker: %s is not known here, and passed over\n", argv[i]);
            i += !equals && strncmp(argv[i + 1], "--", 2) != 0;
        }
    }
    return true;
}

/* Where the Azure Functions host listens; NULL: nobody has said it. */
static const char *server_of(const words *w, char out[256])
{
    if (w->uri)
        return w->uri;
    if (!w->host || !w->port)
        return NULL;
    snprintf(out, 256, "%s:%s", w->host, w->port);
    return out;
}

static bool read_options(const words *w, char server[256], iswi_azure_options *out)
{
    char *end = "";
    long long length = w->length ? strtoll(w->length, &end, 10) : 0;

    out->server = server_of(w, server);
    out->setting = w->uri ? "--functions-uri" : "--host and --port";
    out->worker = w->worker;
    out->request = w->request ? w->request : "";
    out->message_max = length > 0 ? (uint64_t)length : 0;
    out->forwards = w->http && strcmp(w->http, "forward") == 0;
    if (!out->server || !out->worker)
        fprintf(stderr, "isoworker: the Azure Functions host starts this command, and says "
                "--functions-uri and --functions-worker-id\n");
    else if (w->length && (*end || length <= 0))
        fprintf(stderr, "isoworker: \"%s\" is no length of a message\n", w->length);
    else if (w->http && !out->forwards && strcmp(w->http, "message") != 0)
        fprintf(stderr, "isoworker: --http takes forward or message, and not \"%s\"\n", w->http);
    else
        return true;
    return false;
}

static int fail(const isw_error *error)
{
    fprintf(stderr, "isoworker: %s\n", error->message);
    return error->status == ISW_E_CONFIG      ? EX_USAGE
           : error->status == ISW_E_NO_MEMORY ? EX_OSERR
                                              : EX_UNAVAILABLE;
}

/* A process that was started before its app is known waits for that, with no host yet. */
static bool is_placeholder(void)
{
    const char *mode = getenv("WEBSITE_PLACEHOLDER_MODE");

    return mode && strcmp(mode, "1") == 0;
}

static int serve(iswi_azure *azure, const char *folder)
{
    static const char *const loopback[] = { "127.0.0.1:0", NULL };
    isw_host_options host = ISW_HOST_OPTIONS_INIT;
    const iswi_cli_serving serving = { .options = &host,
                                       .triggers = iswi_azure_triggers(azure),
                                       .sinks = iswi_azure_sinks(azure) };

    host.folder = folder;
    host.addresses = loopback;
    return iswi_cli_serve(&serving);
}

static int run(const iswi_azure_options *options, const char *folder)
{
    isw_error error = { ISW_OK, "" };
    iswi_azure *azure = NULL;
    int code = EX_OK;

    if (iswi_azure_open(options, &azure, &error) != ISW_OK)
        return fail(&error);
    if (is_placeholder()) {
        const char *app = NULL;

        if (iswi_azure_wait(azure, &app, &error) != ISW_OK)
            code = fail(&error);
        else if (iswi_azure_is_dismissed(azure))
            folder = NULL;
        folder = folder && app ? app : folder;
    }
    if (code == EX_OK && folder)
        code = serve(azure, folder);
    if (!iswi_azure_close(azure, &error) && code == EX_OK)
        code = fail(&error);
    return code;
}

int iswi_cli_azure_worker(int argc, char **argv)
{
    iswi_azure_options options = { .server = NULL, .others = iswi_azure_elsewhere_triggers };
    words given = { .folder = NULL };
    char server[256];
    int code;

    if (!read_words(argc, argv, &given) || !read_options(&given, server, &options))
        return EX_USAGE;
    setvbuf(stdout, NULL, _IOLBF, 0); /* for functions that print in this process */
    iswi_cli_raise_limits();
    code = iswi_cli_reap_orphans();
    return code == ISWI_CLI_GO_ON ? run(&options, given.folder ? given.folder : ".") : code;
}
