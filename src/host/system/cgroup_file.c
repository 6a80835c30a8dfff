/* SPDX-License-Identifier: Apache-2.0 */
#include "host/system/cgroup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool iswi_cgroup_path(const char *folder, const char *name, char path[ISWI_CGROUP_BYTES])
{
    if (snprintf(path, ISWI_CGROUP_BYTES, "%s/%s", folder, name) < ISWI_CGROUP_BYTES)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

bool iswi_cgroup_write(const char *folder, const char *file, const char *text)
{
    char path[ISWI_CGROUP_BYTES];
    ssize_t put;
    int fd = iswi_cgroup_path(folder, file, path) ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    int failed;

    if (fd < 0)
        return false;
    put = write(fd, text, strlen(text));
    failed = errno;
    close(fd);
    errno = failed;
    return put == (ssize_t)strlen(text);
}

bool iswi_cgroup_read(const char *folder, const char *file, char *text, size_t size)
{
    char path[ISWI_CGROUP_BYTES];
    ssize_t got;
    int fd = iswi_cgroup_path(folder, file, path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd < 0)
        return false;
    got = read(fd, text, size - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got >= 0;
}
