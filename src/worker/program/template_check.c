/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a template from forking. Invariant: in doubt it does not. */
#include "worker/program/template.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMEDY "start it with the first call that needs it, as services of other lifetimes are made"

/* A folder of threads has a link for each, and two of its own. */
static bool has_one_thread(char *why)
{
    struct stat tasks;

    if (stat("/proc/self/task", &tasks) != 0) {
        snprintf(why, ISWI_TEMPLATE_WHY_BYTES, "its threads cannot be counted: /proc/self/task: %s",
                 strerror(errno));
        return false;
    }
    if (tasks.st_nlink == 3)
        return true;
    snprintf(why, ISWI_TEMPLATE_WHY_BYTES, "it has %lu threads before it serves, of which a fork "
             "keeps one; " REMEDY, (unsigned long)tasks.st_nlink - 2);
    return false;
}

static bool is_known(int fd, const int *known, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (known[i] == fd)
            return true;
    return fd <= STDERR_FILENO;
}

static void tell_descriptor(const char *name, char *why)
{
    char path[64];
    char target[256];
    ssize_t size;

    snprintf(path, sizeof path, "/proc/self/fd/%.20s", name);
    size = readlink(path, target, sizeof target - 1);
    target[size > 0 ? size : 0] = '\0';
    snprintf(why, ISWI_TEMPLATE_WHY_BYTES, "descriptor %s (%s) is open before it serves, which all "
             "its processes would share; " REMEDY, name, target);
}

static bool knows_all_descriptors(const int *known, size_t count, char *why)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *at;

    if (!folder) {
        snprintf(why, ISWI_TEMPLATE_WHY_BYTES, "its descriptors cannot be listed: /proc/self/fd: %s",
                 strerror(errno));
        return false;
    }
    *why = '\0';
    while (!*why && (at = readdir(folder)) != NULL) {
        int fd = *at->d_name == '.' ? dirfd(folder) : atoi(at->d_name);

        if (fd != dirfd(folder) && !is_known(fd, known, count))
            tell_descriptor(at->d_name, why);
    }
    closedir(folder);
    return !*why;
}

bool iswi_template_may_fork(const int *known, size_t count, char why[ISWI_TEMPLATE_WHY_BYTES])
{
    return has_one_thread(why) && knows_all_descriptors(known, count, why);
}
