/* SPDX-License-Identifier: Apache-2.0 */
#include "host/system/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool iswi_usage_cpu_ns(pid_t pid, int64_t *out)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return false;
    *out = used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
    return true;
}

/* "VmRSS:     1234 kB" in a file of such lines. */
static bool find(const char *text, const char *name, uint64_t *out)
{
    const char *at = strstr(text, name);

    if (!at)
        return false;
    *out = strtoull(at + strlen(name), NULL, 10) * 1024;
    return true;
}

bool iswi_usage_memory(pid_t pid, uint64_t *resident, uint64_t *peak)
{
    char path[32];
    char text[4096];
    uint64_t now;
    uint64_t most;
    ssize_t size;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    if (!find(text, "\nVmRSS:", &now) || !find(text, "\nVmHWM:", &most))
        return false;
    *resident = now;
    *peak = most;
    return true;
}
