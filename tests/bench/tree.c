/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, their time and their threads. */
#include "support/main.h"

#include "bench/tree.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void pause_for_ever(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever becomes of the test */
    for (;;)
        pause();
}

/* A child that has a child, whose number comes through the pipe when both are there. */
static pid_t start_family(pid_t *grandchild)
{
    int ends[2];
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        pid_t own = fork();

        if (own > 0 && write(ends[1], &own, sizeof own) != sizeof own)
            _exit(1);
        pause_for_ever();
    }
    assert_int_equal(read(ends[0], grandchild, sizeof *grandchild), sizeof *grandchild);
    close(ends[0]);
    close(ends[1]);
    return child;
}

/* Some sanitizers give each process one of theirs. */
static unsigned threads_of(pid_t pid)
{
    unsigned count = 0;
    char path[64];
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void a_tree_has_all_that_descend_from_its_root(void **state)
{
    iswi_bench_tree tree = { .count = 0 };
    pid_t grandchild;
    pid_t child = start_family(&grandchild);

    (void)state;
    iswi_bench_tree_add(&tree, child);
    iswi_bench_tree_add(&tree, grandchild); /* which is there already */
    iswi_bench_tree_add(&tree, 0);
    assert_int_equal(tree.count, 2);
    assert_int_equal(tree.pids[0], child);
    assert_int_equal(tree.pids[1], grandchild);
    assert_int_equal(iswi_bench_tree_other(&tree), 0);
    assert_int_equal(iswi_bench_tree_threads(&tree), threads_of(child) + threads_of(grandchild));
    kill(grandchild, SIGKILL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* Under valgrind a program that asks sees itself, and whoever looks from outside sees valgrind. */
static bool is_seen_as_it_is(pid_t child)
{
    char own[PATH_MAX] = "";
    char seen[PATH_MAX] = "";
    char path[64];

    snprintf(path, sizeof path, "/proc/%ld/exe", (long)child);
    return readlink("/proc/self/exe", own, sizeof own - 1) > 0 &&
           readlink(path, seen, sizeof seen - 1) > 0 && strcmp(own, seen) == 0;
}

static void the_first_one_with_another_program_is_found(void **state)
{
    iswi_bench_tree tree = { .pids = { getpid() }, .count = 1 };
    char *const argv[] = { (char *)"sleep", (char *)"600", NULL };
    pid_t guard = fork(); /* which stays this program */
    pid_t first, second;

    (void)state;
    if (guard == 0)
        pause_for_ever();
    if (!is_seen_as_it_is(guard)) {
        kill(guard, SIGKILL);
        waitpid(guard, NULL, 0);
        print_message("under valgrind all programs look alike from outside\n");
        skip();
    }
    assert_int_equal(posix_spawnp(&first, argv[0], NULL, NULL, argv, environ), 0);
    assert_int_equal(posix_spawnp(&second, argv[0], NULL, NULL, argv, environ), 0);
    tree.pids[1] = guard;
    tree.pids[2] = first;
    tree.pids[3] = second;
    tree.count = 4;
    assert_int_equal(iswi_bench_tree_other(&tree), first);
    for (unsigned i = 1; i < tree.count; i++) {
        kill(tree.pids[i], SIGKILL);
        waitpid(tree.pids[i], NULL, 0);
    }
    assert_int_equal(iswi_bench_tree_other(&tree), 0);
}

static void time_of_the_processors_grows(void **state)
{
    iswi_bench_tree tree = { .pids = { getpid() }, .count = 1 };
    int64_t before_ns = iswi_bench_tree_cpu_ns(&tree);
    int64_t now_ns = before_ns;

    (void)state;
    assert_true(before_ns > 0);
    for (unsigned i = 0; i < 100000000 && now_ns <= before_ns; i++)
        now_ns = iswi_bench_tree_cpu_ns(&tree);
    assert_true(now_ns > before_ns);
}

static void a_process_that_is_gone_counts_nothing(void **state)
{
    pid_t child = fork();
    iswi_bench_tree tree = { .count = 0 };

    (void)state;
    if (child == 0)
        _exit(0);
    iswi_bench_tree_add(&tree, child);
    waitpid(child, NULL, 0);
    assert_int_equal(iswi_bench_tree_cpu_ns(&tree), 0);
    assert_int_equal(iswi_bench_tree_switches(&tree), 0);
    assert_int_equal(iswi_bench_tree_threads(&tree), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_tree_has_all_that_descend_from_its_root),
    cmocka_unit_test(the_first_one_with_another_program_is_found),
    cmocka_unit_test(time_of_the_processors_grows),
    cmocka_unit_test(a_process_that_is_gone_counts_nothing),
};

ISW_TEST_MAIN(tests)
