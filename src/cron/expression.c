/* SPDX-License-Identifier: Apache-2.0 */
/* An expression: fields with spaces between them, or a word with @. */
#include "cron/expression.h"

#include "cron/duration.h"
#include "cron/field.h"

#include <stdio.h>

enum { SHORT_FIELDS = 5, HOUR = 2, DAY = 3, WEEKDAY = 5 };

/* -- Words ------------------------------------------------------------------------------------- */

static const struct {
    const char *word, *fields;
} words[] = {
    { "@hourly", "0 * * * *" },  { "@daily", "0 0 * * *" },   { "@midnight", "0 0 * * *" },
    { "@weekly", "0 0 * * 0" },  { "@monthly", "0 0 1 * *" }, { "@yearly", "0 0 1 1 *" },
    { "@annually", "0 0 1 1 *" },
};

static isw_status refuse_word(isw_str word, isw_error *error)
{
    if (isw_str_equal(word, isw_str_of("@reboot")))
        return isw_error_set(error, ISW_E_CONFIG, "@reboot is no time: say run_on_startup instead");
    return isw_error_set(error, ISW_E_CONFIG,
                         "\"%.*s\" at character 1 is not known: there are @hourly, @daily, "
                         "@midnight, @weekly, @monthly, @yearly, @annually and @every 90s",
                         (int)word.size, word.data);
}

/* -- Fields ------------------------------------------------------------------------------------ */

typedef struct split {
    isw_str items[ISWI_CRON_FIELDS + 1];
    size_t count; /* one more than there may be: or more */
} split;

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static void split_up(const char *text, split *out)
{
    out->count = 0;
    while (out->count <= ISWI_CRON_FIELDS) {
        const char *begin;

        while (is_space(*text))
            text++;
        if (!*text)
            return;
        begin = text;
        while (*text && !is_space(*text))
            text++;
        out->items[out->count++] = (isw_str){ begin, (size_t)(text - begin) };
    }
}

static bool has_any(isw_str text, const char *of)
{
    for (size_t i = 0; i < text.size; i++)
        if (strchr(of, text.data[i]))
            return true;
    return false;
}

static isw_status read_fields(const char *text, const split *fields, iswi_cron *out,
                              isw_error *error)
{
    uint64_t sets[ISWI_CRON_FIELDS] = { 1 }; /* second 0 */
    size_t skipped = ISWI_CRON_FIELDS - fields->count;
    const isw_str *item[ISWI_CRON_FIELDS];

    if (skipped == 0)
        sets[0] = 0;
    *out = (iswi_cron){ .interval = false };
    for (size_t i = skipped; i < ISWI_CRON_FIELDS; i++) {
        item[i] = &fields->items[i - skipped];
        if (iswi_cron_field_read(&iswi_cron_kinds[i], *item[i], (size_t)(item[i]->data - text) + 1,
                                 &sets[i], error) != ISW_OK)
            return ISW_E_CONFIG;
        if (i <= HOUR && has_any(*item[i], "*-/"))
            out->interval = true;
    }
    out->either = skipped > 0 && *item[DAY]->data != '*' && *item[WEEKDAY]->data != '*';
    out->seconds = sets[0];
    out->minutes = sets[1];
    out->hours = (uint32_t)sets[HOUR];
    out->days = (uint32_t)sets[DAY];
    out->months = (uint16_t)sets[4];
    out->weekdays = (uint8_t)((sets[WEEKDAY] | sets[WEEKDAY] >> 7) & 0x7f);
    return ISW_OK;
}

static isw_status read_word(const char *text, const split *parts, iswi_cron *out, isw_error *error)
{
    isw_str word = parts->items[0];

    if (isw_str_equal_nocase(word, isw_str_of("@every"))) {
        isw_str duration = parts->count > 1 ? parts->items[1] : isw_str_of("");
        size_t column = 1 + (parts->count > 1 ? (size_t)(duration.data - text) : word.size);

        if (parts->count > 2)
            duration.size = strlen(duration.data); /* to its end, which is no unit's */
        *out = (iswi_cron){ .interval = true };
        return iswi_cron_duration_read(duration, column, &out->every_s, error);
    }
    for (size_t i = 0; parts->count == 1 && i < sizeof words / sizeof words[0]; i++)
        if (isw_str_equal_nocase(word, isw_str_of(words[i].word)))
            return iswi_cron_read(words[i].fields, out, error);
    return refuse_word(word, error);
}

isw_status iswi_cron_read(const char *text, iswi_cron *out, isw_error *error)
{
    iswi_cron made;
    split parts;
    isw_status status;

    split_up(text, &parts);
    if (parts.count && *parts.items[0].data == '@')
        status = read_word(text, &parts, &made, error);
    else if (parts.count == SHORT_FIELDS || parts.count == ISWI_CRON_FIELDS)
        status = read_fields(text, &parts, &made, error);
    else
        status = isw_error_set(error, ISW_E_CONFIG,
                               "there are %zu fields%s: write six (second minute hour day month "
                               "weekday), five (no second), or a word such as @daily or @every 90s",
                               parts.count, parts.count > ISWI_CRON_FIELDS ? " or more" : "");
    if (status == ISW_OK)
        *out = made;
    return status;
}
