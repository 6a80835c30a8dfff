/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a small file whole. What is read never exceeds the limit, whatever the file's size was
 * when it was looked at. */
#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static isw_status read_all(int fd, size_t most, iswi_buffer *out, const char **why)
{
    size_t start = out->size;

    for (;;) {
        char piece[4096];
        ssize_t got = read(fd, piece, sizeof piece);

        if (got == 0)
            return ISW_OK;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            *why = strerror(errno);
            return ISW_E_IO;
        }
        if ((size_t)got > most - (out->size - start)) {
            *why = "it is too large";
            return ISW_E_TOO_LARGE;
        }
        if (!iswi_buffer_append(out, piece, (size_t)got)) {
            *why = "out of memory";
            return ISW_E_NO_MEMORY;
        }
    }
}

isw_status iswi_file_read(const char *path, size_t most, iswi_buffer *out, const char **why)
{
    /* Without O_NONBLOCK, opening a pipe would wait for its writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    isw_status status = ISW_E_IO;
    struct stat info;

    if (fd < 0) {
        *why = strerror(errno);
        return ISW_E_IO;
    }
    if (fstat(fd, &info) != 0)
        *why = strerror(errno);
    else if (!S_ISREG(info.st_mode))
        *why = S_ISDIR(info.st_mode) ? "it is a directory" : "it is not a regular file";
    else
        status = read_all(fd, most, out, why);
    close(fd);
    return status;
}
