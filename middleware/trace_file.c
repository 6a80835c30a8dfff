/* SPDX-License-Identifier: Apache-2.0 */
/* Adding lines to a file that is bounded and shared. Invariant: a file is turned over only by who
 * holds the lock on the one that has the name then, so that of several processes one does it. */
#include "trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_path(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

/* Whether what is open is what has the name. */
static bool is_current(const iswi_trace_file *file, struct stat *own)
{
    struct stat named;

    return fstat(file->fd, own) == 0 && stat(file->path, &named) == 0 &&
           own->st_dev == named.st_dev && own->st_ino == named.st_ino;
}

/* What cannot be opened again is written on where it is. */
static void reopen(iswi_trace_file *file)
{
    int fd = open_path(file->path);

    if (fd < 0)
        return;
    close(file->fd);
    file->fd = fd;
}

/* FILE.2 becomes FILE.3 and so on, and FILE becomes FILE.1; of what is not there nothing becomes.
 * Returns 0, or the errno for which FILE is still there. */
static int move_on(const iswi_trace_file *file)
{
    const size_t room = strlen(file->path) + 8;
    char *from = malloc(room);
    char *to = malloc(room);
    int failed = from && to ? 0 : -1;

    errno = ENOMEM;
    for (int64_t i = file->keep; from && to && i > 0; i--) {
        snprintf(to, room, "%s.%d", file->path, (int)i);
        if (i > 1)
            snprintf(from, room, "%s.%d", file->path, (int)i - 1);
        else
            snprintf(from, room, "%s", file->path);
        failed = rename(from, to);
    }
    if (from && to && file->keep == 0)
        failed = unlink(file->path);
    failed = failed ? errno : 0;
    free(from);
    free(to);
    return failed;
}

static bool has_room(const iswi_trace_file *file, const struct stat *own, size_t size)
{
    return !S_ISREG(own->st_mode) || own->st_size == 0 ||
           own->st_size + (int64_t)size <= file->most_bytes;
}

/* Turn the file over, unless another process has, meanwhile. Returns 0, or an errno. */
static int turn_over(iswi_trace_file *file, size_t size)
{
    struct stat own;
    int failure = 0;

    if (flock(file->fd, LOCK_EX) != 0)
        return errno;
    if (is_current(file, &own) && !has_room(file, &own, size))
        failure = move_on(file);
    flock(file->fd, LOCK_UN);
    reopen(file);
    return failure;
}

/* Rather lose a line than the bound: a file that cannot be turned over does not grow. */
static int add_line(iswi_trace_file *file, const char *line, size_t size)
{
    struct stat own;
    int failure = 0;
    ssize_t wrote;

    if (!is_current(file, &own)) {
        reopen(file);
        is_current(file, &own);
    }
    while (!failure && !has_room(file, &own, size)) {
        failure = turn_over(file, size);
        is_current(file, &own);
    }
    if (failure)
        return failure;
    do
        wrote = write(file->fd, line, size);
    while (wrote < 0 && errno == EINTR);
    if (wrote < 0)
        return errno;
    return (size_t)wrote == size ? 0 : ENOSPC;
}

int iswi_trace_file_write(iswi_trace_file *file, const char *line, size_t size)
{
    bool known;
    int failure;

    pthread_mutex_lock(&file->mutex);
    known = file->failing;
    failure = add_line(file, line, size);
    file->failing = failure != 0;
    pthread_mutex_unlock(&file->mutex);
    return known ? 0 : failure;
}

isw_status iswi_trace_file_open(iswi_trace_file *file, const char *path, int64_t most_bytes,
                                int64_t keep, isw_error *error)
{
    int fd = open_path(path);

    if (fd < 0)
        return isw_error_set(error, ISW_E_CONFIG, "%s: %s", path, strerror(errno));
    file->path = realpath(path, NULL);
    if (!file->path) {
        close(fd);
        return isw_error_set(error, ISW_E_NO_MEMORY, "%s: %s", path, strerror(errno));
    }
    file->most_bytes = most_bytes;
    file->keep = keep;
    file->fd = fd;
    file->failing = false;
    pthread_mutex_init(&file->mutex, NULL);
    return ISW_OK;
}

void iswi_trace_file_close(iswi_trace_file *file)
{
    close(file->fd);
    free(file->path);
    pthread_mutex_destroy(&file->mutex);
}
