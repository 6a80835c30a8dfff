/* SPDX-License-Identifier: Apache-2.0 */
#include "store/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PID_SHIFT = 42 }; /* a process id has 22 bits at most */

#define BEGAN_MASK ((UINT64_C(1) << PID_SHIFT) - 1)

/* When it began, in clock ticks since the system did: the 22nd word of its stat, the 20th behind
 * its name. 0: it cannot be told, or is over. */
static uint64_t began(pid_t pid)
{
    char path[32];
    char text[1024];
    const char *at;
    ssize_t size;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    at = strrchr(text, ')');
    if (at && (at[2] == 'Z' || at[2] == 'X'))
        return 0;
    for (int i = 0; at && i < 20; i++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) & BEGAN_MASK : 0;
}

uint64_t iswi_holder_self(uint64_t known)
{
    if (known && (pid_t)(known >> PID_SHIFT) == getpid())
        return known;
    return (uint64_t)getpid() << PID_SHIFT | began(getpid());
}

bool iswi_holder_lives(uint64_t holder)
{
    pid_t pid = (pid_t)(holder >> PID_SHIFT);
    uint64_t now;

    if (pid <= 0 || (kill(pid, 0) != 0 && errno == ESRCH))
        return false;
    now = began(pid);
    return !(holder & BEGAN_MASK) || now == (holder & BEGAN_MASK) || (!now && errno == EACCES);
}
