/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RUN     isoworker run samples/cron &  isoworker timer run samples/cron report
 * OUTPUT  report ran, due again at 2026-11-30T09:30:00Z
 */
#include <isoworker/isoworker.h>

static isw_status report(isw_context *ctx)
{
    const isw_value *due = isw_context_trigger_metadata(ctx, "scheduled_for");

    isw_log(ctx, ISW_LOG_INFO, "the report of %.*s", (int)due->as.string.size, due->as.string.data);
    return ISW_OK;
}

static const isw_function functions[] = {
    { .name = "report", .trigger = ISW_TIMER("0 30 9 * * Mon-Fri"), .handler = report },
    { 0 },
};

int main(int argc, char **argv) { return isw_main(argc, argv, functions); }
