/* SPDX-License-Identifier: Apache-2.0 */
/* The worker of timers.py: functions that run when it is time. TIMERS_WRONG: a schedule that one
 * more function has, in the zone TIMERS_ZONE. */
#include <isoworker/isoworker.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* Says what it was told. */
static isw_status tells(isw_context *ctx)
{
    isw_str text;
    isw_value told = *isw_context_trigger(ctx);
    const isw_value *due = isw_context_trigger_metadata(ctx, "scheduled_for");
    const isw_value *attempt = isw_context_trigger_metadata(ctx, "attempt");

    if (!due || !attempt || isw_json_write(ctx, &told, &text) != ISW_OK)
        return isw_fail(ctx, ISW_E_FAILED, "it was told nothing");
    isw_log(ctx, ISW_LOG_INFO, "told %.*s, as metadata %.*s attempt %d, retry %u of %u",
            (int)text.size, text.data, (int)due->as.string.size, due->as.string.data,
            (int)attempt->as.integer, isw_context_retry(ctx)->count, isw_context_retry(ctx)->max);
    return ISW_OK;
}

static isw_status fails(isw_context *ctx)
{
    return isw_fail(ctx, ISW_E_UNAVAILABLE, "no paper");
}

/* Runs until there is a file `gate` in its folder. */
static isw_status waits(isw_context *ctx)
{
    isw_log(ctx, ISW_LOG_INFO, "waits at the gate");
    while (access("gate", F_OK) != 0 && !isw_context_cancelled(ctx))
        usleep(2000);
    return ISW_OK;
}

/* The first time it ends its process. */
static isw_status dies(isw_context *ctx)
{
    tells(ctx);
    if (isw_context_retry(ctx)->count == 0)
        raise(SIGKILL);
    return ISW_OK;
}

static isw_status crashes(isw_context *ctx)
{
    (void)ctx;
    raise(SIGSEGV);
    return ISW_OK;
}

int main(int argc, char **argv)
{
    static const isw_property berlin[] = { { "schedule", "0 30 9 * * Mon-Fri" },
                                           { "zone", "Europe/Berlin" },
                                           { NULL, NULL } };
    const isw_property wrong[] = { { "schedule", getenv("TIMERS_WRONG") },
                                   { "zone", getenv("TIMERS_ZONE") },
                                   { NULL, NULL } };
    isw_function all[] = {
        { .name = "second", .trigger = ISW_TIMER("* * * * * *"), .handler = tells },
        { .name = "year", .trigger = ISW_TIMER("@yearly"), .handler = tells },
        { .name = "morning", .trigger = ISW_TRIGGER("timer", berlin), .handler = tells },
        { .name = "fails", .trigger = ISW_TIMER("@yearly"), .handler = fails },
        { .name = "waits", .trigger = ISW_TIMER("@yearly"), .handler = waits },
        { .name = "dies", .trigger = ISW_TIMER("@yearly"), .handler = dies },
        { .name = "crashes", .trigger = ISW_TRIGGER("call", NULL), .handler = crashes },
        { 0 },
        { 0 },
    };

    if (getenv("TIMERS_WRONG"))
        all[7] = (isw_function){ .name = "wrong", .trigger = ISW_TRIGGER("timer", wrong),
                                 .handler = tells };
    return isw_main(argc, argv, all);
}
