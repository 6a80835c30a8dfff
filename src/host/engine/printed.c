/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What workers write to their standard output and error, line by line, with the invocation that
 * wrote it where only one can have. Invariant: whoever may have written what is read runs still, or
 * has ended since the pipe was last known to be empty. The supervisor reads; and as long as
 * functions print, whoever gets a response reads before the next invocation can begin, so that the
 * pipe is known to be empty then. Those that do not print soon cost nothing.
 */
#include "base/clock.h"
#include "base/text.h"
#include "host/engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum {
    LINE_MOST = 8192,
    READS_MOST = 16, /* of 4 KiB: what a pipe holds */
    SILENT_MOST = 1000 /* responses without output before it, and nobody looks any more */
};
#define WINDOW_NS INT64_C(50000000) /* by then the supervisor has read what was written */
#define HALF_LINE_NS INT64_C(200000000) /* that nobody ends is shown as it is */

void iswi_printing_init(iswi_printing *printing)
{
    pthread_mutex_init(&printing->lock, NULL);
}

void iswi_printing_fini(iswi_printing *printing)
{
    iswi_buffer_fini(&printing->output.line);
    iswi_buffer_fini(&printing->errors.line);
    pthread_mutex_destroy(&printing->lock);
}

void iswi_printing_begin(iswi_printing *printing)
{
    printing->words[0][0] = printing->words[1][0] = '\0'; /* nobody prints */
    atomic_store(&printing->lately, true);
}

/* -- Whose it is ------------------------------------------------------------------------------- */

static iswi_author author_of(iswi_process *process, int64_t quiet_ns)
{
    int64_t since_ns = iswi_now_ns() - WINDOW_NS;

    return iswi_process_only_author(process, since_ns > quiet_ns ? since_ns : quiet_ns);
}

static bool is_same(const iswi_author *one, const iswi_author *other)
{
    return one->function == other->function &&
           (!one->function || strcmp(one->invocation_id, other->invocation_id) == 0);
}

/* -- Lines; under the lock `printing` ---------------------------------------------------------- */

/* For whoever asks why it does not serve: what follows the reason does not take its place. */
static void keep_words(iswi_printing *printing, isw_str words)
{
    iswi_buffer safe = { 0 };
    const char *text;
    size_t size;

    if (*printing->words[1] && !iswi_may_be_reason(words))
        return;
    iswi_terminal_text(&safe, words);
    text = iswi_buffer_text(&safe);
    size = text ? strnlen(text, sizeof printing->words[0] - 1) : 0;
    while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
        size--; /* whole characters */
    for (size_t i = *printing->words[0] ? 1 : 0; i < 2; i++)
        snprintf(printing->words[i], sizeof printing->words[i], "%.*s", (int)size,
                 text ? text : "");
    iswi_buffer_fini(&safe);
}

static void show(iswi_process *process, iswi_printed *printed)
{
    bool errors = printed == &process->printing.errors;
    const iswi_host_function *function = printed->author.function;
    iswi_logline line = { .level = errors ? ISW_LOG_WARNING : ISW_LOG_INFO,
                          .time_us = iswi_wall_us(),
                          .source = isw_str_of(process->label),
                          .category = isw_str_of(errors ? "stderr" : "stdout"),
                          .message = { (const char *)printed->line.data, printed->line.size } };
    isw_named_value field;

    if (function) {
        field = isw_named("function", isw_value_string(function->name));
        line.function = isw_str_of(function->name);
        line.invocation_id = isw_str_of(printed->author.invocation_id);
        line.fields = &field;
        line.field_count = 1;
    }
    if (errors && printed->line.size)
        keep_words(&process->printing, line.message);
    if (printed->line.size && iswi_host_shows(process->host, line.level))
        iswi_log_line(process->host, &line, ISWI_SPEAKER_OTHERS);
    iswi_buffer_reset(&printed->line);
}

static void take(iswi_process *process, iswi_printed *printed, const char *bytes, size_t size,
                 const iswi_author *author)
{
    if (printed->line.size && !is_same(&printed->author, author))
        show(process, printed);
    if (!printed->line.size) {
        printed->author = *author;
        printed->since_ns = iswi_now_ns();
    }
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n')
            iswi_buffer_append(&printed->line, &bytes[i], 1);
        if (bytes[i] == '\n' || printed->line.size >= LINE_MOST || printed->line.failed)
            show(process, printed);
    }
    if (printed->line.size)
        iswi_host_wake_by(process->host, printed->since_ns + HALF_LINE_NS);
}

/* One read: a worker that never stops writing must not keep the supervisor. */
static bool read_once(iswi_process *process, iswi_printed *printed)
{
    int fd = printed == &process->printing.errors ? process->os.errors : process->os.output;
    int64_t before_ns = iswi_now_ns();
    char block[4096];
    ssize_t got = fd >= 0 ? read(fd, block, sizeof block) : -1;
    iswi_author author;

    if (got > 0) {
        author = author_of(process, printed->quiet_ns);
        process->printing.silent = 0;
        atomic_store_explicit(&process->printing.lately, true, memory_order_relaxed);
        take(process, printed, block, (size_t)got, &author);
    } else if (got == 0) {
        show(process, printed);
        iswi_host_unwatch(process->host, fd);
    }
    if (got < (ssize_t)sizeof block)
        printed->quiet_ns = before_ns;
    return got > 0;
}

/* -- For the others ---------------------------------------------------------------------------- */

bool iswi_printing_read(iswi_process *process, bool errors)
{
    bool more;

    pthread_mutex_lock(&process->printing.lock);
    more = read_once(process, errors ? &process->printing.errors : &process->printing.output);
    pthread_mutex_unlock(&process->printing.lock);
    return more;
}

static void read_all(iswi_process *process, iswi_printed *printed)
{
    for (int i = 0; i < READS_MOST && read_once(process, printed); i++)
        continue;
    if (printed->author.function) /* which ends now */
        show(process, printed);
}

void iswi_printing_drain(iswi_process *process)
{
    pthread_mutex_lock(&process->printing.lock);
    process->printing.silent++;
    read_all(process, &process->printing.output);
    read_all(process, &process->printing.errors);
    if (process->printing.silent > SILENT_MOST)
        atomic_store_explicit(&process->printing.lately, false, memory_order_relaxed);
    pthread_mutex_unlock(&process->printing.lock);
}

static void tend(iswi_process *process, iswi_printed *printed, int64_t now_ns, int64_t *next_ns)
{
    int64_t at_ns = printed->since_ns + HALF_LINE_NS;

    if (!printed->line.size)
        return;
    if (now_ns >= at_ns)
        show(process, printed);
    else if (at_ns < *next_ns)
        *next_ns = at_ns;
}

void iswi_printing_tend(iswi_process *process, int64_t now_ns, int64_t *next_ns)
{
    pthread_mutex_lock(&process->printing.lock);
    tend(process, &process->printing.output, now_ns, next_ns);
    tend(process, &process->printing.errors, now_ns, next_ns);
    pthread_mutex_unlock(&process->printing.lock);
}

void iswi_printing_end(iswi_process *process)
{
    iswi_printed *both[] = { &process->printing.output, &process->printing.errors };
    int *fds[] = { &process->os.output, &process->os.errors };

    pthread_mutex_lock(&process->printing.lock);
    for (int i = 0; i < 2; i++) {
        show(process, both[i]);
        iswi_host_close_watched(process->host, fds[i]);
    }
    pthread_mutex_unlock(&process->printing.lock);
}
