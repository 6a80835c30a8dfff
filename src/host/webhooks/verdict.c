/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "cron/backoff.h"
#include "host/webhooks/internal.h"

enum { RETRY_AFTER_MAX_S = 86400 };

/* The same request would have the same answer. */
static bool is_final(long status)
{
    return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
}

static const char *cause_of(const iswi_attempt *attempt, iswi_arena *arena)
{
    iswi_buffer said = { 0 };
    const char *cause;

    if (attempt->failure)
        return iswi_arena_printf(arena, "%s", attempt->failure);
    iswi_terminal_text(&said, attempt->said);
    cause = iswi_arena_printf(arena, "it was answered %ld%s%.*s", attempt->status,
                              said.size ? ": " : "", (int)said.size,
                              said.size ? (const char *)said.data : "");
    iswi_buffer_fini(&said);
    return cause;
}

static int64_t delay_of(const iswi_attempt *attempt, const iswi_webhook_bounds *bounds)
{
    int64_t after_s = attempt->failure ? 0 : attempt->retry_after_s;

    if (after_s > 0)
        return (after_s < RETRY_AFTER_MAX_S ? after_s : RETRY_AFTER_MAX_S) * 1000;
    return iswi_backoff_ms(bounds->retry_delay_ms, bounds->retry_delay_max_ms, attempt->number);
}

void iswi_attempt_judge(const iswi_attempt *attempt, const iswi_webhook_bounds *bounds,
                        iswi_arena *arena, iswi_settlement *out)
{
    if (!attempt->failure && attempt->status >= 200 && attempt->status < 300) {
        out->verdict = ISWI_VERDICT_COMPLETE;
        return;
    }
    out->verdict = !attempt->failure && is_final(attempt->status) ? ISWI_VERDICT_DEAD
                                                                  : ISWI_VERDICT_ABANDON;
    out->delay_ms = out->verdict == ISWI_VERDICT_ABANDON ? delay_of(attempt, bounds) : 0;
    out->cause = isw_str_of(cause_of(attempt, arena));
    if (!out->cause.size)
        out->cause = isw_str_of("no memory to say why");
}
