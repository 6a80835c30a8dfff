/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_SUPPORT_MAIN_H
#define ISW_TESTS_SUPPORT_MAIN_H

/* The main of a cmocka test program: all cases, or the one that argv[1] names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ISW_TEST_MAIN(tests)                                 \
    int main(int argc, char **argv)                          \
    {                                                        \
        if (argc > 1)                                        \
            cmocka_set_test_filter(argv[1]);                 \
        return cmocka_run_group_tests(tests, NULL, NULL);    \
    }

#endif
