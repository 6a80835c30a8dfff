/* SPDX-License-Identifier: Apache-2.0 */
/* Two buffers: one is filled while the other is written. Invariant: the descriptor is the thread's
 * alone from its begin on. */
#include "host/system/log_file.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EVERY_MS = 200, AT_ONCE = 64 * 1024, PATIENCE_MS = 1000, SENTENCE_BYTES = 512 };

struct iswi_log_file {
    iswi_log_file_options options;
    char *path; /* NULL: standard error */
    int fd;
    bool is_file; /* a regular one */
    pthread_t thread;
    atomic_ullong lost;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    iswi_buffer coming;
    size_t crowded_out; /* lines for which there was no room */
    bool reopens, ends;

    /* The thread's own: */
    bool wrong;     /* lines are being lost, which is said */
    bool half_line; /* the last one was cut */
    uint64_t lost_now; /* since that was said */
};

/* -- The file ---------------------------------------------------------------------------------- */

/* False with errno, and what was open stays. */
static bool open_path(iswi_log_file *file)
{
    const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;
    int fd = file->path ? open(file->path, flags, 0640)
                        : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO);
    struct stat found;

    if (fd < 0)
        return false;
    if (file->fd >= 0)
        close(file->fd);
    file->fd = fd;
    file->is_file = fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
    return true;
}

static void say(iswi_log_file *file, bool wrong, const char *format, ...) ISW_PRINTF(3, 4);

static void say(iswi_log_file *file, bool wrong, const char *format, ...)
{
    char sentence[SENTENCE_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (file->options.say)
        file->options.say(file->options.user, wrong, sentence);
}

static const char *name_of(const iswi_log_file *file)
{
    return file->path ? file->path : "standard error";
}

static void lose(iswi_log_file *file, size_t count, const char *why)
{
    atomic_fetch_add(&file->lost, count);
    file->lost_now += count;
    if (file->wrong || !count)
        return;
    file->wrong = true;
    say(file, true, "lines for %s are lost, and counted, until it can be written again: %s",
        name_of(file), why);
}

static void go_on_writing(iswi_log_file *file)
{
    if (!file->wrong)
        return;
    file->wrong = false;
    say(file, false, "%s is written again; %llu lines were lost", name_of(file),
        (unsigned long long)file->lost_now);
    file->lost_now = 0;
}

/* Whether a write of PIPE_BUF bytes does not wait: files are for disks to take, but a pipe whose
 * reader has stopped must not hold up the end. */
static bool takes_bytes(const iswi_log_file *file)
{
    struct pollfd look = { .fd = file->fd, .events = POLLOUT };
    int ready;

    if (file->is_file)
        return true;
    do
        ready = poll(&look, 1, PATIENCE_MS);
    while (ready < 0 && errno == EINTR);
    if (ready == 0)
        errno = EAGAIN;
    return ready > 0;
}

/* As much as goes; the size of that. */
static size_t write_bytes(iswi_log_file *file, const unsigned char *bytes, size_t size)
{
    size_t done = 0;

    while (done < size && takes_bytes(file)) {
        size_t most = file->is_file || size - done < PIPE_BUF ? size - done : PIPE_BUF;
        ssize_t step = write(file->fd, bytes + done, most);

        if (step < 0 && errno == EINTR)
            continue;
        if (step <= 0)
            break;
        done += (size_t)step;
    }
    return done;
}

static size_t count_lines(const unsigned char *bytes, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++)
        count += bytes[i] == '\n';
    return count;
}

static void write_lines(iswi_log_file *file, const iswi_buffer *lines)
{
    size_t done;

    if (!lines->size)
        return;
    if (file->half_line && write_bytes(file, (const unsigned char *)"\n", 1) == 1)
        file->half_line = false;
    done = file->half_line ? 0 : write_bytes(file, lines->data, lines->size);
    if (done == lines->size) {
        go_on_writing(file);
        return;
    }
    file->half_line = file->half_line || (done && lines->data[done - 1] != '\n');
    lose(file, count_lines(lines->data + done, lines->size - done), strerror(errno));
}

/* One that cannot be opened leaves the old one: better there than nowhere. */
static void open_again(iswi_log_file *file)
{
    if (open_path(file))
        file->half_line = false;
    else
        say(file, true, "%s cannot be opened, and the file that was open is written on: %s",
            name_of(file), strerror(errno));
}

/* -- The thread -------------------------------------------------------------------------------- */

/* With the lock. Until there is enough, or the time is over, or somebody asks. */
static void wait_for_lines(iswi_log_file *file)
{
    struct timespec until;

    while (!file->coming.size && !file->crowded_out && !file->reopens && !file->ends)
        pthread_cond_wait(&file->changed, &file->lock);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += EVERY_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (file->coming.size < AT_ONCE && !file->reopens && !file->ends &&
           pthread_cond_timedwait(&file->changed, &file->lock, &until) == 0)
        ;
}

static void *run(void *user)
{
    iswi_log_file *file = user;
    iswi_buffer lines = { 0 };
    bool ends = false;

    iswi_thread_name("isw-log");
    while (!ends) {
        iswi_buffer empty = lines;
        size_t crowded_out;
        bool reopens;

        iswi_buffer_reset(&empty);
        pthread_mutex_lock(&file->lock);
        wait_for_lines(file);
        lines = file->coming;
        file->coming = empty;
        crowded_out = file->crowded_out;
        reopens = file->reopens;
        ends = file->ends;
        file->crowded_out = 0;
        file->reopens = false;
        pthread_mutex_unlock(&file->lock);
        write_lines(file, &lines);
        lose(file, crowded_out, "more come than it takes");
        if (reopens)
            open_again(file);
    }
    iswi_buffer_fini(&lines);
    return NULL;
}

/* -- Its life ---------------------------------------------------------------------------------- */

static void destroy(iswi_log_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    iswi_buffer_fini(&file->coming);
    pthread_cond_destroy(&file->changed);
    pthread_mutex_destroy(&file->lock);
    iswi_free(file->path);
    iswi_free(file);
}

static iswi_log_file *create(const iswi_log_file_options *options)
{
    iswi_log_file *file = iswi_calloc(1, sizeof *file);
    pthread_condattr_t monotonic;

    if (!file)
        return NULL;
    file->options = *options;
    file->fd = -1;
    pthread_mutex_init(&file->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&file->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    file->path = options->path ? iswi_strdup(options->path) : NULL;
    if (!options->path || file->path)
        return file;
    destroy(file);
    return NULL;
}

isw_status iswi_log_file_open(const iswi_log_file_options *options, iswi_log_file **out,
                              isw_error *error)
{
    iswi_log_file *file = create(options);
    sigset_t before;
    sigset_t all;
    int cause;

    if (!file)
        return isw_error_set(error, ISW_E_NO_MEMORY, "no memory for a log");
    if (!open_path(file)) {
        isw_error_set(error, ISW_E_IO, "%s cannot be opened: %s", name_of(file), strerror(errno));
        destroy(file);
        return ISW_E_IO;
    }
    sigfillset(&all); /* signals are the program's business */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    cause = pthread_create(&file->thread, NULL, run, file);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (cause) {
        destroy(file);
        return isw_error_set(error, ISW_E_NO_MEMORY, "no thread for a log");
    }
    *out = file;
    return ISW_OK;
}

void iswi_log_file_add(iswi_log_file *file, const void *lines, size_t size)
{
    bool wakes;

    pthread_mutex_lock(&file->lock);
    /* It sleeps until there is something, then until there is much. */
    wakes = !file->coming.size ||
            (file->coming.size < AT_ONCE && file->coming.size + size >= AT_ONCE);
    if (file->coming.size + size > ISWI_LOG_FILE_ROOM ||
        !iswi_buffer_append(&file->coming, lines, size)) {
        file->coming.failed = false;
        file->crowded_out += count_lines(lines, size);
    }
    if (wakes)
        pthread_cond_signal(&file->changed);
    pthread_mutex_unlock(&file->lock);
}

static void ask(iswi_log_file *file, bool *what)
{
    pthread_mutex_lock(&file->lock);
    *what = true;
    pthread_cond_signal(&file->changed);
    pthread_mutex_unlock(&file->lock);
}

void iswi_log_file_reopen(iswi_log_file *file)
{
    ask(file, &file->reopens);
}

uint64_t iswi_log_file_lost(const iswi_log_file *file)
{
    return atomic_load(&file->lost);
}

void iswi_log_file_close(iswi_log_file *file)
{
    if (!file)
        return;
    ask(file, &file->ends);
    pthread_join(file->thread, NULL);
    destroy(file);
}
