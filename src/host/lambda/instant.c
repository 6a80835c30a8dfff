/* SPDX-License-Identifier: Apache-2.0 */
/* Times as events have them. */
#include "host/lambda/event.h"

#include "cron/civil.h"

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

int64_t iswi_lambda_instant(isw_str text)
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
