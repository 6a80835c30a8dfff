/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker status`. */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/columns.h"
#include "host/operate/report.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

enum { PATIENCE_S = 10 };

static const char usage[] =
    "usage: isoworker status [DIR | -C DIR] [--json] [--watch] [--control PATH]\n"
    "\n"
    "Asks the host that runs in DIR (. by default) for its workers and functions.\n"
    "  --json          as one JSON object\n"
    "  --watch         again each second, until Ctrl-C\n"
    ISWI_CLIENT_FOLDER_USAGE
    ISWI_CLIENT_USAGE
    "\n"
    "  PID        in process: it runs in the host's (isolation: none), whose memory stands there\n"
    "  STATE      starting, loading, ready, unhealthy (as its application says, and why stands\n"
    "             below), leaving, ending, restarting, given up\n"
    "  LANE       how frames travel: ring (shared memory) or message\n"
    "  IN FLIGHT  invocations there, of those that the worker takes at most\n"
    "  WAITING    those of them that wait for a thread, as of the last heartbeat; of a function,\n"
    "             calls that wait for a process (queue in host.yaml)\n"
    "  CPU        time of a processor that it has used; MEMORY what is resident of its own and of\n"
    "             what it shares, now\n"
    "  !          what is not as the files say: a YAML that was refused, or waits for a start\n"
    "  MEAN       from an invocation to its answer, LAST the same of the last one\n"
    "\n"
    "Ends with status 69 when no host runs there.\n";

/* -- Numbers for people ------------------------------------------------------------------------ */

static const char *span(iswi_arena *arena, int64_t ms)
{
    long long s = ms / 1000;
    const char *text;

    if (ms < 1000)
        text = iswi_arena_printf(arena, "%lld ms", (long long)ms);
    else if (s < 60)
        text = iswi_arena_printf(arena, "%llds", s);
    else if (s < 3600)
        text = iswi_arena_printf(arena, "%lldm%02llds", s / 60, s % 60);
    else if (s < 86400)
        text = iswi_arena_printf(arena, "%lldh%02lldm", s / 3600, s % 3600 / 60);
    else
        text = iswi_arena_printf(arena, "%lldd%02lldh", s / 86400, s % 86400 / 3600);
    return text ? text : "?";
}

static void duration_cell(iswi_columns *table, int64_t us)
{
    if (us == 0)
        iswi_columns_cell(table, "-");
    else if (us < 1000)
        iswi_columns_cell(table, "%lld us", (long long)us);
    else if (us < 10000000)
        iswi_columns_cell(table, "%.*f ms", us < 100000, (double)us / 1e3);
    else
        iswi_columns_cell(table, "%.1f s", (double)us / 1e6);
}

static void number_cell(iswi_columns *table, int64_t number)
{
    iswi_columns_cell(table, "%lld", (long long)number);
}

/* "-" for what does not run or has not been heard. */
static void pid_cell(iswi_columns *table, const iswi_report_process *process)
{
    if (process->pid && process->isolation && strcmp(process->isolation, "none") == 0)
        iswi_columns_cell(table, "in process");
    else if (process->pid)
        number_cell(table, process->pid);
    else
        iswi_columns_cell(table, "-");
}

static void memory_cell(iswi_columns *table, int64_t bytes)
{
    if (bytes)
        iswi_columns_cell(table, "%.1f MiB", (double)bytes / (1 << 20));
    else
        iswi_columns_cell(table, "-");
}

/* -- Tables ------------------------------------------------------------------------------------ */

/* What may hold a worker's own words. */
static void print_detail(const iswi_report_process *process)
{
    if (process->detail) {
        printf("  %s: ", process->process);
        iswi_columns_text(process->detail, stdout);
        printf("\n");
    }
    if (process->functions_unknown)
        printf("  %s: its functions are not known%s\n", process->process,
               strcmp(process->state, "given up") == 0
                   ? ", and paths without a function get 503"
               : strcmp(process->state, "awaited") == 0
                   ? " yet; requests for paths without a function wait for them until it is there"
                   : " yet; requests for paths without a function wait for them for as long as "
                     "queue.wait allows, and get 503 then");
}

/* What bounds it with what it took at most, and how the process before it ended. */
static void print_bounds(const iswi_report_process *process, iswi_arena *arena)
{
    if (process->limits)
        printf("  %s: %s; at most %.1f MiB of memory so far", process->process, process->limits,
               (double)process->peak_bytes / (1 << 20));
    if (process->limits && process->throttled_ms)
        printf(", has waited %s for cpu_limit", span(arena, process->throttled_ms));
    if (process->limits)
        printf("\n");
    if (!process->last_end || (process->detail && !process->pid))
        return; /* that says it */
    printf("  %s: ", process->process);
    if (process->last_end_pid)
        printf("pid %lld", (long long)process->last_end_pid);
    else
        printf("a process");
    printf(" ended %s ago (%s): ", span(arena, process->last_end_ago_ms), process->last_end_cause);
    iswi_columns_text(process->last_end, stdout);
    printf("\n");
}

/* Everywhere that triggers are found. */
static void print_addresses(const iswi_report_all *all)
{
    const char *between = "";

    for (size_t i = 0; i < all->trigger_count; i++)
        for (size_t j = 0; j < all->triggers[i].url_count; j++) {
            printf("%s", between);
            iswi_columns_text(all->triggers[i].urls[j], stdout);
            between = ", ";
        }
    if (!*between)
        printf("%s", all->host.url ? all->host.url : "no HTTP");
}

static void print_head(const iswi_report_all *all, iswi_arena *arena)
{
    const iswi_report_head *head = &all->host;

    printf("%s: %s, up %s, pid %lld, isoworker %s\n", head->folder ? head->folder : "?",
           head->state, span(arena, head->uptime_ms), (long long)head->pid,
           head->version ? head->version : "?");
    print_addresses(all);
    printf("%s%s: %lld in flight, %lld done, %lld of them failed",
           head->admin_url ? ", admin at " : "", head->admin_url ? head->admin_url : "", (long long)head->in_flight,
           (long long)head->invocations, (long long)head->failures);
    if (head->refused)
        printf(", %lld refused", (long long)head->refused);
    printf("\n\n");
}

/* Nothing of a queue that nobody has waited in. */
static void print_queue(const iswi_report_queue *queue, iswi_arena *arena)
{
    if (queue->waiting)
        printf("  %s: %lld of at most %lld call%s for a process, the first for %s\n",
               queue->worker, (long long)queue->waiting, (long long)queue->limit,
               queue->limit == 1 ? " waits" : "s wait", span(arena, queue->oldest_ms));
    if (queue->refused || queue->expired)
        printf("  %s: %lld call%s found no room to wait (queue.limit %lld), %lld no process in "
               "time (queue.wait %s)\n", queue->worker, (long long)queue->refused,
               queue->refused == 1 ? "" : "s",
               (long long)queue->limit, (long long)queue->expired, span(arena, queue->wait_ms));
}

/* Whoever forks its processes, or why nobody does. */
static void print_template(const iswi_report_template *template)
{
    printf("  %s: its template ", template->worker);
    if (template->pid)
        printf("(pid %lld, %.1f MiB) ", (long long)template->pid,
               (double)template->resident_bytes / (1 << 20));
    printf("is %s: it has forked %lld process%s, %lld %s spawned", template->state,
           (long long)template->forked, template->forked == 1 ? "" : "es",
           (long long)template->spawned, template->spawned == 1 ? "was" : "were");
    if (template->detail) {
        printf("; ");
        iswi_columns_text(template->detail, stdout);
    }
    printf("\n");
}

static void print_processes(const iswi_report_all *all, iswi_arena *arena)
{
    static const char *const heads[] = { "WORKER", ">PID", "STATE", "LANE", ">IN FLIGHT",
                                         ">WAITING", ">DONE", ">FAILED", ">RESTARTS", ">MEMORY",
                                         ">CPU", ">FUNCTIONS", NULL };
    iswi_columns table;

    iswi_columns_init(&table, arena, heads);
    for (size_t i = 0; i < all->process_count; i++) {
        const iswi_report_process *process = &all->processes[i];

        iswi_columns_row(&table);
        iswi_columns_cell(&table, "%s", process->process);
        pid_cell(&table, process);
        iswi_columns_cell(&table, "%s", process->state);
        iswi_columns_cell(&table, "%s", process->lane ? process->lane : "-");
        iswi_columns_cell(&table, "%lld/%lld", (long long)process->in_flight,
                          (long long)process->credit);
        number_cell(&table, process->waiting);
        number_cell(&table, process->invocations);
        number_cell(&table, process->failures);
        number_cell(&table, process->restarts);
        memory_cell(&table, process->resident_bytes);
        iswi_columns_cell(&table, "%.1f s", (double)process->cpu_ms / 1e3);
        number_cell(&table, process->functions);
    }
    iswi_columns_print(&table, stdout);
    iswi_columns_fini(&table);
    for (size_t i = 0; i < all->process_count; i++)
        print_detail(&all->processes[i]);
    for (size_t i = 0; i < all->process_count; i++)
        print_bounds(&all->processes[i], arena);
    for (size_t i = 0; i < all->template_count; i++)
        print_template(&all->templates[i]);
    for (size_t i = 0; i < all->queue_count; i++)
        print_queue(&all->queues[i], arena);
}

/* "GET /api/hello/{name}": where the host is stands above the table. */
static void where_cell(iswi_columns *table, const iswi_report_function *function,
                       const iswi_report_head *head)
{
    const char *url = function->url ? function->url : "-";
    size_t size = head->url ? strlen(head->url) : 0;

    if (size && strncmp(url, head->url, size) == 0)
        url += size;
    if (function->refused)
        iswi_columns_cell(table, "(not served: %s)", function->refused);
    else if (function->url || !function->where)
        iswi_columns_cell(table, "%s %s", function->methods ? function->methods : "ANY", url);
    else
        iswi_columns_cell(table, "%s", function->where);
}

static const char *chain_text(const iswi_report_function *function, iswi_arena *arena)
{
    const char *text = "";

    for (size_t i = 0; i < function->chain_count && text; i++)
        text = iswi_arena_printf(arena, "%s%s%s", text, i ? " > " : "", function->chain[i]);
    return text && *text ? text : "-";
}

static void print_functions(const iswi_report_all *all, iswi_arena *arena)
{
    static const char *const heads[] = { "FUNCTION", "WORKER", "TRIGGER", "WHERE", ">IN FLIGHT",
                                         ">WAITING", ">DONE", ">FAILED", ">REFUSED", ">MEAN",
                                         ">LAST", "CHAIN", NULL };
    iswi_columns table;

    iswi_columns_init(&table, arena, heads);
    for (size_t i = 0; i < all->function_count; i++) {
        const iswi_report_function *function = &all->functions[i];

        iswi_columns_row(&table);
        iswi_columns_cell(&table, "%s", function->name);
        iswi_columns_cell(&table, "%s", function->worker);
        iswi_columns_cell(&table, "%s", function->trigger ? function->trigger : "-");
        where_cell(&table, function, &all->host);
        number_cell(&table, function->in_flight);
        number_cell(&table, function->waiting);
        number_cell(&table, function->invocations);
        number_cell(&table, function->failures);
        number_cell(&table, function->refused_calls);
        duration_cell(&table, function->mean_us);
        duration_cell(&table, function->last_us);
        iswi_columns_cell(&table, "%s", chain_text(function, arena));
    }
    printf("\n");
    iswi_columns_print(&table, stdout);
    iswi_columns_fini(&table);
}

/* What is not as the files say. */
static void print_attention(const iswi_report_all *all)
{
    for (size_t i = 0; i < all->attention_count; i++) {
        printf("! ");
        iswi_columns_text(all->attention[i], stdout);
        printf("\n");
    }
    if (all->attention_count)
        printf("\n");
}

/* -- The command ------------------------------------------------------------------------------- */

static int show_json(FILE *from)
{
    char *line;
    size_t size;
    int result = iswi_client_line(from, &line, &size);

    if (result == EX_OK)
        printf("%.*s\n", (int)size, line);
    free(line);
    return result;
}

static int show_tables(FILE *from, bool over)
{
    iswi_report_all all = { .host = { .pid = 0 } };
    iswi_arena arena;
    int result;

    iswi_arena_init(&arena, 64 * 1024);
    result = iswi_client_answer(from, &arena, iswi_report_fields, &all);
    if (result == EX_OK) {
        if (over && isatty(STDOUT_FILENO))
            printf("\x1b[H\x1b[J"); /* over the last one */
        print_head(&all, &arena);
        print_attention(&all);
        print_processes(&all, &arena);
        if (all.function_count)
            print_functions(&all, &arena);
    }
    iswi_arena_fini(&arena);
    return result;
}

static int show(const iswi_where *where, bool json, bool over)
{
    FILE *from = NULL;
    int result = iswi_client_ask(where, "{\"command\":\"status\"}\n", PATIENCE_S, &from);

    if (result != EX_OK)
        return result;
    result = json ? show_json(from) : show_tables(from, over);
    fclose(from);
    fflush(stdout);
    return result;
}

int iswi_cli_status(int argc, char **argv)
{
    static const struct option options[] = {
        { "json", no_argument, NULL, 'j' },
        { "watch", no_argument, NULL, 'w' },
        { "control", required_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    bool json = false;
    bool watch = false;
    iswi_where where = { NULL, NULL };
    int letter;
    int result;

    while ((letter = iswi_cli_option(argc, argv, "C:", options, NULL)) != -1) {
        json = json || letter == 'j';
        watch = watch || letter == 'w';
        where.control = letter == 'c' ? optarg : where.control;
        where.folder = letter == 'C' ? optarg : where.folder;
        if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        if (letter == '?')
            return EX_USAGE;
    }
    if (!iswi_client_folder(argc, argv, optind, &where))
        return EX_USAGE;
    while ((result = show(&where, json, watch)) == EX_OK && watch)
        sleep(1);
    return result;
}
