/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a process from forking others that serve. */
#include "support/main.h"

#include "worker/program/template.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { KNOWN = 64 };

/* Whoever runs tests may have left us some. */
static size_t what_is_open(int known[KNOWN])
{
    size_t count = 0;

    for (int fd = 3; fd < 1024 && count < KNOWN; fd++)
        if (dup2(fd, fd) == fd)
            known[count++] = fd;
    return count;
}

static void one_thread_and_known_descriptors_are_all_it_takes(void **state)
{
    char why[ISWI_TEMPLATE_WHY_BYTES] = "";
    int known[KNOWN];
    size_t count = what_is_open(known);

    (void)state;
    if (!iswi_template_may_fork(known, count, why))
        fail_msg("%s", why);
}

static void a_descriptor_that_nobody_knows_is_named(void **state)
{
    char why[ISWI_TEMPLATE_WHY_BYTES];
    char name[32];
    int known[KNOWN];
    size_t count = what_is_open(known);
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    known[count] = ends[0];
    assert_false(iswi_template_may_fork(known, count + 1, why));
    snprintf(name, sizeof name, "descriptor %d (pipe:", ends[1]);
    assert_non_null(strstr(why, name));
    close(ends[1]);
    assert_true(iswi_template_may_fork(known, count + 1, why));
    close(ends[0]);
}

static void *wait_for_end(void *user)
{
    char byte;

    return read(*(int *)user, &byte, 1) == 0 ? user : NULL;
}

static void a_second_thread_is_counted(void **state)
{
    char why[ISWI_TEMPLATE_WHY_BYTES];
    int known[KNOWN];
    pthread_t thread;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_end, &ends[0]), 0);
    assert_false(iswi_template_may_fork(known, what_is_open(known), why));
    assert_non_null(strstr(why, "2 threads"));
    close(ends[1]);
    pthread_join(thread, NULL);
    close(ends[0]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_thread_and_known_descriptors_are_all_it_takes),
    cmocka_unit_test(a_descriptor_that_nobody_knows_is_named),
    cmocka_unit_test(a_second_thread_is_counted),
};

ISW_TEST_MAIN(tests)
