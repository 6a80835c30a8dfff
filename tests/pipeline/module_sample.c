/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object with two middleware, as the YAML's `modules` loads it. */
#include <isoworker/sys/middleware.h>

static isw_status pass(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    (void)self;
    (void)ctx;
    (void)next;
    return ISW_OK;
}

static const isw_middleware first = { .size = sizeof(isw_middleware), .name = "sample_first",
                                      .invoke = pass };
static const isw_middleware second = { .size = sizeof(isw_middleware), .name = "sample_second",
                                       .invoke = pass };

ISW_API const isw_middleware *const *isw_module_middleware(void);

const isw_middleware *const *isw_module_middleware(void)
{
    static const isw_middleware *const list[] = { &first, &second, NULL };

    return list;
}
