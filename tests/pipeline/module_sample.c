/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object with two middleware. */
#include <isoworker/sys/module.h>

static isw_status pass(isw_instance *self, isw_context *ctx, const isw_next *next)
{
    (void)self;
    (void)ctx;
    (void)next;
    return ISW_OK;
}

static const isw_option rows[] = {
    { .name = "loud", .type = ISW_OPTION_BOOL, .default_value = "false" },
    { 0 },
};

static const isw_middleware first = { .size = sizeof(isw_middleware), .name = "sample_first",
                                      .summary = "the first one", .options = rows,
                                      .options_size = sizeof(bool), .invoke = pass };
static const isw_middleware second = { .size = sizeof(isw_middleware), .name = "sample_second",
                                       .invoke = pass };

ISW_MODULE(&first, &second);
