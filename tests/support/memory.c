/* SPDX-License-Identifier: Apache-2.0 */
#include "support/memory.h"

#include "base/alloc.h"

#include <stdlib.h>

static void *counting(void *user, void *block, size_t size)
{
    counter *count = user;

    if (size == 0) {
        count->live -= block != NULL;
        free(block);
        return NULL;
    }
    if (++count->calls == count->fail_at)
        return NULL;
    count->taken += size;
    count->live += block == NULL;
    return realloc(block, size);
}

void counter_init(counter *count, size_t fail_at)
{
    isw_allocator allocator = { counting, count };

    *count = (counter){ .fail_at = fail_at };
    isw_allocator_set(&allocator);
}

void counter_fini(counter *count)
{
    isw_allocator_set(NULL);
    assert_int_equal(count->live, 0);
}
