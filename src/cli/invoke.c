/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker invoke`. */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/timer.h"
#include "host/operate/report.h"

#include "base/alloc.h"
#include "base/given.h"
#include "value/show.h"
#include "value/typed.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { WAIT_S = 60, PATIENCE_S = 10, REQUEST_MOST = 1024 * 1024 };

static const char usage[] =
    "usage: isoworker invoke FUNCTION [-C DIR] [--data TEXT|@FILE|-] [--type TYPE]\n"
    "                 [--method M] [--param NAME=VALUE] [--query NAME=VALUE]\n"
    "                 [--header NAME=VALUE] [--wait SECONDS] [--json] [--control PATH]\n"
    "\n"
    "Has the host that runs in DIR (. by default) run FUNCTION once, through its chain and whatever\n"
    "triggers it otherwise, and prints what came of it as `WORKER invoke` does.\n"
    "  FUNCTION             its name, or WORKER/NAME where two workers have one of that name\n"
    "  --data DATA          the text, what FILE has, or standard input with -: the body of a\n"
    "                       request, a message, or the value; up to some 700 KB\n"
    "  --type TYPE          its content type. By default text, or bytes where it is none; with\n"
    "                       application/json the value is JSON\n"
    "  --method M           of a request: by default the first one that FUNCTION takes\n"
    "  --param NAME=VALUE   what stands in its route for {NAME}; once or more, as are\n"
    "  --query NAME=VALUE\n"
    "  --header NAME=VALUE\n"
    "  --wait SECONDS       cancel it then, 60 by default\n"
    "  --json               print what the host says, a line of JSON, with the types of values\n"
    "  -C DIR               the folder of the host\n"
    ISWI_CLIENT_USAGE
    "\n"
    "A function of a queue gets a message that nobody keeps: whatever becomes of it, it is not tried\n"
    "again, and is no dead one. A timer is run as by `isoworker timer run`, never beside itself, and\n"
    "gets no data. What a function puts out goes where it goes otherwise.\n"
    "\n"
    "Ends with status 70 when the function fails, 75 when its time was over or nobody could take it\n"
    "now, 65 when the host refuses, and 69 when none runs there.\n";

enum { PARAMS, QUERY, HEADERS, PAIR_KINDS };

typedef struct wish {
    iswi_where where;
    const char *function, *type, *method;
    isw_pairs pairs[PAIR_KINDS];
    iswi_buffer data;
    bool has_data, json;
    long wait_s;
} wish;

/* -- Asking ------------------------------------------------------------------------------------ */

static isw_value data_of(const wish *asked)
{
    const isw_bytes data = { asked->data.data, asked->data.size };

    return asked->has_data ? iswi_body_value(data, isw_str_of(asked->type)) : isw_value_none();
}

static isw_status add_pairs(iswi_arena *arena, const char *name, const isw_pairs *pairs,
                            isw_named_value *members, size_t *count)
{
    if (!pairs->count)
        return ISW_OK;
    members[*count].name = isw_str_of(name);
    return iswi_typed_encode_pairs(arena, pairs, &members[(*count)++].value);
}

/* The event as JSON. */
static isw_status write_event(const wish *asked, iswi_arena *arena, isw_str *out, isw_error *error)
{
    static const char *const names[] = { "params", "query", "headers" };
    isw_named_value members[3 + PAIR_KINDS];
    isw_value data = data_of(asked);
    size_t count = 0;
    isw_status status = ISW_OK;
    isw_value event;

    if (asked->type)
        members[count++] = isw_named("content_type", isw_value_string(asked->type));
    if (asked->method)
        members[count++] = isw_named("method", isw_value_string(asked->method));
    for (size_t i = 0; status == ISW_OK && i < PAIR_KINDS; i++)
        status = add_pairs(arena, names[i], &asked->pairs[i], members, &count);
    if (status == ISW_OK && asked->has_data) {
        members[count].name = isw_str_of("data");
        status = iswi_typed_encode(arena, &data, &members[count++].value);
    }
    event = isw_value_map(members, count);
    return status == ISW_OK ? iswi_json_write(arena, &event, out, error) : status;
}

static int write_request(const wish *asked, iswi_buffer *out)
{
    isw_error error = { ISW_OK, "" };
    iswi_arena arena;
    isw_str event = { NULL, 0 };

    iswi_arena_init(&arena, 4096);
    if (write_event(asked, &arena, &event, &error) == ISW_OK) {
        iswi_buffer_printf(out, "{\"command\":\"invoke\",\"wait_ms\":%ld", asked->wait_s * 1000);
        iswi_client_member(out, "name", asked->function);
        iswi_buffer_append_text(out, ",\"event\":");
        iswi_buffer_append(out, event.data, event.size);
        iswi_buffer_append(out, "}\n", sizeof "}\n");
    }
    iswi_arena_fini(&arena);
    if (error.status == ISW_OK && out->size && !out->failed && out->size <= REQUEST_MOST)
        return EX_OK;
    fprintf(stderr, "isoworker: %s\n",
            error.status != ISW_OK ? error.message
            : out->size > REQUEST_MOST
                ? "that is more than a host takes in this way; send it as it comes otherwise: a "
                  "request by HTTP"
                : "no memory for that");
    return out->size > REQUEST_MOST ? EX_DATAERR : EX_OSERR;
}

/* -- Answers ----------------------------------------------------------------------------------- */

static void show_result(const isw_value *typed, iswi_arena *arena)
{
    isw_error error = { ISW_OK, "" };
    isw_value result;

    if (typed->type == ISW_VALUE_NONE)
        return;
    if (iswi_typed_decode(arena, typed, "result", &result, &error) != ISW_OK) {
        fprintf(stderr, "isoworker: %s\n", error.message);
        return;
    }
    iswi_value_show(&result, stdout);
}

static int conclude(const wish *asked, const iswi_report_invoked *invoked, iswi_arena *arena)
{
    bool success = !invoked->status;

    if (!asked->json) {
        show_result(&invoked->result, arena);
        if (invoked->status)
            fprintf(stderr, "%s: %s\n", invoked->status, invoked->message ? invoked->message : "");
        if (invoked->retry_after_ms)
            fprintf(stderr, "it asks for another try in %lld ms\n",
                    (long long)invoked->retry_after_ms);
        fprintf(stderr, "%s after %lld us\n", success ? "success" : "failed",
                (long long)invoked->took_us);
    }
    return success ? EX_OK : invoked->late || invoked->refused ? EX_TEMPFAIL : EX_SOFTWARE;
}

/* Of a timer the host says what it says of its runs. */
static bool is_of_timers(const isw_value *value)
{
    return value->type == ISW_VALUE_MAP && value->as.map.count &&
           isw_str_equal(value->as.map.items[0].name, isw_str_of("timers"));
}

static int conclude_run(const wish *asked, const iswi_timers_told *told)
{
    const iswi_timer_told *timer = told->timer_count == 1 ? &told->timers[0] : NULL;

    if (!timer)
        return EX_PROTOCOL;
    if (!asked->json)
        return iswi_timer_print_run(timer, asked->wait_s);
    return timer->asked                                                     ? EX_TEMPFAIL
           : timer->outcome && strcmp(timer->outcome, "success") == 0 ? EX_OK
                                                                            : EX_SOFTWARE;
}

static int understand(const wish *asked, isw_str line, iswi_arena *arena)
{
    iswi_report_invoked invoked = { .invocation_id = NULL };
    iswi_timers_told told = { NULL, 0 };
    isw_value value;
    int result = iswi_client_value(line, arena, &value);

    if (result != EX_OK)
        return result;
    if (asked->json)
        printf("%.*s\n", (int)line.size, line.data);
    if (is_of_timers(&value)) {
        result = iswi_client_bind(&value, arena, iswi_timers_told_fields, &told);
        return result == EX_OK ? conclude_run(asked, &told) : result;
    }
    result = iswi_client_bind(&value, arena, iswi_invoked_fields, &invoked);
    return result == EX_OK ? conclude(asked, &invoked, arena) : result;
}

static int read_answer(FILE *from, const wish *asked)
{
    iswi_arena arena;
    char *line;
    size_t size;
    int result = iswi_client_line(from, &line, &size);

    if (result != EX_OK)
        return result;
    iswi_arena_init(&arena, 4096);
    result = understand(asked, (isw_str){ line, size }, &arena);
    iswi_arena_fini(&arena);
    free(line);
    return result;
}

static int ask(const wish *asked)
{
    iswi_buffer request = { 0 };
    FILE *from = NULL;
    int result = write_request(asked, &request);

    if (result == EX_OK)
        result = iswi_client_ask(&asked->where, (const char *)request.data,
                                 (unsigned)asked->wait_s + PATIENCE_S, &from);
    iswi_buffer_fini(&request);
    if (result != EX_OK)
        return result;
    result = read_answer(from, asked);
    fclose(from);
    return result;
}

/* -- Words ------------------------------------------------------------------------------------- */


static int take_data(wish *asked, const char *word)
{
    isw_error error = { ISW_OK, "" };

    asked->has_data = true;
    iswi_buffer_reset(&asked->data);
    if (iswi_given_data(word, &asked->data, &error) == ISW_OK)
        return EX_OK;
    fprintf(stderr, "isoworker: --data: %s\n", error.message);
    return error.status == ISW_E_IO ? EX_NOINPUT : EX_OSERR;
}

static int take_pair(isw_pairs *pairs, const char *option, const char *word)
{
    isw_pair *items = (isw_pair *)pairs->items;

    if (iswi_given_pair(word, &items[pairs->count])) {
        pairs->count++;
        return EX_OK;
    }
    fprintf(stderr, "isoworker: --%s takes NAME=VALUE, not \"%s\"\n", option, word);
    return EX_USAGE;
}

static const struct option options[] = {
    { "param", required_argument, NULL, PARAMS }, { "query", required_argument, NULL, QUERY },
    { "header", required_argument, NULL, HEADERS }, { "data", required_argument, NULL, 'd' },
    { "type", required_argument, NULL, 't' }, { "method", required_argument, NULL, 'm' },
    { "wait", required_argument, NULL, 'w' }, { "json", no_argument, NULL, 'j' },
    { "control", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int take_option(wish *asked, int letter, int index, const char *word)
{
    switch (letter) {
    case PARAMS:
    case QUERY:
    case HEADERS:
        return take_pair(&asked->pairs[letter], options[index].name, word);
    case 'd':
        return take_data(asked, word);
    case 'w':
        return iswi_client_wait(word, &asked->wait_s) ? EX_OK : EX_USAGE;
    case 't':
        asked->type = word;
        return EX_OK;
    case 'm':
        asked->method = word;
        return EX_OK;
    case 'c':
        asked->where.control = word;
        return EX_OK;
    case 'C':
        asked->where.folder = word;
        return EX_OK;
    case 'j':
        asked->json = true;
        return EX_OK;
    default:
        return EX_USAGE;
    }
}

static int read_words(wish *asked, int argc, char **argv)
{
    int index = 0;
    int result = EX_OK;
    int letter;

    while (result == EX_OK && (letter = iswi_cli_option(argc, argv, "C:", options, &index)) != -1) {
        if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        result = take_option(asked, letter, index, optarg);
    }
    if (result != EX_OK)
        return result;
    if (argc - optind != 1) {
        fprintf(stderr, "isoworker: invoke takes the name of one function\n");
        return EX_USAGE;
    }
    asked->function = argv[optind];
    return ISWI_CLI_GO_ON;
}

int iswi_cli_invoke(int argc, char **argv)
{
    wish asked = { .where = { ".", NULL }, .wait_s = WAIT_S };
    int result = EX_OSERR;
    bool room = true;

    for (size_t i = 0; i < PAIR_KINDS; i++)
        room = (asked.pairs[i].items = iswi_calloc((size_t)argc, sizeof(isw_pair))) && room;
    if (room)
        result = read_words(&asked, argc, argv);
    if (result == ISWI_CLI_GO_ON)
        result = ask(&asked);
    for (size_t i = 0; i < PAIR_KINDS; i++)
        iswi_free((void *)asked.pairs[i].items);
    iswi_buffer_fini(&asked.data);
    return result;
}
