/* SPDX-License-Identifier: Apache-2.0 */
#include "base/faults.h"

#include "support/main.h"

static void faults_of_a_file_are_told_by_their_place(void **state)
{
    static const char *const found[] = {
        "a.yaml:3:15: third",   "a.yaml:2:21: second: x:1:1: y", "a.yaml:10:2: last",
        "a.yaml:2:3: first",    "b.yaml:1:1: another file",      "worker w: has no place",
        "c.yaml:2:1: the lower", "c.yaml:1:9: the upper",
    };
    iswi_faults faults = { .count = 0 };
    iswi_buffer told = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        iswi_faults_add(&faults, found[i]);
    iswi_faults_tell(&faults, "p", NULL, &told);
    assert_string_equal(iswi_buffer_text(&told), "p: a.yaml:2:3: first\n"
                                                 "p: a.yaml:2:21: second: x:1:1: y\n"
                                                 "p: a.yaml:3:15: third\n"
                                                 "p: a.yaml:10:2: last\n"
                                                 "p: b.yaml:1:1: another file\n"
                                                 "p: worker w: has no place\n"
                                                 "p: c.yaml:1:9: the upper\n"
                                                 "p: c.yaml:2:1: the lower\n");
    iswi_buffer_fini(&told);
    iswi_faults_fini(&faults);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(faults_of_a_file_are_told_by_their_place),
};

ISW_TEST_MAIN(tests)
