/* SPDX-License-Identifier: Apache-2.0 */
/* One group of cgroup v2: what is written to its files and read from them, in a folder of ordinary
 * ones; and who is in it and ends with it, in the kernel's tree where there is one. The controllers
 * themselves are tried in tests/integration/cgroups.py. */
#include "support/main.h"

#include "host/system/cgroup.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* -- Files ------------------------------------------------------------------------------------- */

typedef struct folder {
    iswi_cgroup group;
} folder;

static void put(const folder *all, const char *name, const char *text)
{
    char path[ISWI_CGROUP_BYTES + 64];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", all->group.folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_file(const folder *all, const char *name, const char *text)
{
    char path[ISWI_CGROUP_BYTES + 64];
    char got[64] = "";
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", all->group.folder, name);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fgets(got, sizeof got, file) || !*text);
    fclose(file);
    assert_string_equal(got, text);
}

static int make(void **state)
{
    static folder all;

    snprintf(all.group.folder, sizeof all.group.folder, "/tmp/isw-cgroup-XXXXXX");
    *state = &all;
    return mkdtemp(all.group.folder) ? 0 : -1;
}

static int drop(void **state)
{
    static const char *const names[] = { "cpu.max",       "cpu.stat",         "memory.current",
                                         "memory.events", "memory.max",       "memory.oom.group",
                                         "memory.stat",   "memory.swap.max",  "pids.current",
                                         "pids.max" };
    const folder *all = *state;
    char path[ISWI_CGROUP_BYTES + 64];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", all->group.folder, names[i]);
        unlink(path);
    }
    return rmdir(all->group.folder);
}

static void limits_are_written_as_the_kernel_reads_them(void **state)
{
    const folder *all = *state;
    const iswi_cgroup_limits limits = { .memory_bytes = 64 << 20, .cpus = 0.5, .pids = 40 };

    put(all, "memory.max", "");
    put(all, "memory.oom.group", "");
    put(all, "memory.swap.max", "");
    put(all, "cpu.max", "");
    put(all, "pids.max", "");
    assert_true(iswi_cgroup_bound(all->group.folder, &limits));
    assert_file(all, "memory.max", "67108864");
    assert_file(all, "memory.oom.group", "1");
    assert_file(all, "memory.swap.max", "0");
    assert_file(all, "cpu.max", "50000 100000");
    assert_file(all, "pids.max", "40");
    put(all, "cpu.max", "");
    assert_true(iswi_cgroup_bound(all->group.folder, &(iswi_cgroup_limits){ .cpus = 0.001 }));
    assert_file(all, "cpu.max", "1000 100000"); /* the kernel takes no less */
}

static void what_is_no_limit_is_not_written_and_what_cannot_be_is_told(void **state)
{
    const folder *all = *state;

    assert_true(iswi_cgroup_bound(all->group.folder, &(iswi_cgroup_limits){ .pids = 0 }));
    assert_false(iswi_cgroup_bound(all->group.folder, &(iswi_cgroup_limits){ .cpus = 1 }));
    assert_int_equal(errno, ENOENT);
}

static void pages_of_files_are_no_memory_that_counts(void **state)
{
    const folder *all = *state;
    iswi_cgroup_use use;

    put(all, "memory.current", "10000000\n");
    put(all, "memory.stat", "anon 3000000\nfile 6000000\nkernel 1000000\nshmem 500000\n"
                            "file_mapped 1\nshmem_thp 0\n");
    iswi_cgroup_usage(&all->group, &use);
    assert_int_equal(use.memory_bytes, 10000000 - (6000000 - 500000));
    put(all, "memory.current", "5000000\n"); /* read a moment later */
    iswi_cgroup_usage(&all->group, &use);
    assert_int_equal(use.memory_bytes, 0);
}

static void time_threads_and_ends_are_read_by_their_names(void **state)
{
    const folder *all = *state;
    iswi_cgroup_use use;

    put(all, "cpu.stat", "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 4\n"
                         "nr_throttled 2\nthrottled_usec 700\n");
    put(all, "memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 1\n");
    put(all, "pids.current", "7\n");
    iswi_cgroup_usage(&all->group, &use);
    assert_int_equal(use.cpu_ns, 1500000);
    assert_int_equal(use.throttled_ns, 700000);
    assert_int_equal(use.ooms, 1);
    assert_int_equal(use.oom_kills, 2);
    assert_int_equal(use.pids, 7);
}

static void a_group_without_controllers_has_used_nothing(void **state)
{
    const folder *all = *state;
    iswi_cgroup_use use;

    iswi_cgroup_usage(&all->group, &use);
    assert_int_equal(use.memory_bytes + use.pids + use.oom_kills, 0);
    assert_int_equal(use.cpu_ns + use.throttled_ns, 0);
    iswi_cgroup_usage(&(iswi_cgroup){ "" }, &use);
    assert_int_equal(use.cpu_ns, 0);
}

/* -- The kernel's tree ------------------------------------------------------------------------- */

/* Its root, where we may make groups; skips where there is none. */
static const char *tree(void)
{
    static char root[ISWI_CGROUP_BYTES];
    char line[4096];
    FILE *mounts = fopen("/proc/self/mountinfo", "r");

    root[0] = '\0';
    while (mounts && !*root && fgets(line, sizeof line, mounts))
        if (strstr(line, " - cgroup2 "))
            sscanf(line, "%*d %*d %*s %*s %511s", root);
    if (mounts)
        fclose(mounts);
    if (!*root || access(root, W_OK) != 0)
        skip();
    return root;
}

/* A child in that group, which has one of its own that has left us. Its pid; *far: that of the other. */
static pid_t begin_family(const iswi_cgroup *group, pid_t *far)
{
    int ends[2];
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        pid_t own = iswi_cgroup_enter(group->folder) ? fork() : -1;

        if (own == 0) {
            setsid();
            own = getpid();
            if (write(ends[1], &own, sizeof own) < 0)
                _exit(1);
        }
        for (;;)
            pause();
    }
    assert_int_equal(read(ends[0], far, sizeof *far), sizeof *far);
    close(ends[0]);
    close(ends[1]);
    return child;
}

static void all_that_is_in_a_group_ends_with_it(void **state)
{
    const struct timespec pause = { .tv_nsec = 5000000 };
    char why[ISWI_CGROUPS_WHY_BYTES];
    iswi_cgroups groups = { .last = 0 };
    iswi_cgroup_use use;
    iswi_cgroup group;
    pid_t far;
    pid_t child;

    (void)state;
    if (!iswi_cgroups_open_at(&groups, tree(), why))
        skip();
    assert_true(iswi_cgroup_make(&groups, "a.b[1]", &(iswi_cgroup_limits){ .pids = 0 }, &group));
    assert_string_equal(strrchr(group.folder, '/'), "/a_b_1_-1");
    child = begin_family(&group, &far);
    assert_false(iswi_cgroup_remove(&group));
    iswi_cgroup_usage(&group, &use);
    assert_true(use.cpu_ns > 0);
    iswi_cgroup_kill(&group);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (!iswi_cgroup_remove(&group)) /* the other one is nobody's child to be waited for */
        nanosleep(&pause, NULL);
    assert_string_equal(group.folder, "");
    snprintf(why, sizeof why, "%s", groups.folder);
    iswi_cgroups_close(&groups);
    assert_int_not_equal(access(why, F_OK), 0);
}

static void what_cannot_be_entered_or_made_is_told(void **state)
{
    char why[ISWI_CGROUPS_WHY_BYTES] = "";
    iswi_cgroups groups = { .last = 0 };
    iswi_cgroup group;

    (void)state;
    assert_false(iswi_cgroup_enter("/nonexistent"));
    assert_int_equal(errno, ENOENT);
    assert_false(iswi_cgroups_open_at(&groups, "/nonexistent", why));
    assert_non_null(strstr(why, "no groups can be made in /nonexistent: No such file"));
    assert_string_equal(groups.folder, "");
    snprintf(groups.folder, sizeof groups.folder, "/nonexistent");
    assert_false(iswi_cgroup_make(&groups, "a", &(iswi_cgroup_limits){ .pids = 1 }, &group));
    assert_string_equal(group.folder, "");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(limits_are_written_as_the_kernel_reads_them, make, drop),
    cmocka_unit_test_setup_teardown(what_is_no_limit_is_not_written_and_what_cannot_be_is_told, make,
                                    drop),
    cmocka_unit_test_setup_teardown(pages_of_files_are_no_memory_that_counts, make, drop),
    cmocka_unit_test_setup_teardown(time_threads_and_ends_are_read_by_their_names, make, drop),
    cmocka_unit_test_setup_teardown(a_group_without_controllers_has_used_nothing, make, drop),
    cmocka_unit_test(all_that_is_in_a_group_ends_with_it),
    cmocka_unit_test(what_cannot_be_entered_or_made_is_told),
};

ISW_TEST_MAIN(tests)
