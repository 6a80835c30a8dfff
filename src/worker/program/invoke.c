/* SPDX-License-Identifier: Apache-2.0 */
/* `invoke`: one invocation from a shell, for those who want to see it in a debugger. */
#include "url/route_pattern.h"
#include "worker/program/crash.h"
#include "worker/program/local.h"
#include "worker/program/program.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/given.h"

#include <isoworker/http.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* Pairs that the command line gives as NAME=VALUE. */
typedef struct arguments {
    isw_pair *pairs[3]; /* params, query, headers */
    size_t counts[3];
    const char *method;
    iswi_buffer data;
    bool has_data;
} arguments;

static const char *const kinds[] = { "--param", "--query", "--header" };

bool iswi_program_takes_value(const char *word)
{
    for (size_t kind = 0; kind < 3; kind++)
        if (strcmp(word, kinds[kind]) == 0)
            return true;
    return strcmp(word, "--method") == 0 || strcmp(word, "--data") == 0 ||
           strcmp(word, "--replay") == 0 || strcmp(word, "--without") == 0;
}

static bool read_data(const char *word, iswi_buffer *out)
{
    isw_error error = { ISW_OK, "" };

    if (iswi_given_data(word, out, &error) == ISW_OK)
        return true;
    fprintf(stderr, "--data: %s\n", error.message);
    return false;
}

static bool parse_one(arguments *args, const char *name, const char *value)
{
    if (strcmp(name, "--method") == 0) {
        args->method = value;
        return true;
    }
    if (strcmp(name, "--data") == 0)
        return args->has_data = read_data(value, &args->data);
    for (size_t kind = 0; kind < 3; kind++)
        if (strcmp(name, kinds[kind]) == 0)
            return iswi_given_pair(value, &args->pairs[kind][args->counts[kind]]) &&
                   ++args->counts[kind];
    return false;
}

static isw_value input_of(const isw_function *function, arguments *args, isw_http *http)
{
    isw_value data = { .type = ISW_VALUE_NONE };
    const char *methods = function->trigger.methods;

    if (iswi_local_is_request(function)) {
        http->method = args->method ? isw_str_of(args->method)
                                    : (isw_str){ methods ? methods : "",
                                                 methods ? strcspn(methods, " ,") : 0 };
        if (!http->method.size)
            http->method = isw_str_of(strcmp(function->trigger.type, "http") == 0 ? "GET" : "POST");
        http->url = isw_str_of("/");
        http->params = (isw_pairs){ args->pairs[0], args->counts[0] };
        http->query = (isw_pairs){ args->pairs[1], args->counts[1] };
        http->headers = (isw_pairs){ args->pairs[2], args->counts[2] };
        http->body = (isw_bytes){ args->data.data, args->data.size };
        http->client = isw_str_of("127.0.0.1");
        data.type = ISW_VALUE_HTTP;
        data.as.http = http;
    } else if (args->has_data) {
        data.type = ISW_VALUE_STRING;
        data.as.string = (isw_str){ (const char *)args->data.data, args->data.size };
    }
    return data;
}

/* Under a host no invocation lacks what its route asks for. */
static bool has_params(const isw_function *function, const arguments *args)
{
    const char *route = function->trigger.route ? function->trigger.route : function->name;
    const isw_pairs given = { args->pairs[0], args->counts[0] };
    isw_error error = { ISW_OK, "" };
    iswi_route_pattern parsed;
    isw_str lacks;

    if (!iswi_local_is_request(function) ||
        iswi_route_pattern_parse(route, &parsed, &error) != ISW_OK)
        return true;
    lacks = iswi_route_pattern_lacks(&parsed, &given);
    if (lacks.size)
        fprintf(stderr, "the route of %s is %s: say what stands there with --param %.*s=TEXT\n",
                function->name, route, (int)lacks.size, lacks.data);
    return !lacks.size;
}

/* Nor what makes it an event. */
static bool is_event(const isw_function *function, const arguments *args)
{
    const isw_http http = { .headers = { args->pairs[2], args->counts[2] } };
    const char *lacks = iswi_local_event_lacks(function, &http);

    if (lacks)
        fprintf(stderr, "%s is given events: say what this one is with --header %s=%s\n",
                function->name, lacks, strcmp(lacks, "ce-specversion") == 0 ? "1.0" : "TEXT");
    return !lacks;
}

static int invoke(isw_worker *worker, const char *name, arguments *args)
{
    isw_error error = { ISW_OK, "" };
    isw_invocation invocation;
    isw_http http = { .status = 0 };
    isw_value input;
    const iswi_entry *entry;
    int code = iswi_program_configure(worker);

    if (code != EX_OK)
        return code;
    if (worker->settings.crash_report)
        iswi_crash_install();
    entry = iswi_worker_entry(worker, isw_str_of(name));
    if (entry && (!has_params(entry->function, args) || !is_event(entry->function, args)))
        return EX_USAGE;
    input = entry ? input_of(entry->function, args, &http) : isw_value_string("");
    if (isw_worker_invoke(worker, name, &input, &invocation, &error) != ISW_OK)
        return iswi_program_fail_to_run(worker, &error);
    code = iswi_program_show(&invocation);
    isw_invocation_free(&invocation);
    return code;
}

int iswi_program_invoke(isw_worker *worker, int argc, char **argv)
{
    arguments args = { .counts = { 0 } };
    int code = EX_OK;

    if (strcmp(argv[0], "--replay") == 0)
        return iswi_program_replay(worker, argc, argv);
    for (size_t kind = 0; kind < 3; kind++)
        args.pairs[kind] = iswi_calloc((size_t)argc, sizeof(isw_pair));
    for (int i = 1; code == EX_OK && i < argc; i += 2) {
        if (i + 1 < argc && parse_one(&args, argv[i], argv[i + 1]))
            continue;
        fprintf(stderr, "%s %s: not understood; --data TEXT|@FILE|-, --method M, --param N=V, "
                        "--query N=V, --header N=V\n", argv[i], i + 1 < argc ? argv[i + 1] : "");
        code = EX_USAGE;
    }
    if (code == EX_OK)
        code = invoke(worker, argv[0], &args);
    for (size_t kind = 0; kind < 3; kind++)
        iswi_free(args.pairs[kind]);
    iswi_buffer_fini(&args.data);
    return code;
}
