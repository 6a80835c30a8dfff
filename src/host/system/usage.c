/* SPDX-License-Identifier: Apache-2.0 */
#include "host/system/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
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

/* FILE of process `pid`, as text. False: it is not there, or not for us. */
static bool read_file(pid_t pid, const char *file, char *text, size_t bytes)
{
    char path[96];
    ssize_t size;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size = read(fd, text, bytes - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    return size >= 0;
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
    char text[4096];
    uint64_t now;
    uint64_t most;

    if (!read_file(pid, "status", text, sizeof text) || !find(text, "\nVmRSS:", &now) ||
        !find(text, "\nVmHWM:", &most))
        return false;
    *resident = now;
    *peak = most;
    return true;
}

/* -- Descendants ------------------------------------------------------------------------------- */

enum { FAMILY_MAX = 256 };

typedef struct family {
    pid_t pids[FAMILY_MAX]; /* parents before their children */
    size_t count;
} family;

/* One that has not begun a program of its own yet lives in its parent's memory. */
static bool shares_memory(pid_t parent, pid_t child)
{
    return syscall(SYS_kcmp, parent, child, KCMP_VM, 0, 0) == 0;
}

static void add_children_of(family *all, pid_t parent, long task)
{
    char file[48];
    char text[4096];
    char *at = text;

    snprintf(file, sizeof file, "task/%ld/children", task);
    if (!read_file(parent, file, text, sizeof text))
        return;
    while (all->count < FAMILY_MAX) {
        char *end;
        long pid = strtol(at, &end, 10);

        if (end == at || *end == '\0') /* it may be cut */
            return;
        at = end;
        if (!shares_memory(parent, (pid_t)pid))
            all->pids[all->count++] = (pid_t)pid;
    }
}

static void add_all_of(family *all, pid_t parent)
{
    char path[32];
    const struct dirent *entry;
    DIR *tasks;

    snprintf(path, sizeof path, "/proc/%ld/task", (long)parent);
    tasks = opendir(path);
    while (tasks && (entry = readdir(tasks)) != NULL)
        if (*entry->d_name != '.')
            add_children_of(all, parent, strtol(entry->d_name, NULL, 10));
    if (tasks)
        closedir(tasks);
}

/* With what is shared by as many as share it. */
static uint64_t proportional(pid_t pid)
{
    char text[4096];
    uint64_t size = 0;
    uint64_t peak;

    if (!read_file(pid, "smaps_rollup", text, sizeof text) || !find(text, "\nPss:", &size))
        iswi_usage_memory(pid, &size, &peak);
    return size;
}

bool iswi_usage_family(pid_t pid, uint64_t edge, uint64_t *resident, uint64_t *peak)
{
    family all = { { pid }, 1 };
    uint64_t sum;

    if (!iswi_usage_memory(pid, &sum, peak))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        uint64_t own = 0;
        uint64_t most;

        add_all_of(&all, all.pids[i]);
        if (i > 0 && iswi_usage_memory(all.pids[i], &own, &most))
            sum += own;
    }
    if (all.count > 1 && sum >= edge) {
        sum = 0;
        for (size_t i = 0; i < all.count; i++)
            sum += proportional(all.pids[i]);
    }
    *resident = sum;
    return true;
}
