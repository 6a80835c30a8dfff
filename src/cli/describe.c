/* SPDX-License-Identifier: Apache-2.0 */
/* `isoworker describe`. */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/columns.h"
#include "host/operate/report.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { PATIENCE_S = 10 };

static const char usage[] =
    "usage: isoworker describe [--control PATH] [DIR] [FUNCTION]...\n"
    "       isoworker describe [--control PATH] -C DIR [FUNCTION]...\n"
    "\n"
    "Prints the functions of the host that runs in DIR (. by default), or those of these names,\n"
    "each with what triggers it, where its events come from, and the chain that is in force for it\n"
    "now; and, after a !, what of its outputs goes nowhere, and why. `WORKER --describe` says the same of a worker that does not run, `isoworker explain NAME`\n"
    "what a middleware does.\n"
    ISWI_CLIENT_FOLDER_USAGE
    ISWI_CLIENT_USAGE
    "\n"
    "Ends with status 69 when no host runs there, with 1 when a function is not there.\n";

static void print_function(const iswi_report_function *function)
{
    iswi_columns_text(function->name, stdout);
    printf("\n  worker   ");
    iswi_columns_text(function->worker ? function->worker : "-", stdout);
    printf("\n  trigger  ");
    iswi_columns_text(function->trigger ? function->trigger : "-", stdout);
    if (function->url)
        printf(" %s ", function->methods ? function->methods : "ANY");
    iswi_columns_text(function->url ? function->url : "", stdout);
    if (!function->url && function->where)
        printf("\n  where    "), iswi_columns_text(function->where, stdout);
    if (function->refused)
        printf("\n  not served: %s", function->refused);
    printf("\n  chain    ");
    for (size_t i = 0; i < function->chain_count; i++) {
        iswi_columns_text(function->chain[i], stdout);
        printf(" > ");
    }
    printf("handler\n");
    for (size_t i = 0; i < function->lost_count; i++) {
        printf("  ! ");
        iswi_columns_text(function->lost[i], stdout);
        printf("\n");
    }
    if (function->timeout_ms)
        printf("  timeout  %lld ms\n", (long long)function->timeout_ms);
}

static int print_named(const iswi_report_all *all, const char *name)
{
    for (size_t i = 0; i < all->function_count; i++) {
        if (strcmp(all->functions[i].name, name) == 0) {
            print_function(&all->functions[i]);
            return EX_OK;
        }
    }
    fprintf(stderr, "isoworker: the host has no function \"%s\"\n", name);
    return 1;
}

static int print_report(const iswi_report_all *all, char **names)
{
    int result = EX_OK;

    for (size_t i = 0; !*names && i < all->function_count; i++)
        print_function(&all->functions[i]);
    for (; *names; names++)
        if (print_named(all, *names) != EX_OK)
            result = 1;
    return result;
}

int iswi_cli_describe(int argc, char **argv)
{
    static const struct option options[] = {
        { "control", required_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    iswi_where where = { NULL, NULL };
    iswi_report_all all = { .host = { .pid = 0 } };
    FILE *from = NULL;
    iswi_arena arena;
    int letter;
    int result;

    while ((letter = iswi_cli_option(argc, argv, "C:", options, NULL)) != -1) {
        if (letter == 'c')
            where.control = optarg;
        else if (letter == 'C')
            where.folder = optarg;
        else if (letter == 'h')
            return fputs(usage, stdout) < 0 ? EX_IOERR : EX_OK;
        else
            return EX_USAGE;
    }
    if (!where.folder)
        where.folder = optind < argc ? argv[optind++] : ".";
    result = iswi_client_ask(&where, "{\"command\":\"status\"}\n", PATIENCE_S, &from);
    if (result != EX_OK)
        return result;
    iswi_arena_init(&arena, 64 * 1024);
    result = iswi_client_answer(from, &arena, iswi_report_fields, &all);
    if (result == EX_OK)
        result = print_report(&all, argv + optind);
    iswi_arena_fini(&arena);
    fclose(from);
    return result;
}
