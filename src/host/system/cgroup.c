/* SPDX-License-Identifier: Apache-2.0 */
/* One group of cgroup v2: what it holds its processes to, and what they have used. */
#include "host/system/cgroup.h"

#include "host/system/cgroup_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PERIOD_US = 100000, QUOTA_MIN_US = 1000, NAME_BYTES = 64, TEXT_BYTES = 4096 };

bool iswi_cgroup_enter(const char *folder)
{
    return iswi_cgroup_write(folder, "cgroup.procs", "0");
}

bool iswi_cgroup_place(const char *folder, pid_t pid)
{
    char text[16];

    snprintf(text, sizeof text, "%ld", (long)pid);
    return iswi_cgroup_write(folder, "cgroup.procs", text);
}

/* -- Limits ------------------------------------------------------------------------------------ */

/* All that is in it ends together: a worker without one of its children is none. And swap is no
 * way around the limit, where there is some. */
static bool bound_memory(const char *folder, int64_t bytes)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)bytes);
    iswi_cgroup_write(folder, "memory.oom.group", "1");
    iswi_cgroup_write(folder, "memory.swap.max", "0");
    return iswi_cgroup_write(folder, "memory.max", text);
}

static bool bound_cpus(const char *folder, double cpus)
{
    long long quota_us = (long long)(cpus * PERIOD_US + 0.5);
    char text[64];

    snprintf(text, sizeof text, "%lld %d", quota_us < QUOTA_MIN_US ? QUOTA_MIN_US : quota_us,
             PERIOD_US);
    return iswi_cgroup_write(folder, "cpu.max", text);
}

bool iswi_cgroup_bound(const char *folder, const iswi_cgroup_limits *limits)
{
    char pids[32];

    snprintf(pids, sizeof pids, "%lld", (long long)limits->pids);
    return (!limits->memory_bytes || bound_memory(folder, limits->memory_bytes)) &&
           (limits->cpus == 0 || bound_cpus(folder, limits->cpus)) &&
           (!limits->pids || iswi_cgroup_write(folder, "pids.max", pids));
}

/* -- Beginning and end ------------------------------------------------------------------------- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Names of files of the kernel have a dot, ours have none. */
static void name_of(const char *text, unsigned number, char out[NAME_BYTES])
{
    size_t size = 0;

    while (text[size] && size < NAME_BYTES - 16) {
        out[size] = is_plain(text[size]) ? text[size] : '_';
        size++;
    }
    snprintf(out + size, NAME_BYTES - size, "-%u", number);
}

bool iswi_cgroup_make(iswi_cgroups *groups, const char *name, const iswi_cgroup_limits *limits,
                      iswi_cgroup *out)
{
    char own[NAME_BYTES];
    int failed;

    out->folder[0] = '\0';
    name_of(name, ++groups->last, own);
    if (!iswi_cgroup_path(groups->folder, own, out->folder))
        return false;
    if (mkdir(out->folder, 0755) == 0 && iswi_cgroup_bound(out->folder, limits))
        return true;
    failed = errno;
    rmdir(out->folder);
    out->folder[0] = '\0';
    errno = failed;
    return false;
}

void iswi_cgroup_kill(const iswi_cgroup *group)
{
    if (*group->folder)
        iswi_cgroup_write(group->folder, "cgroup.kill", "1");
}

bool iswi_cgroup_remove(iswi_cgroup *group)
{
    if (*group->folder && rmdir(group->folder) != 0 && errno == EBUSY)
        return false;
    group->folder[0] = '\0';
    return true;
}

/* -- Use --------------------------------------------------------------------------------------- */

/* The number of a file that has one alone; "max" is none. */
static uint64_t number_of(const char *folder, const char *file)
{
    char text[TEXT_BYTES];

    return iswi_cgroup_read(folder, file, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
}

/* "name 1234" in a file of such lines, which begins with one. */
static uint64_t line_of(const char *text, const char *name)
{
    size_t size = strlen(name);

    while (text) {
        if (strncmp(text, name, size) == 0 && text[size] == ' ')
            return strtoull(text + size + 1, NULL, 10);
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return 0;
}

static uint64_t memory_of(const char *folder)
{
    uint64_t all = number_of(folder, "memory.current");
    char text[TEXT_BYTES];
    uint64_t kept;
    uint64_t dropped;

    if (!all || !iswi_cgroup_read(folder, "memory.stat", text, sizeof text))
        return all;
    kept = line_of(text, "shmem"); /* which counts as pages of files */
    dropped = line_of(text, "file");
    dropped = dropped > kept ? dropped - kept : 0;
    return all > dropped ? all - dropped : 0;
}

void iswi_cgroup_usage(const iswi_cgroup *group, iswi_cgroup_use *out)
{
    const char *folder = group->folder;
    char text[TEXT_BYTES];

    *out = (iswi_cgroup_use){ .memory_bytes = 0 };
    if (!*folder)
        return;
    out->memory_bytes = memory_of(folder);
    out->pids = number_of(folder, "pids.current");
    if (iswi_cgroup_read(folder, "cpu.stat", text, sizeof text)) {
        out->cpu_ns = (int64_t)line_of(text, "usage_usec") * 1000;
        out->throttled_ns = (int64_t)line_of(text, "throttled_usec") * 1000;
    }
    if (iswi_cgroup_read(folder, "memory.events", text, sizeof text)) {
        out->ooms = line_of(text, "oom");
        out->oom_kills = line_of(text, "oom_kill");
    }
}
