/* SPDX-License-Identifier: Apache-2.0 */
#include "cron/duration.h"

enum { MOST_S = 366 * 86400, DIGITS = 9 };

static const struct {
    char letter;
    int seconds;
} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

enum { UNITS = sizeof units / sizeof units[0] };

static bool take_number(isw_str *text, int64_t *out)
{
    size_t digits = 0;

    *out = 0;
    while (digits < text->size && digits < DIGITS && text->data[digits] >= '0' &&
           text->data[digits] <= '9')
        *out = 10 * *out + text->data[digits++] - '0';
    text->data += digits;
    text->size -= digits;
    return digits > 0;
}

/* Its seconds, if it is one of those that may follow; *next is the one behind it. */
static int take_unit(isw_str *text, size_t *next)
{
    for (size_t i = *next; text->size && i < UNITS; i++)
        if (units[i].letter == *text->data) {
            text->data++;
            text->size--;
            *next = i + 1;
            return units[i].seconds;
        }
    return 0;
}

isw_status iswi_cron_duration_read(isw_str text, size_t column, int64_t *seconds, isw_error *error)
{
    isw_str rest = text;
    int64_t sum = 0;
    size_t next = 0;
    bool good = rest.size > 0;

    while (good && rest.size) {
        int64_t number;
        int unit;

        good = take_number(&rest, &number) && (unit = take_unit(&rest, &next)) != 0;
        if (good)
            sum += number * unit;
    }
    if (!good || sum < 1 || sum > MOST_S)
        return isw_error_set(error, ISW_E_CONFIG,
                             "@every \"%.*s\" at character %zu is no duration from 1s to 366d: "
                             "write whole numbers with d, h, m or s, such as 90s or 1h30m",
                             (int)text.size, text.size ? text.data : "", column);
    *seconds = sum;
    return ISW_OK;
}
