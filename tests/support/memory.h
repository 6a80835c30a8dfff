/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_SUPPORT_MEMORY_H
#define ISW_TESTS_SUPPORT_MEMORY_H

/* An allocator that counts, and fails when it is told to. */
#include "support/main.h"

typedef struct counter {
    size_t live;  /* blocks */
    size_t taken; /* bytes asked for in all */
    size_t calls;
    size_t fail_at; /* the call that gets NULL; 0: none */
} counter;

/* Make the library's memory come through `count`, until counter_fini, which asserts that all of it
 * came back. */
void counter_init(counter *count, size_t fail_at);
void counter_fini(counter *count);

#endif
