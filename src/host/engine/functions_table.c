/* SPDX-License-Identifier: Apache-2.0 */
/* The table of functions that a person sees at the start. On the supervisor's thread. */
#include "base/alloc.h"
#include "base/text.h"
#include "host/engine/engine.h"

enum { COLUMNS = 5 };

typedef struct row {
    char *cells[COLUMNS];
} row;

static char *url_of(iswi_host *host, const iswi_host_function *function)
{
    const char *prefix = host->http_settings.prefix;

    if (function->refused)
        return iswi_arena_printf(&host->arena, "(not served: %s)", function->refused);
    return iswi_arena_printf(&host->arena, "%s %s%s%s/%s",
                             *function->methods ? function->methods : "ANY",
                             host->http ? iswi_http_url(host->http) : "", *prefix ? "/" : "",
                             prefix, function->route);
}

static row row_of(iswi_host *host, const iswi_host_function *function)
{
    const char *chain = atomic_load(&function->chain);
    row made = { { (char *)function->name, (char *)function->trigger_type, url_of(host, function),
                   (char *)function->pool->settings->name, *chain ? (char *)chain : (char *)"-" } };

    return made;
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

void iswi_functions_show(iswi_host *host)
{
    static const row head = { { "FUNCTION", "TRIGGER", "URL", "WORKER", "CHAIN" } };
    row *rows = iswi_calloc(host->function_count + 1, sizeof *rows);
    size_t widths[COLUMNS] = { 0 };
    iswi_buffer out = { 0 };

    if (!rows)
        return;
    rows[0] = head;
    for (size_t i = 0; i < host->function_count; i++)
        rows[i + 1] = row_of(host, host->functions[i]);
    for (size_t i = 0; i <= host->function_count; i++)
        for (size_t j = 0; j < COLUMNS; j++)
            if (rows[i].cells[j] && strlen(rows[i].cells[j]) > widths[j])
                widths[j] = strlen(rows[i].cells[j]);
    iswi_buffer_append_text(&out, "\n");
    for (size_t i = 0; i <= host->function_count; i++)
        print_row(&out, &rows[i], widths);
    iswi_buffer_append_text(&out, "\n");
    iswi_console_text(&host->console, (const char *)out.data, out.size);
    iswi_buffer_fini(&out);
    iswi_free(rows);
}
