/* SPDX-License-Identifier: Apache-2.0 */
#include "config/phrase.h"

#include "config/scalar.h"

#include <inttypes.h>

static const char *phrase_of(const isw_option *row)
{
    switch ((int)row->type) {
    case ISW_OPTION_BOOL:
        return "true or false";
    case ISW_OPTION_INT:
        return "a whole number";
    case ISW_OPTION_DOUBLE:
        return "a number";
    case ISW_OPTION_STRING:
        return "a text";
    case ISW_OPTION_ENUM:
        return "one of";
    case ISW_OPTION_DURATION:
        return "a duration (250ms, 10s, 5m, 1h)";
    case ISW_OPTION_SIZE:
        return "a size (512, 64KiB, 16MiB, 1GiB)";
    case ISW_OPTION_SECRET:
        return "a reference to a secret (env:NAME, file:PATH)";
    case ISW_OPTION_PATH:
        return "a path";
    case ISW_OPTION_STRINGS:
        return "a list of texts";
    case (int)ISWI_OPTION_TEXTS:
        return "a text or a list of texts";
    case ISW_OPTION_PROPERTIES:
        return "a mapping of names to texts";
    case (int)ISWI_OPTION_VARIABLES:
        return "a mapping of names to values, or a list of NAME=value";
    case (int)ISWI_OPTION_SHORT_GROUP:
        return "a whole number or a mapping"; /* its first option, of those that there are */
    case ISW_OPTION_GROUP:
        return "a mapping";
    case ISW_OPTION_GROUP_LIST:
        return "a list of mappings";
    default:
        return "a list of names, each with or without options";
    }
}

static void write_number(const isw_option *row, int64_t number, iswi_buffer *out)
{
    char text[ISWI_SCALAR_TEXT_BYTES];

    if (row->type == ISW_OPTION_INT) {
        iswi_buffer_printf(out, "%" PRId64, number);
        return;
    }
    if (row->type == ISW_OPTION_SIZE)
        iswi_scalar_size_text(number, text);
    else
        iswi_scalar_duration_text(number, text);
    iswi_buffer_append_text(out, text);
}

/* A row with a least value and no greatest one has max 0, as one with neither. */
int64_t iswi_option_max(const isw_option *row)
{
    return row->max == 0 && row->min >= 0 ? INT64_MAX : row->max;
}

static void describe_range(const isw_option *row, iswi_buffer *out)
{
    if (iswi_option_max(row) != INT64_MAX) {
        iswi_buffer_append_text(out, " from ");
        write_number(row, row->min, out);
        iswi_buffer_append_text(out, " to ");
        write_number(row, row->max, out);
    } else if (row->min > 0 || row->type == ISW_OPTION_INT) {
        iswi_buffer_append_text(out, ", ");
        write_number(row, row->min, out);
        iswi_buffer_append_text(out, " or more");
    }
}

void iswi_option_describe(const isw_option *row, iswi_buffer *out)
{
    iswi_buffer_append_text(out, phrase_of(row));
    if (row->type == ISW_OPTION_INT || row->type == ISW_OPTION_DURATION ||
        row->type == ISW_OPTION_SIZE)
        describe_range(row, out);
    if (row->type == ISW_OPTION_ENUM)
        for (size_t i = 0; row->choices[i]; i++)
            iswi_buffer_printf(out, "%s %s", i ? "," : "", row->choices[i]);
}
