/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to the terminal, each in one write. */
#include "host/console.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void iswi_console_init(iswi_console *console, int fd, bool json, bool color, isw_log_level level)
{
    *console = (iswi_console){ .fd = fd, .json = json, .color = color, .level = level };
    pthread_mutex_init(&console->lock, NULL);
}

void iswi_console_fini(iswi_console *console)
{
    pthread_mutex_destroy(&console->lock);
}

static void put(iswi_console *console, const void *bytes, size_t size)
{
    const char *at = bytes;

    pthread_mutex_lock(&console->lock);
    while (size) {
        ssize_t done = write(console->fd, at, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            break; /* nobody reads any more: nothing is left to tell */
        at += done;
        size -= (size_t)done;
    }
    pthread_mutex_unlock(&console->lock);
}

void iswi_console_line(iswi_console *console, const iswi_logline *line)
{
    iswi_buffer out = { 0 };

    if (console->json)
        iswi_logline_json(line, &out);
    else
        iswi_logline_text(line, console->color, &out);
    put(console, out.data, out.size);
    iswi_buffer_fini(&out);
}

void iswi_console_say(iswi_console *console, isw_log_level level, const char *format, ...)
{
    iswi_logline line = { .level = level, .source = isw_str_of("host") };
    char text[ISW_ERROR_MESSAGE_BYTES + 512];
    va_list args;

    if (level < console->level)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    line.time_us = iswi_wall_us();
    line.message = isw_str_of(text);
    iswi_console_line(console, &line);
}

void iswi_console_text(iswi_console *console, const char *text, size_t size)
{
    if (!console->json)
        put(console, text, size);
}
