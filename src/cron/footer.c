/* SPDX-License-Identifier: Apache-2.0 */
#include "cron/footer.h"

#include "cron/civil.h"

enum { HOURS_MOST = 167, NAME_LEAST = 3, CHANGES = 6, DEFAULT_TIME_S = 7200, HOUR_S = 3600 };

/* -- Reading: each takes what it is about from the front of the text --------------------------- */

static bool take_char(isw_str *text, char c)
{
    if (!text->size || *text->data != c)
        return false;
    text->data++;
    text->size--;
    return true;
}

static bool take_number(isw_str *text, int least, int most, int *out)
{
    size_t digits = 0;

    *out = 0;
    while (text->size && *text->data >= '0' && *text->data <= '9' && digits++ < 3) {
        *out = 10 * *out + *text->data - '0';
        take_char(text, *text->data);
    }
    return digits > 0 && *out >= least && *out <= most;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool take_name(isw_str *text)
{
    bool quoted = take_char(text, '<');
    size_t size = 0;

    while (text->size && (quoted ? *text->data != '>' : is_letter(*text->data))) {
        take_char(text, *text->data);
        size++;
    }
    return size >= NAME_LEAST && (!quoted || take_char(text, '>'));
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(isw_str *text, int *seconds)
{
    bool negative = take_char(text, '-');
    int hours, minutes = 0, rest = 0;

    if (!negative)
        take_char(text, '+');
    if (!take_number(text, 0, HOURS_MOST, &hours) ||
        (take_char(text, ':') && (!take_number(text, 0, 59, &minutes) ||
                                  (take_char(text, ':') && !take_number(text, 0, 59, &rest)))))
        return false;
    *seconds = (hours * 60 + minutes) * 60 + rest;
    if (negative)
        *seconds = -*seconds;
    return true;
}

/* POSIX counts to the west. */
static bool take_offset(isw_str *text, int *offset_s)
{
    if (!take_time(text, offset_s))
        return false;
    *offset_s = -*offset_s;
    return *offset_s > -26 * HOUR_S && *offset_s < 26 * HOUR_S;
}

static bool take_date(isw_str *text, iswi_footer_day *out)
{
    out->kind = take_char(text, 'M') ? 'M' : take_char(text, 'J') ? 'J' : 'n';
    if (out->kind == 'M')
        return take_number(text, 1, 12, &out->month) && take_char(text, '.') &&
               take_number(text, 1, 5, &out->week) && take_char(text, '.') &&
               take_number(text, 0, 6, &out->day);
    return take_number(text, out->kind == 'J', 365, &out->day);
}

static bool take_day(isw_str *text, iswi_footer_day *out)
{
    out->time_s = DEFAULT_TIME_S;
    return take_char(text, ',') && take_date(text, out) &&
           (!take_char(text, '/') || take_time(text, &out->time_s));
}

bool iswi_footer_read(isw_str text, iswi_footer *out)
{
    *out = (iswi_footer){ .changes = false };
    if (!take_name(&text) || !take_offset(&text, &out->offset_s[0]))
        return false;
    if (!text.size)
        return true;
    out->changes = true;
    out->offset_s[1] = out->offset_s[0] + HOUR_S;
    if (!take_name(&text) || (text.size && *text.data != ',' &&
                              !take_offset(&text, &out->offset_s[1])))
        return false;
    return take_day(&text, &out->begins[1]) && take_day(&text, &out->begins[0]) && !text.size;
}

/* -- Changes ----------------------------------------------------------------------------------- */

static int64_t day_in(const iswi_footer_day *rule, int year)
{
    bool leaps = iswi_civil_month_days(year, 2) == 29;
    int64_t first;
    int day;

    if (rule->kind == 'n')
        return iswi_civil_days(year, 1, 1) + rule->day;
    if (rule->kind == 'J')
        return iswi_civil_days(year, 1, 1) + rule->day - 1 + (leaps && rule->day > 59);
    first = iswi_civil_days(year, rule->month, 1);
    day = (rule->day - iswi_civil_weekday(first) + 7) % 7 + 7 * (rule->week - 1);
    while (day >= iswi_civil_month_days(year, rule->month))
        day -= 7;
    return first + day;
}

typedef struct change {
    int64_t at_s;
    int offset_s; /* from then on */
} change;

static change change_in(const iswi_footer *footer, int year, int to)
{
    const iswi_footer_day *rule = &footer->begins[to];

    return (change){ .at_s = day_in(rule, year) * ISWI_DAY_SECONDS + rule->time_s -
                             footer->offset_s[!to],
                     .offset_s = footer->offset_s[to] };
}

/* Those of a year and of its neighbours, in order. */
static void changes_around(const iswi_footer *footer, int year, change all[CHANGES])
{
    for (int i = 0; i < CHANGES; i++) {
        change one = change_in(footer, year - 1 + i / 2, i % 2);
        int place = i;

        for (; place > 0 && all[place - 1].at_s > one.at_s; place--)
            all[place] = all[place - 1];
        all[place] = one;
    }
}

void iswi_footer_span(const iswi_footer *footer, int64_t instant_s, iswi_zone_span *out)
{
    int64_t near_s = instant_s < ISWI_CIVIL_FIRST  ? ISWI_CIVIL_FIRST
                     : instant_s > ISWI_CIVIL_LAST ? ISWI_CIVIL_LAST
                                                   : instant_s;
    change all[CHANGES];

    *out = (iswi_zone_span){ .from_s = INT64_MIN, .until_s = INT64_MAX,
                             .offset_s = footer->offset_s[0], .before_s = footer->offset_s[0] };
    if (!footer->changes)
        return;
    changes_around(footer, iswi_civil_of(iswi_civil_day_of(near_s)).year, all);
    for (int i = 0; i < CHANGES; i++) {
        if (all[i].at_s > near_s) {
            out->until_s = all[i].at_s;
            return;
        }
        out->before_s = i ? out->offset_s : footer->offset_s[all[i].offset_s ==
                                                             footer->offset_s[0]];
        out->offset_s = all[i].offset_s;
        out->from_s = all[i].at_s;
    }
}
