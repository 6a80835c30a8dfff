/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker logs`. */
#include "base/logline.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "value/value.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: isoworker logs [DIR | -C DIR] [-f] [-n LINES] [--function F] [--category C]\n"
    "                      [--invocation ID] [--level L] [--json] [--control PATH]\n"
    "\n"
    "Shows the last log lines of the host that runs in DIR (. by default): its own, its workers',\n"
    "and those of invocations.\n"
    "  -f, --follow     and those that come, also of a host that takes its place, until Ctrl-C\n"
    "  -n LINES         at most so many of the lines that are there; all by default\n"
    "  --function F     of invocations of these functions: a pattern (* and ?)\n"
    "  --category C     of these categories: a pattern\n"
    "  --invocation ID  of one invocation: its id or how that begins\n"
    "  --level L        trace, debug, info, warning, error or critical, and what is above\n"
    "  --json           as JSON lines\n"
    "  -C DIR           the folder of the host, as DIR itself says it\n"
    ISWI_CLIENT_USAGE
    "\n"
    "A host keeps the last 1,000 lines (log_lines of host.yaml), of the levels that its own\n"
    "setting has. Ends with status 69 when no host runs there.\n";

typedef struct request {
    bool follow, json;
    const char *lines, *level, *function, *category, *invocation;
} request;

/* -- Lines ------------------------------------------------------------------------------------- */

typedef struct said {
    const char *time, *level, *source, *notice, *error, *status;
    isw_value category, invocation_id, message, fields;
    int64_t lost;
    bool succeeded;
} said;

static const isw_field said_fields[] = {
    { ISW_FIELD(STRING, said, time) },     { ISW_FIELD(STRING, said, level) },
    { ISW_FIELD(STRING, said, source) },   { ISW_FIELD(VALUE, said, category) },
    { ISW_FIELD(VALUE, said, message) },   { ISW_FIELD(VALUE, said, invocation_id) },
    { ISW_FIELD(VALUE, said, fields) },    { ISW_FIELD(INT, said, lost) },
    { ISW_FIELD(STRING, said, notice) },   { ISW_FIELD(STRING, said, error) },
    { ISW_FIELD(STRING, said, status) },   { ISW_FIELD(BOOL, said, succeeded) },
    { 0 },
};

static int64_t time_of(const char *text)
{
    struct tm parts = { .tm_isdst = 0 };
    int ms = 0;

    if (!text || sscanf(text, "%d-%d-%dT%d:%d:%d.%dZ", &parts.tm_year, &parts.tm_mon,
                        &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &ms) != 7)
        return 0;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    return (int64_t)timegm(&parts) * 1000000 + ms * 1000;
}

static isw_str text_of(const isw_value *value)
{
    return value->type == ISW_VALUE_STRING ? value->as.string : (isw_str){ "", 0 };
}

static void print_line(const said *line, bool color)
{
    iswi_logline log = { .time_us = time_of(line->time),
                         .source = isw_str_of(line->source),
                         .category = text_of(&line->category),
                         .message = text_of(&line->message),
                         .invocation_id = text_of(&line->invocation_id) };
    iswi_buffer text = { 0 };

    iswi_log_level_parse(isw_str_of(line->level), &log.level);
    if (line->fields.type == ISW_VALUE_MAP) {
        log.fields = line->fields.as.map.items;
        log.field_count = line->fields.as.map.count;
    }
    iswi_logline_text(&log, color, &text);
    fwrite(text.data, 1, text.size, stdout);
    iswi_buffer_fini(&text);
}

/* What is not a log line goes to stderr, so that what is piped on stays clean. *succeeded: another
 * host goes on. */
static int print(const request *asked, isw_str text, iswi_arena *arena, bool color, bool *succeeded)
{
    said line = { .lost = 0 };
    isw_error error = { ISW_OK, "" };
    isw_value value;

    if (iswi_json_parse(arena, text, &value, &error) != ISW_OK ||
        iswi_bind(arena, &value, "", said_fields, false, &line, &error) != ISW_OK) {
        fprintf(stderr, "isoworker: a line cannot be read: %s\n", error.message);
        return EX_OK;
    }
    *succeeded = *succeeded || line.succeeded;
    if (line.succeeded)
        return EX_OK;
    if (line.error)
        fprintf(stderr, "isoworker: %s\n", line.error);
    else if (line.notice)
        fprintf(stderr, "isoworker: %s\n", line.notice);
    else if (line.lost)
        fprintf(stderr, "isoworker: %lld line%s gone before %s could be read\n",
                (long long)line.lost, line.lost == 1 ? " was" : "s were",
                line.lost == 1 ? "it" : "they");
    else if (asked->json)
        printf("%.*s\n", (int)text.size, text.data);
    else
        print_line(&line, color);
    return line.error ? iswi_client_refused(line.status) : EX_OK;
}

static int print_all(const request *asked, FILE *from, bool *succeeded)
{
    bool color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    int result = EX_OK;
    iswi_arena arena;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t got;

    iswi_arena_init(&arena, 16 * 1024);
    while (result == EX_OK && (got = getline(&line, &capacity, from)) > 0) {
        isw_str text = { line, (size_t)got - (line[got - 1] == '\n') };

        result = print(asked, text, &arena, color, succeeded);
        if (asked->follow)
            fflush(stdout);
        iswi_arena_reset(&arena);
    }
    iswi_arena_fini(&arena);
    free(line);
    if (result == EX_OK && asked->follow)
        fprintf(stderr, "isoworker: the host has ended%s\n",
                *succeeded ? ", and another one has its place" : "");
    return result;
}

/* -- The command ------------------------------------------------------------------------------- */

static int ask(const iswi_where *where, const request *asked, bool *succeeded)
{
    iswi_buffer text = { 0 };
    FILE *from = NULL;
    int result = EX_OSERR;

    iswi_buffer_printf(&text, "{\"command\":\"logs\",\"follow\":%s",
                       asked->follow ? "true" : "false");
    if (asked->lines)
        iswi_buffer_printf(&text, ",\"lines\":%s", asked->lines);
    iswi_client_member(&text, "level", asked->level);
    iswi_client_member(&text, "function", asked->function);
    iswi_client_member(&text, "category", asked->category);
    iswi_client_member(&text, "invocation", asked->invocation);
    iswi_buffer_append_text(&text, "}\n");
    if (iswi_buffer_text(&text))
        result = iswi_client_ask(where, iswi_buffer_text(&text), 0, &from);
    iswi_buffer_fini(&text);
    if (result != EX_OK)
        return result;
    result = print_all(asked, from, succeeded);
    fclose(from);
    return result;
}

/* All lines of a host that follows the one that was asked. */
static int ask_all(const iswi_where *where, request *asked)
{
    bool succeeded;
    int result;

    do {
        succeeded = false;
        result = ask(where, asked, &succeeded);
        asked->lines = NULL;
    } while (result == EX_OK && asked->follow && succeeded);
    return result;
}

static bool is_number(const char *text)
{
    return *text && strlen(text) < 10 && text[strspn(text, "0123456789")] == '\0';
}

/* EX_OK: go on. */
static int take_option(int letter, request *asked)
{
    isw_log_level level;

    switch (letter) {
    case 'f':
        asked->follow = true;
        return EX_OK;
    case 'j':
        asked->json = true;
        return EX_OK;
    case 'F':
        asked->function = optarg;
        return EX_OK;
    case 'c':
        asked->category = optarg;
        return EX_OK;
    case 'i':
        asked->invocation = optarg;
        return EX_OK;
    case 'n':
        asked->lines = optarg;
        if (is_number(optarg))
            return EX_OK;
        fprintf(stderr, "isoworker: -n takes a number of lines\n");
        return EX_USAGE;
    case 'l':
        asked->level = optarg;
        if (iswi_log_level_parse(isw_str_of(optarg), &level) && level != ISW_LOG_NONE)
            return EX_OK;
        fprintf(stderr,
                "isoworker: --level takes trace, debug, info, warning, error or critical\n");
        return EX_USAGE;
    default:
        return EX_USAGE;
    }
}

int iswi_cli_logs(int argc, char **argv)
{
    static const struct option options[] = {
        { "follow", no_argument, NULL, 'f' },
        { "function", required_argument, NULL, 'F' },
        { "category", required_argument, NULL, 'c' },
        { "invocation", required_argument, NULL, 'i' },
        { "level", required_argument, NULL, 'l' },
        { "json", no_argument, NULL, 'j' },
        { "control", required_argument, NULL, 'o' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    request asked = { .follow = false };
    iswi_where where = { NULL, NULL };
    int letter;

    while ((letter = iswi_cli_option(argc, argv, "fn:C:", options, NULL)) != -1) {
        if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        if (letter == 'C')
            where.folder = optarg;
        else if (letter == 'o')
            where.control = optarg;
        else if (take_option(letter, &asked) != EX_OK)
            return EX_USAGE;
    }
    return iswi_client_folder(argc, argv, optind, &where) ? ask_all(&where, &asked) : EX_USAGE;
}
