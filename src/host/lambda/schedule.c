/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules of EventBridge: a timer is due. */
#include "host/lambda/internal.h"

#include "base/clock.h"
#include "cron/civil.h"
#include "host/timer/foreign.h"

static bool read_digits(const char **at, size_t count, int *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *out = 10 * *out + (**at - '0');
    }
    return true;
}

static bool read_mark(const char **at, char mark)
{
    return *(*at)++ == mark;
}

/* "2015-10-08T16:53:06Z"; 0: it is none. */
static int64_t instant_of(isw_str text)
{
    const char *at = text.data;
    int year, month, day, hour, minute, second;

    if (text.size < sizeof "2015-10-08T16:53:06Z" - 1)
        return 0;
    if (!read_digits(&at, 4, &year) || !read_mark(&at, '-') || !read_digits(&at, 2, &month) ||
        !read_mark(&at, '-') || !read_digits(&at, 2, &day) || !read_mark(&at, 'T') ||
        !read_digits(&at, 2, &hour) || !read_mark(&at, ':') || !read_digits(&at, 2, &minute) ||
        !read_mark(&at, ':') || !read_digits(&at, 2, &second) || month < 1 || month > 12 ||
        day < 1 || hour > 23 || minute > 59 || second > 60)
        return 0;
    return iswi_civil_days(year, month, day) * INT64_C(86400) + hour * 3600 + minute * 60 + second;
}

static void on_answer(void *user, const iswi_answer *answer)
{
    iswi_lambda_answered(user, "", answer);
}

void iswi_lambda_schedule_begin(iswi_lambda_slot *slot)
{
    iswi_foreign_run run = { .scheduled_s =
                                 instant_of(iswi_lambda_text(&slot->event.value, "time")),
                             .deadline_ns = slot->invocation.deadline_ns,
                             .trace = { .parent = slot->invocation.parent },
                             .request_id = slot->invocation.id,
                             .answer = on_answer,
                             .user = slot };

    if (!run.scheduled_s)
        run.scheduled_s = iswi_wall_us() / 1000000;
    iswi_timer_foreign_begin(slot->lambda->host, slot->entry, &run);
}
