/* SPDX-License-Identifier: Apache-2.0 */
/* `invoke`: one invocation from a shell, for those who want to see it in a debugger. */
#include "url/route_pattern.h"
#include "worker/program/crash.h"
#include "worker/program/program.h"
#include "worker/program/replay.h"
#include "worker/registry/call.h"

#include "base/alloc.h"
#include "base/logline.h"
#include "value/typed.h"

#include <isoworker/http.h>
#include <errno.h>
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

static bool read_stream(FILE *file, iswi_buffer *out)
{
    char block[65536];
    size_t got;

    while ((got = fread(block, 1, sizeof block, file)) > 0)
        iswi_buffer_append(out, block, got);
    return !ferror(file) && !out->failed;
}

static bool read_data(const char *text, iswi_buffer *out)
{
    FILE *file;
    bool ok;

    if (strcmp(text, "-") == 0)
        return read_stream(stdin, out);
    if (*text != '@')
        return iswi_buffer_append_text(out, text);
    file = fopen(text + 1, "rbe");
    if (!file) {
        fprintf(stderr, "--data: %s cannot be read: %s\n", text + 1, strerror(errno));
        return false;
    }
    ok = read_stream(file, out);
    fclose(file);
    return ok;
}

static bool add_pair(arguments *args, size_t kind, const char *text)
{
    const char *equals = strchr(text, '=');

    if (!equals)
        return false;
    args->pairs[kind][args->counts[kind]++] = (isw_pair){
        { text, (size_t)(equals - text) }, isw_str_of(equals + 1)
    };
    return true;
}

static const char *const kinds[] = { "--param", "--query", "--header" };

bool iswi_program_takes_value(const char *word)
{
    for (size_t kind = 0; kind < 3; kind++)
        if (strcmp(word, kinds[kind]) == 0)
            return true;
    return strcmp(word, "--method") == 0 || strcmp(word, "--data") == 0 ||
           strcmp(word, "--replay") == 0 || strcmp(word, "--without") == 0;
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
            return add_pair(args, kind, value);
    return false;
}

static isw_value input_of(const isw_function *function, arguments *args, isw_http *http)
{
    isw_value data = { .type = ISW_VALUE_NONE };
    const char *methods = function->trigger.methods;

    if (strcmp(function->trigger.type, "http") == 0) {
        http->method = args->method ? isw_str_of(args->method)
                                    : (isw_str){ methods ? methods : "",
                                                 methods ? strcspn(methods, " ,") : 0 };
        if (!http->method.size)
            http->method = isw_str_of("GET");
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

static void print_result(const isw_value *result)
{
    isw_bytes payload = isw_value_payload(result);
    iswi_buffer json = { 0 };

    if (result->type == ISW_VALUE_HTTP) {
        printf("HTTP %d\n", result->as.http->status);
        for (size_t i = 0; i < result->as.http->headers.count; i++) {
            const isw_pair *pair = &result->as.http->headers.items[i];

            printf("%.*s: %.*s\n", (int)pair->name.size, pair->name.data, (int)pair->value.size,
                   pair->value.data);
        }
        printf("\n");
    }
    if (payload.data) {
        fwrite(payload.data, 1, payload.size, stdout);
    } else if (result->type != ISW_VALUE_HTTP && result->type != ISW_VALUE_NONE) {
        iswi_json_value(&json, result);
        printf("%s\n", iswi_buffer_text(&json) ? iswi_buffer_text(&json) : "");
        iswi_buffer_fini(&json);
    }
}

/* "ISW_E_INVALID: no such order (order.missing, orders.c:41)", then a line for each cause. */
static void print_failure(const isw_failure *failure)
{
    const char *lead = "";

    for (; failure; failure = failure->cause) {
        const char *type = failure->type;
        const char *place = failure->place;

        fprintf(stderr, "%s%s: %s", lead, isw_status_name(failure->status), failure->message);
        if (*type || *place)
            fprintf(stderr, " (%s%s%s)", type, *type && *place ? ", " : "", place);
        fprintf(stderr, "\n");
        lead = "  because of ";
    }
}

static int show(isw_invocation *invocation)
{
    bool success = invocation->outcome == ISW_OUTCOME_SUCCESS;

    print_result(&invocation->result);
    if (invocation->failure.status != ISW_OK)
        print_failure(&invocation->failure);
    fflush(stdout);
    fprintf(stderr, "%s after %lld us\n", success ? "success" : "failed",
            (long long)invocation->duration_us);
    return success ? EX_OK : EX_SOFTWARE;
}

/* Under a host no invocation lacks what its route asks for. */
static bool has_params(const isw_function *function, const arguments *args)
{
    const char *route = function->trigger.route ? function->trigger.route : function->name;
    const isw_pairs given = { args->pairs[0], args->counts[0] };
    isw_error error = { ISW_OK, "" };
    iswi_route_pattern parsed;

    if (strcmp(function->trigger.type, "http") != 0 ||
        iswi_route_pattern_parse(route, &parsed, &error) != ISW_OK)
        return true;
    for (size_t i = 0; i < parsed.count; i++) {
        isw_str name = parsed.segments[i].text;
        size_t at = 0;
        const isw_pair *pair;

        if (parsed.segments[i].kind != ISWI_SEGMENT_PARAMETER)
            continue;
        while ((pair = isw_pairs_next(&given, NULL, &at)) && !isw_str_equal(pair->name, name))
            continue;
        if (pair)
            continue;
        fprintf(stderr, "the route of %s is %s: say what stands there with --param %.*s=TEXT\n",
                function->name, route, (int)name.size, name.data);
        return false;
    }
    return true;
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
    if (entry && !has_params(entry->function, args))
        return EX_USAGE;
    input = entry ? input_of(entry->function, args, &http) : isw_value_string("");
    if (isw_worker_invoke(worker, name, &input, &invocation, &error) != ISW_OK)
        return iswi_program_fail(&error);
    code = show(&invocation);
    isw_invocation_free(&invocation);
    return code;
}

/* -- What was recorded ------------------------------------------------------------------------- */

enum { EX_DIFFERS = 1 };

static bool was_cut_short(const iswi_replay *replay)
{
    return strcmp(replay->outcome, iswi_outcome_name(ISW_OUTCOME_CANCELLED)) == 0 ||
           strcmp(replay->status, isw_status_name(ISW_E_TIMEOUT)) == 0 ||
           strcmp(replay->status, isw_status_name(ISW_E_CANCELLED)) == 0;
}

static int tell(iswi_replay *replay, const isw_invocation *invocation)
{
    isw_map outputs = { invocation->outputs, invocation->output_count };
    iswi_buffer differences = { 0 };
    bool same;

    iswi_replay_compare(replay, invocation->outcome, &invocation->failure, &invocation->result,
                        &outputs, &differences);
    same = differences.size == 0;
    if (replay->body_cut)
        fprintf(stderr, "replay: the body was not recorded; the function got none\n");
    if (!same && was_cut_short(replay))
        fprintf(stderr,
                "replay: when it was recorded its time ran out or its caller left; a replay "
                "has no limits\n");
    fprintf(stderr, "replay: %s\n", same ? "the same as recorded" : "not as recorded:");
    if (!same)
        fputs(iswi_buffer_text(&differences), stderr);
    iswi_buffer_fini(&differences);
    return same ? EX_OK : EX_DIFFERS;
}

static int replay_one(isw_worker *worker, iswi_replay *replay)
{
    const iswi_entry *entry = iswi_worker_entry(worker, isw_str_of(replay->function));
    isw_error error = { ISW_OK, "" };
    isw_invocation invocation;
    isw_context *ctx;
    int code;

    if (!entry) {
        isw_error_set(&error, ISW_E_NOT_FOUND, "this worker has no function \"%s\"",
                      replay->function);
        return iswi_program_fail(&error);
    }
    replay->local.log = &iswi_local_log;
    ctx = iswi_local_begin(worker, entry, &replay->local);
    if (!ctx) {
        isw_error_set(&error, ISW_E_NO_MEMORY, "no memory for the invocation");
        return iswi_program_fail(&error);
    }
    iswi_local_fill(ctx, iswi_call_run(ctx), &invocation);
    iswi_context_after(ctx);
    show(&invocation);
    code = tell(replay, &invocation);
    isw_invocation_free(&invocation);
    return code;
}

/* Of `--without`: a name that no chain has would leave out nothing, in silence. */
static bool all_known(isw_worker *worker, const isw_option_strings *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (!iswi_registry_find(&worker->registry, names->items[i])) {
            fprintf(stderr, "--without %s: this worker has no such middleware\n", names->items[i]);
            return false;
        }
    return true;
}

static int replay_file(isw_worker *worker, const char *path, isw_option_strings without)
{
    isw_error error = { ISW_OK, "" };
    iswi_replay replay;
    isw_status status;
    int code = iswi_program_configure(worker);

    if (code != EX_OK)
        return code;
    if (worker->settings.crash_report)
        iswi_crash_install();
    if (!all_known(worker, &without))
        return EX_USAGE;
    status = iswi_replay_open(&replay, path, &error);
    replay.local.without = without;
    code = status == ISW_OK ? replay_one(worker, &replay) : iswi_program_fail(&error);
    iswi_replay_close(&replay);
    return code;
}

/* --replay FILE [--without NAME]... */
static int replay(isw_worker *worker, int argc, char **argv)
{
    isw_option_strings without = { iswi_calloc((size_t)argc, sizeof(char *)), 0 };
    int code = without.items && argc > 1 && argc % 2 == 0 ? EX_OK : EX_USAGE;

    for (int i = 2; code == EX_OK && i < argc; i += 2) {
        if (strcmp(argv[i], "--without") == 0)
            without.items[without.count++] = argv[i + 1];
        else
            code = EX_USAGE;
    }
    if (code == EX_OK)
        code = replay_file(worker, argv[1], without);
    else
        fprintf(stderr, "invoke --replay FILE [--without MIDDLEWARE]...\n");
    iswi_free(without.items);
    return code;
}

int iswi_program_invoke(isw_worker *worker, int argc, char **argv)
{
    arguments args = { .counts = { 0 } };
    int code = EX_OK;

    if (strcmp(argv[0], "--replay") == 0)
        return replay(worker, argc, argv);
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
