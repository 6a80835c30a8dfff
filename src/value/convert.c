/* SPDX-License-Identifier: Apache-2.0 */
/* One value as a C type, and the way to a value within another. */
#include "value/value.h"

#include "base/number.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_BYTES = 64, EXCERPT_BYTES = 24 };

static bool is_text(const isw_value *value)
{
    return value->type == ISW_VALUE_STRING || value->type == ISW_VALUE_JSON;
}

/* The text of messages: as people call the types, and the beginning of a scalar. */
const char *iswi_found(const isw_value *value, char *out)
{
    isw_str text;
    char number[ISWI_DOUBLE_BYTES];
    bool cut;

    switch (value->type) {
    case ISW_VALUE_STRING:
    case ISW_VALUE_JSON:
        text = value->as.string;
        cut = text.size > EXCERPT_BYTES;
        snprintf(out, ISWI_FOUND_BYTES, "string \"%.*s%s", cut ? EXCERPT_BYTES : (int)text.size,
                 text.size ? text.data : "", cut ? "...\"" : "\"");
        break;
    case ISW_VALUE_INT:
        snprintf(out, ISWI_FOUND_BYTES, "integer %lld", (long long)value->as.integer);
        break;
    case ISW_VALUE_DOUBLE:
        iswi_double_brief(value->as.real, number);
        snprintf(out, ISWI_FOUND_BYTES, "number %s", number);
        break;
    case ISW_VALUE_BOOL:
        snprintf(out, ISWI_FOUND_BYTES, "%s", value->as.boolean ? "true" : "false");
        break;
    default:
        snprintf(out, ISWI_FOUND_BYTES, "%s", isw_value_type_name(value->type));
    }
    return out;
}

static isw_status refuse(const isw_value *value, const char *expected, isw_error *error)
{
    char found[ISWI_FOUND_BYTES];

    return isw_error_set(error, ISW_E_INVALID, "expected %s, found %s", expected,
                         iswi_found(value, found));
}

/* -- Numbers ----------------------------------------------------------------------------------- */

/* The text with a NUL behind it; false if no number is that long, or none begins so. */
static bool copy_number(const isw_value *value, char out[NUMBER_BYTES])
{
    isw_str text = value->as.string;

    if (!text.size || text.size >= NUMBER_BYTES || memchr(text.data, 0, text.size) ||
        !strchr("-0123456789", text.data[0]))
        return false;
    memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

static bool int_of_text(const isw_value *value, int64_t *out)
{
    char text[NUMBER_BYTES];
    char *end;
    long long number;

    if (!copy_number(value, text))
        return false;
    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno || *end || end == text)
        return false;
    *out = number;
    return true;
}

isw_status isw_value_to_int(const isw_value *value, int64_t *out, isw_error *error)
{
    double real = value->as.real;

    if (value->type == ISW_VALUE_INT) {
        *out = value->as.integer;
        return ISW_OK;
    }
    if (value->type == ISW_VALUE_DOUBLE && real >= -0x1p63 && real < 0x1p63 &&
        (double)(int64_t)real == real) {
        *out = (int64_t)real;
        return ISW_OK;
    }
    if (is_text(value) && int_of_text(value, out))
        return ISW_OK;
    return refuse(value, "integer", error);
}

/* In no locale: a decimal point is a point. */
static bool double_of_text(const isw_value *value, double *out)
{
    char text[NUMBER_BYTES];

    return copy_number(value, text) && iswi_double_read(text, out);
}

isw_status isw_value_to_double(const isw_value *value, double *out, isw_error *error)
{
    if (value->type == ISW_VALUE_DOUBLE) {
        *out = value->as.real;
        return ISW_OK;
    }
    if (value->type == ISW_VALUE_INT && value->as.integer >= -(INT64_C(1) << 53) &&
        value->as.integer <= INT64_C(1) << 53) {
        *out = (double)value->as.integer;
        return ISW_OK;
    }
    if (is_text(value) && double_of_text(value, out))
        return ISW_OK;
    return refuse(value, "number", error);
}

/* -- Others ------------------------------------------------------------------------------------ */

isw_status isw_value_to_bool(const isw_value *value, bool *out, isw_error *error)
{
    if (value->type == ISW_VALUE_BOOL) {
        *out = value->as.boolean;
        return ISW_OK;
    }
    if (is_text(value) && (isw_str_equal(value->as.string, isw_str_of("true")) ||
                           isw_str_equal(value->as.string, isw_str_of("false")))) {
        *out = value->as.string.size == 4;
        return ISW_OK;
    }
    return refuse(value, "true or false", error);
}

isw_status isw_value_to_text(const isw_value *value, isw_str *out, isw_error *error)
{
    if (!is_text(value))
        return refuse(value, "string", error);
    *out = value->as.string;
    return ISW_OK;
}

isw_status isw_value_to_bytes(const isw_value *value, isw_bytes *out, isw_error *error)
{
    if (is_text(value))
        *out = (isw_bytes){ value->as.string.data, value->as.string.size };
    else if (value->type == ISW_VALUE_BYTES)
        *out = value->as.bytes;
    else
        return refuse(value, "bytes", error);
    return ISW_OK;
}

/* -- Paths ------------------------------------------------------------------------------------- */

static const isw_value *member(const isw_value *value, isw_str name)
{
    if (value->type != ISW_VALUE_MAP)
        return NULL;
    for (size_t i = 0; i < value->as.map.count; i++)
        if (isw_str_equal(value->as.map.items[i].name, name))
            return &value->as.map.items[i].value;
    return NULL;
}

/* The element that "[3]" names; *path goes behind it. */
static const isw_value *element(const isw_value *value, const char **path)
{
    char *end;
    unsigned long at = strtoul(*path + 1, &end, 10);

    if (end == *path + 1 || *end != ']' || value->type != ISW_VALUE_ARRAY ||
        at >= value->as.array.count)
        return NULL;
    *path = end + 1;
    return &value->as.array.items[at];
}

const isw_value *isw_value_get(const isw_value *value, const char *path)
{
    while (value && *path) {
        if (*path == '[') {
            value = element(value, &path);
        } else {
            size_t size = strcspn(path, ".[");

            value = member(value, (isw_str){ path, size });
            path += size;
        }
        if (*path == '.')
            path++;
    }
    return value;
}
