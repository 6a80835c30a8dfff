/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to the terminal, each in one write. */
#include "host/operate/console.h"

#include "host/system/manager.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { PATIENCE_MS = 100 };

void iswi_console_init(iswi_console *console, int fd, bool json, bool color)
{
    *console = (iswi_console){ .fd = fd, .json = json, .color = color,
                                .journald = iswi_manager_logs(fd) };
    pthread_mutex_init(&console->lock, NULL);
}

void iswi_console_fini(iswi_console *console)
{
    pthread_mutex_destroy(&console->lock);
}

/* Whether a write of up to PIPE_BUF bytes would not block. */
static bool takes_bytes(int fd, int patience_ms)
{
    struct pollfd look = { .fd = fd, .events = POLLOUT };

    return poll(&look, 1, patience_ms) == 1 && (look.revents & POLLOUT);
}

/* With the lock. False when it is not written, or not wholly. */
static bool write_bytes(iswi_console *console, const char *at, size_t size, int patience_ms)
{
    while (size) {
        size_t step = size < PIPE_BUF ? size : PIPE_BUF;
        ssize_t done = takes_bytes(console->fd, patience_ms) ? write(console->fd, at, step) : 0;

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        size -= (size_t)done;
        patience_ms = PATIENCE_MS; /* a line that is begun is finished if that is possible */
    }
    return true;
}

static void put(iswi_console *console, const void *bytes, size_t size, bool own)
{
    bool patient;
    char notice[96];
    int length;

    if (console->fd < 0)
        return;
    pthread_mutex_lock(&console->lock);
    if (console->dropped && !console->json) {
        length = snprintf(notice, sizeof notice, "%s(%u line%s dropped since nobody read %s)\n",
                          console->journald ? "<4>" : "", console->dropped, console->dropped == 1 ? " was" : "s were",
                          console->dropped == 1 ? "it" : "them");
        if (write_bytes(console, notice, (size_t)length, 0))
            console->dropped = 0;
    }
    patient = own && !console->unread;
    if (write_bytes(console, bytes, size, patient ? PATIENCE_MS : 0)) {
        console->unread = false;
    } else {
        console->dropped++;
        console->unread = console->unread || patient;
    }
    pthread_mutex_unlock(&console->lock);
}

/* As who reads it wants it; `json` is the line as JSON, where that was made. */
static void write_line(const iswi_console *console, bool as_json, const iswi_logline *line,
                       const iswi_buffer *json, iswi_buffer *out)
{
    if (as_json && console->journald)
        iswi_logline_priority(line->level, out);
    if (as_json)
        iswi_buffer_append(out, json->data, json->size);
    else if (console->journald)
        iswi_logline_journald(line, out);
    else
        iswi_logline_text(line, console->color, out);
}

void iswi_console_line(iswi_console *console, const iswi_logline *line, bool own)
{
    iswi_buffer json = { 0 };
    iswi_buffer text = { 0 };
    bool as_json = atomic_load(&console->json);

    if (as_json || console->journal)
        iswi_logline_json(line, &json);
    if (console->journal && !json.failed)
        iswi_journal_add(console->journal, line, json.data, json.size);
    if (console->fd >= 0) {
        write_line(console, as_json, line, &json, &text);
        put(console, text.data, text.size, own);
    }
    iswi_buffer_fini(&json);
    iswi_buffer_fini(&text);
}

void iswi_console_text(iswi_console *console, const char *text, size_t size)
{
    if (!console->json)
        put(console, text, size, true);
}
