/* SPDX-License-Identifier: Apache-2.0 */
/* Strict numbers. libcyaml takes "12x" for 12 and "010" for 8, so that nothing but plain decimal
 * digits made by us ever reaches it. */
#include "config/scalar.h"

#include "base/number.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct unit {
    const char *name;
    int64_t factor;
} unit;

/* The largest first. */
static const unit duration_units[] = {
    { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 }
};
static const unit size_units[] = {
    { "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 }, { "", 1 }, { NULL, 0 }
};

static const char too_large[] = "it is too large";
static const char leading_zeros[] = "leading zeros are refused, since some read them as octal";

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t count_digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* The digits at `text` as a number; *end is behind them. */
static const char *read_digits(const char *text, const char **end, uint64_t *out)
{
    size_t count = count_digits(text);
    uint64_t value = 0;

    if (count == 0)
        return "it is not a decimal number";
    if (count > 1 && text[0] == '0')
        return leading_zeros;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(text[i] - '0');

        if (value > (UINT64_MAX - digit) / 10)
            return too_large;
        value = value * 10 + digit;
    }
    *end = text + count;
    *out = value;
    return NULL;
}

const char *iswi_scalar_bool(const char *text, bool *out)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return "only these two words are known";
    *out = text[0] == 't';
    return NULL;
}

const char *iswi_scalar_int(const char *text, int64_t *out)
{
    bool negative = text[0] == '-';
    uint64_t most = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    const char *end = text;
    uint64_t value = 0;
    const char *wrong = read_digits(text + negative, &end, &value);

    if (wrong)
        return wrong;
    if (*end)
        return "it is not a decimal number";
    if (value > most)
        return too_large;
    /* -value as unsigned: the least int64_t has no positive counterpart. */
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return NULL;
}

/* -digits[.digits][e[+-]digits], the whole text. */
static bool is_decimal(const char *text)
{
    text += *text == '-';
    if (!is_digit(*text))
        return false;
    text += count_digits(text);
    if (*text == '.') {
        if (!is_digit(text[1]))
            return false;
        text += 1 + count_digits(text + 1);
    }
    if (*text == 'e' || *text == 'E') {
        text += text[1] == '-' || text[1] == '+' ? 2 : 1;
        if (!is_digit(*text))
            return false;
        text += count_digits(text);
    }
    return *text == '\0';
}

const char *iswi_scalar_double(const char *text, double *out)
{
    const char *digits = text + (text[0] == '-');
    double value;

    if (!is_decimal(text))
        return "it is not a decimal number";
    if (digits[0] == '0' && is_digit(digits[1]))
        return leading_zeros;
    if (!iswi_double_read(text, &value))
        return too_large;
    *out = value;
    return NULL;
}

static const char *read_with_unit(const char *text, const unit *units, const char *known,
                                  int64_t *out)
{
    const char *end = text;
    uint64_t value = 0;
    const char *wrong = read_digits(text, &end, &value);

    if (wrong)
        return wrong;
    while (units->name && strcmp(units->name, end) != 0)
        units++;
    if (!units->name)
        return known;
    if (value > (uint64_t)(INT64_MAX / units->factor))
        return too_large;
    *out = (int64_t)value * units->factor;
    return NULL;
}

const char *iswi_scalar_duration(const char *text, int64_t *out)
{
    if (strcmp(text, "0") == 0) {
        *out = 0;
        return NULL;
    }
    return read_with_unit(text, duration_units, "it needs one of the units ms, s, m and h", out);
}

const char *iswi_scalar_seconds(const char *text, int64_t *out)
{
    const double most = (double)(INT64_MAX / 1024); /* in ms, and exact */
    double number;
    const char *wrong;

    if (!is_decimal(text))
        return iswi_scalar_duration(text, out);
    wrong = iswi_scalar_double(text, &number);
    if (wrong)
        return wrong;
    if (number < 0)
        return "it is below 0";
    if (number > most / 1000)
        return too_large;
    *out = (int64_t)(number * 1000);
    return NULL;
}

const char *iswi_scalar_size(const char *text, int64_t *out)
{
    return read_with_unit(text, size_units, "the units are KiB, MiB and GiB", out);
}

static void write_with_unit(int64_t value, const unit *units, char *out)
{
    while (units->factor != 1 && value % units->factor != 0)
        units++;
    snprintf(out, ISWI_SCALAR_TEXT_BYTES, "%" PRId64 "%s", value / units->factor, units->name);
}

void iswi_scalar_duration_text(int64_t ms, char out[ISWI_SCALAR_TEXT_BYTES])
{
    if (ms == 0)
        memcpy(out, "0", 2);
    else
        write_with_unit(ms, duration_units, out);
}

void iswi_scalar_size_text(int64_t bytes, char out[ISWI_SCALAR_TEXT_BYTES])
{
    if (bytes == 0)
        memcpy(out, "0", 2);
    else
        write_with_unit(bytes, size_units, out);
}
