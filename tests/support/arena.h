/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ISW_TESTS_SUPPORT_ARENA_H
#define ISW_TESTS_SUPPORT_ARENA_H

/* An arena for a test program, fresh for each case. */
#include "support/main.h"

#include "base/arena.h"

static iswi_arena arena;

static int set_up(void **state)
{
    (void)state;
    iswi_arena_init(&arena, 1024);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    iswi_arena_fini(&arena);
    return 0;
}

#endif
