/* SPDX-License-Identifier: Apache-2.0 */
/* What a person sees at the start: the table of functions, and where they are. On the supervisor's
 * thread. */
#include "base/clock.h"
#include "base/text.h"
#include "host/engine/look.h"
#include "host/engine/trigger.h"
#include "host/operate/operate.h"

#include <stdio.h>

enum { COLUMNS = 5 };

typedef struct row {
    const char *cells[COLUMNS];
} row;

static const char *place_of(const iswi_host *host, const iswi_host_function *function,
                            const iswi_function_look *look, iswi_arena *arena)
{
    iswi_entry_told told;

    if (look->refused)
        return iswi_arena_printf(arena, "(not served: %s)", look->refused);
    iswi_host_tell(host, function, arena, &told);
    return told.text ? told.text : "-";
}

static row row_of(iswi_host *host, const iswi_host_function *function, iswi_arena *arena)
{
    iswi_function_look look;

    iswi_function_look_at(function, &look);
    return (row){ { look.name, look.trigger_type, place_of(host, function, &look, arena),
                    iswi_function_worker(function), *look.chain ? look.chain : "-" } };
}

static void print_row(iswi_buffer *out, const row *cells, const size_t *widths)
{
    iswi_buffer_append_text(out, " ");
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *text = cells->cells[i] ? cells->cells[i] : "";
        size_t before = out->size;

        iswi_buffer_append_text(out, " ");
        iswi_terminal_text(out, isw_str_of(text));
        while (i + 1 < COLUMNS && out->size - before < widths[i] + 2 && !out->failed)
            iswi_buffer_append_text(out, " ");
    }
    iswi_buffer_append_text(out, "\n");
}

static void write_table(const row *rows, size_t count, iswi_buffer *out)
{
    size_t widths[COLUMNS] = { 0 };

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < COLUMNS; j++)
            if (rows[i].cells[j] && strlen(rows[i].cells[j]) > widths[j])
                widths[j] = strlen(rows[i].cells[j]);
    iswi_buffer_append_text(out, "\n");
    for (size_t i = 0; i < count; i++)
        print_row(out, &rows[i], widths);
    iswi_buffer_append_text(out, "\n");
}

static size_t count_functions(const iswi_host *host, size_t *served)
{
    iswi_function_look look;
    size_t count = 0;

    *served = 0;
    for (const iswi_host_function *at = iswi_host_newest_function(host); at;
         at = iswi_function_before(at)) {
        iswi_function_look_at(at, &look);
        *served += !look.refused;
        count++;
    }
    return count;
}

static void show_functions(iswi_operate *operate)
{
    static const row head = { { "FUNCTION", "TRIGGER", "URL", "WORKER", "CHAIN" } };
    size_t served;
    size_t count = count_functions(operate->host, &served);
    size_t left = count;
    iswi_buffer out = { 0 };
    iswi_arena arena;
    row *rows;

    iswi_arena_init(&arena, 16 * 1024);
    rows = count ? iswi_arena_calloc(&arena, count + 1, sizeof *rows) : NULL;
    if (rows) {
        rows[0] = head;
        for (const iswi_host_function *at = iswi_host_newest_function(operate->host); at && left;
             at = iswi_function_before(at))
            rows[left--] = row_of(operate->host, at, &arena);
        write_table(rows, count + 1, &out);
        iswi_console_text(&operate->console, (const char *)out.data, out.size);
    }
    iswi_buffer_fini(&out);
    iswi_arena_fini(&arena);
}

static bool some_are_known(const iswi_host *host)
{
    iswi_process_look look;

    for (size_t i = 0; i < iswi_host_worker_count(host); i++) {
        iswi_process_look_at(iswi_host_first_process(host, i), &look, NULL);
        if (look.functions_known && iswi_host_has_worker(host, i))
            return true;
    }
    return false;
}

/* Where its triggers are found: " at http://..., ..."; nothing where none has an address. */
static void write_addresses(const iswi_host *host, iswi_buffer *out)
{
    const char *lead = " at ";

    for (size_t i = 0; i < iswi_host_trigger_count(host); i++) {
        void *self;
        const iswi_trigger *trigger = iswi_host_trigger(host, i, &self);
        const char *address = trigger->address ? trigger->address(self, 0) : NULL;

        if (!trigger->address)
            continue;
        if (!address)
            iswi_buffer_printf(out, "%s(no %s)", lead, trigger->title);
        for (size_t j = 0; address; address = trigger->address(self, ++j))
            iswi_buffer_printf(out, "%s%s", j ? ", " : lead, address);
        lead = ", ";
    }
}

/* Shown at every level: who starts a host wants to know where it is. */
static void announce(iswi_operate *operate)
{
    const iswi_host *host = operate->host;
    iswi_logline line = { .level = ISW_LOG_INFO,
                          .time_us = iswi_wall_us(),
                          .source = isw_str_of("host") };
    iswi_buffer text = { 0 };
    size_t served;

    count_functions(host, &served);
    if (some_are_known(host))
        iswi_buffer_printf(&text, "%zu function%s", served, served == 1 ? "" : "s");
    else
        iswi_buffer_printf(&text, "no worker serves yet, they are %s;",
                           iswi_host_awaits(host) ? "awaited" : "tried again");
    write_addresses(host, &text);
    if (operate->admin)
        iswi_buffer_printf(&text, ", admin at %s", iswi_http_url(operate->admin, 0));
    iswi_buffer_append_text(&text, ", Ctrl-C ends");
    line.message = (isw_str){ (const char *)text.data, text.size };
    iswi_log_line(host, &line, ISWI_SPEAKER_HOST);
    iswi_buffer_fini(&text);
}

void iswi_greeting_show(iswi_operate *operate)
{
    if (operate->console.fd < 0)
        return; /* nobody is greeted */
    show_functions(operate);
    announce(operate);
}
