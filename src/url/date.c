/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of HTTP, whatever the locale and the time zone. Reading follows a pattern for each form:
 *   D day of the month    M month    Y year    y year of two digits    h m s time of day
 *   w W weekday, short and long; it is not held against the date
 * and any other character stands for itself. */
#include "url/date.h"

#include <stdio.h>
#include <time.h>

enum { WEEKDAYS = 7, MONTHS = 12 };

static const char *const days[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                    "Thursday", "Friday", "Saturday" };
static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

bool iswi_http_date_write(int64_t seconds, char out[ISWI_HTTP_DATE_BYTES])
{
    time_t when = (time_t)seconds;
    struct tm date;

    out[0] = '\0';
    if (!gmtime_r(&when, &date) || date.tm_year < -1900 || date.tm_year > 9999 - 1900)
        return false;
    snprintf(out, ISWI_HTTP_DATE_BYTES, "%.3s, %02u %s %04u %02u:%02u:%02u GMT",
             days[date.tm_wday], (unsigned)date.tm_mday % 100, months[date.tm_mon],
             (unsigned)(date.tm_year + 1900) % 10000, (unsigned)date.tm_hour % 100,
             (unsigned)date.tm_min % 100, (unsigned)date.tm_sec % 100);
    return true;
}

/* -- Reading ----------------------------------------------------------------------------------- */

/* Take `digits` digits; a space may stand for the first when `padded`. */
static bool take_number(isw_str *text, size_t digits, bool padded, int *out)
{
    int number = 0;

    if (text->size < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        char c = text->data[i];

        if (padded && i == 0 && c == ' ')
            continue;
        if (c < '0' || c > '9')
            return false;
        number = number * 10 + c - '0';
    }
    text->data += digits;
    text->size -= digits;
    *out = number;
    return true;
}

/* Take one of `names`, of which `size` bytes count; 0: all. */
static bool take_name(isw_str *text, const char *const *names, int count, size_t size, int *out)
{
    for (int i = 0; i < count; i++) {
        size_t length = size ? size : strlen(names[i]);

        if (text->size >= length && memcmp(text->data, names[i], length) == 0) {
            text->data += length;
            text->size -= length;
            *out = i;
            return true;
        }
    }
    return false;
}

static bool take(isw_str *text, char what, struct tm *date)
{
    int ignored;

    switch (what) {
    case 'W':
        return take_name(text, days, WEEKDAYS, 0, &ignored);
    case 'w':
        return take_name(text, days, WEEKDAYS, 3, &ignored);
    case 'D':
        return take_number(text, 2, true, &date->tm_mday);
    case 'M':
        return take_name(text, months, MONTHS, 3, &date->tm_mon);
    case 'Y':
        return take_number(text, 4, false, &date->tm_year);
    case 'y':
        return take_number(text, 2, false, &date->tm_year);
    case 'h':
        return take_number(text, 2, false, &date->tm_hour);
    case 'm':
        return take_number(text, 2, false, &date->tm_min);
    case 's':
        return take_number(text, 2, false, &date->tm_sec);
    default:
        if (!text->size || *text->data != what)
            return false;
        text->data++;
        text->size--;
        return true;
    }
}

static bool matches(isw_str text, const char *pattern, struct tm *date)
{
    memset(date, 0, sizeof *date);
    for (; *pattern; pattern++)
        if (!take(&text, *pattern, date))
            return false;
    return text.size == 0;
}

/* The latest year of that century's place which is at most 50 years after `now`. */
static int full_year(int two_digits, int64_t now)
{
    time_t when = (time_t)now;
    struct tm date = { 0 };
    int latest;

    gmtime_r(&when, &date);
    latest = date.tm_year + 1900 + 50;
    return latest - (latest - two_digits) % 100;
}

bool iswi_http_date_read(isw_str text, int64_t now, int64_t *out)
{
    struct tm date, normal;
    time_t when;

    /* "GMT" has an 'M' that stands for itself. */
    if (text.size > 4 && memcmp(text.data + text.size - 4, " GMT", 4) == 0) {
        text.size -= 4;
        if (matches(text, "W, D-M-y h:m:s", &date))
            date.tm_year = full_year(date.tm_year, now);
        else if (!matches(text, "w, D M Y h:m:s", &date))
            return false;
    } else if (!matches(text, "w M D h:m:s Y", &date)) {
        return false;
    }
    if (date.tm_hour > 23 || date.tm_min > 59 || date.tm_sec > 60)
        return false;
    date.tm_year -= 1900;
    normal = date;
    normal.tm_sec = 0; /* a leap second is one */
    when = timegm(&normal);
    if (normal.tm_mday != date.tm_mday || normal.tm_mon != date.tm_mon)
        return false; /* the 30th of February */
    *out = (int64_t)when + date.tm_sec;
    return true;
}
