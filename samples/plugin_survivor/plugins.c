/* SPDX-License-Identifier: Apache-2.0 */
/* The plug-ins of plugin_survivor.c: one is good, one crashes, one never comes back. */
#include <isoworker/isoworker.h>

static isw_status count(isw_context *ctx)
{
    isw_value size = isw_value_int((int64_t)isw_value_payload(isw_context_trigger(ctx)).size);
    return isw_context_set_result(ctx, &size);
}

static isw_status crash(isw_context *ctx) { (void)ctx; return *(volatile isw_status *)8; }
static isw_status hang(isw_context *ctx) { (void)ctx; for (;;) continue; }

static const isw_function functions[] = {
    { .name = "count", .trigger = ISW_TRIGGER("call", NULL), .handler = count },
    { .name = "crash", .trigger = ISW_TRIGGER("call", NULL), .handler = crash },
    { .name = "hang", .trigger = ISW_TRIGGER("call", NULL), .handler = hang },
    { 0 },
};

int main(int argc, char **argv) { return isw_main(argc, argv, functions); }
