/* SPDX-License-Identifier: Apache-2.0 */
/* Files below a folder. The kernel's own resolution holds the path to the folder, whatever is
 * renamed meanwhile; comparing texts could not. */
#include "worker/http/file_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    FILE_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
    TRIES = 8 /* while somebody renames folders on the way */
};

static int not_there(void)
{
    errno = ENOENT;
    return -1;
}

static bool leaves(int error)
{
    return error == EXDEV || error == ELOOP;
}

int iswi_open_below(int root, const char *path)
{
    struct open_how how = { .flags = FILE_FLAGS,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int fd = -1;

    for (int i = 0; i < TRIES; i++) {
        fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN)
            break;
    }
    if (fd >= 0)
        return fd;
    if (errno == ENOSYS || errno == EPERM) /* an old kernel, or a filter that does not know it */
        return iswi_open_stepwise(root, path);
    return leaves(errno) ? not_there() : -1;
}

/* Open the next step of *path in `folder` and move behind it. *last: there is no other. */
static int open_step(int folder, const char **path, bool *last)
{
    char step[NAME_MAX + 1];
    size_t size = strcspn(*path, "/");

    if (size == 0 || size > NAME_MAX)
        return not_there();
    memcpy(step, *path, size);
    step[size] = '\0';
    if (strcmp(step, "..") == 0)
        return not_there();
    *path += size;
    *last = !**path;
    *path += strspn(*path, "/");
    return openat(folder, step, *last ? FILE_FLAGS | O_NOFOLLOW
                                      : O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

int iswi_open_stepwise(int root, const char *path)
{
    int folder = root;
    bool last = false;

    while (!last) {
        int next = open_step(folder, &path, &last);
        int error = errno;

        if (folder != root)
            close(folder);
        errno = error;
        if (next < 0)
            return leaves(error) || error == ENOTDIR ? not_there() : -1;
        folder = next;
    }
    return folder;
}
