/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker queue`. */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/queue_show.h"
#include "host/operate/report.h"

#include "base/base64.h"
#include "base/text.h"
#include "config/scalar.h"
#include "value/value.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { PATIENCE_S = 60, BODY_MOST = 512 * 1024 };

static const char usage[] =
    "usage: isoworker queue list [QUEUE] [-C DIR] [--json]\n"
    "       isoworker queue peek QUEUE [--state STATE] [--id ID] [--key KEY] [--limit N] [--json]\n"
    "       isoworker queue dead QUEUE [--id ID] [--key KEY] [--limit N] [--json]\n"
    "       isoworker queue put QUEUE [BODY | -] [--type TYPE] [--id ID] [--key KEY]\n"
    "                 [--delay TIME] [--expires TIME] [--priority N]\n"
    "       isoworker queue replay QUEUE [--id ID] [--key KEY] [--older TIME] [--limit N]\n"
    "       isoworker queue purge QUEUE [--state STATE] [--id ID] [--key KEY] [--older TIME]\n"
    "       isoworker queue pause QUEUE\n"
    "       isoworker queue resume QUEUE\n"
    "\n"
    "Looks after the messages of the host that runs in DIR (. by default), wherever they lie: its\n"
    "`queues.store` is the host's alone. list shows the queues; peek the messages that live, dead\n"
    "those that had all their attempts, with the reason; put puts one (up to 524288 bytes, from\n"
    "standard input with -) and prints its id; replay has dead ones live again, as if they had\n"
    "never been tried; purge removes messages, without --state live and dead ones alike, but for\n"
    "those that a function has just now; pause keeps a queue's messages from functions until\n"
    "resume, also when the host is started again.\n"
    "  --state STATE   ready, delayed, claimed or dead; purge takes no claimed ones\n"
    "  --older TIME    that were put so long ago\n"
    "  --delay TIME    it is kept from functions for so long\n"
    "  --expires TIME  so long after it was put it is dead, if nobody has had it\n"
    "  --limit N       so many at most; peek and dead show 20 by default, 0 all\n"
    "  --type TYPE     its content type; by default text/plain, or application/octet-stream of\n"
    "                  what is no UTF-8 or holds a NUL; application/json is checked by nobody\n"
    "  --json          what the host says as lines of JSON: {\"queues\":[...]}; or a line with\n"
    "                  {\"messages\":[...]} for each message, and a last one, {\"done\":N,...}, with\n"
    "                  how many it were\n"
    "  -C DIR          the folder of the host\n"
    ISWI_CLIENT_USAGE
    "\n"
    "BYTES of list are those of bodies; on NATS those that the server stores, with what it has\n"
    "beside each body.\n"
    "A TIME is 250ms, 5s, 10m or 1h, and a plain number is one of seconds.\n"
    "Ends with status 65 when the host refuses, 74 when the disk of its messages does, 75 when\n"
    "their place cannot be reached now, and 69 when no host runs there.\n";

/* As messages.h of the host has it; NULL and 0: not said. */
typedef struct queue_wish {
    iswi_where where;
    int64_t action; /* iswi_messages_action */
    const char *queue, *id, *key, *state, *content_type;
    isw_bytes body; /* NULL: none */
    int64_t older_ms, limit, delay_ms, expires_ms, priority;
    bool json;
} queue_wish;

/* -- Asking ------------------------------------------------------------------------------------ */

/* Whether no line follows. */
static bool is_last(const queue_wish *wish, isw_str text)
{
    iswi_report_messages line = { .over = false };
    isw_error error = { ISW_OK, "" };
    isw_value value;
    iswi_arena arena;

    iswi_arena_init(&arena, 4096);
    if (iswi_json_parse(&arena, text, &value, &error) == ISW_OK)
        iswi_bind(&arena, &value, "", iswi_messages_fields, false, &line, &error);
    iswi_arena_fini(&arena);
    return line.over || wish->action == ISWI_MESSAGES_LIST;
}

/* Lines as they come. */
static int pass_on(const queue_wish *wish, FILE *from)
{
    int result = EX_OK;
    bool over = false;
    size_t size;
    char *line;

    while (!over && (result = iswi_client_line(from, &line, &size)) == EX_OK) {
        isw_str text = { line, size };

        result = iswi_client_pass(text);
        over = result != EX_OK || is_last(wish, text);
        free(line);
    }
    return result;
}

static void add_number(iswi_buffer *out, const char *name, int64_t number)
{
    if (number)
        iswi_buffer_printf(out, ",\"%s\":%lld", name, (long long)number);
}

static bool is_text(isw_bytes body)
{
    return iswi_utf8_valid(body.data, body.size) && !memchr(body.data, 0, body.size);
}

static void add_body(iswi_buffer *out, isw_bytes body)
{
    const bool text = is_text(body);

    iswi_buffer_append_text(out, text ? ",\"body\":" : ",\"body_base64\":\"");
    if (text) {
        iswi_json_string(out, (isw_str){ body.data, body.size });
        return;
    }
    iswi_base64_append(out, body);
    iswi_buffer_append_text(out, "\"");
}

static void write_request(const queue_wish *wish, iswi_buffer *out)
{
    const queue_wish *asked = wish;

    iswi_buffer_printf(out, "{\"command\":\"queue\",\"messages\":{\"action\":\"%s\"",
                       iswi_messages_actions[asked->action]);
    iswi_client_member(out, "queue", asked->queue);
    iswi_client_member(out, "id", asked->id);
    iswi_client_member(out, "key", asked->key);
    iswi_client_member(out, "state", asked->state);
    iswi_client_member(out, "content_type", asked->content_type);
    if (asked->body.data)
        add_body(out, asked->body);
    add_number(out, "older_ms", asked->older_ms);
    add_number(out, "limit", asked->limit);
    add_number(out, "delay_ms", asked->delay_ms);
    add_number(out, "expires_ms", asked->expires_ms);
    add_number(out, "priority", asked->priority);
    iswi_buffer_append_text(out, "}}\n");
    iswi_buffer_text(out);
}

static int ask(const queue_wish *wish)
{
    iswi_buffer request = { 0 };
    FILE *from = NULL;
    bool over = false;
    int result;

    write_request(wish, &request);
    if (request.failed)
        return EX_OSERR;
    result = iswi_client_ask(&wish->where, (const char *)request.data, PATIENCE_S, &from);
    iswi_buffer_fini(&request);
    if (result != EX_OK)
        return result;
    if (wish->json)
        result = pass_on(wish, from);
    while (!wish->json && !over)
        result = iswi_queue_show((iswi_messages_action)wish->action, wish->queue,
                                 !wish->state && !wish->id, from, &over);
    fclose(from);
    return result;
}

/* -- Words ------------------------------------------------------------------------------------- */

/* A number from `least` on. False: it is none, which is said. */
static bool read_number(const char *option, const char *text, int64_t least, int64_t *out)
{
    int64_t number;

    if (iswi_scalar_int(text, &number) || number < least) {
        fprintf(stderr, "isoworker: --%s takes a number from %lld on, not \"%s\"\n", option,
                (long long)least, text);
        return false;
    }
    *out = number;
    return true;
}

static bool read_time(const char *option, const char *text, int64_t *ms)
{
    const char *wrong = iswi_scalar_seconds(text, ms);

    if (wrong)
        fprintf(stderr, "isoworker: --%s takes " ISWI_SCALAR_SECONDS "; of \"%s\": %s\n", option,
                text, wrong);
    return !wrong;
}

static bool take_option(queue_wish *wish, const char *name, const char *value)
{
    queue_wish *asked = wish;

    if (strcmp(name, "state") == 0)
        asked->state = value;
    else if (strcmp(name, "id") == 0)
        asked->id = value;
    else if (strcmp(name, "key") == 0)
        asked->key = value;
    else if (strcmp(name, "type") == 0)
        asked->content_type = value;
    else if (strcmp(name, "control") == 0)
        wish->where.control = value;
    else if (strcmp(name, "json") == 0)
        wish->json = true;
    else if (strcmp(name, "older") == 0)
        return read_time(name, value, &asked->older_ms);
    else if (strcmp(name, "delay") == 0)
        return read_time(name, value, &asked->delay_ms);
    else if (strcmp(name, "expires") == 0)
        return read_time(name, value, &asked->expires_ms);
    else if (strcmp(name, "limit") == 0)
        return read_number(name, value, 0, &asked->limit);
    else
        return read_number(name, value, -100, &asked->priority);
    return true;
}

/* The message of `put`: a word, or all of standard input. The caller frees what it has. */
static int read_body(const char *word, isw_bytes *out)
{
    size_t size = 0;
    char *data = malloc(BODY_MOST + 1);

    if (!data)
        return EX_OSERR;
    if (!word || strcmp(word, "-") == 0)
        size = fread(data, 1, BODY_MOST + 1, stdin);
    else
        size = strlen(word) < BODY_MOST + 1 ? strlen(word) : BODY_MOST + 1;
    if (word && strcmp(word, "-") != 0 && size <= BODY_MOST)
        memcpy(data, word, size);
    *out = (isw_bytes){ data, size };
    if (size <= BODY_MOST)
        return EX_OK;
    fprintf(stderr, "isoworker: queue put takes up to %d bytes; a function puts up to 16 MiB\n",
            BODY_MOST);
    return EX_DATAERR;
}

static int find_action(queue_wish *wish, const char *word)
{
    for (int i = 0; word && iswi_messages_actions[i]; i++)
        if (strcmp(word, iswi_messages_actions[i]) == 0) {
            wish->action = i;
            return EX_OK;
        }
    fprintf(stderr, "isoworker: queue takes one of list, peek, dead, put, replay, purge, pause, "
            "resume; `isoworker queue --help` says more\n");
    return EX_USAGE;
}

static int ask_words(queue_wish *wish, int argc, char **argv, bool limited)
{
    bool puts;
    int result = find_action(wish, argc > 0 ? argv[0] : NULL);

    if (result != EX_OK)
        return result;
    puts = wish->action == ISWI_MESSAGES_PUT;
    wish->queue = argc > 1 ? argv[1] : NULL;
    if (argc > (puts ? 3 : 2) || (!wish->queue && wish->action != ISWI_MESSAGES_LIST)) {
        fprintf(stderr, "isoworker: queue %s takes the name of a queue%s\n", argv[0],
                puts ? " and one message" : " alone");
        return EX_USAGE;
    }
    if (!limited && (wish->action == ISWI_MESSAGES_PEEK ||
                     wish->action == ISWI_MESSAGES_DEAD))
        wish->limit = 20;
    if (puts) {
        result = read_body(argc > 2 ? argv[2] : NULL, &wish->body);
        if (result == EX_OK && !wish->content_type)
            wish->content_type = is_text(wish->body) ? "text/plain" : "application/octet-stream";
    }
    if (result == EX_OK)
        result = ask(wish);
    free((void *)wish->body.data);
    return result;
}

int iswi_cli_queue(int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },
        { "state", required_argument, NULL, 'o' },
        { "id", required_argument, NULL, 'o' },
        { "key", required_argument, NULL, 'o' },
        { "type", required_argument, NULL, 'o' },
        { "control", required_argument, NULL, 'o' },
        { "json", no_argument, NULL, 'o' },
        { "older", required_argument, NULL, 'o' },
        { "delay", required_argument, NULL, 'o' },
        { "expires", required_argument, NULL, 'o' },
        { "limit", required_argument, NULL, 'o' },
        { "priority", required_argument, NULL, 'o' },
        { NULL, 0, NULL, 0 },
    };
    queue_wish wish = { .where = { ".", NULL } };
    bool limited = false;
    int index = 0;
    int letter;

    while ((letter = iswi_cli_option(argc, argv, "C:", options, &index)) != -1) {
        if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        else if (letter == 'C')
            wish.where.folder = optarg;
        else if (letter != 'o')
            return EX_USAGE;
        else if (!take_option(&wish, options[index].name, optarg))
            return EX_USAGE;
        limited = limited || (letter == 'o' && strcmp(options[index].name, "limit") == 0);
    }
    return ask_words(&wish, argc - optind, argv + optind, limited);
}
