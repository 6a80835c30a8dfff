/* SPDX-License-Identifier: Apache-2.0 */
/* The honest worker of the fuzz target live_ring: gives back what it got. */
#include <isoworker/isoworker.h>

static isw_status echo(isw_context *ctx)
{
    isw_bytes bytes = isw_value_payload(isw_context_trigger(ctx));
    isw_value result = isw_value_bytes(bytes.data, bytes.size);

    return isw_context_set_result(ctx, &result);
}

static const isw_function functions[] = {
    { .name = "echo", .trigger = ISW_TRIGGER("fuzz", NULL), .handler = echo },
    { 0 },
};

int main(int argc, char **argv)
{
    return isw_main(argc, argv, functions);
}
