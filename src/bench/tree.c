/* SPDX-License-Identifier: Apache-2.0 */
/* /proc and the clocks of other processes. Invariant: what is gone while it is looked at counts as
 * nothing, so that a process may end at any time. */
#include "bench/tree.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t iswi_bench_status_field(const char *path, const char *field, uint64_t fallback)
{
    FILE *file = fopen(path, "re");
    size_t size = strlen(field);
    bool found = false;
    char line[256];

    while (file && !found && fgets(line, sizeof line, file)) {
        found = strncmp(line, field, size) == 0 && line[size] == ':';
        if (found)
            fallback = strtoull(line + size + 1, NULL, 10);
    }
    if (file)
        fclose(file);
    return fallback;
}

/* -- Threads ----------------------------------------------------------------------------------- */

void iswi_bench_for_each_thread(pid_t pid, void (*call)(void *user, pid_t thread), void *user)
{
    char path[64];
    struct dirent *entry;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
    folder = opendir(path);
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            call(user, (pid_t)strtol(entry->d_name, NULL, 10));
    if (folder)
        closedir(folder);
}

typedef struct sum {
    pid_t pid;
    uint64_t value;
} sum;

static void add_switches(void *user, pid_t thread)
{
    sum *s = user;
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/task/%ld/status", (long)s->pid, (long)thread);
    s->value += iswi_bench_status_field(path, "voluntary_ctxt_switches", 0);
}

static void add_one(void *user, pid_t thread)
{
    unsigned *count = user;

    (void)thread;
    ++*count;
}

uint64_t iswi_bench_switches(pid_t pid)
{
    sum s = { .pid = pid };

    iswi_bench_for_each_thread(pid, add_switches, &s);
    return s.value;
}

/* -- Processes --------------------------------------------------------------------------------- */

/* 0 when it is gone. The name before it may hold anything, so it is behind the last ')'. */
static pid_t parent_of(pid_t pid)
{
    char path[64];
    char text[512] = "";
    const char *end;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    file = fopen(path, "re");
    if (!file)
        return 0;
    if (!fgets(text, sizeof text, file))
        text[0] = '\0';
    fclose(file);
    end = strrchr(text, ')');
    return end && strlen(end) > 4 ? (pid_t)strtol(end + 4, NULL, 10) : 0;
}

static bool has(const iswi_bench_tree *tree, pid_t pid)
{
    for (unsigned i = 0; i < tree->count; i++)
        if (tree->pids[i] == pid)
            return true;
    return false;
}

/* Add the children of those that are there. True when there were any. */
static bool add_children(iswi_bench_tree *tree)
{
    unsigned before = tree->count;
    DIR *folder = opendir("/proc");
    struct dirent *entry;

    while (folder && tree->count < ISWI_BENCH_TREE_MOST && (entry = readdir(folder))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 0 && !has(tree, pid) && has(tree, parent_of(pid)))
            tree->pids[tree->count++] = pid;
    }
    if (folder)
        closedir(folder);
    return tree->count > before;
}

void iswi_bench_tree_add(iswi_bench_tree *tree, pid_t root)
{
    if (root <= 0 || tree->count == ISWI_BENCH_TREE_MOST || has(tree, root))
        return;
    tree->pids[tree->count++] = root;
    while (add_children(tree))
        continue;
}

static bool program_of(pid_t pid, char path[PATH_MAX])
{
    char link[64];
    ssize_t size;

    snprintf(link, sizeof link, "/proc/%ld/exe", (long)pid);
    size = readlink(link, path, PATH_MAX - 1);
    path[size > 0 ? size : 0] = '\0';
    return size > 0;
}

/* Those of one depth stand in the order of their numbers. */
pid_t iswi_bench_tree_other(const iswi_bench_tree *tree)
{
    char root[PATH_MAX];
    char other[PATH_MAX];

    if (!tree->count || !program_of(tree->pids[0], root))
        return 0;
    for (unsigned i = 1; i < tree->count; i++)
        if (program_of(tree->pids[i], other) && strcmp(root, other) != 0)
            return tree->pids[i];
    return 0;
}

int64_t iswi_bench_tree_cpu_ns(const iswi_bench_tree *tree)
{
    int64_t all = 0;

    for (unsigned i = 0; i < tree->count; i++) {
        struct timespec time;
        clockid_t id;

        if (clock_getcpuclockid(tree->pids[i], &id) == 0 && clock_gettime(id, &time) == 0)
            all += (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    }
    return all;
}

uint64_t iswi_bench_tree_switches(const iswi_bench_tree *tree)
{
    uint64_t all = 0;

    for (unsigned i = 0; i < tree->count; i++)
        all += iswi_bench_switches(tree->pids[i]);
    return all;
}

unsigned iswi_bench_tree_threads(const iswi_bench_tree *tree)
{
    unsigned count = 0;

    for (unsigned i = 0; i < tree->count; i++)
        iswi_bench_for_each_thread(tree->pids[i], add_one, &count);
    return count;
}
