/* SPDX-License-Identifier: Apache-2.0 */
/* What workers write to their standard output and error, line by line. */
#include "base/clock.h"
#include "host/engine.h"

#include <unistd.h>

static void show_line(iswi_process *process, bool errors, const char *text, size_t size)
{
    iswi_logline line = { .level = errors ? ISW_LOG_WARNING : ISW_LOG_INFO,
                          .time_us = iswi_wall_us(),
                          .source = isw_str_of(process->label),
                          .category = isw_str_of(errors ? "stderr" : "stdout"),
                          .message = { text, size } };

    if (size && line.level >= process->host->console.level)
        iswi_console_line(&process->host->console, &line);
}

/* One read: a worker that never stops writing must not keep the supervisor. */
bool iswi_process_read_output(iswi_process *process, bool errors)
{
    enum { LINE_MOST = 8192 };
    iswi_buffer *line = errors ? &process->errors_line : &process->output_line;
    int fd = errors ? process->os.errors : process->os.output;
    char block[4096];
    ssize_t got = read(fd, block, sizeof block);

    for (ssize_t i = 0; i < got; i++) {
        if (block[i] != '\n')
            iswi_buffer_append(line, &block[i], 1);
        if (block[i] == '\n' || line->size >= LINE_MOST || line->failed) {
            show_line(process, errors, (const char *)line->data, line->size);
            iswi_buffer_reset(line);
        }
    }
    if (got == 0 && line->size) {
        show_line(process, errors, (const char *)line->data, line->size);
        iswi_buffer_reset(line);
    }
    if (got == 0)
        iswi_host_unwatch(process->host, fd);
    return got > 0;
}
