/* SPDX-License-Identifier: Apache-2.0 */
/* A field: entries with commas between them, each `first[-last][/step]`. */
#include "cron/field.h"

#include <stdio.h>

enum { WORD_LEAST = 3, NUMBER_MOST = 9999 };

static const char *const month_words[] = { "january",   "february", "march",    "april",
                                           "may",       "june",     "july",     "august",
                                           "september", "october",  "november", "december" };
static const char *const day_words[] = { "sunday",   "monday", "tuesday", "wednesday",
                                         "thursday", "friday", "saturday" };

const iswi_cron_kind iswi_cron_kinds[ISWI_CRON_FIELDS] = {
    { "second", 0, 59, 59, NULL },       { "minute", 0, 59, 59, NULL },
    { "hour", 0, 23, 23, NULL },         { "day", 1, 31, 31, NULL },
    { "month", 1, 12, 12, month_words }, { "weekday", 0, 7, 6, day_words },
};

/* An entry, as it is read from left to right. */
typedef struct entry {
    const iswi_cron_kind *kind;
    isw_str all;
    const char *at, *end;
    size_t column; /* of all.data */
    unsigned first, last, step;
    isw_error *error;
} entry;

/* -- What is wrong ----------------------------------------------------------------------------- */

#define QUOTED(text) (int)(text).size, (text).size ? (text).data : ""

static isw_status refuse(const entry *e, const char *why)
{
    return isw_error_set(e->error, ISW_E_CONFIG, "%s \"%.*s\" at character %zu %s", e->kind->name,
                         QUOTED(e->all), e->column, why);
}

static isw_status refuse_value(const entry *e, isw_str value)
{
    const char *more = "";

    if (value.size && strchr("?LW#", value.data[value.size - 1]))
        more = "; ?, L, W and # of other crons are not known here";
    return isw_error_set(e->error, ISW_E_CONFIG,
                         "%s \"%.*s\" at character %zu is none: write a number from %u to %u%s, * "
                         "for any, a range a-b, a step */n, or a list of those with commas%s",
                         e->kind->name, QUOTED(value),
                         e->column + (size_t)(value.data - e->all.data),
                         e->kind->least, e->kind->most,
                         e->kind->words ? " or the first letters of a name, three or more" : "",
                         more);
}

static isw_status refuse_order(const entry *e)
{
    char end[16] = "";

    if (e->first < e->kind->last)
        snprintf(end, sizeof end, "-%u", e->kind->last);
    return isw_error_set(e->error, ISW_E_CONFIG,
                         "%s \"%.*s\" at character %zu runs backwards: to go round the end, write "
                         "\"%u%s,%u%s%u\"", e->kind->name, QUOTED(e->all), e->column, e->first, end,
                         e->kind->least, e->last > e->kind->least ? "-" : ",", e->last);
}

/* -- Reading ----------------------------------------------------------------------------------- */

static bool number_of(isw_str text, unsigned *out)
{
    unsigned number = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || number > NUMBER_MOST)
            return false;
        number = 10 * number + (unsigned)(text.data[i] - '0');
    }
    *out = number;
    return text.size > 0;
}

static bool word_of(const iswi_cron_kind *kind, isw_str text, unsigned *out)
{
    unsigned count = kind->words && text.size >= WORD_LEAST ? kind->last - kind->least + 1 : 0;

    for (unsigned i = 0; i < count; i++) {
        isw_str word = isw_str_of(kind->words[i]);

        word.size = word.size < text.size ? word.size : text.size;
        if (isw_str_equal_nocase(word, text)) {
            *out = kind->least + i;
            return true;
        }
    }
    return false;
}

/* What stands before any of `stops`, or the end. */
static isw_str take(entry *e, const char *stops)
{
    isw_str taken = { e->at, 0 };

    while (e->at < e->end && !strchr(stops, *e->at))
        e->at++;
    taken.size = (size_t)(e->at - taken.data);
    return taken;
}

static isw_status take_value(entry *e, const char *stops, unsigned *out, bool *is_word)
{
    isw_str text = take(e, stops);

    *is_word = word_of(e->kind, text, out);
    if (*is_word)
        return ISW_OK;
    if (!number_of(text, out) || *out < e->kind->least || *out > e->kind->most)
        return refuse_value(e, text);
    return ISW_OK;
}

static bool take_char(entry *e, char c)
{
    if (e->at == e->end || *e->at != c)
        return false;
    e->at++;
    return true;
}

static isw_status take_step(entry *e)
{
    isw_str text = take(e, "");

    if (!number_of(text, &e->step) || e->step == 0)
        return refuse(e, "has no step behind its /: write a number from 1");
    return ISW_OK;
}

static isw_status take_end(entry *e)
{
    bool is_word;

    if (take_value(e, "/", &e->last, &is_word) != ISW_OK)
        return ISW_E_CONFIG;
    if (is_word && e->last == 0 && e->first > 0 && e->kind->most > e->kind->last)
        e->last = e->kind->most; /* Saturday to Sunday */
    return e->last < e->first ? refuse_order(e) : ISW_OK;
}

/* Its range; an `open` one ends where the field does, if a step follows. */
static isw_status take_range(entry *e, bool *open)
{
    bool is_word;

    *open = take_char(e, '*');
    e->first = e->kind->least;
    e->last = e->kind->last;
    if (*open)
        return ISW_OK;
    if (take_value(e, "-/", &e->first, &is_word) != ISW_OK)
        return ISW_E_CONFIG;
    if (take_char(e, '-'))
        return take_end(e);
    *open = e->at < e->end;
    e->last = *open && e->first <= e->kind->last ? e->kind->last : e->first;
    return ISW_OK;
}

static isw_status read_entry(entry *e, uint64_t *set)
{
    bool open;

    e->step = 1;
    if (!e->all.size)
        return refuse(e, "is an empty entry of its list: write a value, or leave the comma out");
    if (take_range(e, &open) != ISW_OK)
        return ISW_E_CONFIG;
    if (take_char(e, '/') && take_step(e) != ISW_OK)
        return ISW_E_CONFIG;
    if (e->at < e->end)
        return refuse_value(e, e->all);
    for (unsigned value = e->first; value <= e->last; value += e->step)
        *set |= UINT64_C(1) << value;
    return ISW_OK;
}

isw_status iswi_cron_field_read(const iswi_cron_kind *kind, isw_str text, size_t column,
                                uint64_t *set, isw_error *error)
{
    const char *at = text.data;
    const char *end = text.data + text.size;

    for (;;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        entry e = { .kind = kind, .at = at, .end = comma ? comma : end, .error = error };

        e.all = (isw_str){ at, (size_t)(e.end - at) };
        e.column = column + (size_t)(at - text.data);
        if (read_entry(&e, set) != ISW_OK)
            return ISW_E_CONFIG;
        if (!comma)
            return ISW_OK;
        at = comma + 1;
    }
}
