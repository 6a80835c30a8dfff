/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `isoworker symbolize`: the report of a crash (src/worker/program/crash.c) on standard input, as
 * text for people. A process of its own, for what it reads is as broken as the worker was, and libdw
 * reads the worker's files by it.
 */
#include "cli/cli.h"

#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { FRAMES = 64, LINE_BYTES = 4352, TEXT_BYTES = 256 };

typedef struct report {
    int signal;
    bool has_address;
    uint64_t address;
    char function[TEXT_BYTES], invocation[TEXT_BYTES];
    uint64_t frames[FRAMES]; /* the first is where it happened, the others where calls return to */
    unsigned count;
    FILE *maps;
} report;

/* -- Reading ----------------------------------------------------------------------------------- */

static bool take_text(const char *line, const char *name, char *out)
{
    size_t size = strlen(name);

    if (strncmp(line, name, size) != 0)
        return false;
    snprintf(out, TEXT_BYTES, "%.*s", TEXT_BYTES - 1, line + size);
    return true;
}

static void take_frame(report *r, const char *text)
{
    uint64_t frame = strtoull(text, NULL, 16);

    if (frame && r->count < FRAMES)
        r->frames[r->count++] = frame;
}

static void take_line(report *r, const char *line)
{
    if (take_text(line, "function ", r->function) || take_text(line, "invocation ", r->invocation))
        return;
    if (strncmp(line, "signal ", 7) == 0)
        r->signal = (int)strtol(line + 7, NULL, 10);
    else if (strncmp(line, "place ", 6) == 0 && !r->count)
        r->frames[r->count++] = strtoull(line + 6, NULL, 16);
    else if (strncmp(line, "frame ", 6) == 0)
        take_frame(r, line + 6);
    else if (strncmp(line, "address ", 8) == 0) {
        r->address = strtoull(line + 8, NULL, 16);
        r->has_address = true;
    }
}

/* False: it is no report. */
static bool read_report(report *r)
{
    char line[LINE_BYTES];
    bool in_maps = false;

    if (!fgets(line, sizeof line, stdin) || strcmp(line, "isoworker crash 1\n") != 0)
        return false;
    r->maps = tmpfile();
    while (r->maps && fgets(line, sizeof line, stdin) && *line && strcmp(line, "end\n") != 0) {
        if (strcmp(line, "frames\n") == 0) {
            in_maps = false;
        } else if (in_maps) {
            fputs(line, r->maps);
        } else {
            line[strcspn(line, "\n")] = '\0';
            in_maps = strcmp(line, "maps") == 0;
            take_line(r, line);
        }
    }
    if (r->maps)
        rewind(r->maps);
    return r->maps != NULL;
}

/* -- Writing ----------------------------------------------------------------------------------- */

static void print_head(const report *r)
{
    const char *name = sigabbrev_np(r->signal);

    printf("%s%s", name ? "SIG" : "signal ", name ? name : "");
    if (!name)
        printf("%d", r->signal);
    if (r->has_address && strcmp(name ? name : "", "ABRT") != 0)
        printf(" at address 0x%" PRIx64, r->address);
    if (*r->function)
        printf(" in function %s, invocation %s", r->function, r->invocation);
    printf("\n");
}

/* The file of the source that the place comes from, and its line; NULL where nothing says so. Units
 * are asked one by one: clang writes no .debug_aranges, by which dwfl_module_getsrc finds them. */
static const char *source_of(Dwfl_Module *module, uint64_t place, int *row)
{
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit = NULL;

    while ((unit = dwfl_module_nextcu(module, unit, &bias)) != NULL) {
        Dwarf_Line *line = dwarf_haspc(unit, place - bias) > 0
                               ? dwarf_getsrc_die(unit, place - bias)
                               : NULL;

        if (line && dwarf_lineno(line, row) == 0)
            return dwarf_linesrc(line, NULL, NULL);
    }
    return NULL;
}

static void print_frame(Dwfl *dwfl, unsigned number, uint64_t place)
{
    Dwfl_Module *module = dwfl ? dwfl_addrmodule(dwfl, place) : NULL;
    const char *name = module ? dwfl_module_addrname(module, place) : NULL;
    int row = 0;
    const char *file = module ? source_of(module, place, &row) : NULL;
    const char *path = NULL;
    Dwarf_Addr start = 0;

    if (module)
        path = dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, NULL, NULL);
    printf("  #%-2u %s", number, name ? name : "??");
    if (file)
        printf(" at %s:%d\n", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, row);
    else if (path)
        printf(" in %s+0x%" PRIx64 "\n", path, place - start);
    else
        printf(" at 0x%" PRIx64 "\n", place);
}

int iswi_cli_symbolize(int argc, char **argv)
{
    static const Dwfl_Callbacks callbacks = { .find_elf = dwfl_linux_proc_find_elf,
                                              .find_debuginfo = dwfl_standard_find_debuginfo };
    report r = { .signal = 0 };
    Dwfl *dwfl;

    if (argc > 1) {
        fprintf(stderr, "isoworker: \"%s\" is not understood; symbolize reads standard input\n",
                argv[1]);
        return EX_USAGE;
    }
    if (!read_report(&r)) {
        fprintf(stderr, "isoworker: there is no report of a crash on standard input\n");
        return EX_DATAERR;
    }
    dwfl = dwfl_begin(&callbacks);
    if (dwfl && dwfl_linux_proc_maps_report(dwfl, r.maps) == 0)
        dwfl_report_end(dwfl, NULL, NULL);
    print_head(&r);
    for (unsigned i = 0; i < r.count; i++)
        print_frame(dwfl, i, r.frames[i] - (i > 0)); /* within the call, not behind it */
    if (dwfl)
        dwfl_end(dwfl);
    fclose(r.maps);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}
