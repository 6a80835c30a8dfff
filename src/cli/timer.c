/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker timer`. */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/columns.h"
#include "cli/timer.h"
#include "cli/timer_plan.h"
#include "value/value.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { WAIT_S = 60, PATIENCE_S = 10 };

static const char usage[] =
    "usage: isoworker timer list [DIR | -C DIR] [--json] [--control PATH]\n"
    "       isoworker timer run|pause|resume [DIR] FUNCTION [-C DIR] [--wait SECONDS] [--json]\n"
    "                       [--control PATH]\n"
    "\n"
    "Timers of the host that runs in DIR (. by default).\n"
    "  list    each with its schedule, its last run and its next five times, in its zone; where no\n"
    "          host runs, as the programs in host.yaml tell of them, without what was; of those\n"
    "          that are \"elsewhere\" another host with the same store has a run\n"
    "  run     run FUNCTION now, out of turn, and wait for the end; its schedule stays as it is\n"
    "  pause   begin no run of it, also after a restart of the host where its state is kept\n"
    "  resume  run it again, from its next time on; what passed meanwhile is not made up for\n"
    "  --wait SECONDS  wait for so long at most, 60 by default; the run goes on\n"
    "  --json          print what the host says, a line of JSON\n"
    ISWI_CLIENT_USAGE
    "\n"
    "Ends with status 70 when the run failed, 75 when it takes longer or cannot be begun now, 65 when\n"
    "the host refuses, and 69 when no host runs there; list with 78 then if a program cannot be\n"
    "asked.\n";

typedef struct words {
    iswi_where where;
    const char *verb, *function;
    long wait_s;
    bool json;
} words;

/* -- Printing ---------------------------------------------------------------------------------- */

static void print_error(const iswi_timer_told *timer)
{
    if (!timer->error)
        return;
    printf(": ");
    iswi_columns_text(timer->error, stdout);
}

/* Of one that has an end, how; of others, what becomes of them. */
static void print_outcome(const iswi_timer_told *timer)
{
    if (strcmp(timer->state, "running") == 0 || strcmp(timer->state, "elsewhere") == 0)
        printf("runs");
    else if (timer->again)
        printf("comes again at %s", timer->again);
    else
        printf("%s", timer->outcome ? timer->outcome : "has no end");
    if (timer->attempt > 1)
        printf(", attempt %lld", (long long)timer->attempt);
    if (timer->again || (timer->outcome && strcmp(timer->outcome, "success") != 0))
        print_error(timer);
}

static void print_last(const iswi_timer_told *timer)
{
    if (!timer->last)
        return;
    printf("  last     %s  ", timer->last);
    print_outcome(timer);
    printf("\n  counted  %lld runs, %lld of them failed, %lld left out\n", (long long)timer->runs,
           (long long)timer->failures, (long long)timer->missed);
}

static void print_timer(const iswi_timer_told *timer)
{
    iswi_columns_text(timer->function, stdout);
    printf("  \"");
    iswi_columns_text(timer->schedule, stdout);
    printf("\" %s  %s\n", timer->zone, timer->state);
    print_last(timer);
    if (timer->due)
        printf("  due      %s, and has not begun\n", timer->due);
    for (size_t i = 0; i < timer->next_count; i++)
        printf("  %s     %s\n", i ? "    " : "next", timer->next[i]);
}

static void print_all(const iswi_timers_told *told)
{
    if (!told->timer_count)
        puts("no function has a timer");
    for (size_t i = 0; i < told->timer_count; i++)
        print_timer(&told->timers[i]);
}

int iswi_timer_print_run(const iswi_timer_told *timer, long wait_s)
{
    if (timer->asked) {
        fprintf(stderr, "isoworker: %s has not ended after %ld seconds, and goes on\n",
                timer->function, wait_s);
        return EX_TEMPFAIL;
    }
    if (!timer->outcome || strcmp(timer->outcome, "success") != 0) {
        fprintf(stderr, "isoworker: %s %s: %s\n", timer->function,
                timer->outcome ? timer->outcome : "did not run",
                timer->error ? timer->error : "it is not said why");
        return EX_SOFTWARE;
    }
    printf("%s ran, due again at %s\n", timer->function,
           timer->next_count ? timer->next[0] : "no time");
    return EX_OK;
}

static int print_end(const words *asked, const iswi_timer_told *timer)
{
    if (strcmp(asked->verb, "run") == 0)
        return iswi_timer_print_run(timer, asked->wait_s);
    print_timer(timer);
    return timer->paused == (*asked->verb == 'p') ? EX_OK : EX_TEMPFAIL;
}

/* -- Asking ------------------------------------------------------------------------------------ */

static int pass_on(FILE *from)
{
    char *line;
    size_t size;
    int result = iswi_client_line(from, &line, &size);

    if (result != EX_OK)
        return result;
    result = iswi_client_pass((isw_str){ line, size });
    free(line);
    return result;
}

static int read_answer(FILE *from, const words *asked)
{
    iswi_timers_told told = { NULL, 0 };
    iswi_arena arena;
    int result;

    if (asked->json)
        return pass_on(from);
    iswi_arena_init(&arena, 4096);
    result = iswi_client_answer(from, &arena, iswi_timers_told_fields, &told);
    if (result == EX_OK && asked->function && told.timer_count == 1)
        result = print_end(asked, &told.timers[0]);
    else if (result == EX_OK)
        print_all(&told);
    iswi_arena_fini(&arena);
    return result;
}

static void print_json(const iswi_timers_told *told, iswi_arena *arena)
{
    isw_value value;
    isw_str text;

    if (iswi_unbind(arena, iswi_timers_told_fields, told, &value, NULL) == ISW_OK &&
        iswi_json_write(arena, &value, &text, NULL) == ISW_OK)
        printf("%.*s\n", (int)text.size, text.data);
}

/* No host runs: what is to come is known without one, and what was is not. */
static int plan(const words *asked)
{
    iswi_timers_told told = { NULL, 0 };
    iswi_arena arena;
    int result;

    iswi_arena_init(&arena, 64 * 1024);
    result = iswi_timer_plans(asked->where.folder, &arena, &told);
    if (told.timers && asked->json)
        print_json(&told, &arena);
    else if (told.timers && (told.timer_count || result == EX_OK))
        print_all(&told);
    if (!asked->json && told.timer_count)
        fprintf(stderr, "isoworker: no host runs in %s: these are times at which they would be due, "
                "if they are not paused\n", asked->where.folder);
    iswi_arena_fini(&arena);
    return result;
}

static int ask(const words *asked)
{
    iswi_buffer request = { 0 };
    FILE *from = NULL;
    int result;

    iswi_buffer_printf(&request, "{\"command\":\"trigger\",\"type\":\"timer\",\"wait_ms\":%ld",
                       asked->wait_s * 1000);
    iswi_client_member(&request, "verb", asked->verb);
    iswi_client_member(&request, "name", asked->function);
    iswi_buffer_append(&request, "}\n", sizeof "}\n");
    if (request.failed)
        return EX_OSERR;
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

static bool is_verb(const char *word)
{
    static const char *const verbs[] = { "list", "run", "pause", "resume" };

    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i], word) == 0)
            return true;
    fprintf(stderr, "isoworker: there is no \"timer %s\": there are list, run, pause and resume\n",
            word);
    return false;
}

/* VERB [DIR] [FUNCTION]; false, with a message. */
static bool read_words(int argc, char **argv, int index, words *out)
{
    int least, most;

    if (index == argc) {
        fputs(usage, stderr);
        return false;
    }
    out->verb = argv[index++];
    if (!is_verb(out->verb))
        return false;
    least = strcmp(out->verb, "list") == 0 ? 0 : 1;
    most = least + !out->where.folder;
    if (argc - index < least || argc - index > most) {
        fprintf(stderr, "isoworker: timer %s takes a folder, or none,%s\n", out->verb,
                least ? " and a function" : " and no more");
        return false;
    }
    if (argc - index > least)
        out->where.folder = argv[index++];
    else if (!out->where.folder)
        out->where.folder = ".";
    out->function = least ? argv[index] : NULL;
    return true;
}

int iswi_cli_timer(int argc, char **argv)
{
    static const struct option options[] = {
        { "wait", required_argument, NULL, 'w' }, { "json", no_argument, NULL, 'j' },
        { "control", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    words asked = { .wait_s = WAIT_S };
    int letter;

    while ((letter = iswi_cli_option(argc, argv, "C:", options, NULL)) != -1) {
        if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        else if (letter == 'C')
            asked.where.folder = optarg;
        else if (letter == 'c')
            asked.where.control = optarg;
        else if (letter == 'j')
            asked.json = true;
        else if (letter != 'w' || !iswi_client_wait(optarg, &asked.wait_s))
            return EX_USAGE;
    }
    if (!read_words(argc, argv, optind, &asked))
        return EX_USAGE;
    if (strcmp(asked.verb, "list") == 0 && !iswi_client_is_there(&asked.where))
        return plan(&asked);
    return ask(&asked);
}
