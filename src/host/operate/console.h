/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISWI_HOST_OPERATE_CONSOLE_H
#define ISWI_HOST_OPERATE_CONSOLE_H

/* What the host shows: log lines of its own, of workers and of invocations, and the table of
 * functions. Any thread; lines never mix. Where nobody reads, lines are dropped, and
 * counted when somebody reads again. */
#include "base/logline.h"
#include "host/operate/journal.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct iswi_console {
    pthread_mutex_t lock;
    int fd; /* -1: nobody looks */
    atomic_bool json; /* it may become another, for the lines that follow */
    bool color;
    bool journald; /* it is systemd's journal, which has times itself and reads priorities */
    unsigned dropped;    /* lines, since nobody read them; with the lock */
    bool unread;         /* we waited for a reader in vain; with the lock */
    iswi_journal *journal; /* keeps every line, too; set before there are threads, may be NULL */
} iswi_console;

void iswi_console_init(iswi_console *console, int fd, bool json, bool color);
void iswi_console_fini(iswi_console *console);

/* One line. For one of the host's own it waits a moment for room, so that a worker's flood of lines
 * does not push it out; others are dropped if there is none. */
void iswi_console_line(iswi_console *console, const iswi_logline *line, bool own);

/* Text of the host's own as it is, for people; left out when machines read. */
void iswi_console_text(iswi_console *console, const char *text, size_t size);

#endif
